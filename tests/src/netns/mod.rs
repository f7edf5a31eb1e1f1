//! Pairs of network namespaces joined by a link that carries only what sockets send.
//!
//! A namespace lives as long as a process that waits inside it; the link goes
//! with the namespaces, so nothing is left behind even by a killed test. All is
//! set up by netlink: no `ip`, no names in `/run/netns`, nothing but a kernel
//! with veth is needed.
//!
//! Silence is arranged, not hoped for: addresses are permanent and without
//! duplicate detection, there is no link-local address (so no router solicitation),
//! neighbours are permanent entries, and the interfaces resolve no addresses
//! (`NOARP`), which also keeps IPv6 from announcing multicast groups.

mod counters;
mod netlink;

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub use self::counters::{Counters, Traffic};
use self::netlink::{End, Route};
use crate::workload::{Order, Running};

/// Name of the interface in either namespace.
pub const INTERFACE: &str = "lab0";

/// Two namespaces and the link between them.
#[derive(Debug)]
pub struct Link {
    /// One end; addresses 10.77.0.1 and fd77::1.
    pub left: Namespace,
    /// The other; addresses 10.77.0.2 and fd77::2.
    pub right: Namespace,
}

impl Link {
    /// Makes two namespaces and joins them.
    ///
    /// # Errors
    ///
    /// Privileges or the kernel's veth module are missing, or the `workload`
    /// binary is not found.
    pub fn lay() -> Result<Self> {
        let left = Namespace::create(1)?;
        let right = Namespace::create(2)?;
        // The pair is made from inside the left namespace, so that no interface
        // is seen in ours even for a moment.
        left.route()?.make_pair(INTERFACE, &left.end(), &right.end(), right.holder.pid())?;
        left.configure(&right)?;
        right.configure(&left)?;
        Ok(Self { left, right })
    }
}

/// A network namespace with its loopback up; dropping it removes it.
#[derive(Debug)]
pub struct Namespace {
    holder: Running,
    path: PathBuf,
    number: u8,
}

impl Namespace {
    /// Makes a namespace that is joined to nothing.
    ///
    /// # Errors
    ///
    /// Privileges are missing, or the `workload` binary is not found.
    pub fn lonely() -> Result<Self> {
        let namespace = Self::create(1)?;
        namespace.route()?.raise_loopback()?;
        Ok(namespace)
    }

    /// Its file, for whoever wants to enter.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its IPv4 address on the link.
    #[must_use]
    pub fn ipv4(&self) -> IpAddr {
        Ipv4Addr::new(10, 77, 0, self.number).into()
    }

    /// Its IPv6 address on the link.
    #[must_use]
    pub fn ipv6(&self) -> IpAddr {
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, u16::from(self.number)).into()
    }

    /// What the interface of the link has carried so far, at layer 3.
    ///
    /// # Errors
    ///
    /// The namespace has no such interface: it is not joined.
    pub fn counters(&self) -> Result<Counters> {
        let table = self.proc_net("dev")?;
        counters::of_interface(&table, INTERFACE)
            .with_context(|| format!("no interface {INTERFACE} in the namespace"))
    }

    /// What the namespace's own IP layers have counted so far, loopback included:
    /// a second witness, independent of the interface.
    ///
    /// # Errors
    ///
    /// The kernel's tables cannot be read.
    pub fn ip_counters(&self) -> Result<Counters> {
        counters::of_ip_layers(&self.proc_net("netstat")?, &self.proc_net("snmp6")?)
            .context("the kernel's IP counters are not as expected")
    }

    fn create(number: u8) -> Result<Self> {
        let holder = Order::new(["namespace"]).start().context("cannot make a namespace")?;
        let path = PathBuf::from(format!("/proc/{}/ns/net", holder.pid()));
        Ok(Self { holder, path, number })
    }

    fn end(&self) -> End {
        // A locally administered address.
        End { hardware: [0x02, 0, 0, 0, 0x77, self.number], addresses: [self.ipv4(), self.ipv6()] }
    }

    fn configure(&self, peer: &Self) -> Result<()> {
        let route = self.route()?;
        route.raise_loopback()?;
        route.raise(INTERFACE, &self.end(), &peer.end())
    }

    /// A routing socket inside. A socket stays in the namespace it was made in.
    fn route(&self) -> Result<Route> {
        self.inside(Route::open)
    }

    /// Does something inside: only the thread that does it goes there.
    ///
    /// # Errors
    ///
    /// The namespace cannot be entered, or what is done fails.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let path = &self.path;
        let entered = || -> Result<T> {
            let file = File::open(path).context("cannot open the namespace")?;
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .context("cannot enter the namespace")?;
            act()
        };
        match std::thread::scope(|scope| scope.spawn(entered).join()) {
            Ok(done) => done,
            Err(_) => bail!("the thread that enters the namespace panicked"),
        }
    }

    fn proc_net(&self, table: &str) -> Result<String> {
        let path = format!("/proc/{}/net/{table}", self.holder.pid());
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }
}

//! The addresses of this node's own interfaces, from the tables of its network.
//!
//! Those of process 1, which is the node's: the agent's own network may be that of a pod.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// Reads them anew; `proc_fs` is where processes are described.
///
/// # Errors
///
/// When a table cannot be read. A kernel without IPv6 has none of these.
pub(super) fn read(proc_fs: &Path) -> io::Result<Vec<IpAddr>> {
    let tables = proc_fs.join("1/net");
    let routes = std::fs::read_to_string(tables.join("fib_trie"))?;
    let interfaces = match std::fs::read_to_string(tables.join("if_inet6")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let mut addresses: Vec<IpAddr> = of_routes(&routes).map(IpAddr::V4).collect();
    addresses.extend(of_interfaces(&interfaces).map(IpAddr::V6));
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// The leaves that are addresses of the node: `|-- 10.0.0.1`, and on one of the next
/// lines `/32 host LOCAL`.
fn of_routes(table: &str) -> impl Iterator<Item = Ipv4Addr> {
    let mut leaf = None;
    table.lines().filter_map(move |line| {
        let line = line.trim_start();
        match line.strip_prefix("|-- ") {
            Some(address) => {
                leaf = address.parse().ok();
                None
            }
            None => leaf.filter(|_| line.starts_with("/32 host LOCAL")),
        }
    })
}

/// The first column: 32 digits. Those of a link alone are no one's elsewhere.
fn of_interfaces(table: &str) -> impl Iterator<Item = Ipv6Addr> {
    table.lines().filter_map(|line| {
        let digits = line.split_whitespace().next()?;
        let address = (digits.len() == 32).then(|| u128::from_str_radix(digits, 16).ok())??;
        Some(Ipv6Addr::from(address)).filter(|address| !address.is_unicast_link_local())
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{of_interfaces, of_routes, read};

    const FIB_TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.88.0.0/16 2 0 2
        |-- 10.88.0.0
           /16 link UNICAST
        |-- 10.88.0.1
           /32 host LOCAL
        |-- 10.88.255.255
           /32 link BROADCAST
     |-- 192.0.2.7
        /32 universe UNICAST
     |-- 192.0.2.8
        /31 link UNICAST
        /32 host LOCAL
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
";

    #[test]
    fn local_routes_are_addresses() {
        let found: Vec<String> = of_routes(FIB_TRIE).map(|it| it.to_string()).collect();
        assert_eq!(found, ["10.88.0.1", "192.0.2.8", "127.0.0.1"]);
    }

    #[test]
    fn interfaces_have_addresses() {
        let table = "\
00000000000000000000000000000001 01 80 10 80       lo
fe80000000000000004277fffe000001 02 40 20 80     eth0
fd770000000000000000000000000001 02 40 00 80     eth0
nonsense 02
";
        let found: Vec<String> = of_interfaces(table).map(|it| it.to_string()).collect();
        assert_eq!(found, ["::1", "fd77::1"]);
    }

    #[test]
    fn every_node_has_loopback() {
        let found = read(Path::new("/proc")).unwrap();
        assert!(found.contains(&"127.0.0.1".parse().unwrap()), "{found:?}");
    }

    #[test]
    fn no_tables_no_addresses() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
    }
}

//! The few requests to the kernel's routing socket that joining two namespaces takes.

use std::net::IpAddr;
use std::os::fd::OwnedFd;

use anyhow::{Context as _, Result, bail};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::net::netdevice::name_to_index;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily as SocketFamily, RecvFlags, SendFlags, SocketType, bind, recv, sendto, socket,
};

/// Large enough for any answer to a single request.
const ANSWER: usize = 16 * 1024;
/// The kernel's port on a netlink socket.
const KERNEL: SocketAddrNetlink = SocketAddrNetlink::new(0, 0);

/// One end of a link.
#[derive(Debug)]
pub(super) struct End {
    /// Hardware address.
    pub(super) hardware: [u8; 6],
    /// IPv4 and IPv6 address.
    pub(super) addresses: [IpAddr; 2],
}

/// A routing socket; it acts in the namespace it was opened in.
#[derive(Debug)]
pub(super) struct Route {
    socket: OwnedFd,
}

impl Route {
    /// Opens a routing socket in the namespace of the calling thread.
    pub(super) fn open() -> Result<Self> {
        // No protocol is protocol zero, which is the routing one.
        let socket = socket(SocketFamily::NETLINK, SocketType::RAW, None)
            .context("cannot open a routing socket")?;
        bind(&socket, &KERNEL).context("cannot bind a routing socket")?;
        Ok(Self { socket })
    }

    /// Makes the pair: one end here, the other in the namespace of process `there`,
    /// both called `name`.
    pub(super) fn make_pair(&self, name: &str, here: &End, peer: &End, there: u32) -> Result<()> {
        let mut far = LinkMessage::default();
        far.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::Address(peer.hardware.to_vec()),
            LinkAttribute::NetNsPid(there),
        ];
        let mut near = LinkMessage::default();
        near.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::Address(here.hardware.to_vec()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(far))),
            ]),
        ];
        self.request(RouteNetlinkMessage::NewLink(near), NLM_F_CREATE | NLM_F_EXCL)
            .context("cannot make a veth pair (is the veth module loaded?)")
    }

    /// Brings the loopback interface up.
    pub(super) fn raise_loopback(&self) -> Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = self.index("lo")?;
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        self.request(RouteNetlinkMessage::SetLink(link), 0).context("cannot raise lo")
    }

    /// Brings the interface up with its addresses and its only neighbour.
    pub(super) fn raise(&self, name: &str, own: &End, peer: &End) -> Result<()> {
        let index = self.index(name)?;
        let mut quiet = LinkMessage::default();
        quiet.header.index = index;
        quiet.attributes = vec![LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![
            AfSpecInet6::AddrGenMode(In6AddrGenMode::None),
        ])])];
        self.request(RouteNetlinkMessage::SetLink(quiet), 0)
            .context("cannot switch off link-local addresses")?;

        // Before it is up: a multicast group joined afterwards is announced.
        let mut up = LinkMessage::default();
        up.header.index = index;
        up.header.flags = LinkFlags::Up | LinkFlags::Noarp;
        up.header.change_mask = LinkFlags::Up | LinkFlags::Noarp;
        self.request(RouteNetlinkMessage::SetLink(up), 0)
            .with_context(|| format!("cannot raise {name}"))?;

        for address in own.addresses {
            self.request(
                RouteNetlinkMessage::NewAddress(address_of(index, address)),
                NLM_F_CREATE | NLM_F_EXCL,
            )
            .with_context(|| format!("cannot give {name} the address {address}"))?;
        }
        for address in peer.addresses {
            self.request(
                RouteNetlinkMessage::NewNeighbour(neighbour(index, address, peer.hardware)),
                NLM_F_CREATE,
            )
            .with_context(|| format!("cannot tell {name} of its neighbour {address}"))?;
        }
        Ok(())
    }

    fn index(&self, name: &str) -> Result<u32> {
        // Any socket serves; what counts is the namespace it was made in.
        name_to_index(&self.socket, name).with_context(|| format!("no interface {name}"))
    }

    /// Sends one request and waits for the kernel's verdict.
    fn request(&self, message: RouteNetlinkMessage, flags: u16) -> Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        header.sequence_number = 1;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let mut buffer = vec![0; message.buffer_len()];
        message.serialize(&mut buffer);
        sendto(&self.socket, &buffer, SendFlags::empty(), &KERNEL).context("cannot ask")?;

        let mut answer = vec![0; ANSWER];
        let (length, _) =
            recv(&self.socket, &mut answer, RecvFlags::empty()).context("no answer")?;
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer[..length])
            .context("the answer is not understood")?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
            NetlinkPayload::Error(error) => Err(error.to_io()).context("the kernel refuses"),
            other => bail!("an answer of an unexpected kind: {other:?}"),
        }
    }
}

fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn address_of(index: u32, address: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(address);
    message.header.prefix_len = if address.is_ipv4() { 24 } else { 64 };
    message.header.index = index;
    message.attributes = vec![AddressAttribute::Local(address), AddressAttribute::Address(address)];
    if address.is_ipv6() {
        message.header.flags = AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    message
}

fn neighbour(index: u32, address: IpAddr, hardware: [u8; 6]) -> NeighbourMessage {
    let destination = match address {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    };
    let mut message = NeighbourMessage::default();
    message.header.family = family(address);
    message.header.ifindex = index;
    message.header.state = NeighbourState::Permanent;
    message.attributes = vec![
        NeighbourAttribute::Destination(destination),
        NeighbourAttribute::LinkLayerAddress(hardware.to_vec()),
    ];
    message
}

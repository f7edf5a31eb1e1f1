//! Fields that follow from others, as Falco has them, so that an event in a test
//! need not say everything twice.
//!
//! | field | follows from |
//! |---|---|
//! | `syscall.type`, `evt.category`, `evt.dir`, `evt.is_io…`, `evt.is_wait`, `evt.count` | `evt.type` |
//! | `evt.res`, `evt.rawres`, `evt.failed`, `evt.count.error` | each other |
//! | `evt.rawtime.s`, `evt.rawtime.ns` | `evt.time` |
//! | `evt.args`, `evt.info` | `evt.arg` |
//! | `evt.is_open_read`, `_write`, `_create`, `_exec` | `evt.arg.flags`, `evt.arg.mode` |
//! | `fd.directory`, `fd.filename` | `fd.name` of a file |
//! | `fd.type`, `fd.typechar`, `fd.sockfamily` | each other, `fd.name` |
//! | `fd.name` of a socket, `fd.cip`, `fd.cport`, `fd.sip`, `fd.sport` | each other |
//! | `fd.is_server` | `connect`, `accept` |
//! | `fd.lip`, `fd.lport`, `fd.rip`, `fd.rport` | those and `fd.is_server` |
//! | `fd.cip.name` and the like, as addresses | `fd.cip` and the like |
//! | `fd.ip`, `fd.port`, `fd.net`, `fd.cnet`, `fd.snet`, `fd.lnet`, `fd.rnet` | those |
//! | `proc.cmdline`, `proc.exeline`, `proc.args`, `proc.args[N]`, `proc.cmdnargs` | `proc.name`, `proc.exe`, `proc.args` |
//! | `proc.pname`, `proc.aname[0]`, `proc.aname[1]` and the like | each other |
//! | `proc.env`, `proc.env[NAME]` | each other |
//! | `container.image`, `.repository`, `.tag` | each other |
//! | `container.name` | `container.id` if that is `host` |
//!
//! What was given is never changed.

use std::net::{IpAddr, SocketAddr};

use super::{Fields, Owned, errno};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{Category, EventType, Origin, ParamId};
use crate::rules::field::FieldId;

/// Everything that follows from the fields of an event of that type.
pub(super) fn derive(event_type: EventType, given: &Fields) -> Fields {
    let mut facts = Facts { given, derived: Fields::new() };
    kind(event_type, &mut facts);
    result(&mut facts);
    parameters(event_type, &mut facts);
    opening(event_type, &mut facts);
    connection(event_type, &mut facts);
    descriptor(&mut facts);
    category(event_type, &mut facts);
    command_line(&mut facts);
    ancestors(&mut facts);
    environment(&mut facts);
    container(&mut facts);
    facts.derived
}

/// What is known so far.
struct Facts<'a> {
    given: &'a Fields,
    derived: Fields,
}

impl Facts<'_> {
    fn all(&self, field: &FieldRef) -> Option<&[Owned]> {
        self.given.get(field).or_else(|| self.derived.get(field)).map(Vec::as_slice)
    }

    fn get(&self, id: FieldId) -> Option<&Owned> {
        self.all(&plain(id))?.first()
    }

    fn text(&self, id: FieldId) -> Option<&[u8]> {
        match self.get(id)? {
            Owned::Text(text) => Some(text),
            _ => None,
        }
    }

    fn argument(&self, name: &str) -> Option<&[u8]> {
        let argument = Argument::Param(ParamId::named(name)?);
        match self.all(&FieldRef { id: FieldId::EvtArg, argument })? {
            [Owned::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn flag(&self, id: FieldId) -> Option<bool> {
        match self.get(id)? {
            Owned::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Adds what is not known yet.
    fn add(&mut self, field: FieldRef, values: Vec<Owned>) {
        if self.all(&field).is_none() && !values.is_empty() {
            self.derived.insert(field, values);
        }
    }

    fn put(&mut self, id: FieldId, value: Owned) {
        self.add(plain(id), vec![value]);
    }

    fn put_text(&mut self, id: FieldId, text: impl AsRef<[u8]>) {
        self.put(id, Owned::Text(text.as_ref().into()));
    }

    /// Adds a copy of another field, if that is known.
    fn copy(&mut self, to: FieldId, from: FieldId) {
        if let Some(value) = self.get(from).cloned() {
            self.put(to, value);
        }
    }
}

const fn plain(id: FieldId) -> FieldRef {
    FieldRef { id, argument: Argument::None }
}

fn kind(event_type: EventType, facts: &mut Facts<'_>) {
    let name = event_type.name();
    if event_type.origin() == Origin::Syscall {
        facts.put_text(FieldId::SyscallType, name);
    }
    facts.put_text(FieldId::EvtDir, "<");
    facts.put(FieldId::EvtCount, Owned::Uint(1));
    facts.put(FieldId::EvtCountExit, Owned::Uint(1));
    let category = event_type.category();
    let (reads, writes) = (category == Category::IoRead, category == Category::IoWrite);
    facts.put(FieldId::EvtIsIo, Owned::Bool(reads || writes));
    facts.put(FieldId::EvtIsIoRead, Owned::Bool(reads));
    facts.put(FieldId::EvtIsIoWrite, Owned::Bool(writes));
    facts
        .put(FieldId::EvtIsWait, Owned::Bool(matches!(category, Category::Wait | Category::Sleep)));
    if reads || writes {
        facts.put_text(FieldId::EvtIoDir, if reads { "r" } else { "w" });
    }
    if let Some(Owned::Uint(time)) = facts.get(FieldId::EvtRawtime).cloned() {
        facts.put(FieldId::EvtRawtimeS, Owned::Uint(time / 1_000_000_000));
        facts.put(FieldId::EvtRawtimeNs, Owned::Uint(time % 1_000_000_000));
    }
}

fn result(facts: &mut Facts<'_>) {
    let raw = match facts.get(FieldId::EvtRawres) {
        Some(Owned::Int(raw)) => Some(*raw),
        _ => facts.argument("res").and_then(|res| std::str::from_utf8(res).ok()?.parse().ok()),
    };
    if let Some(raw) = raw {
        facts.put(FieldId::EvtRawres, Owned::Int(raw));
        let name = if raw >= 0 { Some("SUCCESS") } else { errno::name(-raw) };
        if let Some(name) = name {
            facts.put_text(FieldId::EvtRes, name);
        }
    } else if let Some(number) =
        facts.text(FieldId::EvtRes).and_then(|name| errno::number(std::str::from_utf8(name).ok()?))
    {
        facts.put(FieldId::EvtRawres, Owned::Int(-number));
    }
    if let Some(name) = facts.text(FieldId::EvtRes) {
        let failed = name != b"SUCCESS";
        facts.put(FieldId::EvtFailed, Owned::Bool(failed));
        if failed {
            facts.put(FieldId::EvtCountError, Owned::Uint(1));
        }
    }
}

fn parameters(event_type: EventType, facts: &mut Facts<'_>) {
    let mut all = Vec::new();
    for param in event_type.params() {
        if let Some(text) = facts.argument(param.name()) {
            all.extend_from_slice(param.name().as_bytes());
            all.push(b'=');
            all.extend_from_slice(text);
            all.push(b' ');
        }
    }
    if !all.is_empty() {
        facts.put_text(FieldId::EvtArgs, all);
    }
    facts.copy(FieldId::EvtInfo, FieldId::EvtArgs);
}

/// How a file was opened, of calls that open one.
fn opening(event_type: EventType, facts: &mut Facts<'_>) {
    let name = event_type.name();
    if !["open", "openat", "openat2", "open_by_handle_at", "creat"].contains(&name) {
        return;
    }
    let flags = facts.argument("flags").unwrap_or_default();
    let has = |flag: &str| flags.split(|byte| *byte == b'|').any(|it| it == flag.as_bytes());
    let is_creat = name == "creat";
    let reads = has("O_RDONLY") || has("O_RDWR");
    let writes = is_creat || has("O_WRONLY") || has("O_RDWR");
    let creates = is_creat || has("O_CREAT") || has("O_F_CREATED") || has("O_TMPFILE");
    let is_executable = facts.argument("mode").is_some_and(|mode| {
        let mode = String::from_utf8_lossy(mode);
        let number = mode.trim_start_matches("0o");
        u32::from_str_radix(number, 8).map_or(mode.contains("S_IX"), |bits| bits & 0o111 != 0)
    });
    if is_creat || !flags.is_empty() {
        facts.put(FieldId::EvtIsOpenRead, Owned::Bool(reads));
        facts.put(FieldId::EvtIsOpenWrite, Owned::Bool(writes));
        facts.put(FieldId::EvtIsOpenCreate, Owned::Bool(creates));
        facts.put(FieldId::EvtIsOpenExec, Owned::Bool(creates && is_executable));
    }
    facts.copy(FieldId::FsPathName, FieldId::FdName);
}

fn connection(event_type: EventType, facts: &mut Facts<'_>) {
    if let Some((client, server)) = facts.text(FieldId::FdName).and_then(tuple) {
        facts.put(FieldId::FdCip, Owned::Ip(client.ip()));
        facts.put(FieldId::FdCport, Owned::Uint(client.port().into()));
        facts.put(FieldId::FdSip, Owned::Ip(server.ip()));
        facts.put(FieldId::FdSport, Owned::Uint(server.port().into()));
    }
    let ends = [(FieldId::FdCip, FieldId::FdCport), (FieldId::FdSip, FieldId::FdSport)].map(
        |(ip, port)| match (facts.get(ip), facts.get(port)) {
            (Some(Owned::Ip(ip)), Some(Owned::Uint(port))) => {
                u16::try_from(*port).ok().map(|port| (*ip, port))
            }
            _ => None,
        },
    );
    if let [Some(client), Some(server)] = ends {
        let end = |(ip, port): (IpAddr, u16)| format!("{ip}:{port}");
        facts.put_text(FieldId::FdName, format!("{}->{}", end(client), end(server)));
    }
    match event_type.name() {
        "connect" => facts.put(FieldId::FdIsServer, Owned::Bool(false)),
        "accept" | "accept4" => facts.put(FieldId::FdIsServer, Owned::Bool(true)),
        _ => {}
    }
    let client = [FieldId::FdCip, FieldId::FdCport, FieldId::FdCnet];
    let server = [FieldId::FdSip, FieldId::FdSport, FieldId::FdSnet];
    if let Some(is_server) = facts.flag(FieldId::FdIsServer) {
        let (local, remote) = if is_server { (server, client) } else { (client, server) };
        facts.copy(FieldId::FdLip, local[0]);
        facts.copy(FieldId::FdLport, local[1]);
        facts.copy(FieldId::FdRip, remote[0]);
        facts.copy(FieldId::FdRport, remote[1]);
    }
    for (ip, net) in [
        (FieldId::FdCip, FieldId::FdCnet),
        (FieldId::FdSip, FieldId::FdSnet),
        (FieldId::FdLip, FieldId::FdLnet),
        (FieldId::FdRip, FieldId::FdRnet),
    ] {
        facts.copy(net, ip);
        facts.copy(ip, net);
    }
    // Names of hosts are compared by their addresses.
    for (name, ip) in [
        (FieldId::FdCipName, FieldId::FdCip),
        (FieldId::FdSipName, FieldId::FdSip),
        (FieldId::FdLipName, FieldId::FdLip),
        (FieldId::FdRipName, FieldId::FdRip),
    ] {
        facts.copy(name, ip);
    }
    for (either, client, server) in [
        (FieldId::FdIp, FieldId::FdCip, FieldId::FdSip),
        (FieldId::FdNet, FieldId::FdCip, FieldId::FdSip),
        (FieldId::FdPort, FieldId::FdCport, FieldId::FdSport),
        (FieldId::FdProto, FieldId::FdCport, FieldId::FdSport),
    ] {
        let ends = [client, server].into_iter().filter_map(|id| facts.get(id).cloned()).collect();
        facts.add(plain(either), ends);
    }
    let ips = facts.all(&plain(FieldId::FdIp)).map(<[Owned]>::to_vec);
    facts.add(plain(FieldId::FdNet), ips.unwrap_or_default());
    if let Some(Owned::Ip(ip)) = facts.all(&plain(FieldId::FdIp)).and_then(<[Owned]>::first) {
        let typechar = if ip.is_ipv4() { "4" } else { "6" };
        facts.put_text(FieldId::FdTypechar, typechar);
    }
}

/// Both ends in `10.0.0.1:4711->10.0.0.2:443`.
fn tuple(name: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    let (client, server) = std::str::from_utf8(name).ok()?.split_once("->")?;
    Some((end(client)?, end(server)?))
}

/// An address of either version, a colon and a port.
fn end(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.rsplit_once(':')?;
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

/// Types of descriptors with the character of each.
const DESCRIPTORS: [(&str, &str); 17] = [
    ("file", "f"),
    ("directory", "d"),
    ("ipv4", "4"),
    ("ipv6", "6"),
    ("unix", "u"),
    ("pipe", "p"),
    ("event", "e"),
    ("signalfd", "s"),
    ("eventpoll", "l"),
    ("inotify", "i"),
    ("timerfd", "t"),
    ("bpf", "b"),
    ("io_uring", "r"),
    ("memfd", "m"),
    ("netlink", "n"),
    ("pidfd", "P"),
    // Shares its character with unix sockets, which are the first of that.
    ("userfaultfd", "u"),
];

fn descriptor(facts: &mut Facts<'_>) {
    let known = |text: Option<&[u8]>, by: fn(&(&'static str, &'static str)) -> &'static str| {
        let text = text?;
        DESCRIPTORS.iter().find(|row| by(row).as_bytes() == text)
    };
    let row = known(facts.text(FieldId::FdType), |row| row.0)
        .or_else(|| known(facts.text(FieldId::FdTypechar), |row| row.1));
    if let Some((name, character)) = row {
        facts.put_text(FieldId::FdType, name);
        facts.put_text(FieldId::FdTypechar, character);
    }
    let name = facts.text(FieldId::FdName).filter(|name| name.starts_with(b"/"));
    let name = name.map(<[u8]>::to_vec);
    if row.is_none() && name.is_some() {
        facts.put_text(FieldId::FdType, "file");
        facts.put_text(FieldId::FdTypechar, "f");
    }
    let family = match facts.text(FieldId::FdTypechar) {
        Some(b"4" | b"6") => Some("ip"),
        Some(b"u") => Some("unix"),
        _ => None,
    };
    if let Some(family) = family {
        facts.put_text(FieldId::FdSockfamily, family);
    }
    let Some(name) = name else { return };
    match facts.text(FieldId::FdTypechar) {
        Some(b"d") => facts.put_text(FieldId::FdDirectory, name),
        Some(b"f") => {
            let slash = name.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
            facts.put_text(FieldId::FdFilename, &name[slash + 1..]);
            facts.put_text(FieldId::FdDirectory, if slash == 0 { b"/" } else { &name[..slash] });
        }
        _ => {}
    }
}

/// What the event is about: for input and output that is the descriptor's kind.
fn category(event_type: EventType, facts: &mut Facts<'_>) {
    let name =
        event_type.category().name().unwrap_or_else(|| match facts.text(FieldId::FdTypechar) {
            Some(b"f" | b"d") => "file",
            Some(b"4" | b"6" | b"u") => "net",
            Some(_) => "IPC",
            None => "unknown",
        });
    facts.put_text(FieldId::EvtCategory, name);
}

fn command_line(facts: &mut Facts<'_>) {
    if let Some(line) = facts.text(FieldId::ProcCmdline) {
        let blank = line.iter().position(|byte| *byte == b' ');
        let args = blank.map_or(&b""[..], |at| &line[at + 1..]).to_vec();
        facts.put_text(FieldId::ProcArgs, args);
    }
    let args = facts.text(FieldId::ProcArgs).map(<[u8]>::to_vec);
    for (line, first) in
        [(FieldId::ProcCmdline, FieldId::ProcName), (FieldId::ProcExeline, FieldId::ProcExe)]
    {
        if let Some(first) = facts.text(first) {
            let mut words = first.to_vec();
            if let Some(args) = args.as_deref().filter(|args| !args.is_empty()) {
                words.push(b' ');
                words.extend_from_slice(args);
            }
            facts.put_text(line, words);
        }
    }
    let Some(args) = args else { return };
    let words = || args.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let mut count = 0;
    for (index, word) in (0..).zip(words()) {
        let field = FieldRef { id: FieldId::ProcArgs, argument: Argument::Index(index) };
        facts.add(field, vec![Owned::Text(word.into())]);
        count = u64::from(index) + 1;
    }
    facts.put(FieldId::ProcCmdnargs, Owned::Uint(count));
    let length = u64::try_from(words().map(<[u8]>::len).sum::<usize>()).unwrap_or(u64::MAX);
    facts.put(FieldId::ProcCmdlenargs, Owned::Uint(length));
}

/// A field of the process, of its parent, and of any ancestor.
const LINEAGE: [(FieldId, Option<FieldId>, FieldId); 6] = [
    (FieldId::ProcName, Some(FieldId::ProcPname), FieldId::ProcAname),
    (FieldId::ProcExe, Some(FieldId::ProcPexe), FieldId::ProcAexe),
    (FieldId::ProcExepath, Some(FieldId::ProcPexepath), FieldId::ProcAexepath),
    (FieldId::ProcCmdline, Some(FieldId::ProcPcmdline), FieldId::ProcAcmdline),
    (FieldId::ProcPid, Some(FieldId::ProcPpid), FieldId::ProcApid),
    (FieldId::ProcArgs, None, FieldId::ProcAargs),
];

fn ancestors(facts: &mut Facts<'_>) {
    for (own, parent, any) in LINEAGE {
        let nth = |index| FieldRef { id: any, argument: Argument::Index(index) };
        if let Some(value) = facts.get(own).cloned() {
            facts.add(nth(0), vec![value]);
        }
        let Some(parent) = parent else { continue };
        let listed = facts.all(&plain(any)).or_else(|| facts.all(&nth(1)));
        if let Some(value) = listed.and_then(<[Owned]>::first).cloned() {
            facts.put(parent, value);
        }
        if facts.all(&plain(any)).is_none()
            && let Some(value) = facts.get(parent).cloned()
        {
            facts.add(nth(1), vec![value]);
        }
    }
}

fn environment(facts: &mut Facts<'_>) {
    let given = facts.given;
    let mut variables: Vec<(&str, &[u8])> = given
        .iter()
        .filter_map(|(field, values)| match (&field.argument, values.as_slice()) {
            (Argument::Key(name), [Owned::Text(value)]) if field.id == FieldId::ProcEnv => {
                Some((&**name, &**value))
            }
            _ => None,
        })
        .collect();
    variables.sort_unstable();
    if !variables.is_empty() {
        let words: Vec<Vec<u8>> = variables
            .into_iter()
            .map(|(name, value)| [name.as_bytes(), value].join(&b'='))
            .collect();
        facts.put_text(FieldId::ProcEnv, words.join(&b' '));
    } else if let Some([Owned::Text(all)]) = given.get(&plain(FieldId::ProcEnv)).map(Vec::as_slice)
    {
        for word in all.split(|byte| *byte == b' ') {
            let Some(equals) = word.iter().position(|byte| *byte == b'=') else { continue };
            let Ok(name) = std::str::from_utf8(&word[..equals]) else { continue };
            let field = FieldRef { id: FieldId::ProcEnv, argument: Argument::Key(name.into()) };
            facts.add(field, vec![Owned::Text(word[equals + 1..].into())]);
        }
    }
}

fn container(facts: &mut Facts<'_>) {
    if facts.text(FieldId::ContainerId) == Some(b"host") {
        facts.put_text(FieldId::ContainerName, "host");
    }
    if let Some(image) = facts.text(FieldId::ContainerImage).map(<[u8]>::to_vec) {
        let name = image.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let colon = image[name..].iter().position(|byte| matches!(byte, b':' | b'@'));
        let end = colon.map_or(image.len(), |at| name + at);
        facts.put_text(FieldId::ContainerImageRepository, &image[..end]);
        if image.get(end) == Some(&b':') {
            facts.put_text(FieldId::ContainerImageTag, &image[end + 1..]);
        }
    } else if let Some(mut image) =
        facts.text(FieldId::ContainerImageRepository).map(<[u8]>::to_vec)
    {
        if let Some(tag) = facts.text(FieldId::ContainerImageTag) {
            image.push(b':');
            image.extend_from_slice(tag);
        }
        facts.put_text(FieldId::ContainerImage, image);
    }
}

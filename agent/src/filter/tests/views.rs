//! What rules see of two events with the same key: where a field counts as known, it
//! is the same.

use std::sync::Arc;

use jiff::tz::TimeZone;
use landlord_ebpf::abi::{
    COMPAT_BIT, FileFacts, Plan, RecordKind, Shape, SocketFacts, head_flag, plan_flag,
};
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::{prop_assert, prop_assert_eq};

use super::subject::{head, part};
use crate::calls;
use crate::event::{Names, Node, Part, Place, Record, Surroundings, View};
use crate::filter::known::Known;
use crate::filter::residue::Knowledge;
use crate::filter::situation::{Role, Situation};
use crate::filter::{Calls as _, TableCalls};
use crate::process::{Limits, ProcessFacts, Table};
use crate::rules::event::{Argument, Event as _, FieldRef};
use crate::rules::event_type::ParamId;
use crate::rules::field::{FieldId, Shape as Values};
use crate::rules::value::Value;

const PATHS: &[&str] =
    &["/etc/shadow", "/a", "a/b", "", "/x/../y", "[eventfd]", "/memfd:a", "/", "../c", "/dev/null"];
const FOLDERS: &[&str] = &["/", "/tmp", "/home/a", "/etc"];
const MAGICS: &[u32] = &[0xef53, 0x5049_5045, 0x534f_434b, 0x0904_1934, 0x5049_4446, 0x794c_7630];
const TYPES: &[u32] = &[0o100_000, 0o040_000, 0o010_000, 0o140_000, 0o020_000];
const RESULTS: &[i64] = &[0, 0, 3, 3, 77, -1, -2, -9, -13, -111, -115];
const FAMILIES: &[u16] = &[1, 2, 2, 10, 10, 16, 17];
const IPS: &[[u8; 16]] = &[
    [0; 16],
    [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2],
    [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
];
/// `sockaddr`s: none, two of version 4, one of 6, one of 4 in the form of 6, unix.
const ADDRESSES: &[&[u8]] = &[
    b"",
    b"\x02\0\0\x50\x0a\0\0\x05\0\0\0\0\0\0\0\0",
    b"\x02\0\x01\xbb\x0a\0\0\x05\0\0\0\0\0\0\0\0",
    b"\x0a\0\0\x50\0\0\0\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0",
    b"\x0a\0\0\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x05\0\0\0\0",
    b"\x01\0/run/a.sock\0",
];

/// Numbers to choose with.
struct Dice<'a>(std::slice::Iter<'a, u16>);

impl Dice<'_> {
    fn number(&mut self) -> u16 {
        *self.0.next().unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::from(self.number()) % all.len()]
    }

    fn chance(&mut self) -> bool {
        self.number().is_multiple_of(2)
    }
}

/// A record of a call. What is in the key comes from `key`, all else from `rest`.
/// `as_given` the path that an open was given is in the key, too.
fn record(call: u32, plan: &Plan, as_given: bool, key: &[u16], rest: &[u16]) -> Record<'static> {
    let (key, rest) = (&mut Dice(key.iter()), &mut Dice(rest.iter()));
    let mut head = head("close", key.of(RESULTS));
    let failed = head.result < 0;
    if !failed {
        head.result = rest.of(&[0, 3, 4, 99]);
    }
    head.syscall = call;
    head.flags = key.of(&[0, head_flag::ON_HOST, head_flag::IN_CONTAINER]);
    for (number, arg) in head.args.iter_mut().enumerate() {
        let dice = if plan.key_args >> number & 1 != 0 { &mut *key } else { &mut *rest };
        *arg = u64::from(dice.number() % 0o2000);
    }
    head.tid = u32::from(rest.number());
    head.uid = rest.of(&[0, 1000]);
    head.time_ns = u64::from(rest.number());
    let mut record = Record::empty(head, RecordKind::Syscall);
    let is = |shape: Shape| plan.shape == shape as u8;
    let opens = plan.fd == landlord_ebpf::abi::RESULT;
    let any_socket = key.chance() && plan.flags & plan_flag::ANY_DESCRIPTOR != 0;
    if is(Shape::Socket) || any_socket {
        if !failed || key.chance() {
            record.socket = Some(socket(plan, key, rest));
        }
        // What is left out of the key of a server's call, save for the address.
        let left_out = plan.flags & plan_flag::SERVER != 0 && !failed && record.socket.is_some();
        let mut address = key.of(ADDRESSES);
        if left_out && address == ADDRESSES[1] {
            address = rest.of(&[ADDRESSES[1], ADDRESSES[2]]);
        }
        let given = !address.is_empty() && plan.address != landlord_ebpf::abi::NO_ARGUMENT;
        let bytes = Part { bytes: address, cut: false, user: true, deleted: false };
        record.address = given.then_some(bytes);
        record.unix_path = key.chance().then(|| part("/run/b.sock"));
    } else if is(Shape::File) && !(failed && opens) {
        if !failed || key.chance() {
            let file = file(key, rest);
            let has_path = ![0x5049_5045, 0x534f_434b].contains(&file.magic);
            record.file = Some(file);
            record.path = has_path.then(|| Part { deleted: key.chance(), ..part(key.of(PATHS)) });
        }
        add_given(&mut record, plan, &mut *rest);
        if as_given && record.raw.is_some() {
            record.raw = Some(Part { user: true, ..part(key.of(PATHS)) });
            record.raw_verdict = [3, 5];
        }
    } else {
        add_given(&mut record, plan, &mut *key);
    }
    record
}

fn file(key: &mut Dice<'_>, rest: &mut Dice<'_>) -> FileFacts {
    FileFacts {
        ino: rest.number().into(),
        ctime_ns: rest.number().into(),
        mtime_ns: rest.number().into(),
        dev: rest.number().into(),
        mode: key.of(TYPES) | u32::from(rest.number() % 0o1000),
        magic: key.of(MAGICS),
        open_flags: key.number().into(),
        open_mode: u32::from(key.number()) << 8,
        nlink: rest.number().into(),
        uid: rest.number().into(),
        layer: key.of(&[0, 1, 2]),
    }
}

fn socket(plan: &Plan, key: &mut Dice<'_>, rest: &mut Dice<'_>) -> SocketFacts {
    let server = plan.flags & plan_flag::SERVER != 0;
    let (one, other) = (key.of(&[0, 80, 50_000]), rest.of(&[80, 443, 50_000]));
    // There is another port on both sides or on neither.
    let is_connected = key.chance();
    let (local_port, remote_port) = match (server, is_connected) {
        (true, true) => (one, other),
        (true, false) => (one, 0),
        (false, _) => (rest.of(&[0, 80, 443, 50_000]), one),
    };
    SocketFacts {
        ino: rest.number().into(),
        family: key.of(FAMILIES),
        kind: key.of(&[1, 2, 3]),
        protocol: key.of(&[0, 6, 17, 1, 255]),
        state: key.of(&[1, 2, 7, 10]),
        local_port,
        remote_port,
        padding: 0,
        local: key.of(IPS),
        remote: key.of(IPS),
    }
}

/// Adds what the call was given, and what that starts from.
fn add_given(record: &mut Record<'static>, plan: &Plan, dice: &mut Dice<'_>) {
    let mut given = |path: u8, directory: u8| {
        let raw = (path != landlord_ebpf::abi::NO_ARGUMENT).then(|| dice.of(PATHS));
        let relative = raw.is_some_and(|raw| !raw.starts_with('/'));
        let starts = relative && directory != landlord_ebpf::abi::NO_ARGUMENT;
        // Now and then it cannot be found out.
        let base = dice.of(FOLDERS);
        let base = (starts && !dice.number().is_multiple_of(4)).then_some(base);
        (raw.map(|raw| Part { user: true, ..part(raw) }), base.map(part))
    };
    (record.raw, record.base) = given(plan.path, plan.directory);
    (record.raw2, record.base2) = given(plan.path2, plan.directory2);
}

/// One of two worlds, which have nothing in common.
struct World {
    table: Table,
    place: Place,
    node: Node,
    name: &'static str,
}

impl World {
    fn new(number: u8, flags: u16) -> Self {
        let mut table = Table::new(Limits::default());
        let text = |text: &str| Arc::from(format!("{text}{number}").as_bytes());
        table.insert(ProcessFacts {
            pid: 1,
            comm: text("name"),
            cwd: text("/work"),
            exe: text("/bin/a"),
            ..ProcessFacts::default()
        });
        let on_host =
            flags & head_flag::ON_HOST != 0 || flags & head_flag::IN_CONTAINER == 0 && number == 1;
        let place = Place {
            cgroup_path: format!("/{number}").into(),
            container_id: (!on_host).then(|| format!("{number}{number}{number}").into()),
            tenant: format!("tenant-{number}").as_str().into(),
            ..Place::default()
        };
        let node = Node {
            hostname: format!("host-{number}").into(),
            boot_unix_ns: u64::from(number),
            agent_started_ns: 0,
            zone: TimeZone::UTC,
        };
        Self { table, place, node, name: if number == 1 { "one" } else { "two" } }
    }

    fn around(&self, number: u64) -> Surroundings<'_> {
        Surroundings {
            process: self.table.find(1),
            processes: &self.table,
            place: &self.place,
            names: self,
            node: &self.node,
            number,
            previous_ns: number,
            peer: Some(self.name),
        }
    }
}

impl Names for World {
    fn user_name(&self, _: Option<&str>, _: u32) -> Option<&str> {
        Some(self.name)
    }

    fn home(&self, _: Option<&str>, _: u32) -> Option<&str> {
        Some(self.name)
    }

    fn shell(&self, _: Option<&str>, _: u32) -> Option<&str> {
        Some(self.name)
    }

    fn group_name(&self, _: Option<&str>, _: u32) -> Option<&str> {
        Some(self.name)
    }
}

/// Every field with every argument that matters here.
fn fields() -> impl Iterator<Item = FieldRef> {
    FieldId::ALL.iter().flat_map(|id| {
        let arguments: Vec<Argument> = match id {
            FieldId::EvtArg | FieldId::EvtRawarg => ParamId::all().map(Argument::Param).collect(),
            FieldId::EvtTypeIs => vec![Argument::Key("open".into())],
            FieldId::EvtAbspath => vec![Argument::None, Argument::Key("dst".into())],
            _ => vec![Argument::None],
        };
        arguments.into_iter().map(|argument| FieldRef { id: *id, argument })
    })
}

/// The calls that have a verdict.
fn judged() -> Vec<u32> {
    let numbers = (0..512).flat_map(|number| [number, number | COMPAT_BIT]);
    let has_verdict = |plan: Plan| plan.flags & plan_flag::VERDICT != 0;
    numbers.filter(|number| TableCalls.plan(*number).is_some_and(has_verdict)).collect()
}

/// All values of a field. Tests do not tell the ends of a connection apart.
fn values(view: &View<'_>, field: &FieldRef) -> Vec<String> {
    let values = (0..4).map_while(|nth| view.value(field, nth));
    let mut values: Vec<String> = values.map(|value| format!("{value:?}")).collect();
    if field.shape() == Values::Ends {
        values.sort_unstable();
    }
    values
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn known_fields_are_the_same_for_all_events_of_a_key(
        call in any::<u16>(),
        as_given in any::<bool>(),
        key in any::<[u16; 32]>(),
        one in any::<[u16; 32]>(),
        other in any::<[u16; 32]>(),
    ) {
        let judged = judged();
        let call = judged[usize::from(call) % judged.len()];
        let of = calls::of(call).unwrap();
        let (plan, event_type) = (of.plan, of.event_type);
        let made = |rest| record(call, &plan, as_given, &key, rest);
        let (one, other) = (made(&one), made(&other));
        let situation = Situation::of(&one, &plan, Role::of(event_type));
        let as_given = |it: Situation| it.as_given(&one, &plan).unwrap_or(it);
        let Some(situation) = situation.map(as_given) else { return Ok(()) };
        let flags = one.head.flags;
        let worlds = (World::new(1, flags), World::new(2, flags));
        let views = (
            View::new(&one, Some(of), event_type, worlds.0.around(1)),
            View::new(&other, Some(of), event_type, worlds.1.around(2)),
        );
        let known = Known { event_type, call, plan: &plan, situation, calls: &TableCalls };
        for field in fields() {
            let found = (values(&views.0, &field), values(&views.1, &field));
            let what = format!("{field} of {} in {situation:?}", event_type.name());
            match known.of(&field) {
                Knowledge::All => prop_assert_eq!(found.0, found.1, "{}", what),
                Knowledge::NotNegative => for view in [&views.0, &views.1] {
                    let value = view.value(&field, 0);
                    prop_assert!(matches!(value, Some(Value::Int(0..))), "{}: {:?}", what, value);
                },
                Knowledge::Host => {
                    let hosts = [found.0, found.1].map(|id| id == ["Text([104, 111, 115, 116])"]);
                    if flags != 0 {
                        prop_assert_eq!(hosts, [flags & head_flag::ON_HOST != 0; 2]);
                    }
                }
                Knowledge::Nothing => {}
            }
        }
    }
}

//! What holds for every record and every field.

use landlord_ebpf::abi::{RecordKind, Section};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::draft::Draft;
use super::look;
use super::world::World;
use crate::decode;
use crate::event::View;
use crate::rules::event::{Argument, Event as _, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::field::{ArgumentSpec, FieldId, Needs, Shape};
use crate::rules::value::{Kind, Value};

const NAMES: [&str; 24] = [
    "open", "openat", "openat2", "creat", "read", "write", "close", "fchmod", "unlink", "mkdir",
    "rename", "link", "symlink", "mount", "accept", "connect", "bind", "listen", "sendto",
    "recvfrom", "socket", "execve", "clone", "procexit",
];

fn section() -> impl Strategy<Value = (u16, u16, Vec<u8>)> {
    let word = select(vec![0_u8, 1, 2, 10, 16, b'/', b'.', b'a', b'[', 255]);
    let any_bytes = prop_oneof![vec(word, 0..140), vec(any::<u8>(), 0..64)];
    // Structures have one size each.
    (1_u16..20, 0_u16..8, any_bytes).prop_map(|(kind, flags, mut bytes)| {
        let size = match kind {
            kind if kind == Section::File as u16 || kind == Section::Socket as u16 => Some(56),
            kind if kind == Section::Task as u16 => Some(40),
            kind if kind == Section::RawVerdict as u16 => Some(16),
            _ => None,
        };
        if let Some(size) = size {
            bytes.resize(size, 0);
        }
        (kind, flags, bytes)
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    let kind = select(vec![
        RecordKind::Syscall,
        RecordKind::Syscall,
        RecordKind::Syscall,
        RecordKind::Fork,
        RecordKind::Exec,
        RecordKind::Exit,
        RecordKind::IoUring,
    ]);
    let number = prop_oneof![any::<u64>(), 0_u64..20, Just(u64::MAX)];
    let head = (vec(number.clone(), 6), number.clone(), number.clone(), number);
    (select(NAMES.to_vec()), kind, head, vec(section(), 0..8), option::of(any::<u32>())).prop_map(
        |(name, kind, (args, result, time, start), sections, pid)| {
            let mut draft = Draft::of(kind, name).args(&args).result(result.cast_signed());
            draft.head.time_ns = time;
            if let Some(pid) = pid {
                (draft.head.tgid, draft.head.start_ns) = (pid, start);
            }
            sections
                .iter()
                .fold(draft, |draft, (kind, flags, bytes)| draft.raw_section(*kind, *flags, bytes))
        },
    )
}

/// Every field with arguments that it may have.
fn fields() -> Vec<FieldRef> {
    let mut all = Vec::new();
    for id in FieldId::ALL.iter().copied() {
        let plain = Argument::None;
        let index = |nth: u32| Argument::Index(nth);
        let key = |key: &str| Argument::Key(key.into());
        let arguments = match id.spec().argument {
            ArgumentSpec::None => vec![plain],
            ArgumentSpec::OptionalIndex => vec![plain, index(0), index(1), index(u32::MAX)],
            ArgumentSpec::OptionalKey => vec![plain, key("1"), key("HOME"), key("dst"), key("")],
            ArgumentSpec::Index => vec![index(0), index(u32::MAX)],
            ArgumentSpec::Key => vec![key("0"), key("open"), key("/e*"), key("[")],
            ArgumentSpec::Param => ParamId::all()
                .map(Argument::Param)
                .chain((id == FieldId::EvtArg).then(|| index(0)))
                .collect(),
        };
        all.extend(arguments.into_iter().map(|argument| FieldRef { id, argument }));
    }
    all
}

fn is_of_kind(value: Value<'_>, kind: Kind) -> bool {
    match value {
        Value::Bool(_) => kind == Kind::Bool,
        Value::Int(_) => kind == Kind::Int,
        Value::Uint(_) => {
            matches!(kind, Kind::Uint | Kind::Port | Kind::Duration | Kind::Time)
        }
        Value::Double(_) => kind == Kind::Double,
        Value::Text(_) => kind == Kind::Text,
        Value::Bytes(_) => kind == Kind::Bytes,
        Value::Ip(_) => matches!(kind, Kind::Ip | Kind::Net),
    }
}

fn lawful(view: &View<'_>, fields: &[FieldRef]) -> Result<(), TestCaseError> {
    for field in fields {
        let mut values = Vec::new();
        while let Some(value) = view.value(field, values.len()) {
            prop_assert!(is_of_kind(value, field.kind()), "{} is {:?}", field, value);
            prop_assert!(values.len() < 1000, "{} has no end", field);
            values.push(value);
        }
        // A second time, from the end.
        for (nth, value) in values.iter().enumerate().rev() {
            prop_assert_eq!(view.value(field, nth), Some(*value), "{}", field);
        }
        prop_assert!(field.shape() != Shape::One || values.len() < 2, "{}", field);
        prop_assert!(field.shape() != Shape::Ends || values.len() < 3, "{}", field);
        if field.id.spec().needs == Needs::Unavailable {
            prop_assert!(values.is_empty(), "{}", field);
        }
        prop_assert_eq!(view.value(field, usize::MAX), None, "{}", field);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_field_of_every_record(draft in draft(), known in any::<bool>()) {
        let world = if known { World::default() } else { World::unknown() };
        let fields = fields();
        look(&world, &draft, |view| lawful(view, &fields))?;
    }

    #[test]
    fn without_a_call(draft in draft()) {
        let bytes = draft.bytes();
        let record = decode::record(&bytes).unwrap();
        let world = World::host();
        let event_type = EventType::named(draft.name).unwrap();
        let view = View::new(&record, None, event_type, world.around(&record));
        lawful(&view, &fields())?;
    }
}

#[test]
fn classes_stand_together() {
    // By which `View::value` finds who answers.
    let firsts = [
        ("container", FieldId::ContainerCniJson),
        ("evt", FieldId::EvtAbspath),
        ("fd", FieldId::FdCip),
        ("fdlist", FieldId::FdlistCips),
        ("fs", FieldId::FsPathName),
        ("group", FieldId::GroupGid),
        ("k8s", FieldId::K8sDeploymentId),
        ("net", FieldId::NetBytesReceived),
        ("proc", FieldId::ProcAargs),
        ("syscall", FieldId::SyscallType),
        ("tenant", FieldId::TenantLabels),
        ("thread", FieldId::ThreadCapEffective),
        ("user", FieldId::UserHomedir),
        ("util", FieldId::UtilCnt),
    ];
    for id in FieldId::ALL {
        let (class, _) = firsts.iter().rfind(|(_, first)| first <= id).unwrap();
        let own = id.spec().class();
        assert!(own == *class || (*class == "k8s" && own == "k8smeta"), "{}", id.spec().name);
    }
}

#[test]
fn numbers_and_pieces_of_the_record_need_no_memory() {
    let draft = Draft::call("openat")
        .result(5)
        .kernel(Section::Path, "/etc/shadow")
        .user(Section::Raw, "/etc/shadow");
    let names = [
        "fd.name",
        "fd.directory",
        "fd.filename",
        "fd.typechar",
        "fd.num",
        "evt.type",
        "evt.res",
        "proc.name",
        "proc.pname",
        "proc.exepath",
        "proc.exe",
        "container.id",
        "user.name",
        "container.image.repository",
        "fs.path.name",
        "evt.is_open_write",
        "tenant.name",
        "evt.abspath",
        "proc.aname[1]",
        "proc.env[HOME]",
    ];
    look(&World::default(), &draft, |view| {
        for field in names.map(super::field_of) {
            let info = allocation_counter::measure(|| {
                assert!(view.value(&field, 0).is_some(), "{field}");
            });
            assert_eq!(info.count_total, 0, "{field}");
        }
    });
}

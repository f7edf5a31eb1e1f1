//! What holds for any rules and any events.

use landlord_ebpf::abi::{NO_ARGUMENT, RESULT, RecordKind, head_flag, truth};
use proptest::bool::ANY;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, proptest};
use proptest::sample::select;
use proptest::{prop_assert, prop_assert_eq};

use super::subject::{call, connected, given, head, part, reached};
use crate::event::Record;
use crate::filter::early::early;
use crate::filter::judge::Judge;
use crate::filter::known::Known;
use crate::filter::plans::Planned;
use crate::filter::residue::Knowledge;
use crate::filter::situation::{Role, Situation, Subject};
use crate::filter::{TableCalls, VerdictKey};
use crate::rules::evaluate::Scratch;
use crate::rules::event::Event;
use crate::rules::field::Shape;
use crate::rules::naive::{self, Owned};
use crate::rules::random::{self, FIELDS, Sample, field};
use crate::rules::typed::Condition;
use crate::rules::value::Value;

/// Those that are known early.
const EARLY: &[&str] = &[
    "container.id",
    "evt.arg.flags",
    "evt.failed",
    "evt.is_open_create",
    "evt.is_open_exec",
    "evt.is_open_read",
    "evt.is_open_write",
    "evt.num",
    "evt.rawres",
    "evt.res",
    "evt.type",
    "fd.num",
    "proc.name",
];

/// Those that subjects decide, and some others.
const SUBJECT: &[&str] = &[
    "container.id",
    "evt.arg.flags",
    "evt.is_open_write",
    "evt.rawres",
    "evt.res",
    "evt.type",
    "fd.ip",
    "fd.l4proto",
    "fd.name",
    "fd.nameraw",
    "fd.net",
    "fd.num",
    "fd.port",
    "fd.sip",
    "fd.sport",
    "fd.type",
    "proc.name",
];

/// The same event with what these truths say.
fn with_truths(event: Sample, bits: u32, likely_known: bool) -> Sample {
    let has = |bit| bits & bit != 0;
    let (_, plan) = call(event.event_type().name());
    let failed = has(truth::FAILED);
    let result = match number(&event, "evt.rawres") {
        Some(result) if failed => -1 - result.rem_euclid(4095),
        Some(result) => result.abs(),
        None if failed => -1,
        None => 0,
    };
    let mut event = event.truth("evt.failed", failed).number("evt.rawres", result);
    if !failed {
        event = event.text("evt.res", "SUCCESS");
    } else if text(&event, "evt.res").as_deref() == Some(b"SUCCESS") {
        event = event.text("evt.res", "EPERM");
    }
    if plan.fd == RESULT {
        event = event.number("fd.num", if failed { -1 } else { result });
    }
    let opens = plan.open_flags != NO_ARGUMENT;
    for (name, bit) in [
        ("evt.is_open_create", truth::CREATE),
        ("evt.is_open_exec", truth::EXECUTE),
        ("evt.is_open_read", truth::READ),
        ("evt.is_open_write", truth::WRITE),
    ] {
        event = if opens && likely_known {
            event.truth(name, has(bit))
        } else {
            event.with(field(name), Vec::new())
        };
    }
    if opens {
        let access = match (has(truth::READ), has(truth::WRITE)) {
            (true, true) => "O_RDWR",
            (true, false) => "O_RDONLY",
            (false, true) => "O_WRONLY",
            (false, false) => "",
        };
        let creates = if has(truth::CREATE) { "|O_CREAT" } else { "" };
        event = event.text("evt.arg.flags", &format!("{access}{creates}|O_CLOEXEC"));
    }
    if !has(truth::CONTAINER) {
        event = event.text("container.id", "host");
    }
    event
}

fn number(event: &Sample, name: &str) -> Option<i128> {
    match event.value(&field(name), 0)? {
        Value::Int(number) => Some(number.into()),
        _ => None,
    }
}

fn text(event: &Sample, name: &str) -> Option<Vec<u8>> {
    match event.value(&field(name), 0)? {
        Value::Text(text) => Some(text.to_vec()),
        _ => None,
    }
}

fn matches(conditions: &[Condition], event: &Sample) -> bool {
    let numbered: Vec<(usize, &Condition)> = conditions.iter().enumerate().collect();
    !naive::matching(&numbered, event, &random::hosts()).is_empty()
}

/// All values of a field.
fn values(event: &Sample, name: &str) -> Vec<Owned> {
    let field = field(name);
    let most = if field.shape() == Shape::One { 1 } else { usize::MAX };
    (0..most).map_while(|nth| event.value(&field, nth)).map(owned).collect()
}

fn owned(value: Value<'_>) -> Owned {
    match value {
        Value::Bool(truth) => Owned::Bool(truth),
        Value::Int(number) => Owned::Number(number.into()),
        Value::Uint(number) => Owned::Number(number.into()),
        Value::Double(number) => Owned::Double(number),
        Value::Text(text) | Value::Bytes(text) => Owned::Text(text.to_vec()),
        Value::Ip(address) => Owned::Ip(address),
    }
}

/// A record of such a call in such a situation.
fn record(name: &str, situation: Situation, place: u16) -> Record<'static> {
    let result = if situation.failed { -1 } else { 3 };
    let mut record = match situation.subject {
        Subject::File | Subject::Nameless | Subject::AsGiven => reached(name, "/a"),
        Subject::Given => given(name, result, "/a", "/b"),
        Subject::Ends => connected(name, result, 10),
        Subject::Socket => connected(name, result, 0),
        Subject::Nothing => Record::empty(head(name, result), RecordKind::Syscall),
    };
    if situation.subject == Subject::Nameless {
        record.path = None;
    }
    if situation.subject == Subject::AsGiven {
        (record.raw, record.raw_verdict) = (Some(part("a")), [3, 5]);
    }
    record.head.result = result;
    record.head.flags = place;
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn early_drops_no_event_that_a_rule_matches(
        conditions in vec(random::condition_over(EARLY), 1..4),
        event in random::event(),
        bits in 0_u32..64,
        likely_known in ANY,
    ) {
        let event_type = event.event_type();
        let (_, plan) = call(event_type.name());
        let event = with_truths(event, bits, likely_known || event_type.name() != "creat");
        let refs: Vec<&Condition> = conditions.iter().collect();
        let table = refs.iter().fold(0, |any, one| any | early(one, event_type, &plan));
        let wanted = Planned::wanted(&refs);
        if matches(&conditions, &event) {
            prop_assert!(table & 1 << bits != 0, "{bits:06b} {table:064b}");
            prop_assert!(wanted.contains(event_type));
        }
    }

    #[test]
    fn what_never_matches_does_not_match_whoever_acts(
        conditions in vec(random::condition_over(SUBJECT), 1..3),
        one in random::event(),
        other in random::event(),
        situation in select(Situation::all().to_vec()),
        place in select(&[0, head_flag::ON_HOST, head_flag::IN_CONTAINER][..]),
    ) {
        let event_type = one.event_type();
        let name = event_type.name();
        let refs: Vec<&Condition> = conditions.iter().collect();
        let wanted = Planned::wanted(&refs);
        let only = wanted.intersection(&[event_type].into_iter().collect());
        let judge = Judge::new(&refs, &only, &TableCalls);
        let (number_of_call, plan) = call(name);
        let record = record(name, situation, place);
        let as_given = situation.subject == Subject::AsGiven;
        let found = Situation::of(&record, &plan, Role::of(event_type));
        let found = if as_given { found.and_then(|it| it.as_given(&record, &plan)) } else { found };
        let Some(found) = found else { return Ok(()) };
        let known = Known { event_type, call: number_of_call, plan: &plan, situation: found, calls: &TableCalls };
        // Both events are such that the record fits them.
        let fit = |event: Sample| match place {
            head_flag::ON_HOST => event.text("container.id", "host"),
            head_flag::IN_CONTAINER => {
                let id = text(&event, "container.id").filter(|id| id != b"host");
                let id = id.unwrap_or_else(|| b"other".to_vec());
                event.with(field("container.id"), vec![Owned::Text(id)])
            }
            _ => event,
        };
        let (mut one, mut other) = (fit(one), fit(other));
        // What is known of one is so of the other.
        other = FIELDS.iter().fold(Sample::new(name), |event, name| {
            event.with(field(name), values(&other, name))
        });
        for name in FIELDS {
            match known.of(&field(name)) {
                Knowledge::All => other = other.with(field(name), values(&one, name)),
                Knowledge::NotNegative => {
                    let made = |event: &Sample| number(event, name).map_or(0, i128::abs);
                    let made = |event: Sample| {
                        let number = made(&event).min(i64::MAX.into());
                        event.number(name, number)
                    };
                    (one, other) = (made(one), made(other));
                }
                Knowledge::Host | Knowledge::Nothing => {}
            }
        }
        let mut scratch = Scratch::default();
        let key = if as_given { VerdictKey::AsGiven } else { VerdictKey::Subject };
        if judge.never(&plan, key, &record, &one, &mut scratch) {
            prop_assert!(!matches(&conditions, &one));
            prop_assert!(!matches(&conditions, &other));
        }
        prop_assert_eq!(known.of(&field("proc.name")), Knowledge::Nothing);
        prop_assert_eq!(known.of(&field("container.id")), Knowledge::Host);
    }
}

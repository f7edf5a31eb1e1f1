//! Evaluating an event allocates nothing. The allocator that counts is one for the
//! whole program, so this is a program of its own.

#[path = "../benches/rules/node.rs"]
mod node;

use std::path::PathBuf;

use landlord::rules::compile::Program;
use landlord::rules::evaluate::{Scratch, evaluate};
use landlord::rules::load::{self, SourceFile};
use landlord::rules::rule::Matching;
use landlord::rules::typed::Condition;
use landlord::rules::{bind, parse};

use self::node::NodeEvent;

/// At least one of every operator and shape of field, save those that make values.
const CONDITIONS: &[&str] = &[
    "evt.type = openat and proc.name in (sh, bash) and fd.name startswith /etc/",
    "fd.name contains /.ssh/ or fd.name endswith .pem or fd.name icontains SECRET",
    "fd.name glob /proc/*/mem or fd.name iglob *.KEY or fd.name pmatch (/boot, /lib/modules/*)",
    "proc.aname = perl or proc.aname[2] != containerd-shim or proc.aname in (ssh, scp)",
    "fd.ip = 192.0.2.1 or fd.net in (198.51.100.0/24, 203.0.113.0/24) or fd.port in (4444, 5555)",
    "fd.sip.name = pool.example.com or fd.num < 0 or user.uid > 70000 or evt.rawres in (-1, -13)",
    "fd.name startswith anyof (/x, /y) or proc.name contains allof (a, b, c) or fd.typechar = u",
    "fd.name endswith /x and not fd.name glob */y or not container.id exists",
    "evt.buffer contains \"secret\" or evt.arg.flags contains O_TMPFILE",
];

/// What makes values: they are kept in memory that grows with the longest.
const MAKING: &[&str] = &[
    "tolower(fd.name) contains secret or basename(proc.exepath) in (nc, ncat)",
    "len(proc.cmdline) > 4000 or concat(proc.name, proc.pname) = shsh",
    "proc.name = val(proc.cwd) or proc.pname in val(proc.cwd)",
    "fd.name regex \"/home/[^/]+/[.]ssh/id_.*\"",
];

fn condition(text: &str) -> Condition {
    let parsed = parse::condition(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let bound = bind::condition(&parsed, &mut |name| panic!("{text}: macro {}", name.text));
    bound.unwrap_or_else(|problems| panic!("{text}: {problems:?}")).condition
}

/// Evaluates the events; tells how often that asked for memory.
fn allocated(program: &Program, events: &[NodeEvent], scratch: &mut Scratch) -> u64 {
    let mut matching = 0;
    let counted = allocation_counter::measure(|| {
        for event in events {
            evaluate(program, event, scratch, |_| matching += 1);
        }
    });
    assert!(matching < events.len(), "most events match no rule");
    counted.count_total
}

fn check(conditions: &[Condition], warm_up: bool) {
    for matching in [Matching::First, Matching::All] {
        let numbered: Vec<(usize, &Condition)> = conditions.iter().enumerate().collect();
        let program = Program::new(&numbered, matching);
        let events = node::events(2_000);
        let mut scratch = Scratch::new(&program);
        if warm_up {
            allocated(&program, &events, &mut scratch);
        }
        assert_eq!(allocated(&program, &events, &mut scratch), 0);
    }
}

#[test]
fn evaluating_allocates_nothing() {
    check(&CONDITIONS.iter().map(|text| condition(text)).collect::<Vec<_>>(), false);
}

#[test]
fn making_values_allocates_until_there_is_room() {
    check(&MAKING.iter().map(|text| condition(text)).collect::<Vec<_>>(), true);
}

#[test]
fn the_rules_of_others_allocate_nothing_either() {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::var_os("LANDLORD_FALCO_RULES")
        .map_or_else(|| workspace.join("../shared/falco-rules"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: there are no rules of Falco in {}", folder.display());
        return;
    }
    let files: Vec<SourceFile> = load::read(&[folder]);
    let loaded = load::load(files, &load::Options::default());
    assert!(loaded.rules.len() > 50, "they load");
    let conditions: Vec<Condition> = loaded.rules.into_iter().map(|rule| rule.condition).collect();
    check(&conditions, false);
}

#[test]
fn the_allocator_counts() {
    let counted = allocation_counter::measure(|| drop(Vec::<u8>::with_capacity(100)));
    assert_eq!(counted.count_total, 1);
}

//! Events written as JSON mean the same: what follows there from a few fields of an
//! event is what the view tells of the others.

use landlord_ebpf::abi::{FileFacts, Section, SocketFacts};
use serde_json::{Map, Value as Json, json};

use super::draft::Draft;
use super::world::World;
use super::{look, shown, told};
use crate::event::View;
use crate::rules::event::{Argument, Event as _, FieldRef};
use crate::rules::field::{FieldId, Flag};
use crate::rules::json_event::JsonEvent;

/// What is written of an event.
const WRITTEN: [&str; 13] = [
    "evt.type",
    "evt.rawtime",
    "evt.rawres",
    "fd.name",
    "fd.typechar",
    "fd.is_server",
    "proc.name",
    "proc.exe",
    "proc.args",
    "proc.aname",
    "proc.env[HOME]",
    "container.id",
    "container.image",
];

fn written(view: &View<'_>) -> Json {
    let mut object = Map::new();
    for name in WRITTEN {
        let text = told(view, name);
        let json = match name {
            _ if text == "-" => continue,
            "proc.aname" => json!(text.split(',').collect::<Vec<_>>()),
            "evt.rawtime" | "evt.rawres" => json!(text.parse::<i64>().unwrap()),
            "fd.is_server" => json!(text == "true"),
            _ => json!(text),
        };
        object.insert(name.to_owned(), json);
    }
    for name in ["flags", "mode"] {
        let text = told(view, &format!("evt.arg.{name}"));
        if text != "-" {
            object.insert(format!("evt.arg.{name}"), json!(text));
        }
    }
    Json::Object(object)
}

#[track_caller]
fn agree(draft: &Draft) {
    look(&World::default(), draft, |view| {
        let event = JsonEvent::from_value(&written(view)).unwrap();
        let mut compared = 0;
        for id in FieldId::ALL.iter().copied() {
            // Names of hosts stand for addresses there, and not all is written.
            let partial = [FieldId::EvtArgs, FieldId::EvtInfo, FieldId::ProcEnv];
            if id.spec().has(Flag::HostName) || partial.contains(&id) {
                continue;
            }
            for argument in [Argument::None, Argument::Index(0), Argument::Index(1)] {
                let field = FieldRef { id, argument };
                let derived: Vec<String> =
                    (0..).map_while(|nth| event.value(&field, nth)).map(shown).collect();
                let seen: Vec<String> =
                    (0..).map_while(|nth| view.value(&field, nth)).map(shown).collect();
                if !derived.is_empty() {
                    compared += 1;
                    assert_eq!(seen, derived, "{field} of {}", draft.name);
                }
            }
        }
        assert!(compared > 20, "{compared}");
    });
}

#[test]
fn files() {
    let file = FileFacts { ino: 7, mode: 0o100_644, ..FileFacts::default() };
    let open = |flags, mode| {
        Draft::call("openat")
            .args(&[0xffff_ff9c, 0, flags, mode])
            .result(5)
            .user(Section::Raw, "x")
            .kernel(Section::Path, "/etc/x")
            .file(&file)
    };
    agree(&open(0, 0));
    agree(&open(1, 0));
    agree(&open(0o102, 0o644));
    agree(&open(0o101, 0o755));
    let directory = FileFacts { mode: 0o040_755, ..file };
    agree(&Draft::call("fchdir").kernel(Section::Path, "/etc").file(&directory));
    agree(&Draft::call("read").kernel(Section::Path, "/x").file(&file).result(-5));
}

#[test]
fn sockets() {
    let facts = SocketFacts {
        family: 2,
        kind: 1,
        protocol: 6,
        state: 1,
        local_port: 4711,
        remote_port: 443,
        local: [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        remote: [10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ..SocketFacts::default()
    };
    agree(&Draft::call("connect").args(&[3]).socket(&facts));
    agree(&Draft::call("connect").args(&[3]).socket(&facts).result(-115));
    agree(&Draft::call("accept4").result(3).socket(&facts));
    agree(&Draft::call("sendto").result(3).socket(&facts));
    let mapped = SocketFacts {
        family: 10,
        local: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ..facts
    };
    agree(&Draft::call("connect").socket(&mapped));
    let unix = SocketFacts { family: 1, kind: 1, state: 1, ..SocketFacts::default() };
    agree(&Draft::call("connect").socket(&unix).kernel(Section::UnixPeerPath, "/run/a"));
}

#[test]
fn others() {
    agree(&Draft::call("setuid").args(&[1000]));
    agree(&Draft::call("unlink").user(Section::Raw, "/a").result(-2));
    agree(&Draft::call("epoll_create1").result(7));
}

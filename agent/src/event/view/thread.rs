//! The thread that acted: `thread.…`.

use std::io::Write as _;

use super::{View, capability, filled};
use crate::rules::event::FieldRef;
use crate::rules::field::FieldId;
use crate::rules::value::Value;

/// Controllers of the v2 hierarchy, which all see the same path.
const CONTROLLERS: [&str; 7] = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "misc"];

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    let head = &view.record.head;
    let set = |set: u64| {
        let compose = |out: &mut Vec<u8>| {
            capability::write(set, out);
            true
        };
        view.texts.get(field.id, 0, compose).map(Value::Text)
    };
    let path = view.around.place.cgroup_path.as_bytes();
    match field.id {
        FieldId::ThreadTid => Some(Value::Int(head.tid.into())),
        FieldId::ThreadIsmain => Some(Value::Bool(head.tid == head.tgid)),
        FieldId::ThreadVtid => view.thread_in_namespace().map(|tid| Value::Int(tid.into())),
        FieldId::ThreadNametid => {
            let compose = |out: &mut Vec<u8>| {
                out.extend_from_slice(view.name());
                write!(out, "{}", head.tid).is_ok()
            };
            view.texts.get(field.id, 0, compose).map(Value::Text)
        }
        FieldId::ThreadCapEffective => set(head.cap_effective),
        FieldId::ThreadCapInheritable => set(head.cap_inheritable),
        FieldId::ThreadCapPermitted => set(head.cap_permitted),
        FieldId::ThreadCgroup => filled(path),
        FieldId::ThreadCgroups if !path.is_empty() => {
            let compose = |out: &mut Vec<u8>| {
                for (nth, controller) in CONTROLLERS.iter().enumerate() {
                    out.extend_from_slice(if nth > 0 { b" " } else { b"" });
                    out.extend_from_slice(controller.as_bytes());
                    out.push(b'=');
                    out.extend_from_slice(path);
                }
                true
            };
            view.texts.get(field.id, 0, compose).map(Value::Text)
        }
        // Memory, faults and time on the CPU are not measured by thread.
        _ => None,
    }
}

impl View<'_> {
    /// Id of the thread in its own pid namespace.
    fn thread_in_namespace(&self) -> Option<u32> {
        let head = &self.record.head;
        let own = self.record.task.map(|task| task.vtid);
        let main = || {
            let process = self.around.process.filter(|_| head.tid == head.tgid);
            process.map(|process| process.facts.task.vpid)
        };
        own.or_else(main).filter(|tid| *tid != 0)
    }
}

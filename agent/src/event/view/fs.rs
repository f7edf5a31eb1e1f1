//! Paths that the act was done to: `fs.path.…`, and paths as calls are given them.

use landlord_ebpf::abi::{NO_ARGUMENT, RecordKind, WORKING_DIRECTORY};

use super::act::Act;
use super::{View, filled, path};
use crate::event::Part;
use crate::rules::event::FieldRef;
use crate::rules::field::FieldId;
use crate::rules::value::Value;

/// Only acts that were done have paths here, as in Falco.
pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    if !view.is_call() || view.error().is_some() {
        return None;
    }
    let record = view.record;
    let raw = |part: Option<Part<'v>>| filled(part?.bytes);
    // Of a link the name that is made is the source, and what it stands for the target.
    // Those and `mount` are read the other way round.
    let reversed = matches!(view.act, Act::Link | Act::Symlink | Act::Mount);
    let pair = reversed || view.act == Act::Rename;
    match field.id {
        FieldId::FsPathName if !pair => {
            if view.kind().is_some_and(super::kind::Kind::is_file) {
                return view.fd_name().map(Value::Text);
            }
            view.acts_on_path().then(|| view.first_path())?.map(Value::Text)
        }
        FieldId::FsPathNameraw if !pair && view.acts_on_path() => raw(record.raw),
        FieldId::FsPathSource if reversed => view.second_path().map(Value::Text),
        FieldId::FsPathSource if pair => view.first_path().map(Value::Text),
        FieldId::FsPathTarget if reversed => view.first_path().map(Value::Text),
        FieldId::FsPathTarget if pair => view.second_path().map(Value::Text),
        FieldId::FsPathSourceraw if reversed => raw(record.raw2),
        FieldId::FsPathSourceraw if pair => raw(record.raw),
        FieldId::FsPathTargetraw if reversed => raw(record.raw),
        FieldId::FsPathTargetraw if pair => raw(record.raw2),
        _ => None,
    }
}

impl View<'_> {
    /// True when what the call was given is the path of a file, and not another name.
    pub(super) fn acts_on_path(&self) -> bool {
        let starts = self
            .plan()
            .is_some_and(|plan| plan.directory != NO_ARGUMENT || plan.directory2 != NO_ARGUMENT);
        starts || self.record.kind == RecordKind::IoUring || self.event_type.name() == "quotactl"
    }

    /// The path that the call was given, from the root on.
    pub(super) fn first_path(&self) -> Option<&[u8]> {
        let (raw, base) = (self.record.raw?.bytes, self.record.base);
        if self.act == Act::Symlink {
            // What a link stands for starts at the link.
            let link = || Some(path::split(self.second_path()?)?.0);
            return self.absolute(FieldId::FsPathTarget, raw, link);
        }
        let directory = self.plan().map(|plan| plan.directory);
        self.absolute(FieldId::FsPathName, raw, || self.start(base, directory))
    }

    /// The second one.
    pub(super) fn second_path(&self) -> Option<&[u8]> {
        let (raw, base) = (self.record.raw2?.bytes, self.record.base2);
        let directory = self.plan().map(|plan| plan.directory2);
        self.absolute(FieldId::FsPathSource, raw, || self.start(base, directory))
    }

    /// The directory that a relative path starts from.
    fn start<'v>(&'v self, base: Option<Part<'v>>, directory: Option<u8>) -> Option<&'v [u8]> {
        if base.is_some() {
            return base.map(|base| base.bytes);
        }
        /// The working directory, where the descriptor of one is asked for.
        const AT_FDCWD: u32 = 100_u32.wrapping_neg();
        let is_here = match directory? {
            WORKING_DIRECTORY => true,
            argument => self.register(argument) == Some(AT_FDCWD),
        };
        let process = self.around.process.filter(|_| is_here);
        process.map(|process| &*process.facts.cwd).filter(|cwd| !cwd.is_empty())
    }

    /// A path from the root on; nothing when it is not known where it starts.
    fn absolute<'v>(
        &'v self,
        key: FieldId,
        raw: &'v [u8],
        start: impl FnOnce() -> Option<&'v [u8]>,
    ) -> Option<&'v [u8]> {
        if path::is_plain(raw) {
            return Some(raw);
        }
        self.texts.get(key, 0, |out| {
            let is_absolute = raw.starts_with(b"/");
            let start = if is_absolute { Some(b"".as_slice()) } else { start() };
            start.is_some_and(|start| {
                path::join(start, raw, out);
                true
            })
        })
    }
}

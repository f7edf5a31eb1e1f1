//! The ancestors of the process that acted.

use super::View;
use crate::process::Process;

/// Ancestors, the parent first.
pub(super) type Lineage<'a> = Box<[&'a Process]>;

impl<'a> View<'a> {
    /// All ancestors that are known, the parent first.
    pub(super) fn ancestors(&self) -> &[&'a Process] {
        self.lineage.get_or_init(|| {
            let table = self.around.processes;
            let Some(process) = self.around.process else {
                let parent = self.parent();
                let further = parent.into_iter().flat_map(|parent| table.ancestors(parent));
                return parent.into_iter().chain(further).collect();
            };
            table.ancestors(process).collect()
        })
    }

    /// The parent.
    pub(super) fn parent(&self) -> Option<&'a Process> {
        let table = self.around.processes;
        match self.around.process {
            Some(process) => table.parent(process),
            None => table.find(self.record.head.parent),
        }
    }

    /// An ancestor by its number: 0 is the process itself.
    pub(super) fn ancestor(&self, number: usize) -> Option<&'a Process> {
        match number {
            0 => self.around.process,
            1 => self.parent(),
            number => self.ancestors().get(number - 1).copied(),
        }
    }

    /// The process and its ancestors.
    pub(super) fn line(&self) -> impl Iterator<Item = &'a Process> {
        self.around.process.into_iter().chain(self.ancestors().iter().copied())
    }
}

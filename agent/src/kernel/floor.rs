//! Attaches empty programs to the sensors' hooks, for the benchmark.
//!
//! It meters nothing, pins nothing and leaves nothing behind: when [`Floor`]
//! is dropped, or its process dies, the hooks are free again.

use std::fs::File;
use std::path::Path;

use aya::programs::links::FdLink;
use aya::programs::{CgroupSkbAttachType, ProgramError};
use aya::{Btf, BtfError, Ebpf, EbpfError, include_bytes_aligned};

use super::hooks::{self, Place};

static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/floor"));

/// Every hook there is an empty program for; the program is called `floor_` and the name.
const HOOKS: [(&str, Place); 10] = [
    ("sys_exit", Place::Typed("sys_exit")),
    ("sched_switch", Place::Typed("sched_switch")),
    ("sched_wakeup", Place::Typed("sched_wakeup")),
    ("sched_wakeup_new", Place::Typed("sched_wakeup_new")),
    ("sched_process_exit", Place::Typed("sched_process_exit")),
    ("cgroup_mkdir", Place::Raw("cgroup_mkdir")),
    ("cgroup_rmdir", Place::Raw("cgroup_rmdir")),
    ("cgroup_attach_task", Place::Raw("cgroup_attach_task")),
    ("ingress", Place::Sockets(CgroupSkbAttachType::Ingress)),
    ("egress", Place::Sockets(CgroupSkbAttachType::Egress)),
];

/// Why an empty program could not be attached.
#[derive(Debug, thiserror::Error)]
pub enum FloorError {
    /// No empty program exists for a hook of this name.
    #[error("no empty program for the hook `{hook}`; there are: {known}")]
    UnknownHook {
        /// The name as it was given.
        hook: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The running kernel's BTF could not be read.
    #[error("cannot read the kernel's BTF")]
    Btf(#[from] BtfError),
    /// The object could not be loaded.
    #[error("cannot load the empty programs")]
    Object(#[from] EbpfError),
    /// The object has no such program; the build is broken.
    #[error("the object has no usable program `{program}`")]
    Program {
        /// Name of the program.
        program: String,
    },
    /// The kernel refused a program.
    #[error("cannot attach the empty program to `{hook}`")]
    Attach {
        /// Name of the hook.
        hook: &'static str,
        /// What the kernel said.
        #[source]
        source: ProgramError,
    },
    /// The root cgroup's directory could not be opened.
    #[error("cannot open the root cgroup {path}")]
    RootCgroup {
        /// The directory.
        path: String,
        /// What the kernel said.
        #[source]
        source: std::io::Error,
    },
}

/// Attached empty programs; dropping it detaches them.
#[derive(Debug)]
pub struct Floor {
    _links: Vec<FdLink>,
}

/// Attaches the empty programs of the named hooks; packet hooks go to `root_cgroup`,
/// the directory where cgroup v2 is mounted.
///
/// # Errors
///
/// An unknown name, a kernel without BTF, missing privileges, or no cgroup v2 at `root_cgroup`.
pub fn attach(names: &[String], root_cgroup: &Path) -> Result<Floor, FloorError> {
    let wanted = names.iter().map(|hook| find(hook)).collect::<Result<Vec<_>, _>>()?;
    let mut programs = Ebpf::load(OBJECT)?;
    let btf = Btf::from_sys_fs()?;
    let root = File::open(root_cgroup).map_err(|source| FloorError::RootCgroup {
        path: root_cgroup.display().to_string(),
        source,
    })?;
    let mut links = Vec::new();
    for (hook, place) in wanted {
        let name = format!("floor_{hook}");
        let refused = |source| FloorError::Attach { hook, source };
        let Some(program) = programs.program_mut(&name) else {
            return Err(FloorError::Program { program: name });
        };
        hooks::load(program, place, &btf).map_err(refused)?;
        let link = hooks::attach(program, place, &root).map_err(refused)?;
        links.push(link.ok_or(FloorError::Program { program: name })?);
    }
    Ok(Floor { _links: links })
}

fn find(hook: &str) -> Result<(&'static str, Place), FloorError> {
    HOOKS.into_iter().find(|(name, _)| *name == hook).ok_or_else(|| FloorError::UnknownHook {
        hook: hook.to_owned(),
        known: HOOKS.map(|(name, _)| name).join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::{FloorError, find};

    fn check(hook: &str, known: bool) {
        assert_eq!(find(hook).is_ok(), known, "{hook}");
    }

    #[test]
    fn hooks_are_found_by_their_exact_name() {
        check("sys_exit", true);
        check("ingress", true);
        check("sys_enter", false);
        check("floor_sys_exit", false);
        check("", false);
    }

    #[test]
    fn an_unknown_hook_names_the_known_ones() {
        let error = find("sys_enter").expect_err("there is none");
        assert!(matches!(error, FloorError::UnknownHook { .. }));
        assert!(error.to_string().contains("sched_switch, sched_wakeup"), "{error}");
    }
}

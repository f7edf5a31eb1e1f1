//! What is known of one process.

use std::sync::Arc;

use landlord_ebpf::abi::{FileFacts, TaskFacts};
use serde::{Deserialize, Serialize};

/// A process as of its last exec, or its fork when it never made one. A copy shares the
/// texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// Process id in the initial pid namespace.
    pub pid: u32,
    /// `start_boottime`, nanoseconds: with `pid` it names the process for good.
    pub start_ns: u64,
    /// Process id of the parent.
    pub parent: u32,
    /// When the last exec was, `CLOCK_BOOTTIME` nanoseconds; the fork when there was none.
    pub exec_ns: u64,
    /// Name, at most 15 bytes.
    pub comm: Arc<[u8]>,
    /// Arguments, each with its final zero.
    pub argv: Arc<[u8]>,
    /// Environment, likewise.
    pub envp: Arc<[u8]>,
    /// Path of the program's file; empty when not known.
    pub exe: Arc<[u8]>,
    /// The program's file was removed.
    pub exe_deleted: bool,
    /// Working directory without a final slash; empty when not known.
    pub cwd: Arc<[u8]>,
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Audit's login user id; `u32::MAX` when unset.
    pub loginuid: u32,
    /// Id of its cgroup.
    pub cgroup: u64,
    /// The program's file.
    #[serde(with = "file_facts")]
    pub file: Option<FileFacts>,
    /// Session, group, terminal and namespaces.
    #[serde(with = "task_facts")]
    pub task: TaskFacts,
}

/// How records of the wire are saved: as their integers in order.
mod file_facts {
    use landlord_ebpf::abi::FileFacts;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    type Saved = (u64, u64, u64, [u32; 8]);

    #[expect(clippy::ref_option, reason = "the form that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        file: &Option<FileFacts>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let saved: Option<Saved> = file.map(|it| {
            let halves = [
                it.dev,
                it.mode,
                it.magic,
                it.open_flags,
                it.open_mode,
                it.nlink,
                it.uid,
                it.layer,
            ];
            (it.ino, it.ctime_ns, it.mtime_ns, halves)
        });
        saved.serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<FileFacts>, D::Error> {
        let saved = Option::<Saved>::deserialize(input)?;
        Ok(saved.map(|(ino, ctime_ns, mtime_ns, halves)| {
            let [dev, mode, magic, open_flags, open_mode, nlink, uid, layer] = halves;
            FileFacts {
                ino,
                ctime_ns,
                mtime_ns,
                dev,
                mode,
                magic,
                open_flags,
                open_mode,
                nlink,
                uid,
                layer,
            }
        }))
    }
}

/// Likewise.
mod task_facts {
    use landlord_ebpf::abi::TaskFacts;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(task: &TaskFacts, out: S) -> Result<S::Ok, S::Error> {
        [
            task.sid,
            task.pgid,
            task.vpid,
            task.vtid,
            task.vsid,
            task.vpgid,
            task.tty,
            task.pid_namespace,
            task.mount_namespace,
            task.exec_flags,
        ]
        .serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<TaskFacts, D::Error> {
        let [sid, pgid, vpid, vtid, vsid, vpgid, tty, pid_namespace, mount_namespace, exec_flags] =
            <[u32; 10]>::deserialize(input)?;
        Ok(TaskFacts {
            sid,
            pgid,
            vpid,
            vtid,
            vsid,
            vpgid,
            tty,
            pid_namespace,
            mount_namespace,
            exec_flags,
        })
    }
}

//! Records in the making, written as the kernel side writes them.

use std::mem::{offset_of, size_of};

use landlord_ebpf::abi::{
    FileFacts, Head, RecordKind, Section, SocketFacts, TaskFacts, section_flag,
};

use crate::calls;
use crate::rules::event_type::EventType;

/// A record that is not written yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) name: &'static str,
    pub(crate) kind: RecordKind,
    pub(crate) head: Head,
    sections: Vec<u8>,
}

/// A head of the process 200, whose parent is 100.
pub(crate) fn head() -> Head {
    let mut comm = [0; 16];
    comm[..6].copy_from_slice(b"thread");
    Head {
        len: 0,
        kind: 0,
        flags: 0,
        time_ns: 7_000_000_001,
        cgroup: 7,
        tgid: 200,
        tid: 201,
        parent: 100,
        syscall: 0,
        start_ns: 5_000_000_000,
        uid: 1000,
        gid: 100,
        loginuid: u32::MAX,
        cpu: 3,
        cap_effective: 0,
        cap_permitted: 1 << 21 | 1 << 13,
        cap_inheritable: 0,
        result: 0,
        args: [0; 6],
        verdict: [0; 2],
        comm,
    }
}

impl Draft {
    /// A call that returned 0.
    pub(crate) fn call(name: &'static str) -> Self {
        let number = calls::numbers(EventType::named(name).unwrap()).next();
        let mut head = head();
        head.syscall = number.unwrap_or_else(|| panic!("no call is {name}"));
        Self { name, kind: RecordKind::Syscall, head, sections: Vec::new() }
    }

    /// Something else that the kernel tells.
    pub(crate) fn of(kind: RecordKind, name: &'static str) -> Self {
        Self { name, kind, head: head(), sections: Vec::new() }
    }

    /// A request that was handed to `io_uring`.
    pub(crate) fn request(opcode: u32, name: &'static str) -> Self {
        let mut draft = Self::of(RecordKind::IoUring, name);
        draft.head.syscall = opcode;
        draft
    }

    pub(crate) fn result(mut self, result: i64) -> Self {
        self.head.result = result;
        self
    }

    pub(crate) fn args(mut self, args: &[u64]) -> Self {
        self.head.args[..args.len()].copy_from_slice(args);
        self
    }

    pub(crate) fn section(self, kind: Section, flags: u16, bytes: &[u8]) -> Self {
        self.raw_section(kind as u16, flags, bytes)
    }

    pub(crate) fn raw_section(mut self, kind: u16, flags: u16, bytes: &[u8]) -> Self {
        self.sections.extend_from_slice(&kind.to_ne_bytes());
        self.sections.extend_from_slice(&flags.to_ne_bytes());
        self.sections.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_ne_bytes());
        self.sections.extend_from_slice(bytes);
        self.sections.resize(self.sections.len().next_multiple_of(8), 0);
        self
    }

    /// From the kernel.
    pub(crate) fn kernel(self, kind: Section, text: &str) -> Self {
        self.section(kind, 0, text.as_bytes())
    }

    /// From memory of the process.
    pub(crate) fn user(self, kind: Section, text: &str) -> Self {
        self.section(kind, section_flag::USER, text.as_bytes())
    }

    pub(crate) fn file(self, file: &FileFacts) -> Self {
        let mut bytes = [0; size_of::<FileFacts>()];
        let mut put = |at: usize, word: &[u8]| bytes[at..at + word.len()].copy_from_slice(word);
        put(offset_of!(FileFacts, ino), &file.ino.to_ne_bytes());
        put(offset_of!(FileFacts, ctime_ns), &file.ctime_ns.to_ne_bytes());
        put(offset_of!(FileFacts, mtime_ns), &file.mtime_ns.to_ne_bytes());
        put(offset_of!(FileFacts, dev), &file.dev.to_ne_bytes());
        put(offset_of!(FileFacts, mode), &file.mode.to_ne_bytes());
        put(offset_of!(FileFacts, magic), &file.magic.to_ne_bytes());
        put(offset_of!(FileFacts, open_flags), &file.open_flags.to_ne_bytes());
        put(offset_of!(FileFacts, open_mode), &file.open_mode.to_ne_bytes());
        put(offset_of!(FileFacts, nlink), &file.nlink.to_ne_bytes());
        put(offset_of!(FileFacts, uid), &file.uid.to_ne_bytes());
        put(offset_of!(FileFacts, layer), &file.layer.to_ne_bytes());
        self.section(Section::File, 0, &bytes)
    }

    pub(crate) fn socket(self, socket: &SocketFacts) -> Self {
        let mut bytes = [0; size_of::<SocketFacts>()];
        let mut put = |at: usize, word: &[u8]| bytes[at..at + word.len()].copy_from_slice(word);
        put(offset_of!(SocketFacts, ino), &socket.ino.to_ne_bytes());
        put(offset_of!(SocketFacts, family), &socket.family.to_ne_bytes());
        put(offset_of!(SocketFacts, kind), &socket.kind.to_ne_bytes());
        put(offset_of!(SocketFacts, protocol), &socket.protocol.to_ne_bytes());
        put(offset_of!(SocketFacts, state), &socket.state.to_ne_bytes());
        put(offset_of!(SocketFacts, local_port), &socket.local_port.to_ne_bytes());
        put(offset_of!(SocketFacts, remote_port), &socket.remote_port.to_ne_bytes());
        put(offset_of!(SocketFacts, local), &socket.local);
        put(offset_of!(SocketFacts, remote), &socket.remote);
        self.section(Section::Socket, 0, &bytes)
    }

    pub(crate) fn task(self, task: &TaskFacts) -> Self {
        let mut bytes = [0; size_of::<TaskFacts>()];
        let words = [
            (offset_of!(TaskFacts, sid), task.sid),
            (offset_of!(TaskFacts, pgid), task.pgid),
            (offset_of!(TaskFacts, vpid), task.vpid),
            (offset_of!(TaskFacts, vtid), task.vtid),
            (offset_of!(TaskFacts, vsid), task.vsid),
            (offset_of!(TaskFacts, vpgid), task.vpgid),
            (offset_of!(TaskFacts, tty), task.tty),
            (offset_of!(TaskFacts, pid_namespace), task.pid_namespace),
            (offset_of!(TaskFacts, mount_namespace), task.mount_namespace),
            (offset_of!(TaskFacts, exec_flags), task.exec_flags),
        ];
        for (at, word) in words {
            bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        self.section(Section::Task, 0, &bytes)
    }

    /// The record as it comes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = &self.head;
        let mut bytes = vec![0; size_of::<Head>()];
        let len = u32::try_from(bytes.len() + self.sections.len()).unwrap();
        let mut put = |at: usize, word: &[u8]| bytes[at..at + word.len()].copy_from_slice(word);
        put(offset_of!(Head, len), &len.to_ne_bytes());
        put(offset_of!(Head, kind), &(self.kind as u16).to_ne_bytes());
        put(offset_of!(Head, flags), &head.flags.to_ne_bytes());
        put(offset_of!(Head, time_ns), &head.time_ns.to_ne_bytes());
        put(offset_of!(Head, cgroup), &head.cgroup.to_ne_bytes());
        put(offset_of!(Head, tgid), &head.tgid.to_ne_bytes());
        put(offset_of!(Head, tid), &head.tid.to_ne_bytes());
        put(offset_of!(Head, parent), &head.parent.to_ne_bytes());
        put(offset_of!(Head, syscall), &head.syscall.to_ne_bytes());
        put(offset_of!(Head, start_ns), &head.start_ns.to_ne_bytes());
        put(offset_of!(Head, uid), &head.uid.to_ne_bytes());
        put(offset_of!(Head, gid), &head.gid.to_ne_bytes());
        put(offset_of!(Head, loginuid), &head.loginuid.to_ne_bytes());
        put(offset_of!(Head, cpu), &head.cpu.to_ne_bytes());
        put(offset_of!(Head, cap_effective), &head.cap_effective.to_ne_bytes());
        put(offset_of!(Head, cap_permitted), &head.cap_permitted.to_ne_bytes());
        put(offset_of!(Head, cap_inheritable), &head.cap_inheritable.to_ne_bytes());
        put(offset_of!(Head, result), &head.result.to_ne_bytes());
        for (nth, arg) in head.args.iter().enumerate() {
            put(offset_of!(Head, args) + nth * 8, &arg.to_ne_bytes());
        }
        put(offset_of!(Head, comm), &head.comm);
        bytes.extend_from_slice(&self.sections);
        bytes
    }
}

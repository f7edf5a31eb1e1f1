//! Bytes of a kernel record → [`Record`]. Offsets, sizes and byte order live here and
//! nowhere else; it borrows, allocates nothing and never panics.

mod connection;

use std::mem::{offset_of, size_of};

use landlord_ebpf::abi::{self, Head, RecordKind, Section, SectionHead, section_flag};

use crate::event::{FileFacts, Part, Record, SocketFacts, TaskFacts};

pub use connection::connection;

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends too early.
    #[error("cut short: {have} bytes where {need} are needed")]
    Short {
        /// Bytes that are there.
        have: usize,
        /// Bytes that are needed.
        need: usize,
    },
    /// The kind is not known.
    #[error("unknown kind of record {0}")]
    Kind(u16),
    /// A section is not of the size of what it holds.
    #[error("section {kind} has {len} bytes")]
    Section {
        /// The section's kind.
        kind: u16,
        /// Its length.
        len: usize,
    },
}

/// Reads a record. Bytes behind its own length are not looked at.
///
/// # Errors
///
/// When the bytes are not a whole record of this version.
pub fn record(bytes: &[u8]) -> Result<Record<'_>, DecodeError> {
    let head = head(bytes)?;
    let kind = kind(&head)?;
    let len = head.len as usize;
    let mut rest = bytes
        .get(size_of::<Head>()..len)
        .ok_or(DecodeError::Short { have: bytes.len(), need: len.max(size_of::<Head>()) })?;
    let mut record = Record::empty(head, kind);
    while !rest.is_empty() {
        let need = size_of::<SectionHead>();
        let short = DecodeError::Short { have: rest.len(), need };
        let (kind, flags) = (u16_at(rest, 0).ok_or(short)?, u16_at(rest, 2).ok_or(short)?);
        let len = u32_at(rest, offset_of!(SectionHead, len)).ok_or(short)? as usize;
        let body = rest.get(need..).unwrap_or_default();
        let bytes = body.get(..len).ok_or(DecodeError::Short { have: body.len(), need: len })?;
        section(&mut record, kind, flags, bytes)?;
        rest = body.get(len.next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(record)
}

/// What a record tells of, by its head.
///
/// # Errors
///
/// When the kind is not one of this version.
pub const fn kind(head: &Head) -> Result<RecordKind, DecodeError> {
    match head.kind {
        kind if kind == RecordKind::Syscall as u16 => Ok(RecordKind::Syscall),
        kind if kind == RecordKind::Fork as u16 => Ok(RecordKind::Fork),
        kind if kind == RecordKind::Exec as u16 => Ok(RecordKind::Exec),
        kind if kind == RecordKind::Exit as u16 => Ok(RecordKind::Exit),
        kind if kind == RecordKind::IoUring as u16 => Ok(RecordKind::IoUring),
        kind => Err(DecodeError::Kind(kind)),
    }
}

fn section<'a>(
    record: &mut Record<'a>,
    kind: u16,
    flags: u16,
    bytes: &'a [u8],
) -> Result<(), DecodeError> {
    let wrong = DecodeError::Section { kind, len: bytes.len() };
    let part = Part {
        bytes,
        cut: flags & section_flag::CUT != 0,
        user: flags & section_flag::USER != 0,
        deleted: flags & section_flag::DELETED != 0,
    };
    let place = match kind {
        kind if kind == Section::File as u16 => {
            record.file = Some(file(bytes).ok_or(wrong)?);
            return Ok(());
        }
        kind if kind == Section::Socket as u16 => {
            record.socket = Some(socket(bytes).ok_or(wrong)?);
            return Ok(());
        }
        kind if kind == Section::Task as u16 => {
            record.task = Some(task(bytes).ok_or(wrong)?);
            return Ok(());
        }
        kind if kind == Section::RawVerdict as u16 => {
            let (low, high) = (u64_at(bytes, 0).ok_or(wrong)?, u64_at(bytes, 8).ok_or(wrong)?);
            record.raw_verdict = [low, high];
            return Ok(());
        }
        kind if kind == Section::Path as u16 => &mut record.path,
        kind if kind == Section::Raw as u16 => &mut record.raw,
        kind if kind == Section::Base as u16 => &mut record.base,
        kind if kind == Section::Raw2 as u16 => &mut record.raw2,
        kind if kind == Section::Base2 as u16 => &mut record.base2,
        kind if kind == Section::Address as u16 => &mut record.address,
        kind if kind == Section::UnixPath as u16 => &mut record.unix_path,
        kind if kind == Section::UnixPeerPath as u16 => &mut record.unix_peer_path,
        kind if kind == Section::Argv as u16 => &mut record.argv,
        kind if kind == Section::Envp as u16 => &mut record.envp,
        kind if kind == Section::Exe as u16 => &mut record.exe,
        kind if kind == Section::Cwd as u16 => &mut record.cwd,
        kind if kind == Section::Buffer as u16 => &mut record.buffer,
        kind if kind == Section::Structure as u16 => &mut record.structure,
        // Of a later version; what it tells is not asked for here.
        _ => return Ok(()),
    };
    // No name has a zero in it: a rename changed it while it was read.
    let is_torn = kind == Section::Path as u16 && bytes.contains(&0);
    if is_torn {
        record.head.flags |= abi::head_flag::UNSTABLE;
        record.is_path_torn = true;
    }
    *place = Some(part).filter(|_| !is_torn);
    Ok(())
}

/// Reads the head of a record and nothing else.
///
/// # Errors
///
/// When the bytes are fewer than those of a head.
pub fn head(bytes: &[u8]) -> Result<Head, DecodeError> {
    let short = DecodeError::Short { have: bytes.len(), need: size_of::<Head>() };
    // Of a known length, so that each place is looked up without a check.
    let bytes = bytes.first_chunk::<{ size_of::<Head>() }>().ok_or(short)?;
    let read = || {
        let word = |at| u64_at(bytes, at);
        let half = |at| u32_at(bytes, at);
        let mut args = [0; 6];
        for (index, arg) in args.iter_mut().enumerate() {
            *arg = word(offset_of!(Head, args) + index * 8)?;
        }
        Some(Head {
            len: half(offset_of!(Head, len))?,
            kind: u16_at(bytes, offset_of!(Head, kind))?,
            flags: u16_at(bytes, offset_of!(Head, flags))?,
            time_ns: word(offset_of!(Head, time_ns))?,
            cgroup: word(offset_of!(Head, cgroup))?,
            tgid: half(offset_of!(Head, tgid))?,
            tid: half(offset_of!(Head, tid))?,
            parent: half(offset_of!(Head, parent))?,
            syscall: half(offset_of!(Head, syscall))?,
            start_ns: word(offset_of!(Head, start_ns))?,
            uid: half(offset_of!(Head, uid))?,
            gid: half(offset_of!(Head, gid))?,
            loginuid: half(offset_of!(Head, loginuid))?,
            cpu: half(offset_of!(Head, cpu))?,
            cap_effective: word(offset_of!(Head, cap_effective))?,
            cap_permitted: word(offset_of!(Head, cap_permitted))?,
            cap_inheritable: word(offset_of!(Head, cap_inheritable))?,
            result: word(offset_of!(Head, result))?.cast_signed(),
            args,
            verdict: [word(offset_of!(Head, verdict))?, word(offset_of!(Head, verdict) + 8)?],
            comm: array(bytes, offset_of!(Head, comm))?,
        })
    };
    read().ok_or(short)
}

fn file(bytes: &[u8]) -> Option<FileFacts> {
    let word = |at| u64_at(bytes, at);
    let half = |at| u32_at(bytes, at);
    Some(FileFacts {
        ino: word(offset_of!(abi::FileFacts, ino))?,
        ctime_ns: word(offset_of!(abi::FileFacts, ctime_ns))?,
        mtime_ns: word(offset_of!(abi::FileFacts, mtime_ns))?,
        dev: half(offset_of!(abi::FileFacts, dev))?,
        mode: half(offset_of!(abi::FileFacts, mode))?,
        magic: half(offset_of!(abi::FileFacts, magic))?,
        open_flags: half(offset_of!(abi::FileFacts, open_flags))?,
        open_mode: half(offset_of!(abi::FileFacts, open_mode))?,
        nlink: half(offset_of!(abi::FileFacts, nlink))?,
        uid: half(offset_of!(abi::FileFacts, uid))?,
        layer: half(offset_of!(abi::FileFacts, layer))?,
    })
}

fn socket(bytes: &[u8]) -> Option<SocketFacts> {
    let short = |at| u16_at(bytes, at);
    Some(SocketFacts {
        ino: u64_at(bytes, offset_of!(abi::SocketFacts, ino))?,
        family: short(offset_of!(abi::SocketFacts, family))?,
        kind: short(offset_of!(abi::SocketFacts, kind))?,
        protocol: short(offset_of!(abi::SocketFacts, protocol))?,
        state: short(offset_of!(abi::SocketFacts, state))?,
        local_port: short(offset_of!(abi::SocketFacts, local_port))?,
        remote_port: short(offset_of!(abi::SocketFacts, remote_port))?,
        padding: 0,
        local: array(bytes, offset_of!(abi::SocketFacts, local))?,
        remote: array(bytes, offset_of!(abi::SocketFacts, remote))?,
    })
}

fn task(bytes: &[u8]) -> Option<TaskFacts> {
    let half = |at| u32_at(bytes, at);
    Some(TaskFacts {
        sid: half(offset_of!(abi::TaskFacts, sid))?,
        pgid: half(offset_of!(abi::TaskFacts, pgid))?,
        vpid: half(offset_of!(abi::TaskFacts, vpid))?,
        vtid: half(offset_of!(abi::TaskFacts, vtid))?,
        vsid: half(offset_of!(abi::TaskFacts, vsid))?,
        vpgid: half(offset_of!(abi::TaskFacts, vpgid))?,
        tty: half(offset_of!(abi::TaskFacts, tty))?,
        pid_namespace: half(offset_of!(abi::TaskFacts, pid_namespace))?,
        mount_namespace: half(offset_of!(abi::TaskFacts, mount_namespace))?,
        exec_flags: half(offset_of!(abi::TaskFacts, exec_flags))?,
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_ne_bytes)
}

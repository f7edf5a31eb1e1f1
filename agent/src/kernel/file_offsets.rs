//! What the events' programs have to know of files, directories,
//! sockets and registers.
//!
//! Of some structures the programs copy one part that holds all the members they
//! look at; where it begins and how large it is, is found here.

use super::btf::KernelBtf;

/// A word of the programs, and the member whose offset it is, under its present
/// and its former names.
type Member = (&'static str, &'static str, &'static [&'static str]);

/// Looked at where they are.
pub(super) const NEEDED: &[Member] = &[
    ("TASK_FILES", "task_struct", &["files"]),
    ("TASK_FS", "task_struct", &["fs"]),
    ("FILES_TABLE", "files_struct", &["fdt"]),
    ("FILES_OWN_TABLE", "files_struct", &["fdtab"]),
    ("FILES_OWN", "files_struct", &["fd_array"]),
    ("TABLE_LEN", "fdtable", &["max_fds"]),
    ("TABLE_FILES", "fdtable", &["fd"]),
    ("FS_ROOT", "fs_struct", &["root"]),
    ("FS_PWD", "fs_struct", &["pwd"]),
    ("PATH_MOUNT", "path", &["mnt"]),
    ("PATH_DENTRY", "path", &["dentry"]),
    ("MOUNT_INNER", "mount", &["mnt"]),
];

/// Registers that hold a call's arguments when it returns; `R+N`: N bytes behind R.
/// The first one of aarch64 holds the result by then, its value is kept elsewhere.
#[cfg(target_arch = "x86_64")]
const REGISTERS: &[(&str, &str, u32)] = &[
    ("REGS_ARG0", "di", 0),
    ("REGS_ARG1", "si", 0),
    ("REGS_ARG2", "dx", 0),
    ("REGS_ARG3", "r10", 0),
    ("REGS_ARG4", "r8", 0),
    ("REGS_ARG5", "r9", 0),
    ("REGS_COMPAT0", "bx", 0),
    ("REGS_COMPAT1", "cx", 0),
    ("REGS_COMPAT2", "dx", 0),
    ("REGS_COMPAT3", "si", 0),
    ("REGS_COMPAT4", "di", 0),
    ("REGS_COMPAT5", "bp", 0),
];
#[cfg(target_arch = "aarch64")]
const REGISTERS: &[(&str, &str, u32)] = &[
    ("REGS_ARG0", "orig_x0", 0),
    ("REGS_ARG1", "regs", 8),
    ("REGS_ARG2", "regs", 16),
    ("REGS_ARG3", "regs", 24),
    ("REGS_ARG4", "regs", 32),
    ("REGS_ARG5", "regs", 40),
    ("REGS_COMPAT0", "orig_x0", 0),
    ("REGS_COMPAT1", "regs", 8),
    ("REGS_COMPAT2", "regs", 16),
    ("REGS_COMPAT3", "regs", 24),
    ("REGS_COMPAT4", "regs", 32),
    ("REGS_COMPAT5", "regs", 40),
];

/// A structure of which a part is copied.
struct Part {
    structure: &'static str,
    /// Words for the part's offset and size.
    words: (&'static str, &'static str),
    /// Word, names, and size of each member.
    members: &'static [(&'static str, &'static [&'static str], u32)],
}

/// Room that the programs have for a part.
const PART_BYTES: u32 = 256;

const PARTS: &[Part] = &[
    Part {
        structure: "file",
        words: ("FILE_PART", "FILE_PART_BYTES"),
        members: &[
            ("FILE_INODE", &["f_inode"], 8),
            ("FILE_PATH", &["f_path"], 16),
            ("FILE_FLAGS", &["f_flags"], 4),
            ("FILE_MODE", &["f_mode"], 4),
        ],
    },
    Part {
        structure: "inode",
        words: ("INODE_PART", "INODE_PART_BYTES"),
        members: &[
            ("INODE_MODE", &["i_mode"], 2),
            ("INODE_UID", &["i_uid"], 4),
            ("INODE_SB", &["i_sb"], 8),
            ("INODE_INO", &["i_ino"], 8),
            ("INODE_NLINK", &["i_nlink"], 4),
            ("INODE_CTIME", &["i_ctime_sec", "__i_ctime.tv_sec", "i_ctime.tv_sec"], 8),
            ("INODE_CTIME_NS", &["i_ctime_nsec", "__i_ctime.tv_nsec", "i_ctime.tv_nsec"], 4),
            ("INODE_MTIME", &["i_mtime_sec", "__i_mtime.tv_sec", "i_mtime.tv_sec"], 8),
            ("INODE_MTIME_NS", &["i_mtime_nsec", "__i_mtime.tv_nsec", "i_mtime.tv_nsec"], 4),
        ],
    },
    Part {
        structure: "super_block",
        words: ("SUPER_PART", "SUPER_PART_BYTES"),
        members: &[("SUPER_DEV", &["s_dev"], 4), ("SUPER_MAGIC", &["s_magic"], 8)],
    },
    Part {
        structure: "dentry",
        words: ("DENTRY_PART", "DENTRY_PART_BYTES"),
        members: &[
            ("DENTRY_HASHED", &["d_hash.pprev"], 8),
            ("DENTRY_PARENT", &["d_parent"], 8),
            ("DENTRY_NAME_LEN", &["d_name.len"], 4),
            ("DENTRY_NAME", &["d_name.name"], 8),
            ("DENTRY_INLINE", INLINE_NAME, 32),
        ],
    },
    Part {
        structure: "mount",
        words: ("MOUNT_PART", "MOUNT_PART_BYTES"),
        members: &[
            ("MOUNT_PARENT", &["mnt_parent"], 8),
            ("MOUNT_POINT", &["mnt_mountpoint"], 8),
            ("MOUNT_ROOT", &["mnt.mnt_root"], 8),
        ],
    },
    Part {
        structure: "socket",
        words: ("SOCKET_PART", "SOCKET_PART_BYTES"),
        members: &[("SOCKET_FILE", &["file"], 8), ("SOCKET_SOCK", &["sk"], 8)],
    },
    Part {
        structure: "sock",
        words: ("SOCK_PART", "SOCK_PART_BYTES"),
        members: &[
            ("SOCK_FAMILY", &["__sk_common.skc_family"], 2),
            ("SOCK_STATE", &["__sk_common.skc_state"], 1),
            ("SOCK_LOCAL_PORT", &["__sk_common.skc_num"], 2),
            ("SOCK_REMOTE_PORT", &["__sk_common.skc_dport"], 2),
            ("SOCK_LOCAL4", &["__sk_common.skc_rcv_saddr"], 4),
            ("SOCK_REMOTE4", &["__sk_common.skc_daddr"], 4),
            ("SOCK_LOCAL6", &["__sk_common.skc_v6_rcv_saddr"], 16),
            ("SOCK_REMOTE6", &["__sk_common.skc_v6_daddr"], 16),
        ],
    },
];

/// Room for a short name in its entry.
const INLINE_NAME: &[&str] = &["d_shortname", "d_iname"];
/// What the programs copy of it at most.
const INLINE_BYTES: u32 = 40;

/// Adds all values; gives the first that this kernel does not have.
pub(super) fn resolve(
    btf: &KernelBtf,
    values: &mut Vec<(&'static str, u32)>,
) -> Option<&'static str> {
    let mut missing = None;
    let mut add = |word: &'static str, value: Option<u32>| match value {
        Some(value) => values.push((word, value)),
        None => missing = missing.or(Some(word)),
    };
    for (word, structure, names) in NEEDED {
        add(word, find(btf, structure, names));
    }
    for (word, register, behind) in REGISTERS {
        add(word, btf.offset("pt_regs", register).map(|offset| offset + behind));
    }
    add("INODE_SIZE", btf.size("inode"));
    let inline = INLINE_NAME.iter().find_map(|name| btf.member_size("dentry", name));
    add("DENTRY_INLINE_BYTES", inline.map(|bytes| bytes.min(INLINE_BYTES)));
    for part in PARTS {
        let mut ends = Some((u32::MAX, 0));
        for (word, names, size) in part.members {
            let offset = find(btf, part.structure, names);
            ends = ends.zip(offset).map(|((from, to), offset): ((u32, u32), u32)| {
                (from.min(offset), to.max(offset + size))
            });
            add(word, offset);
        }
        // Whole words at whole places: that is how the kernel copies fastest.
        let ends = ends
            .map(|(from, to)| (from & !7, to.next_multiple_of(8)))
            .filter(|(from, to)| to - from <= PART_BYTES);
        add(part.words.0, ends.map(|(from, _)| from));
        add(part.words.1, ends.map(|(from, to)| to - from));
    }
    missing
}

fn find(btf: &KernelBtf, structure: &str, names: &[&str]) -> Option<u32> {
    names.iter().find_map(|name| btf.offset(structure, name))
}

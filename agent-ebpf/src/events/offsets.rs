//! Where things are that only events need, as in [`crate::offsets`]. A kernel that
//! lacks one of them is metered, but gives no events.

use crate::offsets::loaded;

loaded! {
    /// `task_struct.tgid`.
    TASK_TGID => task_tgid;
    /// `task_struct.group_leader`.
    TASK_LEADER => task_leader;
    /// `task_struct.real_parent`.
    TASK_PARENT => task_parent;
    /// `task_struct.start_boottime`.
    TASK_START_BOOTTIME => task_start_boottime;
    /// `task_struct.comm`.
    TASK_COMM => task_comm;
    /// `task_struct.loginuid`.
    TASK_LOGINUID => task_loginuid;
    /// 1 when the kernel keeps a login user id (`CONFIG_AUDIT`).
    HAS_LOGINUID => has_loginuid;
    /// `task_struct.cred`.
    TASK_CRED => task_cred;
    /// `task_struct.files`.
    TASK_FILES => task_files;
    /// `task_struct.fs`.
    TASK_FS => task_fs;
    /// `cred.euid`.
    CRED_EUID => cred_euid;
    /// `cred.egid`.
    CRED_EGID => cred_egid;
    /// `cred.cap_effective`.
    CRED_EFFECTIVE => cred_effective;
    /// `cred.cap_permitted`.
    CRED_PERMITTED => cred_permitted;
    /// `cred.cap_inheritable`.
    CRED_INHERITABLE => cred_inheritable;
    /// `files_struct.fdt`.
    FILES_TABLE => files_table;
    /// `files_struct.fdtab`: the table of a process that has few files.
    FILES_OWN_TABLE => files_own_table;
    /// `files_struct.fd_array`: its files.
    FILES_OWN => files_own;
    /// `fdtable.max_fds`.
    TABLE_LEN => table_len;
    /// `fdtable.fd`.
    TABLE_FILES => table_files;
    /// `fs_struct.root`.
    FS_ROOT => fs_root;
    /// `fs_struct.pwd`.
    FS_PWD => fs_pwd;
    /// `path.mnt`.
    PATH_MOUNT => path_mount;
    /// `path.dentry`.
    PATH_DENTRY => path_dentry;
    /// The part of `file` that holds what follows: its offset and size.
    FILE_PART => file_part;
    FILE_PART_BYTES => file_part_bytes;
    /// `file.f_inode`.
    FILE_INODE => file_inode;
    /// `file.f_path`.
    FILE_PATH => file_path;
    /// `file.f_flags`.
    FILE_FLAGS => file_flags;
    /// `file.f_mode`.
    FILE_MODE => file_mode;
    /// The part of `inode` that holds what follows.
    INODE_PART => inode_part;
    INODE_PART_BYTES => inode_part_bytes;
    /// `inode.i_mode`.
    INODE_MODE => inode_mode;
    /// `inode.i_uid`.
    INODE_UID => inode_uid;
    /// `inode.i_sb`.
    INODE_SB => inode_sb;
    /// `inode.i_ino`.
    INODE_INO => inode_ino;
    /// `inode.i_nlink`.
    INODE_NLINK => inode_nlink;
    /// Seconds of the last change of the inode.
    INODE_CTIME => inode_ctime;
    /// Nanoseconds of the last change of the inode.
    INODE_CTIME_NS => inode_ctime_ns;
    /// Seconds of the last change of the content.
    INODE_MTIME => inode_mtime;
    /// Nanoseconds of the last change of the content.
    INODE_MTIME_NS => inode_mtime_ns;
    /// Size of `inode`.
    INODE_SIZE => inode_size;
    /// The part of `super_block` that holds what follows.
    SUPER_PART => super_part;
    SUPER_PART_BYTES => super_part_bytes;
    /// `super_block.s_dev`.
    SUPER_DEV => super_dev;
    /// `super_block.s_magic`.
    SUPER_MAGIC => super_magic;
    /// The part of `dentry` that holds what follows.
    DENTRY_PART => dentry_part;
    DENTRY_PART_BYTES => dentry_part_bytes;
    /// `dentry.d_hash.pprev`.
    DENTRY_HASHED => dentry_hashed;
    /// `dentry.d_parent`.
    DENTRY_PARENT => dentry_parent;
    /// `dentry.d_name.len`.
    DENTRY_NAME_LEN => dentry_name_len;
    /// `dentry.d_name.name`.
    DENTRY_NAME => dentry_name;
    /// Where a short name stands in its entry, and the room there.
    DENTRY_INLINE => dentry_inline;
    DENTRY_INLINE_BYTES => dentry_inline_bytes;
    /// `mount.mnt`.
    MOUNT_INNER => mount_inner;
    /// The part of `mount` that holds what follows.
    MOUNT_PART => mount_part;
    MOUNT_PART_BYTES => mount_part_bytes;
    /// `mount.mnt_parent`.
    MOUNT_PARENT => mount_parent;
    /// `mount.mnt_mountpoint`.
    MOUNT_POINT => mount_point;
    /// `mount.mnt.mnt_root`.
    MOUNT_ROOT => mount_root;
    /// `pt_regs` members that hold the arguments of a call.
    REGS_ARG0 => regs_arg0;
    REGS_ARG1 => regs_arg1;
    REGS_ARG2 => regs_arg2;
    REGS_ARG3 => regs_arg3;
    REGS_ARG4 => regs_arg4;
    REGS_ARG5 => regs_arg5;
    /// Likewise, of a call through the 32-bit table.
    REGS_COMPAT0 => regs_compat0;
    REGS_COMPAT1 => regs_compat1;
    REGS_COMPAT2 => regs_compat2;
    REGS_COMPAT3 => regs_compat3;
    REGS_COMPAT4 => regs_compat4;
    REGS_COMPAT5 => regs_compat5;
}

loaded! {
    /// `task_struct.signal`.
    TASK_SIGNAL => task_signal;
    /// `task_struct.thread_pid`.
    TASK_THREAD_PID => task_thread_pid;
    /// `task_struct.nsproxy`.
    TASK_NSPROXY => task_nsproxy;
    /// `task_struct.mm`.
    TASK_MM => task_mm;
    /// `task_struct.exit_code`.
    TASK_EXIT_CODE => task_exit_code;
    /// `signal_struct.live`.
    SIGNAL_LIVE => signal_live;
    /// `signal_struct.pids`.
    SIGNAL_PIDS => signal_pids;
    /// `signal_struct.tty`.
    SIGNAL_TTY => signal_tty;
    /// `signal_struct.flags`.
    SIGNAL_FLAGS => signal_flags;
    /// `signal_struct.group_exit_code`.
    SIGNAL_EXIT_CODE => signal_exit_code;
    /// `pid.level`.
    PID_LEVEL => pid_level;
    /// `pid.numbers`.
    PID_NUMBERS => pid_numbers;
    /// `tty_struct.driver`.
    TTY_DRIVER => tty_driver;
    /// `tty_struct.index`.
    TTY_INDEX => tty_index;
    /// `tty_driver.major`.
    DRIVER_MAJOR => driver_major;
    /// `tty_driver.minor_start`.
    DRIVER_MINOR => driver_minor;
    /// `pid_namespace.ns.inum`.
    PID_NAMESPACE_INODE => pid_namespace_inode;
    /// `nsproxy.mnt_ns`.
    NSPROXY_MOUNTS => nsproxy_mounts;
    /// `mnt_namespace.ns.inum`.
    MOUNT_NAMESPACE_INODE => mount_namespace_inode;
    /// `mm_struct.arg_start`, with `arg_end`, `env_start` and `env_end` behind it.
    MM_ARGUMENTS => mm_arguments;
    /// `linux_binprm.file`.
    BINPRM_FILE => binprm_file;
    /// `cred.fsuid`.
    CRED_FSUID => cred_fsuid;
    /// `cred.fsgid`.
    CRED_FSGID => cred_fsgid;
    /// `cred.group_info`.
    CRED_GROUPS => cred_groups;
    /// `group_info.ngroups`.
    GROUPS_LEN => groups_len;
    /// `group_info.gid`.
    GROUPS_IDS => groups_ids;
    /// `inode.i_gid`.
    INODE_GID => inode_gid;
    /// `file.private_data`.
    FILE_PRIVATE => file_private;
    /// The part of `socket` that holds what follows.
    SOCKET_PART => socket_part;
    SOCKET_PART_BYTES => socket_part_bytes;
    /// `socket.file`.
    SOCKET_FILE => socket_file;
    /// `socket.sk`.
    SOCKET_SOCK => socket_sock;
    /// `sock.sk_type`.
    SOCK_TYPE => sock_type;
    /// `sock.sk_protocol`.
    SOCK_PROTOCOL => sock_protocol;
    /// The part of `sock` that holds what follows.
    SOCK_PART => sock_part;
    SOCK_PART_BYTES => sock_part_bytes;
    /// `sock.__sk_common.skc_family`.
    SOCK_FAMILY => sock_family;
    /// `sock.__sk_common.skc_state`.
    SOCK_STATE => sock_state;
    /// Ports, this end's in host order.
    SOCK_LOCAL_PORT => sock_local_port;
    SOCK_REMOTE_PORT => sock_remote_port;
    /// Addresses of IPv4.
    SOCK_LOCAL4 => sock_local4;
    SOCK_REMOTE4 => sock_remote4;
    /// Addresses of IPv6.
    SOCK_LOCAL6 => sock_local6;
    SOCK_REMOTE6 => sock_remote6;
    /// `inet_sock.inet_saddr`.
    INET_LOCAL => inet_local;
    /// `inet_sock.pinet6`.
    INET_INET6 => inet_inet6;
    /// `ipv6_pinfo.saddr`.
    INET6_LOCAL => inet6_local;
    /// 1 when the kernel has unix sockets.
    HAS_UNIX => has_unix;
    /// `unix_sock.addr`.
    UNIX_ADDRESS => unix_address;
    /// `unix_sock.peer`.
    UNIX_PEER => unix_peer;
    /// `unix_address.len`.
    UNIX_ADDRESS_LEN => unix_address_len;
    /// `unix_address.name`.
    UNIX_ADDRESS_NAME => unix_address_name;
    /// Where a submission's tracepoint has the `io_kiocb`: 1 first, 2 second; 3: it
    /// has the opcode second instead; 0: not known.
    URING_LAYOUT => uring_layout;
    /// 1 when the following are known.
    HAS_REQUEST => has_request;
    /// `io_kiocb.opcode`.
    REQUEST_OPCODE => request_opcode;
    /// `io_kiocb.flags`.
    REQUEST_FLAGS => request_flags;
    /// `io_kiocb.cqe.user_data`, `user_data` before 5.19.
    REQUEST_MARK => request_mark;
    /// 1 when the following is known.
    HAS_REQUEST_FD => has_request_fd;
    /// `io_kiocb.cqe.fd`, since 5.19.
    REQUEST_FD => request_fd;
    /// `sock.sk_err`.
    SOCK_ERROR => sock_error;
    /// `sock.__sk_common.skc_flags`.
    SOCK_FLAGS => sock_flags;
    /// `sock.sk_cgrp_data`: its first word, a pointer to a `cgroup` as a rule.
    SOCK_CGROUP => sock_cgroup;
    /// `inet_sock.inet_sport`: this end's port, network order.
    INET_PORT => inet_port;
    /// `tcp_sock.snd_una`: the first number that was not acknowledged.
    TCP_UNACKNOWLEDGED => tcp_unacknowledged;
    /// `tcp_sock.rcv_nxt`: the number that is expected next.
    TCP_EXPECTED => tcp_expected;
    /// `tcp_sock.bytes_sent`, with what was sent again.
    TCP_BYTES_SENT => tcp_bytes_sent;
    /// `tcp_sock.bytes_retrans`.
    TCP_BYTES_RETRANSMITTED => tcp_bytes_retransmitted;
    /// `tcp_sock.bytes_acked`.
    TCP_BYTES_ACKNOWLEDGED => tcp_bytes_acknowledged;
    /// `tcp_sock.bytes_received`.
    TCP_BYTES_RECEIVED => tcp_bytes_received;
    /// 1 when `sched_process_exit` tells whether the whole process ends (6.16).
    HAS_GROUP_DEAD => has_group_dead;
}

/// Declares read-only words of 64 bits.
macro_rules! loaded_words {
    ($($(#[$meta:meta])* $name:ident => $get:ident;)+) => {
        $(
            #[unsafe(no_mangle)]
            static $name: u64 = 0;

            $(#[$meta])*
            #[inline(always)]
            pub(crate) fn $get() -> u64 {
                // SAFETY: a plain read of an initialised static; volatile because
                // the loader, not the compiler, decides its value.
                unsafe { core::ptr::read_volatile(&raw const $name) }
            }
        )+
    };
}

loaded_words! {
    /// Random: makes the verdict's key unpredictable.
    VERDICT_SEED0 => verdict_seed0;
    /// Random, likewise.
    VERDICT_SEED1 => verdict_seed1;
    /// Address of `rename_lock`; 0 when not known.
    RENAME_LOCK => rename_lock;
}

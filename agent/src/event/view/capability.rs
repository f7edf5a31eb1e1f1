//! Names of capabilities.

/// In the order of their bits.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Appends the names of a set, as `CAP_CHOWN CAP_KILL`.
pub(super) fn write(set: u64, out: &mut Vec<u8>) {
    for (_, name) in NAMES.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0) {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(b"CAP_");
        out.extend_from_slice(name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn sets() {
        let check = |set: u64, expected: &str| {
            let mut out = Vec::new();
            write(set, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{set:x}");
        };
        check(0, "");
        check(1, "CAP_CHOWN");
        check(1 << 21 | 1 << 5, "CAP_KILL CAP_SYS_ADMIN");
        check(1 << 40, "CAP_CHECKPOINT_RESTORE");
        check(1 << 63, "");
    }
}

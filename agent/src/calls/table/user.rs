//! Calls of users and groups.

use super::{P, RES, Row, row};
use crate::calls::param::{Form, Source, What, gid, uid};
use crate::calls::reading::SIMPLE;

/// The user that the call returned.
const USER: What = What::Number(Source::Result, Form::Uid);
/// The group that the call returned.
const GROUP: What = What::Number(Source::Result, Form::Gid);

pub(super) const ROWS: &[Row] = &[
    row(&["setuid", "setuid32"], SIMPLE.keys(&[0]), &[RES, (P::UID, uid(0))]),
    row(&["setgid", "setgid32"], SIMPLE.keys(&[0]), &[RES, (P::GID, gid(0))]),
    row(
        &["setreuid", "setreuid32"],
        SIMPLE.keys(&[0, 1]),
        &[RES, (P::RUID, uid(0)), (P::EUID, uid(1))],
    ),
    row(
        &["setregid", "setregid32"],
        SIMPLE.keys(&[0, 1]),
        &[RES, (P::RGID, gid(0)), (P::EGID, gid(1))],
    ),
    row(
        &["setresuid", "setresuid32"],
        SIMPLE.keys(&[0, 1, 2]),
        &[RES, (P::RUID, uid(0)), (P::EUID, uid(1)), (P::SUID, uid(2))],
    ),
    row(
        &["setresgid", "setresgid32"],
        SIMPLE.keys(&[0, 1, 2]),
        &[RES, (P::RGID, gid(0)), (P::EGID, gid(1)), (P::SGID, gid(2))],
    ),
    row(&["getuid"], SIMPLE, &[(P::UID, USER)]),
    row(&["geteuid"], SIMPLE, &[(P::EUID, USER)]),
    row(&["getgid"], SIMPLE, &[(P::GID, GROUP)]),
    row(&["getegid"], SIMPLE, &[(P::EGID, GROUP)]),
];

//! Calls of mounts and quotas.

use landlord_ebpf::abi::{NO_ARGUMENT, RESULT};

use super::{P, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{Form, GIVEN, GIVEN2, PATH, What, fact, fd, flags, int, one, uint};
use crate::calls::reading::{HERE, path, simple};

pub(super) const ROWS: &[Row] = &[
    row(
        &["mount"],
        // The type is a text: as many bytes as the longest has.
        path(1, HERE).and(0, NO_ARGUMENT).structure(2, 16).keys(&[3]),
        &[
            RES,
            (P::DEV, GIVEN2),
            (P::DIR, PATH),
            (P::TYPE, What::Structure),
            (P::FLAGS, flags(3, names::MOUNT)),
        ],
    ),
    row(&["umount"], path(0, HERE), &[RES, (P::NAME, PATH)]),
    row(
        &["umount2"],
        path(0, HERE).keys(&[1]),
        &[RES, (P::NAME, PATH), (P::FLAGS, flags(1, names::UMOUNT))],
    ),
    row(&["open_tree", "open_tree_attr", "fspick", "mount_setattr"], path(1, 0).keys(&[2]), &[RES]),
    row(&["move_mount"], path(1, 0).and(3, 2).keys(&[4]), &[RES]),
    row(&["fsopen"], path(0, NO_ARGUMENT).keys(&[1]), &[RES]),
    row(
        &["fsconfig"],
        path(2, NO_ARGUMENT).and(3, NO_ARGUMENT).keys(&[1, 4]),
        &[
            RES,
            (P::FD, fd(0)),
            (P::CMD, one(1, names::FSCONFIG)),
            (P::KEY, GIVEN),
            (P::VALUE_CHARBUF, GIVEN2),
            (P::AUX, int(4)),
        ],
    ),
    row(&["fsmount"], simple(RESULT), &[RES]),
    row(
        &["quotactl"],
        path(1, NO_ARGUMENT).keys(&[0, 2]),
        &[
            RES,
            (P::SPECIAL, GIVEN),
            (P::CMD, fact(|record| Some(command(record)? >> 8), Form::One(names::QUOTA_CMD))),
            (P::TYPE, fact(|record| Some(command(record)? & 0xff), Form::One(names::QUOTA_TYPE))),
            (P::ID, uint(2)),
        ],
    ),
];

fn command(record: &crate::event::Record<'_>) -> Option<u64> {
    Some(record.head.args.first()? & 0xffff_ffff)
}

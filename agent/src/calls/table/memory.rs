//! Calls of memory.

use super::{P, Param, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{Form, Source, What, fd, flags, hex, long};
use crate::calls::reading::SIMPLE;

const ADDR: Param = (P::ADDR, hex(0));
const LENGTH: Param = (P::LENGTH, long(1));
const LEN: Param = (P::LEN, long(1));
const PROT: Param = (P::PROT, flags(2, names::PROT));
const FLAGS: Param = (P::FLAGS, flags(3, names::MAP));
const FD: Param = (P::FD, fd(4));

pub(super) const ROWS: &[Row] = &[
    row(&["mmap"], SIMPLE, &[RES, ADDR, LENGTH, PROT, FLAGS, FD, (P::OFFSET, long(5))]).native(),
    // That of ia32 has its arguments in memory.
    row(&["mmap"], SIMPLE, &[RES]).compat(),
    row(&["mmap2"], SIMPLE, &[RES, ADDR, LENGTH, PROT, FLAGS, FD, (P::PGOFFSET, long(5))]),
    row(&["munmap"], SIMPLE, &[RES, ADDR, LENGTH]),
    row(&["mprotect"], SIMPLE, &[RES, ADDR, LENGTH, PROT]),
    row(&["brk"], SIMPLE, &[(P::RES, What::Number(Source::Result, Form::Hex)), ADDR]),
    row(&["mlock", "munlock"], SIMPLE, &[RES, ADDR, LEN]),
    row(&["mlock2"], SIMPLE, &[RES, ADDR, LEN, (P::FLAGS, flags(2, names::MLOCK2))]),
    row(&["mlockall"], SIMPLE, &[RES, (P::FLAGS, flags(0, names::MCL))]),
];

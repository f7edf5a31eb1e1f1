//! The table: one row for each call that tells more than its result.
//!
//! Data only, one file a family; built once into an array by number.

mod descriptor;
mod directory;
mod file;
mod kernel;
mod memory;
mod mount;
mod process;
mod socket;
mod uring;
mod user;

use landlord_ebpf::abi::{COMPAT_BIT, COMPAT_PLANS, Plan};

use super::Call;
use super::param::{RESULT, What};
use super::reading::Reading;
use crate::rules::event_type::{EventType, ParamId as P};
use crate::syscalls;

/// A parameter and what it is.
type Param = (P, What);

/// The calls that make processes.
pub(super) const MAKERS: [&str; 4] = ["clone", "clone3", "fork", "vfork"];

/// What is declared of calls.
pub(super) struct Row {
    /// As the kernel names them.
    names: &'static [&'static str],
    /// Which table's.
    of: Of,
    reading: Reading,
    params: &'static [Param],
}

/// Which table's calls a row is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Both,
    Native,
    Compat,
}

const fn row(names: &'static [&'static str], reading: Reading, params: &'static [Param]) -> Row {
    Row { names, of: Of::Both, reading, params }
}

impl Row {
    /// Only of the kernel's own table.
    const fn native(mut self) -> Self {
        self.of = Of::Native;
        self
    }

    /// Only of the 32-bit table.
    const fn compat(mut self) -> Self {
        self.of = Of::Compat;
        self
    }
}

/// What the call returned, as nearly every event tells it.
const RES: Param = (P::RES, RESULT);

/// All rows.
const ROWS: [&[Row]; 9] = [
    file::ROWS,
    directory::ROWS,
    descriptor::ROWS,
    socket::ROWS,
    process::ROWS,
    user::ROWS,
    memory::ROWS,
    mount::ROWS,
    kernel::ROWS,
];

/// Calls of the 32-bit table that are others with wider arguments, and what Falco
/// tells them as. Sorted.
const VARIANTS: &[(&str, &str)] = &[
    ("chown32", "chown"),
    ("clock_adjtime64", "clock_adjtime"),
    ("clock_getres_time64", "clock_getres"),
    ("clock_gettime64", "clock_gettime"),
    ("clock_nanosleep_time64", "clock_nanosleep"),
    ("clock_settime64", "clock_settime"),
    ("fchown32", "fchown"),
    ("fcntl64", "fcntl"),
    ("fstatat64", "newfstatat"),
    ("ftruncate64", "ftruncate"),
    ("futex_time64", "futex"),
    ("getegid32", "getegid"),
    ("geteuid32", "geteuid"),
    ("getgid32", "getgid"),
    ("getgroups32", "getgroups"),
    ("getresgid32", "getresgid"),
    ("getresuid32", "getresuid"),
    ("getuid32", "getuid"),
    ("io_pgetevents_time64", "io_pgetevents"),
    ("lchown32", "lchown"),
    ("mq_timedreceive_time64", "mq_timedreceive"),
    ("mq_timedsend_time64", "mq_timedsend"),
    ("ppoll_time64", "ppoll"),
    ("pselect6_time64", "pselect6"),
    ("recvmmsg_time64", "recvmmsg"),
    ("rt_sigtimedwait_time64", "rt_sigtimedwait"),
    ("sched_rr_get_interval_time64", "sched_rr_get_interval"),
    ("semtimedop_time64", "semtimedop"),
    ("setfsgid32", "setfsgid"),
    ("setfsuid32", "setfsuid"),
    ("setgid32", "setgid"),
    ("setgroups32", "setgroups"),
    ("setregid32", "setregid"),
    ("setresgid32", "setresgid"),
    ("setresuid32", "setresuid"),
    ("setreuid32", "setreuid"),
    ("setuid32", "setuid"),
    ("timer_gettime64", "timer_gettime"),
    ("timer_settime64", "timer_settime"),
    ("timerfd_gettime64", "timerfd_gettime"),
    ("timerfd_settime64", "timerfd_settime"),
    ("truncate64", "truncate"),
    ("utimensat_time64", "utimensat"),
];

/// A kernel's calls by number.
pub(super) struct Numbered {
    native: Box<[Option<Call>]>,
    compat: Box<[Option<Call>]>,
    requests: Box<[Option<Call>]>,
    /// A process was made, by whichever call.
    pub(super) fork: Option<Call>,
    /// A program was started.
    pub(super) exec: Option<Call>,
    /// A process ended.
    pub(super) exit: Option<Call>,
}

impl Numbered {
    /// Of the kernel this agent was built for.
    pub(super) fn of_host() -> Self {
        Self::new(syscalls::calls(false), syscalls::calls(true))
    }

    fn new(native: &[(u32, &'static str)], compat: &[(u32, &'static str)]) -> Self {
        Self {
            native: by_number(native, false),
            compat: by_number(compat, true),
            requests: uring::requests(),
            fork: event("clone", process::MADE),
            exec: event("execve", process::STARTED),
            exit: event("procexit", process::ENDED),
        }
    }

    pub(super) fn get(&self, syscall: u32) -> Option<&Call> {
        let table = if syscall & COMPAT_BIT == 0 { &self.native } else { &self.compat };
        table.get(usize::try_from(syscall & !COMPAT_BIT).ok()?)?.as_ref()
    }

    /// The call that a request of `io_uring` stands for, by its opcode.
    pub(super) fn request(&self, opcode: u32) -> Option<&Call> {
        self.requests.get(usize::try_from(opcode).ok()?)?.as_ref()
    }

    /// Each request of `io_uring` that stands for a call, and its opcode.
    pub(super) fn requests(&self) -> impl Iterator<Item = (u32, &Call)> {
        (0..).zip(&self.requests).filter_map(|(opcode, call)| Some((opcode, call.as_ref()?)))
    }

    /// Each call and its number.
    pub(super) fn calls(&self) -> impl Iterator<Item = (u32, &Call)> {
        let native = (0..).zip(&self.native);
        let compat = (COMPAT_BIT..).zip(&self.compat);
        native.chain(compat).filter_map(|(nr, call)| Some((nr, call.as_ref()?)))
    }
}

/// An event that no single call makes.
fn event(name: &str, params: &'static [Param]) -> Option<Call> {
    let event_type = EventType::named(name)?;
    Some(Call { event_type, plan: Plan::UNWANTED, params, short_ids: false })
}

fn by_number(calls: &[(u32, &'static str)], is_compat: bool) -> Box<[Option<Call>]> {
    let mut table: Box<[Option<Call>]> = (0..COMPAT_PLANS).map(|_| None).collect();
    for &(nr, name) in calls {
        let place = usize::try_from(nr).ok().and_then(|nr| table.get_mut(nr));
        if let (Some(place), Some(mut call)) = (place, declared(name, is_compat)) {
            let wide = |other: &&(u32, &str)| other.1.strip_suffix("32") == Some(name);
            call.short_ids = is_compat && calls.iter().find(wide).is_some();
            *place = Some(call);
        }
    }
    table
}

fn declared(name: &str, is_compat: bool) -> Option<Call> {
    let variant = VARIANTS.binary_search_by_key(&name, |&(variant, _)| variant);
    let plain = variant.map_or(name, |at| VARIANTS[at].1);
    let event_type = EventType::named(plain)?;
    let found = find(name, is_compat).or_else(|| find(plain, is_compat));
    let (plan, params) =
        found.map_or((Plan::UNWANTED, &[RES] as &[_]), |row| (row.reading.0, row.params));
    Some(Call { event_type, plan, params, short_ids: false })
}

fn find(name: &str, is_compat: bool) -> Option<&'static Row> {
    ROWS.into_iter().flatten().find(|row| {
        let fits = match row.of {
            Of::Both => true,
            Of::Native => !is_compat,
            Of::Compat => is_compat,
        };
        fits && row.names.contains(&name)
    })
}

/// The names of all rows and which table's they are.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.into_iter().flatten().flat_map(|row| {
        let of = match row.of {
            Of::Both => "both",
            Of::Native => "native",
            Of::Compat => "compat",
        };
        row.names.iter().map(move |name| (*name, of))
    })
}

//! Names of users and groups, by container: what `/etc/passwd` and `/etc/group` of the
//! container, or of the host, say.
//!
//! [`Names`] keeps and answers, [`Request::read`] reads. A file system that a tenant
//! serves may answer late or never, so whoever calls it does so where it may wait. It
//! asks no name service: a user that only a directory knows has no name here.

mod database;
mod read;

use std::collections::BTreeMap;

pub use database::{Group, IdRange, NamesOf, User};
pub use read::{Answer, Request};

/// Files are looked at again after this at first: a container that is being made may not
/// have its own root yet.
const WAIT_FIRST_NS: u64 = 100_000_000;
/// Each time after twice as long, up to this.
const WAIT_MAX_NS: u64 = 5_000_000_000;
/// After this a question that was not answered is asked again: it may have been lost.
const LOST_NS: u64 = 60_000_000_000;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameLimits {
    /// Containers.
    pub max_containers: usize,
    /// Bytes of all names, estimated from above, those of the host left out.
    pub max_bytes: usize,
}

impl Default for NameLimits {
    fn default() -> Self {
        Self { max_containers: 1024, max_bytes: 16 << 20 }
    }
}

/// What is kept and could not be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameStats {
    /// Containers.
    pub containers: usize,
    /// Bytes of their names, estimated from above.
    pub bytes: usize,
    /// Containers that had to leave for want of room.
    pub evicted_total: u64,
    /// Times that files could not be read, or must not be.
    pub failed_total: u64,
    /// Lines that are no user and no group.
    pub malformed_total: u64,
    /// Files that were longer than is read.
    pub cut_total: u64,
}

/// The names of the host and of the containers.
#[derive(Debug, Default)]
pub struct Names {
    limits: NameLimits,
    host: Kept,
    containers: BTreeMap<Box<str>, Kept>,
    /// Grows with each question.
    turn: u64,
    stats: NameStats,
}

#[derive(Debug, Default)]
struct Kept {
    names: NamesOf,
    stamps: [Option<read::Stamp>; 2],
    bytes: usize,
    touched: u64,
    /// Not to be asked for before.
    next_ns: u64,
    asked_ns: u64,
    wait_ns: u64,
}

impl Names {
    /// Knows no name yet.
    #[must_use]
    pub fn new(limits: NameLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Asks whether the files of a container, or of the host, should be looked at now;
    /// cheap when not. `pid` is a process of the container, best its first. A question
    /// that gets no answer is asked again after a minute.
    pub fn due(&mut self, container: Option<&str>, pid: u32, now_ns: u64) -> Option<Request> {
        self.turn += 1;
        if let Some(id) = container.filter(|id| !self.containers.contains_key(*id)) {
            self.containers
                .insert(id.into(), Kept { names: NamesOf::new(Some(id)), ..Kept::default() });
            self.make_room();
        }
        let turn = self.turn;
        let kept = self.kept_mut(container)?;
        kept.touched = turn;
        if now_ns < kept.next_ns {
            return None;
        }
        kept.wait_ns = (kept.wait_ns * 2).clamp(WAIT_FIRST_NS, WAIT_MAX_NS);
        kept.asked_ns = now_ns;
        kept.next_ns = now_ns.saturating_add(LOST_NS);
        // The host's files are those of its first process, whoever acts.
        let pid = if container.is_some() { pid } else { 1 };
        Some(Request { container: container.map(Into::into), pid, known: kept.stamps })
    }

    /// Takes an answer. True when names changed.
    pub fn take(&mut self, answer: Answer) -> bool {
        self.stats.failed_total += u64::from(answer.failed);
        self.stats.malformed_total += answer.malformed;
        self.stats.cut_total += answer.cut;
        let Some(kept) = self.kept_mut(answer.container.as_deref()) else { return false };
        kept.next_ns = kept.asked_ns.saturating_add(kept.wait_ns);
        let mut changed = false;
        if let Some((stamp, users)) = answer.users {
            (kept.stamps[0], kept.names.users) = (stamp, users);
            changed = true;
        }
        if let Some((stamp, groups)) = answer.groups {
            (kept.stamps[1], kept.names.groups) = (stamp, groups);
            changed = true;
        }
        if let Some((users, groups)) = answer.maps {
            changed |= kept.names.uid_map != users || kept.names.gid_map != groups;
            (kept.names.uid_map, kept.names.gid_map) = (users, groups);
        }
        if changed {
            self.weigh(answer.container.as_deref());
        }
        changed
    }

    /// Puts in names of a recording.
    pub fn insert(&mut self, names: NamesOf) {
        self.turn += 1;
        let container = names.container.clone();
        let kept = Kept { names, touched: self.turn, ..Kept::default() };
        match container.clone() {
            Some(id) => {
                if let Some(before) = self.containers.insert(id, kept) {
                    self.stats.bytes = self.stats.bytes.saturating_sub(before.bytes);
                }
            }
            None => self.host = kept,
        }
        self.weigh(container.as_deref());
    }

    /// All names, the host's first, then by container.
    pub fn snapshot(&self) -> impl Iterator<Item = &NamesOf> {
        std::iter::once(&self.host).chain(self.containers.values()).map(|kept| &kept.names)
    }

    /// What is kept and could not be had.
    #[must_use]
    pub fn stats(&self) -> NameStats {
        NameStats { containers: self.containers.len(), ..self.stats }
    }

    /// Name of a user by its id in the initial user namespace.
    #[must_use]
    pub fn user_name(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        self.user(container, uid, |user| &user.name, "root")
    }

    /// Home directory of a user.
    #[must_use]
    pub fn home(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        self.user(container, uid, |user| &user.home, "/root")
    }

    /// Login shell of a user.
    #[must_use]
    pub fn shell(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        self.user(container, uid, |user| &user.shell, "").filter(|shell| !shell.is_empty())
    }

    /// Name of a group by its id in the initial user namespace.
    #[must_use]
    pub fn group_name(&self, container: Option<&str>, gid: u32) -> Option<&str> {
        let names = self.names(container);
        let gid = database::inside(names.map_or(&[], |names| &names.gid_map), gid)?;
        match names.and_then(|names| names.group(gid)) {
            Some(group) => Some(&group.name),
            None => (gid == 0).then_some("root"),
        }
    }

    /// A text of a user. User 0 is root even where no file says so, as in an image that
    /// holds one program.
    fn user<'a>(
        &'a self,
        container: Option<&str>,
        uid: u32,
        text: impl Fn(&'a User) -> &'a str,
        of_root: &'static str,
    ) -> Option<&'a str> {
        let names = self.names(container);
        let uid = database::inside(names.map_or(&[], |names| &names.uid_map), uid)?;
        match names.and_then(|names| names.user(uid)) {
            Some(user) => Some(text(user)),
            None => (uid == 0).then_some(of_root),
        }
    }

    fn names(&self, container: Option<&str>) -> Option<&NamesOf> {
        match container {
            Some(id) => self.containers.get(id).map(|kept| &kept.names),
            None => Some(&self.host.names),
        }
    }

    fn kept_mut(&mut self, container: Option<&str>) -> Option<&mut Kept> {
        match container {
            Some(id) => self.containers.get_mut(id),
            None => Some(&mut self.host),
        }
    }

    /// Counts what a container holds now.
    fn weigh(&mut self, container: Option<&str>) {
        let Some(kept) = container.and_then(|id| self.containers.get_mut(id)) else { return };
        let bytes = kept.names.bytes();
        self.stats.bytes = self.stats.bytes.saturating_sub(kept.bytes) + bytes;
        kept.bytes = bytes;
        self.make_room();
    }

    /// The container that was not asked for the longest leaves first.
    fn make_room(&mut self) {
        while self.containers.len() > self.limits.max_containers
            || self.stats.bytes > self.limits.max_bytes
        {
            // Few and seldom: containers come and go by the minute.
            let oldest = self.containers.iter().min_by_key(|(_, kept)| kept.touched);
            let Some(id) = oldest.map(|(id, _)| id.clone()) else { return };
            if let Some(kept) = self.containers.remove(&id) {
                self.stats.bytes = self.stats.bytes.saturating_sub(kept.bytes);
            }
            self.stats.evicted_total += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, IdRange, NameLimits, Names, NamesOf, User};

    fn of(container: Option<&str>, uid: u32, name: &str) -> NamesOf {
        NamesOf {
            users: vec![User { uid, name: name.into(), home: "/home".into(), shell: "".into() }],
            groups: vec![Group { gid: uid, name: name.into() }],
            ..NamesOf::new(container)
        }
    }

    #[test]
    fn names_are_those_of_the_container() {
        let mut names = Names::default();
        names.insert(of(None, 1000, "alice"));
        names.insert(of(Some("a"), 1000, "app"));
        let range = IdRange { inside: 0, outside: 100_000, count: 65_536 };
        let maps = (vec![range], vec![range]);
        names.insert(NamesOf { uid_map: maps.0, gid_map: maps.1, ..of(Some("b"), 33, "www") });
        #[track_caller]
        fn check(names: &Names, container: Option<&str>, id: u32, expected: Option<&str>) {
            assert_eq!(names.user_name(container, id), expected);
            assert_eq!(names.group_name(container, id), expected);
        }
        check(&names, None, 1000, Some("alice"));
        check(&names, None, 1001, None);
        check(&names, Some("a"), 1000, Some("app"));
        check(&names, Some("a"), 0, Some("root"));
        check(&names, Some("b"), 33, None);
        check(&names, Some("b"), 100_033, Some("www"));
        check(&names, Some("b"), 100_000, Some("root"));
        check(&names, Some("b"), 0, None);
        check(&names, Some("b"), u32::MAX, None);
        check(&names, Some("c"), 0, Some("root"));
        check(&names, Some("c"), 1000, None);
        assert_eq!((names.home(None, 1000), names.shell(None, 1000)), (Some("/home"), None));
        assert_eq!((names.home(None, 0), names.shell(None, 0)), (Some("/root"), None));

        let mut again = Names::default();
        for saved in names.snapshot() {
            let bytes = postcard::to_stdvec(saved).unwrap();
            again.insert(postcard::from_bytes(&bytes).unwrap());
        }
        assert!(again.snapshot().eq(names.snapshot()));
    }

    #[test]
    fn files_are_asked_for_ever_less_often_and_once_at_a_time() {
        let mut names = Names::default();
        let mut asked = Vec::new();
        for now in (0..20_000_000_000).step_by(10_000_000) {
            if let Some(request) = names.due(Some("a"), 7, now) {
                assert_eq!(request.pid, 7);
                assert!(names.due(Some("a"), 8, now + super::LOST_NS - 1).is_none());
                names.take(super::Answer {
                    container: request.container,
                    ..super::Answer::default()
                });
                asked.push(now / 100_000_000);
            }
        }
        assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 113, 163]);
        assert_eq!(names.due(None, 7, 0).unwrap().pid, 1);
        // The question was lost.
        assert!(names.due(None, 7, super::LOST_NS - 1).is_none());
        assert!(names.due(None, 7, super::LOST_NS).is_some());
    }

    #[test]
    fn limits_hold() {
        #[track_caller]
        fn check(limits: NameLimits, left: usize) {
            let mut names = Names::new(limits);
            for id in 0..100 {
                names.insert(of(Some(&format!("{id:03}")), 1000, "app"));
                // Asked for again and again, one stays.
                assert!(names.due(Some("000"), 1, 0).is_some() == (id == 0) || left < 2);
            }
            let stats = names.stats();
            assert!(stats.bytes <= limits.max_bytes);
            assert_eq!(stats.containers, left);
            assert!(left < 2 || names.user_name(Some("000"), 1000) == Some("app"));
        }
        let one = of(Some("000"), 1000, "app").bytes();
        check(NameLimits { max_containers: 10, max_bytes: 1 << 20 }, 10);
        check(NameLimits { max_containers: 1000, max_bytes: 20 * one }, 20);
        check(NameLimits { max_containers: 1, max_bytes: 1 << 20 }, 1);
        check(NameLimits { max_containers: 0, max_bytes: 1 << 20 }, 0);
    }
}

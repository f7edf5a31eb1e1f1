//! Lines of `/etc/passwd` and `/etc/group`, and ranges of user namespaces.
//!
//! Bytes in, names out; a line that is none is counted and left out.

use serde::{Deserialize, Serialize};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Id as its own files have it.
    pub uid: u32,
    /// Name.
    pub name: Box<str>,
    /// Home directory; may be empty.
    pub home: Box<str>,
    /// Login shell; may be empty.
    pub shell: Box<str>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Id as its own files have it.
    pub gid: u32,
    /// Name.
    pub name: Box<str>,
}

/// Ids of a user namespace and those of the initial one that they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRange {
    /// The first in the namespace.
    pub inside: u32,
    /// The first in the initial namespace.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// The names of one container, or of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamesOf {
    /// Id of the container in full; `None` for the host.
    pub container: Option<Box<str>>,
    /// Users in the order of their ids, each id once.
    pub users: Vec<User>,
    /// Groups, likewise.
    pub groups: Vec<Group>,
    /// Which user ids stand for which; empty when each stands for itself.
    pub uid_map: Vec<IdRange>,
    /// Which group ids stand for which, likewise.
    pub gid_map: Vec<IdRange>,
}

impl NamesOf {
    /// No names.
    #[must_use]
    pub fn new(container: Option<&str>) -> Self {
        Self { container: container.map(Into::into), ..Self::default() }
    }

    pub(super) fn user(&self, uid: u32) -> Option<&User> {
        self.users
            .binary_search_by_key(&uid, |user| user.uid)
            .ok()
            .and_then(|at| self.users.get(at))
    }

    pub(super) fn group(&self, gid: u32) -> Option<&Group> {
        let found = self.groups.binary_search_by_key(&gid, |group| group.gid);
        found.ok().and_then(|at| self.groups.get(at))
    }

    /// Bytes of memory, estimated from above.
    pub(super) fn bytes(&self) -> usize {
        // Texts take 16 at least, as the allocator gives no less.
        let text = |text: &str| text.len() + 16;
        let user =
            |it: &User| size_of::<User>() + text(&it.name) + text(&it.home) + text(&it.shell);
        let group = |it: &Group| size_of::<Group>() + text(&it.name);
        let maps = (self.uid_map.len() + self.gid_map.len()) * size_of::<IdRange>();
        let container = self.container.as_deref().map_or(0, |id| 2 * text(id));
        let names = self.users.iter().map(user).chain(self.groups.iter().map(group));
        size_of::<Self>() + names.sum::<usize>() + maps + container
    }
}

/// What a file said, and how many of its lines said nothing.
pub(super) type Parsed<T> = (Vec<T>, u64);

/// Reads `name:password:uid:gid:comment:home:shell`.
pub(super) fn users(text: &[u8]) -> Parsed<User> {
    let (mut users, malformed) = lines(text, |mut fields| {
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let home = fields.nth(2).unwrap_or_default();
        let shell = fields.next().unwrap_or_default();
        Some(User { uid, name: name.into(), home: home.into(), shell: shell.into() })
    });
    // The first line of an id is the one that counts.
    users.sort_by_key(|user| user.uid);
    users.dedup_by_key(|user| user.uid);
    users.shrink_to_fit();
    (users, malformed)
}

/// Reads `name:password:gid:members`.
pub(super) fn groups(text: &[u8]) -> Parsed<Group> {
    let (mut groups, malformed) = lines(text, |mut fields| {
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some(Group { gid, name: name.into() })
    });
    groups.sort_by_key(|group| group.gid);
    groups.dedup_by_key(|group| group.gid);
    groups.shrink_to_fit();
    (groups, malformed)
}

fn lines<T>(
    text: &[u8],
    mut parse: impl FnMut(std::str::Split<'_, char>) -> Option<T>,
) -> Parsed<T> {
    let (mut found, mut malformed) = (Vec::new(), 0);
    for line in text.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_ascii();
        // Comments, and where names of a directory would come in.
        if line.is_empty() || line.starts_with(['#', '+', '-']) {
            continue;
        }
        match parse(line.split(':')) {
            Some(it) => found.push(it),
            None => malformed += 1,
        }
    }
    (found, malformed)
}

/// Reads `/proc/PID/uid_map`. One that leaves all ids as they are is empty.
pub(super) fn ranges(text: &[u8]) -> Vec<IdRange> {
    let text = String::from_utf8_lossy(text);
    let range = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(IdRange { inside: next()?, outside: next()?, count: next()? })
    };
    let ranges: Vec<_> = text.lines().filter_map(range).collect();
    if ranges.iter().all(|range| range.inside == range.outside) { Vec::new() } else { ranges }
}

/// The id in a user namespace that stands for one of the initial namespace.
pub(super) fn inside(ranges: &[IdRange], id: u32) -> Option<u32> {
    if ranges.is_empty() {
        return Some(id);
    }
    ranges.iter().find_map(|range| {
        let offset = id.checked_sub(range.outside).filter(|offset| *offset < range.count)?;
        range.inside.checked_add(offset)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::{IdRange, groups, inside, ranges, users};

    #[test]
    fn lines_are_users_and_groups() {
        #[track_caller]
        fn check(text: &str, expected: &[(u32, &str, &str, &str)], malformed: u64) {
            let (users, others) = users(text.as_bytes());
            let users: Vec<_> =
                users.iter().map(|it| (it.uid, &*it.name, &*it.home, &*it.shell)).collect();
            assert_eq!((&users[..], others), (expected, malformed));
        }
        check("", &[], 0);
        check("root:x:0:0:root:/root:/bin/sh\n", &[(0, "root", "/root", "/bin/sh")], 0);
        check("b:x:2:2::/b:\na:x:1:1::/a:/x", &[(1, "a", "/a", "/x"), (2, "b", "/b", "")], 0);
        check("toor:x:0:0::/t:\nroot:x:0:0::/root:\n", &[(0, "toor", "/t", "")], 0);
        check("# a comment\n+::::::\n-@team\n\n  \n", &[], 0);
        check("short:x:5\n", &[(5, "short", "", "")], 0);
        check("none\nx:x:\n:x:1:1:::\nx:x:-1:1\nx:x:4294967296:1\nx:x:a:1\n", &[], 6);
        check("ok:x:7:7::/h:/s\r\n", &[(7, "ok", "/h", "/s")], 0);

        let (groups, malformed) = groups(b"wheel:x:10:a,b\nadm:x:4:\nbad\nx:x:y\n");
        let groups: Vec<_> = groups.iter().map(|group| (group.gid, &*group.name)).collect();
        assert_eq!((&groups[..], malformed), (&[(4, "adm"), (10, "wheel")][..], 2));
    }

    #[test]
    fn ranges_map_ids() {
        #[track_caller]
        fn check(text: &str, id: u32, expected: Option<u32>) {
            assert_eq!(inside(&ranges(text.as_bytes()), id), expected);
        }
        check("", 5, Some(5));
        check("         0          0 4294967295\n", 5, Some(5));
        check("0 100000 65536\n", 100_000, Some(0));
        check("0 100000 65536\n", 165_535, Some(65_535));
        check("0 100000 65536\n", 165_536, None);
        check("0 100000 65536\n", 99_999, None);
        check("0 1000 1\n1 100000 65536\n", 1000, Some(0));
        check("0 1000 1\n1 100000 65536\n", 100_000, Some(1));
        check("nonsense\n0 5\n", 5, Some(5));
        let high = IdRange { inside: u32::MAX, outside: 0, count: 5 };
        assert_eq!(inside(&[high], 1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (users, groups) = (users(&bytes).0, groups(&bytes).0);
            assert!(users.is_sorted_by_key(|user| user.uid));
            assert!(groups.is_sorted_by_key(|group| group.gid));
            let _: Option<u32> = inside(&ranges(&bytes), 1);
        }
    }
}

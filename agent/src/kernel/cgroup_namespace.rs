//! From the paths that `/proc/PID/cgroup` shows to those below the cgroup mount.
//!
//! A container has a cgroup namespace of its own: in it `/proc` tells paths as seen from
//! the container's cgroup (`/../../system.slice`), even where the machine's whole
//! hierarchy is mounted.

use std::fs;

use super::cgroupfs::Hierarchies;

/// Where the paths of `/proc` begin.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CgroupNamespace {
    /// Names of the cgroups down to the one that it is seen from; none for the
    /// machine's own namespace.
    root: Vec<String>,
}

impl CgroupNamespace {
    /// The namespace of this process.
    pub(super) fn here(hierarchies: &Hierarchies) -> Self {
        let path = |process: &str| {
            let text = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
            text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
        };
        // The first process is never below a container's cgroup.
        if !path("1").is_some_and(|first| first.starts_with("/..")) {
            return Self::default();
        }
        let own = own_path(hierarchies).zip(path("self"));
        own.and_then(|(whole, seen)| Self::between(&whole, &seen)).unwrap_or_else(|| {
            tracing::warn!(
                "the own cgroup is not found: processes that began before the agent have none"
            );
            Self::default()
        })
    }

    /// The namespace in which the cgroup at `whole` is seen at `seen`.
    fn between(whole: &str, seen: &str) -> Option<Self> {
        let root = whole.strip_suffix(seen.trim_end_matches('/'))?;
        Some(Self { root: names(root).map(str::to_owned).collect() })
    }

    /// The path below the mount of what `/proc` shows; `None` for one above the
    /// machine's root, which there cannot be.
    pub(super) fn whole(&self, seen: &str) -> Option<String> {
        let mut whole: Vec<&str> = self.root.iter().map(String::as_str).collect();
        for name in names(seen) {
            if name == ".." {
                whole.pop()?;
            } else {
                whole.push(name);
            }
        }
        Some(format!("/{}", whole.join("/")))
    }
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// Where this process is below the mount: the cgroup that lists it.
fn own_path(hierarchies: &Hierarchies) -> Option<String> {
    let own = std::process::id().to_string();
    hierarchies.walk().into_iter().map(|(_, path)| path).find(|path| {
        let list = hierarchies.unified.join(path.trim_start_matches('/')).join("cgroup.procs");
        fs::read_to_string(list).is_ok_and(|pids| pids.lines().any(|pid| pid == own))
    })
}

#[cfg(test)]
mod tests {
    use super::CgroupNamespace;

    #[test]
    fn paths_as_seen_from_a_container() {
        let check = |whole: &str, own: &str, seen: &str, expected: Option<&str>| {
            let namespace = CgroupNamespace::between(whole, own).unwrap();
            assert_eq!(namespace.whole(seen).as_deref(), expected, "{whole} {own} {seen}");
        };
        let agent = "/kubepods/pod1/agent";
        check(agent, "/", "/", Some(agent));
        check(agent, "/", "/worker", Some("/kubepods/pod1/agent/worker"));
        check(agent, "/", "/../pause", Some("/kubepods/pod1/pause"));
        check(agent, "/", "/../../../init.scope", Some("/init.scope"));
        check(agent, "/", "/../../..", Some("/"));
        check(agent, "/", "/../../../..", None);
        // The agent was moved below where its namespace begins.
        check("/kubepods/pod1/agent/sub", "/sub", "/", Some(agent));
    }

    #[test]
    fn the_machines_own_paths_stay() {
        let check = |path: &str| {
            assert_eq!(CgroupNamespace::default().whole(path).as_deref(), Some(path));
        };
        check("/");
        check("/system.slice/ssh.service");
    }

    #[test]
    fn a_cgroup_that_is_seen_elsewhere_tells_nothing() {
        assert_eq!(CgroupNamespace::between("/a/b", "/c"), None);
    }
}

//! Takes apart figures that a cgroup's files give for it and all below it.
//!
//! `memory.current`, `memory.peak`, `io.stat` and limits of a cgroup cover its
//! children, so a plain sum over cgroups would count a child once for each
//! ancestor. Here every figure of the tree is divided among **regions**: a region
//! is a cgroup whose nearest ancestor with the figure belongs to another tenant
//! (or that has none), together with the cgroups below it down to the next ones
//! of other tenants. A region's own part is what its topmost cgroup says, less
//! what the topmost cgroups of the regions right below it say:
//!
//! ```text
//! /            host   100     host      100 - 70      = 30
//! /acme        acme    70     acme       70 - 15      = 55
//! /acme/web    acme    40       (within acme's 70)
//! /acme/guest  bob     15     bob                       15
//! ```
//!
//! "With the figure" matters for limits: under a parent without a limit the
//! children's limits add up, under one with a limit only the parent's counts.
//!
//! Files are read one after the other, so parts may be ahead of their whole for a
//! moment. A level then is 0 at least; a cumulative figure leaves a debt, see
//! `accounts`. It never looks at the figures the kernel programs count, nor at
//! `memory.events.local` and `throttled_usec`: those are of one cgroup alone.

use std::collections::HashMap;

/// The cgroups of one reading as a tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// Nearest ancestor within the reading, per cgroup.
    parents: Vec<Option<usize>>,
    /// Indices of the cgroups, ancestors before descendants.
    order: Vec<usize>,
}

/// One tenant's share of a figure in one part of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// Index of the topmost cgroup.
    pub(super) top: usize,
    /// What that cgroup says, all below it included.
    pub(super) whole: u64,
    /// What other tenants' regions right below it say.
    pub(super) nested: u64,
}

impl Region {
    /// The owner's own part of a level.
    pub(super) fn own(&self) -> u64 {
        self.whole.saturating_sub(self.nested)
    }

    /// The owner's own part of a growth, of which `debt` was given away before;
    /// `debt` becomes what is given away too much now.
    pub(super) fn own_after(&self, debt: &mut u64) -> u64 {
        let nested = self.nested.saturating_add(*debt);
        *debt = nested.saturating_sub(self.whole);
        self.whole.saturating_sub(nested)
    }
}

impl Tree {
    /// Takes one path per cgroup (`/` for the root); `None` stands alone.
    pub(super) fn new(paths: &[Option<&str>]) -> Self {
        let by_path: HashMap<&str, usize> = paths
            .iter()
            .enumerate()
            .filter_map(|(index, path)| path.map(|path| (path, index)))
            .collect();
        let parents = paths
            .iter()
            .map(|path| ancestors((*path)?).find_map(|path| by_path.get(path).copied()))
            .collect();
        let mut order: Vec<usize> = (0..paths.len()).collect();
        order.sort_by_key(|&index| paths[index].map_or(0, str::len));
        Self { parents, order }
    }

    /// Divides a figure among regions, topmost first. `figure` and `owner` are
    /// asked by index; cgroups without the figure are looked through.
    pub(super) fn regions<O: PartialEq>(
        &self,
        figure: impl Fn(usize) -> Option<u64>,
        owner: impl Fn(usize) -> O,
    ) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        let mut region_of: Vec<Option<usize>> = vec![None; self.parents.len()];
        for &index in &self.order {
            let Some(whole) = figure(index) else { continue };
            let above = self.ancestors(index).find_map(|above| Some((above, region_of[above]?)));
            region_of[index] = Some(match above {
                Some((above, region)) if owner(above) == owner(index) => region,
                above => {
                    if let Some((_, region)) = above {
                        let nested = &mut regions[region].nested;
                        *nested = nested.saturating_add(whole);
                    }
                    regions.push(Region { top: index, whole, nested: 0 });
                    regions.len() - 1
                }
            });
        }
        regions
    }

    /// Indices from the nearest ancestor to the topmost.
    fn ancestors(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parents[index], |&above| self.parents[above])
    }
}

/// Paths from the parent of `path` up to the root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let parent = |path: &str| match path.rfind('/')? {
        0 if path.len() == 1 => None,
        0 => Some(1),
        end => Some(end),
    };
    std::iter::successors(parent(path).map(|end| &path[..end]), move |path| {
        parent(path).map(|end| &path[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::{Region, Tree, ancestors};

    #[test]
    fn ancestors_of_a_path() {
        #[track_caller]
        fn check(path: &str, expected: &[&str]) {
            assert_eq!(ancestors(path).collect::<Vec<_>>(), expected);
        }
        check("/", &[]);
        check("/a", &["/"]);
        check("/a/b-c/d", &["/a/b-c", "/a", "/"]);
        check("", &[]);
    }

    /// Cgroups as (path, owner, figure) → regions as (path of its top, own part).
    #[track_caller]
    fn check(cgroups: &[(&str, &str, Option<u64>)], expected: &[(&str, u64)]) {
        let paths: Vec<_> = cgroups.iter().map(|&(path, ..)| Some(path)).collect();
        let regions = Tree::new(&paths).regions(|index| cgroups[index].2, |index| cgroups[index].1);
        let own: Vec<_> =
            regions.iter().map(|region| (cgroups[region.top].0, region.own())).collect();
        assert_eq!(own, expected);
    }

    #[test]
    fn a_parent_of_the_same_tenant_covers_its_children() {
        check(
            &[("/pod/one", "p", Some(10)), ("/pod", "p", Some(25)), ("/pod/two", "p", Some(12))],
            &[("/pod", 25)],
        );
    }

    #[test]
    fn a_child_of_another_tenant_is_taken_off_its_ancestor() {
        check(
            &[
                ("/", "host", Some(100)),
                ("/acme", "acme", Some(70)),
                ("/acme/web", "acme", Some(40)),
                ("/acme/guest", "bob", Some(15)),
            ],
            &[("/", 30), ("/acme", 55), ("/acme/guest", 15)],
        );
    }

    #[test]
    fn a_tenant_within_another_within_itself() {
        check(
            &[
                ("/a", "acme", Some(100)),
                ("/a/b", "bob", Some(60)),
                ("/a/b/c", "acme", Some(20)),
                ("/a/b/c/d", "acme", Some(20)),
            ],
            &[("/a", 40), ("/a/b", 40), ("/a/b/c", 20)],
        );
    }

    #[test]
    fn cgroups_without_the_figure_are_looked_through() {
        // A limit on the middle one only, then on its children only.
        check(
            &[("/a", "t", None), ("/a/b", "t", Some(8)), ("/a/b/c", "t", Some(2))],
            &[("/a/b", 8)],
        );
        check(
            &[("/a", "t", None), ("/a/b", "t", Some(8)), ("/a/c", "t", Some(2))],
            &[("/a/b", 8), ("/a/c", 2)],
        );
        check(
            &[("/a", "t", Some(9)), ("/a/b", "t", None), ("/a/b/c", "u", Some(2))],
            &[("/a", 7), ("/a/b/c", 2)],
        );
    }

    #[test]
    fn names_that_start_alike_are_no_ancestors() {
        check(
            &[("/a", "t", Some(5)), ("/a-b", "t", Some(6)), ("/a/c", "t", Some(1))],
            &[("/a", 5), ("/a-b", 6)],
        );
    }

    #[test]
    fn growth_given_away_too_early_is_taken_off_later() {
        // (whole, nested) per reading → (own, debt after it).
        let mut debt = 0;
        for ((whole, nested), expected) in
            [((10, 4), (6, 0)), ((3, 8), (0, 5)), ((2, 0), (0, 3)), ((10, 1), (6, 0))]
        {
            let own = Region { top: 0, whole, nested }.own_after(&mut debt);
            assert_eq!((own, debt), expected);
        }
    }

    #[test]
    fn parts_ahead_of_their_whole_leave_nothing() {
        check(&[("/a", "t", Some(5)), ("/a/b", "u", Some(6))], &[("/a", 0), ("/a/b", 6)]);
    }
}

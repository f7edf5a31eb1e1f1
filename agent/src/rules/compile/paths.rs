//! What `pmatch` asks: whether a path is one of some paths or lies below one. The
//! components of those paths may be patterns as of `glob`.
//!
//! As in Falco empty components do not count, so `/opt//dir/` is `opt/dir`, and a
//! backslash escapes only within a component that has a wildcard.

use super::glob::Glob;

/// The paths of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    paths: Box<[Box<[Component]>]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Component {
    Name(Box<[u8]>),
    Pattern(Glob),
}

impl Paths {
    /// Takes the paths apart.
    pub(crate) fn new(paths: &[Box<[u8]>]) -> Self {
        let path = |path: &[u8]| components(path).map(Component::new).collect();
        Self { paths: paths.iter().map(|one| path(one)).collect() }
    }

    /// Whether one of them is this path or above it.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        self.paths.iter().any(|wanted| {
            let mut found = components(path);
            wanted.iter().all(|component| found.next().is_some_and(|name| component.is(name)))
        })
    }
}

impl Component {
    fn new(component: &[u8]) -> Self {
        if component.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) {
            Self::Pattern(Glob::new(component, false))
        } else {
            Self::Name(component.into())
        }
    }

    fn is(&self, name: &[u8]) -> bool {
        match self {
            Self::Name(wanted) => **wanted == *name,
            Self::Pattern(glob) => glob.matches(name),
        }
    }
}

/// The components of a path that are not empty.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|component| !component.is_empty())
}

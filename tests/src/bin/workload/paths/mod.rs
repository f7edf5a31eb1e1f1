//! Files opened in unusual ways, and what `/proc/self/fd` says of each.
//!
//! It prints one line of JSON: for each open how it was made, and the paths that are
//! right. Before the first and after the last it opens a file `fence`; in between it
//! opens nothing else.

mod mounts;
mod plain;
mod roots;

use std::fs;
use std::io::Write as _;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, openat, readlinkat};
use rustix::path::Arg;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// In what ways
    kind: Kind,
    /// An empty folder
    #[arg(long)]
    folder: PathBuf,
    /// How often, where a race has to be met
    #[arg(long, default_value_t = 1000)]
    rounds: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Relative, by descriptors, through links, deleted
    Plain,
    /// As long as the kernel allows
    Long,
    /// While a folder is renamed
    Renamed,
    /// Through mounts of all kinds
    Mounts,
    /// In a file system of layers
    Layers,
    /// From below another root
    Roots,
}

/// See the module.
pub(crate) fn open_and_tell(args: &Args) -> Result<()> {
    let mut teller = Teller::new(&args.folder)?;
    match args.kind {
        Kind::Plain => plain::plain(&mut teller)?,
        Kind::Long => plain::long(&mut teller)?,
        Kind::Renamed => plain::renamed(&mut teller, args.rounds)?,
        Kind::Mounts => mounts::mounts(&mut teller)?,
        Kind::Layers => mounts::layers(&mut teller)?,
        Kind::Roots => roots::roots(&mut teller)?,
    }
    teller.fence()?;
    let line = serde_json::to_string(&teller.told).context("paths are plain data")?;
    writeln!(std::io::stdout(), "{line}").context("cannot tell the paths")
}

/// Opens, and remembers what is right.
struct Teller {
    folder: PathBuf,
    /// Where files are made before they are opened.
    home: OwnedFd,
    /// `/proc/self/fd`, also where there is no `/proc`.
    descriptors: OwnedFd,
    told: Vec<(String, Vec<String>)>,
}

impl Teller {
    fn new(folder: &Path) -> Result<Self> {
        let open = |path: &Path| {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            openat(CWD, path, flags, Mode::empty())
                .with_context(|| format!("cannot open {}", path.display()))
        };
        fs::write(folder.join("fence"), "").context("cannot make the fence")?;
        Ok(Self {
            folder: folder.to_owned(),
            home: open(folder)?,
            descriptors: open(Path::new("/proc/self/fd"))?,
            told: Vec::new(),
        })
    }

    /// All is prepared, or all is done.
    fn fence(&self) -> Result<()> {
        openat(&self.home, "fence", OFlags::RDONLY, Mode::empty()).context("no fence")?;
        Ok(())
    }

    /// Opens for reading, and remembers what /proc says.
    fn open(&mut self, how: &str, from: &OwnedFd, path: impl Arg + Copy) -> Result<OwnedFd> {
        self.open_as(how, from, path, OFlags::RDONLY)
    }

    /// As [`Teller::open`], in any way.
    fn open_as(
        &mut self,
        how: &str,
        from: &OwnedFd,
        path: impl Arg + Copy,
        flags: OFlags,
    ) -> Result<OwnedFd> {
        let file = openat(from, path, flags | OFlags::CLOEXEC, Mode::from(0o600))
            .with_context(|| format!("cannot open {how}"))?;
        self.tell(how, &file)?;
        Ok(file)
    }

    /// Remembers what /proc says of an open file.
    fn tell(&mut self, how: &str, file: &OwnedFd) -> Result<()> {
        let name = file.as_raw_fd().to_string();
        let path = readlinkat(&self.descriptors, &name, Vec::new());
        let path = path.with_context(|| format!("/proc does not know {how}"))?;
        let path = path.to_string_lossy().into_owned();
        // A file may be called so.
        let is_there = accessat(CWD, &path, Access::EXISTS, AtFlags::empty()).is_ok();
        let path = path.strip_suffix(" (deleted)").filter(|_| !is_there).unwrap_or(&path);
        self.told.push((how.to_owned(), vec![path.to_owned()]));
        Ok(())
    }

    /// What opens the same file again, by its descriptor.
    fn again(file: &OwnedFd) -> String {
        format!("/proc/self/fd/{}", file.as_raw_fd())
    }
}

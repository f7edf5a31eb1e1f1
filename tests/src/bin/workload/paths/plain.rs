//! Opens in one file system: names, links, descriptors, lengths, races.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::fs::{
    AtFlags, CWD, MemfdFlags, Mode, OFlags, ResolveFlags, memfd_create, mkdirat, openat, openat2,
    renameat, unlinkat,
};

use super::Teller;

/// The longest path that the kernel takes or gives, without the zero at its end.
const PATH_MAX: usize = 4095;
const NAME_MAX: usize = 255;

pub(super) fn plain(teller: &mut Teller) -> Result<()> {
    let folder = teller.folder.clone();
    let here = teller.home.try_clone()?;
    fs::create_dir_all(folder.join("a/b"))?;
    for name in ["lab", "a/b/lab", "a/b/of two words, ä€😀", "a/living (deleted)", "a/gone"] {
        fs::write(folder.join(name), "x")?;
    }
    fs::hard_link(folder.join("lab"), folder.join("a/other name"))?;
    fs::create_dir(folder.join("a/left"))?;
    symlink("b/lab", folder.join("a/link"))?;
    symlink(folder.join("a/b"), folder.join("linked"))?;
    symlink("../linked/../link", folder.join("a/link of links"))?;
    std::env::set_current_dir(&folder)?;
    let memory = memfd_create("lab memory", MemfdFlags::CLOEXEC)?;
    let lowest = openat(&here, "a/b", OFlags::PATH, Mode::empty())?;
    let left = openat(&here, "a/left", OFlags::PATH, Mode::empty())?;
    let gone = openat(&here, "a/gone", OFlags::PATH, Mode::empty())?;
    let working = openat(CWD, ".", OFlags::PATH, Mode::empty())?;
    teller.fence()?;

    teller.open("absolute", &working, &folder.join("a/b/lab"))?;
    let file = openat(CWD, "a/b/lab", OFlags::RDONLY, Mode::empty())?;
    teller.tell("relative", &file)?;
    let file = openat(CWD, "./a//./../a/b/../b/lab", OFlags::RDONLY, Mode::empty())?;
    teller.tell("relative with dots", &file)?;
    let file = teller.open("by descriptor", &lowest, "lab")?;
    teller.open("by descriptor, upwards", &lowest, "../../lab")?;
    teller.open("a symbolic link", &here, "a/link")?;
    teller.open("through a symbolic link", &here, "linked/lab")?;
    teller.open("links of links", &here, "a/link of links")?;
    teller.open("another hard link", &here, "a/other name")?;
    teller.open("words", &lowest, "of two words, ä€😀")?;
    teller.open("called deleted", &here, "a/living (deleted)")?;
    teller.open("again", &here, Teller::again(&file).as_str())?;
    teller.open("by the working directory", &here, "/proc/self/cwd/a/b/lab")?;
    teller.open(
        "by the root",
        &here,
        format!("/proc/self/root{}/lab", folder.display()).as_str(),
    )?;
    teller.open("of /proc", &here, "/proc/self/status")?;
    teller.open("of /sys", &here, "/sys/kernel/notes")?;
    teller.open("a device", &here, "/dev/null")?;
    teller.open("the root", &here, "/")?;
    teller.open("the folder of a root", &here, "/proc")?;
    teller.open("a folder", &here, "a/b/")?;
    teller.open("itself", &lowest, ".")?;
    teller.open("above", &lowest, "..")?;
    teller.open_as("a path only", &here, "a/b/lab", OFlags::PATH)?;
    teller.open_as("a link itself", &here, "a/link", OFlags::PATH | OFlags::NOFOLLOW)?;
    teller.open_as("made", &lowest, "made", OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
    teller.open_as("truncated", &lowest, "made", OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC)?;
    teller.open_as("without a name", &lowest, ".", OFlags::WRONLY | OFlags::TMPFILE)?;
    let inside = ResolveFlags::IN_ROOT;
    match openat2(&here, "/a/../../a/link", OFlags::RDONLY, Mode::empty(), inside) {
        Ok(file) => teller.tell("in a root for one call", &file)?,
        Err(rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(error).context("openat2"),
    }

    unlinkat(&here, "a/gone", AtFlags::empty())?;
    teller.open("deleted", &here, Teller::again(&gone).as_str())?;
    unlinkat(&here, "a/left", AtFlags::REMOVEDIR)?;
    teller.open("a deleted folder", &left, ".")?;
    teller.open("in memory", &here, Teller::again(&memory).as_str())?;
    Ok(())
}

pub(super) fn long(teller: &mut Teller) -> Result<()> {
    let base = teller.folder.as_os_str().len();
    let mut wide = Chain::default();
    while base + wide.path.len() + 2 + NAME_MAX < PATH_MAX {
        wide.add(teller, &"w".repeat(NAME_MAX))?;
    }
    wide.fill(teller, PATH_MAX - base - wide.path.len() - 1)?;
    let mut deep = Chain::default();
    while base + deep.path.len() + 4 <= PATH_MAX {
        deep.add(teller, "d")?;
    }
    deep.fill(teller, PATH_MAX - base - deep.path.len() - 1)?;
    teller.fence()?;
    for (how, chain) in [("long names", wide), ("short names", deep)] {
        let path = format!("{}{}", teller.folder.display(), chain.path);
        ensure!(path.len() == PATH_MAX, "{how}: {} bytes", path.len());
        let (last, name) = (chain.last.context("a chain has a last folder")?, chain.name);
        let home = teller.home.try_clone()?;
        teller.open(&format!("{how}, absolute"), &home, path.as_str())?;
        teller.open(&format!("{how}, by descriptor"), &last, name.as_str())?;
    }
    Ok(())
}

/// Folders, one in the other, and a file in the last.
#[derive(Default)]
struct Chain {
    path: String,
    last: Option<rustix::fd::OwnedFd>,
    name: String,
}

impl Chain {
    fn add(&mut self, teller: &Teller, name: &str) -> Result<()> {
        let above = self.last.as_ref().unwrap_or(&teller.home);
        mkdirat(above, name, Mode::from(0o700))?;
        self.last = Some(openat(above, name, OFlags::PATH, Mode::empty())?);
        self.path = format!("{}/{name}", self.path);
        Ok(())
    }

    fn fill(&mut self, teller: &Teller, len: usize) -> Result<()> {
        self.name = "f".repeat(len);
        let above = self.last.as_ref().unwrap_or(&teller.home);
        openat(above, &self.name, OFlags::WRONLY | OFlags::CREATE, Mode::from(0o600))
            .with_context(|| format!("a name of {len} bytes"))?;
        self.path = format!("{}/{}", self.path, self.name);
        Ok(())
    }
}

/// Opens a file below a folder that is renamed all the time.
pub(super) fn renamed(teller: &mut Teller, rounds: u32) -> Result<()> {
    const FILE: &str = "in/it/lab";
    let names = ["here", "to/another/place/with a longer name"];
    fs::create_dir_all(teller.folder.join("to/another/place"))?;
    fs::create_dir_all(teller.folder.join("here/in/it"))?;
    fs::write(teller.folder.join("here").join(FILE), "")?;
    let home = teller.home.try_clone()?;
    let inside = openat(&home, "here/in", OFlags::PATH, Mode::empty())?;
    let right = names.map(|name| format!("{}/{name}/{FILE}", teller.folder.display()));
    teller.fence()?;
    let done = AtomicBool::new(false);
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| -> rustix::io::Result<u64> {
            let mut moves = 0;
            start.wait();
            while !done.load(Ordering::Relaxed) {
                renameat(&home, names[0], &home, names[1])?;
                renameat(&home, names[1], &home, names[0])?;
                moves += 2;
            }
            Ok(moves)
        });
        start.wait();
        for _ in 0..rounds {
            openat(&inside, "it/lab", OFlags::RDONLY, Mode::empty())?;
            teller.told.push(("renamed".to_owned(), right.to_vec()));
        }
        done.store(true, Ordering::Relaxed);
        let moves = mover.join().map_err(|_| anyhow!("the mover panicked"))??;
        ensure!(moves > 0, "nothing was renamed");
        Ok(())
    })
}

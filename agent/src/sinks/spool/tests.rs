use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{Entry, Figures, Spool, URGENCIES};

const DISK: u64 = 16 << 20;

fn entry(urgency: u8, text: impl AsRef<[u8]>) -> Entry {
    Entry { urgency, text: text.as_ref().to_vec() }
}

fn texts(spool: &mut Spool) -> Vec<String> {
    let found = spool.peek(usize::MAX, u64::MAX).unwrap();
    found.into_iter().map(|(_, text)| String::from_utf8(text).unwrap()).collect()
}

#[test]
fn entries_come_out_in_order_and_until_they_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    assert!(spool.is_empty());
    spool.append(&[entry(3, "a"), entry(0, "b"), entry(7, "")]).unwrap();
    spool.append(&[entry(1, "d")]).unwrap();
    let first = spool.peek(2, u64::MAX).unwrap();
    assert_eq!(first.iter().map(|it| &*it.1).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(texts(&mut spool), ["a", "b", "", "d"]);
    spool.remove(&[first[0].0, first[1].0]).unwrap();
    assert_eq!(texts(&mut spool), ["", "d"]);

    // As after the end of the process: nothing was closed.
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let mut spool = Spool::open(copy.path(), DISK).unwrap();
    assert_eq!(texts(&mut spool), ["", "d"]);
    spool.append(&[entry(1, "e")]).unwrap();
    assert_eq!(texts(&mut spool), ["", "d", "e"]);
    let all: Vec<u64> = spool.peek(9, u64::MAX).unwrap().iter().map(|it| it.0).collect();
    spool.remove(&all).unwrap();
    assert!(spool.is_empty());
}

#[test]
fn what_another_has_open_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Spool::open(folder.path(), DISK).unwrap();
    first.append(&[entry(1, "a")]).unwrap();
    let error = Spool::open(folder.path(), DISK).unwrap_err().to_string();
    assert!(error.contains("already open"), "{error}");
    drop(first);
    assert_eq!(texts(&mut Spool::open(folder.path(), DISK).unwrap()), ["a"]);
}

#[test]
fn a_large_entry_comes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    spool.append(&[entry(1, "a".repeat(1000)), entry(1, "b"), entry(1, "c")]).unwrap();
    assert_eq!(spool.peek(9, 10).unwrap().len(), 1);
    assert_eq!(spool.peek(9, 1150).unwrap().len(), 2);
}

#[test]
fn without_room_the_oldest_of_the_least_urgent_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    const SIZE: usize = 10_000;
    let text = "x".repeat(SIZE - 64);
    let room = DISK * 45 / 200 / SIZE as u64;
    for number in 0..room {
        let entries: Vec<Entry> =
            (0..3).map(|it| entry(((number + it) % 3).try_into().unwrap(), &text)).collect();
        spool.append(&entries).unwrap();
        assert!(spool.disk() <= DISK, "{} bytes after {number}", spool.disk());
    }
    let figures = spool.figures();
    assert_eq!(figures.entries, room);
    assert_eq!(figures.dropped.iter().sum::<u64>(), 2 * room);
    // The last few came when nothing less urgent was left.
    assert!(figures.dropped[0] <= 3, "{:?}", figures.dropped);
    assert_eq!(figures.dropped[3..], [0; URGENCIES - 3]);
    // What is less urgent than all that waits is not even taken.
    spool.append(&[entry(5, &text)]).unwrap();
    assert_eq!(spool.figures().dropped[5], 1);
}

#[test]
fn what_is_on_its_way_does_not_go() {
    const SIZE: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    let room = DISK * 45 / 200 / SIZE as u64;
    let fill = |spool: &mut Spool, count| {
        for _ in 0..count {
            spool.append(&[entry(3, "x".repeat(SIZE - 64))]).unwrap();
        }
    };
    fill(&mut spool, room);
    let numbers = |spool: &mut Spool| -> Vec<u64> {
        spool.peek(3, u64::MAX).unwrap().into_iter().map(|it| it.0).collect()
    };
    assert_eq!(numbers(&mut spool), [0, 1, 2]);
    fill(&mut spool, 5);
    // 3 to 7 went, though others are older.
    assert_eq!(numbers(&mut spool), [0, 1, 2]);
    spool.remove(&[0, 1]).unwrap();
    spool.give_back();
    fill(&mut spool, 3);
    assert_eq!(numbers(&mut spool)[0], 8);
    assert_eq!(spool.figures().dropped[3], 6);
    assert_eq!(spool.figures().entries, room);
}

/// As on a full disk: there can be no further file.
#[test]
fn what_the_disk_does_not_take_is_counted_and_the_queue_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    spool.append(&[entry(1, "a"), entry(2, "b")]).unwrap();
    let full = folder.path().join(format!("{:016}.spool", 1));
    // Where the next file should be there can be none.
    fs::create_dir(&full).unwrap();
    let text = "x".repeat(10_000);
    let mut written = 0;
    while spool.append(&[entry(1, &text)]).is_ok() {
        written += 1;
    }
    spool.append(&[entry(1, &text), entry(1, &text)]).unwrap_err();
    let figures = spool.figures();
    assert_eq!((figures.entries, figures.unwritten), (written + 2, 3));
    assert_eq!(figures.dropped, [0; URGENCIES]);
    assert_eq!(texts(&mut spool)[..2], ["a", "b"]);
    fs::remove_dir(&full).unwrap();
    spool.append(&[entry(1, "c")]).unwrap();
    assert_eq!(texts(&mut spool).last().unwrap(), "c");
    assert_eq!(spool.figures().unwritten, 3);
}

#[test]
fn what_is_larger_than_all_room_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    let huge = "x".repeat(usize::try_from(DISK).unwrap());
    spool.append(&[entry(4, huge), entry(4, "b")]).unwrap();
    assert_eq!(texts(&mut spool), ["b"]);
    assert_eq!(spool.figures().dropped[4], 1);
}

/// Fills several files, spoils the bytes of one from `at` on, and opens all again.
fn spoiled(at: usize, with: &[u8]) -> (Spool, tempfile::TempDir, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), DISK).unwrap();
    let before = 3000;
    let entries: Vec<Entry> = (0..before).map(|it| entry(1, format!("{it:01000}"))).collect();
    spool.append(&entries).unwrap();
    drop(spool);
    let mut files: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    spoil(&files[1], at, with);
    (Spool::open(folder.path(), DISK).unwrap(), folder, before)
}

fn spoil(file: &Path, at: usize, with: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let at = at % bytes.len();
    let end = bytes.len().min(at + with.len());
    bytes[at..end].copy_from_slice(&with[..end - at]);
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_file_is_put_aside_and_the_others_go_on() {
    let (mut spool, folder, before) = spoiled(0, &[0; 512]);
    assert_eq!(spool.figures().damaged, 1);
    assert!(folder.path().join(super::DAMAGED).exists());
    let left = texts(&mut spool);
    assert!(left.len() > 2000 && (left.len() as u64) < before, "{}", left.len());
    assert!(left.is_sorted());
    spool.append(&[entry(1, "new")]).unwrap();
    assert_eq!(texts(&mut spool).last().unwrap(), "new");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever becomes of a file, nothing panics, and what comes out is what went in.
    #[test]
    fn spoiled_bytes_never_come_out(at in any::<usize>(), with in proptest::collection::vec(any::<u8>(), 1..5000)) {
        let (mut spool, _folder, before) = spoiled(at, &with);
        let mut all = Vec::new();
        // A file whose damage is noticed late is left out of the next turn.
        let found = spool.peek(usize::MAX, u64::MAX).or_else(|_| spool.peek(usize::MAX, u64::MAX));
        for (_, text) in found.unwrap() {
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(text.len(), 1000);
            all.push(text.parse::<u64>().unwrap());
        }
        prop_assert!(all.is_sorted() && all.iter().all(|it| *it < before));
        let Figures { damaged, dropped, .. } = spool.figures();
        prop_assert!(damaged <= 1);
        prop_assert!(all.len() as u64 == before || damaged == 1 || dropped[1] > 0);
    }

    /// The queue is what a plain list would be.
    #[test]
    fn it_is_a_list(acts in proptest::collection::vec((0..3_u8, 0..20_usize), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), DISK).unwrap();
        let mut list: Vec<String> = Vec::new();
        let mut next = 0;
        for (act, count) in acts {
            match act {
                0 => {
                    let new: Vec<String> = (next..next + count).map(|it| it.to_string()).collect();
                    next += count;
                    let entries: Vec<Entry> = new.iter().map(|it| entry(1, it)).collect();
                    spool.append(&entries).unwrap();
                    list.extend(new);
                }
                1 => {
                    let numbers: Vec<u64> =
                        spool.peek(count, u64::MAX).unwrap().iter().map(|it| it.0).collect();
                    spool.remove(&numbers).unwrap();
                    list.drain(..numbers.len());
                }
                _ => {
                    drop(spool);
                    spool = Spool::open(folder.path(), DISK).unwrap();
                }
            }
            prop_assert_eq!(&texts(&mut spool), &list);
        }
    }
}

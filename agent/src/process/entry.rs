//! One process of the table, and the texts that rules ask of it.
//!
//! A text is made when it is first asked for and shared with the forks of the process.
//! It changes nothing: that is the table's.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use super::ProcessFacts;

/// A process, living or ended lately.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// What is known of it.
    pub facts: ProcessFacts,
    /// When its last thread ended, `CLOCK_BOOTTIME` nanoseconds; `None` while it lives.
    pub exited_ns: Option<u64>,
    /// Time of the latest record of it; what an earlier one tells is no news.
    pub(super) seen_ns: u64,
    /// The table's count of changes when this one was last met.
    pub(super) touched: u64,
    pub(super) lines: Arc<Lines>,
}

/// Texts made of the arguments and the environment.
#[derive(Debug, Default)]
pub(super) struct Lines {
    cmdline: OnceLock<Box<[u8]>>,
    exeline: OnceLock<Box<[u8]>>,
    env: OnceLock<Box<[u8]>>,
    /// Processes of the table that have them.
    holders: AtomicU32,
}

impl Lines {
    /// Counts a process of the table that has them; true for the first.
    pub(super) fn hold(&self) -> bool {
        // Only the table counts, and nobody changes it while it does.
        let before = self.holders.load(Relaxed);
        self.holders.store(before + 1, Relaxed);
        before == 0
    }

    /// Counts one off; true for the last.
    pub(super) fn let_go(&self) -> bool {
        let left = self.holders.load(Relaxed).saturating_sub(1);
        self.holders.store(left, Relaxed);
        left == 0
    }

    /// Frees the texts; they are made again if someone asks.
    fn clear(&mut self) {
        *self = Self { holders: AtomicU32::new(*self.holders.get_mut()), ..Self::default() };
    }
}

impl Process {
    /// A living process.
    #[must_use]
    pub fn new(facts: ProcessFacts) -> Self {
        Self { seen_ns: facts.exec_ns, facts, ..Self::default() }
    }

    /// Its name and its arguments, joined by blanks.
    #[must_use]
    pub fn cmdline(&self) -> &[u8] {
        self.lines.cmdline.get_or_init(|| {
            let arguments = self.exeline().get(self.exe().len()..).unwrap_or_default();
            [&*self.facts.comm, arguments].concat().into()
        })
    }

    /// The first word of its command line and its arguments, joined by blanks.
    #[must_use]
    pub fn exeline(&self) -> &[u8] {
        self.lines.exeline.get_or_init(|| joined(&self.facts.argv))
    }

    /// Its arguments without the first word of the command line, joined by blanks.
    #[must_use]
    pub fn args(&self) -> &[u8] {
        self.exeline().get(self.exe().len() + 1..).unwrap_or_default()
    }

    /// One of its arguments, from 0: what follows the first word of the command line.
    #[must_use]
    pub fn arg(&self, nth: usize) -> Option<&[u8]> {
        self.arguments().nth(nth)
    }

    /// Its arguments without the first word of the command line.
    pub fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        pieces(&self.facts.argv).skip(1)
    }

    /// The first word of its command line, which its caller chose freely.
    #[must_use]
    pub fn exe(&self) -> &[u8] {
        pieces(&self.facts.argv).next().unwrap_or_default()
    }

    /// Its environment as `A=1 B=2`.
    #[must_use]
    pub fn env(&self) -> &[u8] {
        self.lines.env.get_or_init(|| joined(&self.facts.envp))
    }

    /// The value of a variable of its environment.
    #[must_use]
    pub fn env_value(&self, name: &[u8]) -> Option<&[u8]> {
        pieces(&self.facts.envp).find_map(|piece| piece.strip_prefix(name)?.strip_prefix(b"="))
    }

    /// Frees what it alone has of texts that can be made again.
    pub(super) fn free_texts(&mut self) {
        if let Some(lines) = Arc::get_mut(&mut self.lines) {
            lines.clear();
        }
    }

    /// Bytes of memory at most, with all texts made and nothing shared.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let facts = &self.facts;
        let texts = [&facts.comm, &facts.argv, &facts.envp, &facts.exe, &facts.cwd];
        let texts: usize = texts.into_iter().map(|text| text.len()).sum();
        size_of::<Self>() + texts + self.lines_bytes()
    }

    /// Bytes of its [`Lines`] at most.
    pub(super) fn lines_bytes(&self) -> usize {
        let facts = &self.facts;
        size_of::<Lines>() + facts.comm.len() + 2 * facts.argv.len() + facts.envp.len()
    }

    /// True when those facts tell of the same program.
    pub(super) fn runs_the_same(&self, facts: &ProcessFacts) -> bool {
        (&self.facts.argv, &self.facts.exe) == (&facts.argv, &facts.exe)
    }

    /// True when it is not known which program it runs. Threads of the kernel have none.
    pub(super) fn is_bare(&self) -> bool {
        self.facts.argv.is_empty() && self.facts.exe.is_empty()
    }
}

/// Texts that each end with a zero; the last may lack it when it was cut.
fn pieces(texts: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = texts.strip_suffix(&[0]).unwrap_or(texts);
    // One empty text is a zero alone; no text is nothing at all.
    let count = if texts.is_empty() { 0 } else { usize::MAX };
    whole.split(|byte| *byte == 0).take(count)
}

fn joined(texts: &[u8]) -> Box<[u8]> {
    let whole = texts.strip_suffix(&[0]).unwrap_or(texts);
    whole.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Process, ProcessFacts};

    fn process(comm: &str, argv: &str, envp: &str) -> Process {
        Process::new(ProcessFacts {
            comm: comm.as_bytes().into(),
            argv: argv.as_bytes().into(),
            envp: envp.as_bytes().into(),
            ..ProcessFacts::default()
        })
    }

    #[test]
    fn texts_follow_the_arguments() {
        #[track_caller]
        fn check(argv: &str, cmdline: &str, exeline: &str, args: &str, exe: &str) {
            let process = process("name", argv, "");
            let texts = [process.cmdline(), process.exeline(), process.args(), process.exe()];
            assert_eq!(texts.map(String::from_utf8_lossy), [cmdline, exeline, args, exe]);
        }
        check("", "name", "", "", "");
        check("\0", "name", "", "", "");
        check("sh\0", "name", "sh", "", "sh");
        check("sh\0-c\0ls -l\0", "name -c ls -l", "sh -c ls -l", "-c ls -l", "sh");
        check("sh\0\0x\0", "name  x", "sh  x", " x", "sh");
        check("sh\0\0", "name ", "sh ", "", "sh");
        check("\0x\0", "name x", " x", "x", "");
        check("sh\0cut", "name cut", "sh cut", "cut", "sh");
    }

    #[test]
    fn arguments_are_counted_behind_the_first_word() {
        #[track_caller]
        fn check(argv: &str, nth: usize, expected: Option<&str>) {
            let process = process("name", argv, "");
            assert_eq!(process.arg(nth), expected.map(str::as_bytes));
        }
        check("", 0, None);
        check("sh\0", 0, None);
        check("sh\0-c\0", 0, Some("-c"));
        check("sh\0-c\0", 1, None);
        check("sh\0\0x\0", 0, Some(""));
        check("sh\0\0x\0", 1, Some("x"));
        check("sh\0x\0", usize::MAX, None);
    }

    #[test]
    fn environment_is_found_by_name() {
        #[track_caller]
        fn check(envp: &str, name: &str, expected: Option<&str>) {
            let process = process("name", "", envp);
            assert_eq!(process.env_value(name.as_bytes()), expected.map(str::as_bytes));
        }
        check("", "A", None);
        check("A=1\0B=2\0", "A", Some("1"));
        check("A=1\0B=2\0", "B", Some("2"));
        check("AA=1\0A=2\0", "A", Some("2"));
        check("A=1\0A=2\0", "A", Some("1"));
        check("A=b=c\0", "A", Some("b=c"));
        check("A=\0", "A", Some(""));
        check("A\0", "A", None);
        assert_eq!(process("", "", "A=1\0B=2\0").env(), b"A=1 B=2");
    }

    #[test]
    fn estimate_of_memory_counts_what_texts_may_take() {
        let (empty, full) =
            (process("", "", "").bytes(), process("sh", "sh\0-c\0", "A=1\0").bytes());
        // Name, arguments and environment, then the command lines and the environment again.
        assert_eq!(full - empty, (2 + 6 + 4) + (2 + 2 * 6 + 4));
    }
}

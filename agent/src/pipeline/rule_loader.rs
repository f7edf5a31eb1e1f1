//! Reads and compiles rules in a thread of its own, as that may take seconds and events
//! do not wait: until it is done the rules from before stay in force.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use tracing::field::Empty;
use tracing::info_span;

use crate::detection::{RuleSet, RuleSetError};
use crate::filter::{Filter, TableCalls};
use crate::rules::diagnostic::FileReport;
use crate::rules::load::{Options, SourceFile};
use crate::telemetry::{self, WORK};

/// Rules, and what they ask of the kernel side.
pub(super) struct Ready {
    pub(super) rules: RuleSet,
    pub(super) filter: Filter,
}

impl Ready {
    /// Compiles the rules of these files.
    pub(super) fn of_files(
        files: Vec<SourceFile>,
        options: &Options,
    ) -> Result<(Self, Vec<FileReport>), RuleSetError> {
        let (rules, reports) = RuleSet::of_files(files, options)?;
        let in_force = rules.rules().iter().enumerate();
        let in_force = in_force.filter(|(at, _)| rules.is_in_force(*at)).map(|(_, rule)| rule);
        let filter = Filter::new(in_force, &[], &TableCalls);
        Ok((Self { rules, filter }, reports))
    }
}

/// What a reading came to.
enum Read {
    /// The files say what they said before.
    Same,
    New(Vec<SourceFile>, Result<Box<Ready>, RuleSetError>),
}

/// See the module.
pub(super) struct RuleLoader {
    paths: Vec<PathBuf>,
    options: Options,
    /// What was read last, whether it could be used or not.
    files: Vec<SourceFile>,
    under_way: Option<Receiver<Read>>,
    /// Asked for while another reading was under way: whether it is of use even if the
    /// files are the same.
    next: Option<bool>,
}

impl RuleLoader {
    /// For rules that were read once.
    pub(super) const fn new(paths: Vec<PathBuf>, options: Options, files: Vec<SourceFile>) -> Self {
        Self { paths, options, files, under_way: None, next: None }
    }

    /// Begins to read the rules anew; without `always` only to find out whether their
    /// files say something else than before. What is asked for meanwhile is done after.
    pub(super) fn ask(&mut self, always: bool) {
        if self.under_way.is_some() {
            self.next = Some(always || self.next == Some(true));
            return;
        }
        match self.start(always) {
            Ok(read) => self.under_way = Some(read),
            Err(error) => tracing::error!(%error, "the rules cannot be read anew now"),
        }
    }

    /// What a reading that is over came to; nothing when the files are the same.
    pub(super) fn done(&mut self) -> Option<Result<Box<Ready>, RuleSetError>> {
        let read = match self.under_way.as_ref()?.try_recv() {
            Ok(read) => read,
            Err(TryRecvError::Empty) => return None,
            // It says why it ended, as every thread does.
            Err(TryRecvError::Disconnected) => Read::Same,
        };
        self.under_way = None;
        let done = match read {
            Read::Same => None,
            Read::New(files, ready) => {
                self.files = files;
                Some(ready)
            }
        };
        if let Some(always) = self.next.take() {
            self.ask(always);
        }
        done
    }

    fn start(&self, always: bool) -> io::Result<Receiver<Read>> {
        let (outbox, read) = channel();
        let (paths, options, before) = (self.paths.clone(), self.options, self.files.clone());
        std::thread::Builder::new().name("rules".to_owned()).spawn(move || {
            let reload = info_span!(target: WORK, "rules.reload", files = Empty, error = Empty);
            let read = || RuleSet::read(&paths);
            let files = info_span!(target: WORK, parent: &reload, "rules.read").in_scope(read);
            reload.record("files", files.len() as u64);
            let read = if !always && files == before {
                Read::Same
            } else {
                let compile = info_span!(target: WORK, parent: &reload, "rules.compile");
                let ready = compile.in_scope(|| Ready::of_files(files.clone(), &options));
                drop(compile);
                telemetry::failed(&reload, ready.as_ref().err());
                Read::New(files, ready.map(|(ready, _)| Box::new(ready)))
            };
            // Nobody waits when the agent stops.
            drop(outbox.send(read));
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use super::{Ready, RuleLoader};
    use crate::detection::{RuleSet, RuleSetError};
    use crate::rules::load::Options;

    const RULE: &str = "\
- rule: One
  desc: d
  condition: evt.type = openat
  output: o
  priority: NOTICE
";

    /// Waits for what was asked for.
    fn settled(loader: &mut RuleLoader) -> Vec<Result<Box<Ready>, RuleSetError>> {
        let began = Instant::now();
        let mut done = Vec::new();
        while loader.under_way.is_some() {
            done.extend(loader.done());
            assert!(began.elapsed() < Duration::from_secs(60), "it takes too long");
            std::thread::sleep(Duration::from_millis(1));
        }
        done
    }

    fn names(ready: &Result<Box<Ready>, RuleSetError>) -> Vec<&str> {
        let rules = ready.as_ref().map_or(&[] as &[_], |ready| ready.rules.rules());
        rules.iter().map(|rule| &*rule.name).collect()
    }

    #[test]
    fn only_what_changed_is_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let (path, options) = (folder.path().join("a.yaml"), Options::default());
        fs::write(&path, RULE).unwrap();
        let paths = vec![path.clone()];
        let mut loader = RuleLoader::new(paths.clone(), options, RuleSet::read(&paths));
        loader.ask(false);
        assert!(settled(&mut loader).is_empty());
        loader.ask(true);
        assert_eq!(settled(&mut loader).iter().map(names).collect::<Vec<_>>(), [["One"]]);
        fs::write(&path, RULE.replace("One", "Two")).unwrap();
        loader.ask(false);
        assert_eq!(settled(&mut loader).iter().map(names).collect::<Vec<_>>(), [["Two"]]);
        fs::write(&path, "- rule: Three\n").unwrap();
        loader.ask(false);
        assert!(settled(&mut loader).iter().all(Result::is_err));
        loader.ask(false);
        assert!(settled(&mut loader).is_empty(), "a broken file is told once");
    }

    #[test]
    fn what_is_asked_meanwhile_is_done_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, RULE).unwrap();
        let mut loader = RuleLoader::new(vec![path], Options::default(), Vec::new());
        for always in [false, true, false] {
            loader.ask(always);
        }
        assert_eq!(settled(&mut loader).iter().map(names).collect::<Vec<_>>(), [["One"]; 2]);
    }
}

//! The thread that asks: what runs, what is remembered, when to try again.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::{Id, JoinSet},
};

use super::{Answer, Command, counts::Counters, sockets};
use crate::{
    container::{
        ContainerFacts, Sources,
        files::{Files, Gathered},
    },
    identity::cgroup_path::Runtime,
};

/// Containers remembered; a node has some hundred.
const REMEMBERED: usize = 2048;
/// Bytes remembered; a container has some KiB, unless somebody means harm.
const HELD: usize = 32 << 20;
/// Questions under way; further ones stay in the queue.
const UNDER_WAY: usize = 256;
/// Of these, how many read or connect at once.
const AT_ONCE: usize = 8;
/// Pauses before asking again about a container that is being made: short ones for those
/// that end at once, longer ones for busy nodes. Together less than events wait for it.
const PAUSES: [Duration; 10] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(35),
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(250),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

type Facts = Option<Arc<ContainerFacts>>;

/// State of the thread.
pub(super) struct Work {
    sources: Sources,
    answers: SyncSender<Answer>,
    counts: Arc<Counters>,
    known: HashMap<Box<str>, Arc<ContainerFacts>>,
    /// Ids in the order in which they were learnt, for the bound.
    order: VecDeque<Box<str>>,
    /// Bytes of all that is known.
    held: usize,
}

/// One question.
struct Question {
    id: Box<str>,
    runtime: Option<Runtime>,
    pid: Option<u32>,
}

/// What all questions share.
struct Means {
    files: Files,
    counts: Arc<Counters>,
    answers: SyncSender<Answer>,
    turns: Semaphore,
}

impl Work {
    pub(super) fn new(
        sources: Sources,
        answers: SyncSender<Answer>,
        counts: Arc<Counters>,
    ) -> Self {
        Self { sources, answers, counts, known: HashMap::new(), order: VecDeque::new(), held: 0 }
    }

    /// Runs until it is told to stop; what is asked then is not answered.
    pub(super) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Command>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let means = match Files::open(self.sources.clone()) {
            Ok(files) => Some(Arc::new(Means {
                files,
                counts: Arc::clone(&self.counts),
                answers: self.answers.clone(),
                turns: Semaphore::new(AT_ONCE),
            })),
            Err(error) => {
                let root = self.sources.root.display();
                tracing::error!(%root, %error, "no container can be looked up");
                None
            }
        };
        let mut running: JoinSet<Facts> = JoinSet::new();
        let mut asked: HashMap<Id, Box<str>> = HashMap::new();
        let mut forgotten: HashSet<Box<str>> = HashSet::new();
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                command = inbox.recv(), if asked.len() < UNDER_WAY => match command {
                    None => return,
                    Some(Command::Forget { id }) => {
                        self.forget(&id);
                        if asked.values().any(|asked| *asked == id) {
                            forgotten.insert(id);
                        }
                    }
                    Some(Command::Request { id, runtime, pid }) => {
                        if asked.values().any(|asked| *asked == id) {
                            continue;
                        }
                        let known = self.answer_at_once(&id, runtime);
                        if let (false, Some(means)) = (known, &means) {
                            let question = Question { id: id.clone(), runtime, pid };
                            let task = running.spawn(question.ask(Arc::clone(means)));
                            asked.insert(task.id(), id);
                        } else if !known {
                            self.counts.unknown.add();
                            send(&self.answers, &self.counts, id, None, true);
                        }
                    }
                },
                Some(ended) = running.join_next_with_id() => {
                    let (task, facts) = match ended {
                        Ok(ended) => ended,
                        Err(error) => {
                            tracing::error!(%error, "a question about a container broke");
                            (error.id(), None)
                        }
                    };
                    let Some(id) = asked.remove(&task) else { continue };
                    match &facts {
                        Some(facts) => {
                            self.counts.found.add();
                            if !forgotten.remove(&id) {
                                self.remember(&id, facts);
                            }
                        }
                        None => {
                            self.counts.unknown.add();
                            forgotten.remove(&id);
                        }
                    }
                    send(&self.answers, &self.counts, id, facts, true);
                }
            }
        }
    }

    /// Answers what needs no asking. Returns whether it did.
    fn answer_at_once(&mut self, id: &str, runtime: Option<Runtime>) -> bool {
        let facts = if let Some(facts) = self.known.get(id) {
            self.counts.cached.add();
            Some(Arc::clone(facts))
        } else if let Some(runtime) = runtime.filter(|runtime| names_by_id(*runtime)) {
            self.counts.found.add();
            Some(Arc::new(ContainerFacts {
                id: id.to_owned(),
                runtime: runtime.name().to_owned(),
                name: Some(id.to_owned()),
                ..ContainerFacts::default()
            }))
        } else if is_id(id) {
            return false;
        } else {
            self.counts.invalid.add();
            None
        };
        send(&self.answers, &self.counts, id.into(), facts, true);
        true
    }

    fn remember(&mut self, id: &str, facts: &Arc<ContainerFacts>) {
        self.forget(id);
        self.held += facts.weight();
        self.known.insert(id.into(), Arc::clone(facts));
        self.order.push_back(id.into());
        while self.known.len() > REMEMBERED || self.held > HELD {
            let Some(oldest) = self.order.front().cloned() else { break };
            self.forget(&oldest);
            self.counts.evicted.add();
        }
    }

    fn forget(&mut self, id: &str) {
        if let Some(facts) = self.known.remove(id) {
            self.held -= facts.weight();
            self.order.retain(|known| **known != *id);
        }
    }
}

impl Question {
    /// Asks files and sockets until the container is known or it is time to give up.
    async fn ask(self, means: Arc<Means>) -> Facts {
        let mut early = None;
        let mut pauses = PAUSES.into_iter();
        loop {
            let turn = means.turns.acquire().await;
            let Gathered { facts, malformed, oversized } = means.files.gather(&self.id, self.pid);
            let sockets = sockets::wanted(&means.files, self.runtime, facts.as_ref());
            if !sockets.is_empty()
                && let Some(facts) = &facts
                && early.as_ref() != Some(facts)
            {
                early = Some(facts.clone());
                let facts = Some(Arc::new(facts.clone()));
                send(&means.answers, &means.counts, self.id.clone(), facts, false);
            }
            let outcome = sockets::ask(&sockets, &self.id, facts, &means.counts).await;
            drop(turn);
            let is_enough = outcome.is_enough && malformed == 0;
            let pause = if is_enough { None } else { pauses.next() };
            let Some(pause) = pause else {
                means.counts.malformed.more(malformed);
                means.counts.oversized.more(oversized);
                return outcome.facts.map(|facts| Arc::new(named(facts)));
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// Gives a container without a name its id, as the one who started it knows it.
fn named(mut facts: ContainerFacts) -> ContainerFacts {
    if facts.name.is_none() && !facts.is_sandbox() {
        facts.name = Some(facts.id.clone());
    }
    facts
}

/// These have no runtime to ask; their id is the name they were given.
const fn names_by_id(runtime: Runtime) -> bool {
    matches!(runtime, Runtime::Lxc | Runtime::Nspawn | Runtime::Garden)
}

/// Whether an OCI runtime would take it for an id; it becomes part of paths.
fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
    (1..=255).contains(&id.len()) && !matches!(id, "." | "..") && id.bytes().all(plain)
}

fn send(
    answers: &SyncSender<Answer>,
    counts: &Counters,
    id: Box<str>,
    facts: Facts,
    is_final: bool,
) {
    match answers.try_send(Answer { id, facts, is_final }) {
        Ok(()) => {}
        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => counts.answers_lost.add(),
    }
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;

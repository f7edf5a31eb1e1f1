//! Asks runtimes about containers, away from the thread that has the events.
//!
//! One thread reads state files and speaks to sockets; answers come through a
//! channel. It decides nothing: an unknown container is answered with `None`.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread::JoinHandle,
};

use tokio::sync::{mpsc, oneshot};

use super::{ContainerFacts, Sources};
use crate::identity::cgroup_path::Runtime;

mod counts;
mod grpc;
mod http;
#[cfg(test)]
mod server;
mod sockets;
mod work;

pub use counts::LookupCounts;

/// Requests and answers that may wait; more are refused and counted.
const QUEUE: usize = 1024;

/// What is known of a container so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Id as it was asked for.
    pub id: Box<str>,
    /// What is known; `None` when nobody knows the container. A later answer
    /// takes the place of an earlier one.
    pub facts: Option<Arc<ContainerFacts>>,
    /// Nothing more will come for this request.
    pub is_final: bool,
}

enum Command {
    Request { id: Box<str>, runtime: Option<Runtime>, pid: Option<u32> },
    Forget { id: Box<str> },
}

/// Asks about containers by their id; dropping it ends its thread.
#[derive(Debug)]
pub struct Lookup {
    commands: mpsc::Sender<Command>,
    /// Dropped to end the thread, whatever still waits.
    stop: Option<oneshot::Sender<()>>,
    counts: Arc<counts::Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Lookup {
    /// Starts the thread; answers come through the channel.
    ///
    /// # Errors
    ///
    /// When no thread or no runtime can be had.
    pub fn start(sources: Sources) -> std::io::Result<(Self, Receiver<Answer>)> {
        let (commands, inbox) = mpsc::channel(QUEUE);
        let (answers, outbox) = sync_channel(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let counts = Arc::new(counts::Counters::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = work::Work::new(sources, answers, Arc::clone(&counts));
        let thread = std::thread::Builder::new()
            .name("containers".to_owned())
            .spawn(move || runtime.block_on(work.run(inbox, stopped)))?;
        Ok((Self { commands, stop: Some(stop), counts, thread: Some(thread) }, outbox))
    }

    /// Asks; never waits. The runtime and a process of the container, when known,
    /// save needless questions. Returns whether an answer will come: `false` when
    /// too many requests wait, which is counted.
    pub fn request(&self, id: &str, runtime: Option<Runtime>, pid: Option<u32>) -> bool {
        self.counts.requests.add();
        let sent = self.send(Command::Request { id: id.into(), runtime, pid });
        if !sent {
            self.counts.refused.add();
        }
        sent
    }

    /// Drops what is known of a container that is gone. Returns whether it was told:
    /// else the bounded cache drops it in time.
    pub fn forget(&self, id: &str) -> bool {
        self.send(Command::Forget { id: id.into() })
    }

    /// Figures since the start.
    #[must_use]
    pub fn counts(&self) -> LookupCounts {
        self.counts.read()
    }

    fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that asks about containers panicked");
        }
    }
}

//! The thread that reads names of users and groups from containers, whose file systems
//! may answer late or never.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::process::{NamesAnswer, NamesRequest};

/// Requests and answers that may wait.
const QUEUE: usize = 256;

/// Reads names. The thread ends with it, or with the read that it is at.
pub(super) struct NameReader {
    requests: SyncSender<NamesRequest>,
    answers: Receiver<NamesAnswer>,
}

impl NameReader {
    /// Starts the thread; `proc` is where the proc file system is.
    pub(super) fn start(proc: &Path) -> io::Result<Self> {
        let (requests, inbox) = sync_channel(QUEUE);
        let (outbox, answers) = sync_channel(QUEUE);
        let proc = proc.to_path_buf();
        std::thread::Builder::new()
            .name("names".to_owned())
            .spawn(move || read(&proc, &inbox, &outbox))?;
        Ok(Self { requests, answers })
    }

    /// Reads when it can. A request that does not fit comes again: it is not taken for
    /// answered.
    pub(super) fn read(&self, request: NamesRequest) {
        if self.requests.try_send(request).is_err() {
            tracing::debug!("too many containers wait for their names");
        }
    }

    /// The next answer, if there is one.
    pub(super) fn answer(&self) -> Option<NamesAnswer> {
        self.answers.try_recv().ok()
    }
}

fn read(proc: &Path, inbox: &Receiver<NamesRequest>, outbox: &SyncSender<NamesAnswer>) {
    while let Ok(request) = inbox.recv() {
        if outbox.send(request.read(proc)).is_err() {
            return;
        }
    }
}

//! Alerts in a file, a line of JSON each, which is put aside when it is large.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::falco_http::body;
use super::local;
use crate::sinks::delivery::{Delivery, Destination, Message, Outcome};

/// Alerts that are written at once.
const BATCH: usize = 512;

/// See the module.
#[derive(Debug)]
pub struct AlertFile {
    path: PathBuf,
    most: u64,
    keep: u32,
    open: Option<File>,
}

impl AlertFile {
    /// Writes to `path`. A file of more than `most` bytes gets the end `.1`, and those
    /// before it `.2` and so on; `keep` of them are kept.
    #[must_use]
    pub const fn new(path: PathBuf, most: u64, keep: u32) -> Self {
        Self { path, most, keep, open: None }
    }

    fn write(&mut self, messages: &[Message]) -> io::Result<()> {
        let mut lines = String::new();
        for message in messages {
            lines.push_str(&body(message));
            lines.push('\n');
        }
        // Whoever moves it away, as logrotate does, gets a new one.
        if self.open.is_some() && !self.path.exists() {
            self.open = None;
        }
        if fs::metadata(&self.path).is_ok_and(|it| it.len() >= self.most) {
            self.open = None;
            self.rotate()?;
        }
        let file = match &mut self.open {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).open(&self.path)?),
        };
        file.write_all(lines.as_bytes())?;
        file.sync_data()
    }

    fn rotate(&self) -> io::Result<()> {
        if self.keep == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            let from = numbered(&self.path, number);
            if from.exists() {
                fs::rename(from, numbered(&self.path, number + 1))?;
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

impl Destination for AlertFile {
    fn batch(&self) -> usize {
        BATCH
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        let written = self.write(messages);
        if written.is_err() {
            self.open = None;
        }
        Box::pin(std::future::ready(match written {
            Ok(()) => Outcome::Delivered,
            Err(error) => local(&error),
        }))
    }
}

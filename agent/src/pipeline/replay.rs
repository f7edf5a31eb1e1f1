//! A recording through rules: the same alerts as when it was made.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use jiff::tz::TimeZone;

use super::PipelineError;
use crate::capture::{CaptureError, Reader};
use crate::detection::{Alert, Detector, Input, Options, RuleSet, Statistics};
use crate::event::Node;

/// How a recording is read.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Zone of the times in texts.
    pub zone: TimeZone,
    /// For how long equal alerts are counted instead of written, nanoseconds of the
    /// recording.
    pub repeats_ns: u64,
    /// Bytes kept of processes and waiting events.
    pub memory_bytes: usize,
}

/// Hands out the alerts of a recording. What could be read of a damaged or cut one has
/// been handed out when the error comes.
///
/// # Errors
///
/// When the file cannot be read to its end.
pub fn replay(
    path: &Path,
    rules: RuleSet,
    options: &ReplayOptions,
    mut alerts: impl FnMut(Alert),
) -> Result<Statistics, PipelineError> {
    let bad = |reason: CaptureError| PipelineError::Capture { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|error| bad(error.into()))?;
    let mut reader = Reader::new(BufReader::new(file)).map_err(bad)?;
    let ReplayOptions { zone, repeats_ns, memory_bytes } = options.clone();
    let preface = reader.preface();
    let node = Node {
        hostname: preface.hostname.as_str().into(),
        boot_unix_ns: preface.boot_unix_ns,
        agent_started_ns: preface.started_ns,
        zone: zone.clone(),
    };
    let mut detector =
        Detector::new(rules, Options { node, zone, repeats_ns, memory_bytes, lineage: None });
    let ended = loop {
        match reader.next::<Input<'_>>() {
            Ok(Some(input)) => detector.apply(&input, &mut alerts),
            Ok(None) => break Ok(()),
            Err(error) => break Err(bad(error)),
        }
    };
    detector.finish(&mut alerts);
    ended.map(|()| detector.statistics())
}

//! What can go wrong with a request.

use std::time::Duration;

use super::request::{Seen, Verb};

/// Which requests go wrong, and how.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Only those for this resource, such as `pods`.
    resource: Option<String>,
    /// Only these.
    verb: Option<Verb>,
    /// How often; without it until it is mended.
    times: Option<u32>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Answered with this code and a `Status`; `Retry-After` in seconds.
    Status { code: u16, retry_after: Option<u32> },
    /// The same as plain text, as what stands before an API server does.
    Text { code: u16, retry_after: Option<u32> },
    /// A watch says this as its only event.
    ErrorEvent { code: u16 },
    /// The connection breaks instead of an answer.
    HangUp,
    /// The connection breaks in the middle of the answer.
    Cut,
    /// No answer ever comes.
    Silence,
    /// The answer begins, and stops after its head.
    Stall,
    /// The answer comes late.
    Late(Duration),
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { resource: None, verb: None, times: None, kind }
    }

    /// Answered with this code and a `Status`.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::new(Kind::Status { code, retry_after: None })
    }

    /// Answered with 429, and the wish to be left alone for some seconds, as a `Status`
    /// or as plain text.
    #[must_use]
    pub fn too_many(retry_after: u32, plain: bool) -> Self {
        let (code, retry_after) = (429, Some(retry_after));
        Self::new(if plain {
            Kind::Text { code, retry_after }
        } else {
            Kind::Status { code, retry_after }
        })
    }

    /// A watch says this as its only event.
    #[must_use]
    pub fn error_event(code: u16) -> Self {
        Self::new(Kind::ErrorEvent { code })
    }

    /// The connection breaks instead of an answer.
    #[must_use]
    pub fn hang_up() -> Self {
        Self::new(Kind::HangUp)
    }

    /// The connection breaks in the middle of the answer.
    #[must_use]
    pub fn cut() -> Self {
        Self::new(Kind::Cut)
    }

    /// No answer ever comes.
    #[must_use]
    pub fn silence() -> Self {
        Self::new(Kind::Silence)
    }

    /// The answer begins, and stops after its head.
    #[must_use]
    pub fn stall() -> Self {
        Self::new(Kind::Stall)
    }

    /// The answer comes late.
    #[must_use]
    pub fn late(by: Duration) -> Self {
        Self::new(Kind::Late(by))
    }

    /// Only requests for this resource, such as `pods`.
    #[must_use]
    pub fn of(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Only these requests.
    #[must_use]
    pub fn on(mut self, verb: Verb) -> Self {
        self.verb = Some(verb);
        self
    }

    /// Only so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn meets(&self, request: &Seen) -> bool {
        self.times != Some(0)
            && self.resource.as_ref().is_none_or(|resource| *resource == request.resource)
            && self.verb.is_none_or(|verb| verb == request.verb)
    }
}

/// A fault that was set, to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(usize);

/// All that are set; of several that meet a request the last set counts.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Option<Fault>>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> FaultId {
        self.0.push(Some(fault));
        FaultId(self.0.len() - 1)
    }

    pub(super) fn remove(&mut self, FaultId(at): FaultId) {
        self.0[at] = None;
    }

    pub(super) fn take(&mut self, request: &Seen) -> Option<Kind> {
        let fault = self.0.iter_mut().rev().flatten().find(|fault| fault.meets(request))?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.kind.clone())
    }
}

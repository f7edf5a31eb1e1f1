//! Alerts in Falco's JSON by HTTP, as Falco's `http_output` sends them: one a request.
//! Falcosidekick takes them.

use std::time::{Duration, Instant};

use hyper::Uri;
use hyper::body::Bytes;

use crate::sinks::client::Client;
use crate::sinks::delivery::{Delivery, Destination, Message, Outcome, Verdict, judge};

/// Alerts that are asked for at once; each is a request of its own.
const BATCH: usize = 64;
/// After this time no further one of them is begun: a back-end that is slow is no back-end
/// that does not answer.
const ENOUGH: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub struct FalcoHttp {
    client: Client,
    uri: Uri,
    /// As for [`Destination::progress`].
    progress: (usize, usize),
}

impl FalcoHttp {
    /// Posts to `uri`.
    #[must_use]
    pub const fn new(client: Client, uri: Uri) -> Self {
        Self { client, uri, progress: (0, 0) }
    }

    async fn post(&mut self, messages: &[Message]) -> Outcome {
        let began = Instant::now();
        let mut refused = 0;
        self.progress = (0, 0);
        for (done, message) in messages.iter().enumerate() {
            let body = Bytes::from(body(message));
            let verdict = match self.client.post(&self.uri, "application/json", &[], body).await {
                Ok(answer) => judge(&answer),
                Err(failure) => Verdict::Later(failure.into()),
            };
            match verdict {
                Verdict::Taken => {}
                Verdict::Never(reason) => {
                    tracing::warn!(rule = message.rule, reason, "an alert is refused for good");
                    refused += 1;
                }
                // What was done before is not done again; the next call meets the failure.
                Verdict::Later(_) if done > 0 => return Outcome::Partly { done, refused },
                Verdict::Later(outcome) => return outcome,
            }
            self.progress = (done + 1, refused);
            if began.elapsed() > ENOUGH {
                return Outcome::Partly { done: done + 1, refused };
            }
        }
        Outcome::Partly { done: messages.len(), refused }
    }
}

impl Destination for FalcoHttp {
    fn batch(&self) -> usize {
        BATCH
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        Box::pin(self.post(messages))
    }

    fn progress(&self) -> (usize, usize) {
        self.progress
    }
}

/// Falco's JSON with the alert's id as the field `landlord.id`.
pub(super) fn body(message: &Message) -> String {
    let Ok(serde_json::Value::Object(mut alert)) = serde_json::from_str(&message.json) else {
        return message.json.clone();
    };
    let fields = alert.entry("output_fields").or_insert_with(|| serde_json::Map::new().into());
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("landlord.id".to_owned(), message.id.clone().into());
    }
    serde_json::Value::Object(alert).to_string()
}

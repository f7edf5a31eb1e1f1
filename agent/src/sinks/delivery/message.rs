//! An alert on its way: what every back-end may say of it, as it is kept on the disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::RemoteEnd;
use crate::process::Ancestor;
use crate::sinks::spool::URGENCIES;

/// Names of priorities as Falco writes them, by urgency.
pub const PRIORITIES: [&str; URGENCIES] =
    ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"];
/// First byte of a kept message; another form gets another one.
const FORM: u8 = 2;

/// An alert as back-ends get it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same for every delivery of this alert, and for no other: 32 hexadecimal
    /// digits.
    pub id: String,
    /// When the event was, nanoseconds since 1970.
    pub time_unix_ns: u64,
    /// The rule.
    pub rule: String,
    /// Its priority: 0 (emergency) to 7 (debug).
    pub priority: u8,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whose event it was.
    pub tenant: String,
    /// How that was found.
    pub identity: String,
    /// Labels that go along with the tenant.
    pub tenant_labels: BTreeMap<String, String>,
    /// Namespace of the pod.
    pub namespace: Option<String>,
    /// Name of the pod.
    pub pod: Option<String>,
    /// Id of the container in full.
    pub container: Option<String>,
    /// Type of the event.
    pub event: String,
    /// Name of the process.
    pub process: String,
    /// Its id.
    pub pid: u32,
    /// It and its ancestors, its parent second; empty where nobody asks for traces.
    pub lineage: Vec<Ancestor>,
    /// The other end of the connection that it is about; `None` when it is about none.
    pub remote: Option<Remote>,
    /// What the rule says of the event.
    pub message: String,
    /// Further alerts that said the same and were not written.
    pub repeats: u64,
    /// The line that Falco would write as JSON.
    pub json: String,
}

/// The other end of the connection that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Where it is.
    pub end: RemoteEnd,
    /// Who is there; `None` where nobody tells.
    pub peer: Option<Peer>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// `pod`, `service`, `node`, `loopback`, `outside` or `unknown`.
    pub kind: String,
    /// The namespace of a pod or a Service.
    pub namespace: Option<String>,
    /// The name of a pod, a Service or another node.
    pub name: Option<String>,
    /// Whose it is, as far as that is known.
    pub tenant: Option<String>,
    /// `false`: it may be somebody else, or somebody else's.
    pub certain: bool,
}

/// Why a kept message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not packed by any agent.
    #[error("it cannot be unpacked")]
    Packed,
    /// Of an agent that knows another form.
    #[error("it is in form {0}; expected {FORM}")]
    Form(u8),
    /// Not of any agent.
    #[error("it is no message: {0}")]
    Damaged(#[from] postcard::Error),
}

impl Message {
    /// As it is kept.
    ///
    /// # Errors
    ///
    /// Never with a `Vec` to write into, but who encodes says that it may fail.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![FORM])
    }

    /// Of what was kept.
    ///
    /// # Errors
    ///
    /// Bytes that no agent of this form wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&FORM, rest)) => Ok(postcard::from_bytes(rest)?),
            form => Err(DecodeError::Form(form.map_or(0, |(form, _)| *form))),
        }
    }

    /// Name of the priority, as Falco writes it.
    #[must_use]
    pub fn priority_name(&self) -> &'static str {
        PRIORITIES[usize::from(self.priority).min(PRIORITIES.len() - 1)]
    }

    /// Values of the fields of the rule's output, in their types.
    #[must_use]
    pub fn output_fields(&self) -> serde_json::Map<String, Value> {
        match serde_json::from_str(&self.json) {
            Ok(Value::Object(mut alert)) => match alert.remove("output_fields") {
                Some(Value::Object(fields)) => fields,
                _ => serde_json::Map::new(),
            },
            _ => serde_json::Map::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Ancestor, DecodeError, FORM, Message};

    /// A message for tests.
    pub(crate) fn message(number: u32) -> Message {
        Message {
            id: format!("{number:032x}"),
            time_unix_ns: 1_700_000_000_000_000_000 + u64::from(number),
            rule: "Terminal shell in container".to_owned(),
            priority: 5,
            tags: vec!["container".to_owned(), "shell".to_owned()],
            tenant: "acme".to_owned(),
            identity: "informer".to_owned(),
            tenant_labels: [("team".to_owned(), "blue".to_owned())].into(),
            namespace: Some("acme-prod".to_owned()),
            pod: Some("web-0".to_owned()),
            container: Some("3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e".to_owned()),
            event: "execve".to_owned(),
            process: "sh".to_owned(),
            pid: 4000 + number,
            lineage: [("sh", 4000 + number), ("runc", 12), ("systemd", 1)]
                .map(|(name, pid)| Ancestor {
                    pid,
                    start_unix_ns: 1_600_000_000_000_000_000 + u64::from(pid),
                    uid: 0,
                    name: name.to_owned(),
                    exe: format!("/bin/{name}"),
                    command_line: format!("{name} -x"),
                    deeds: Vec::new(),
                    deeds_dropped: 0,
                })
                .into(),
            remote: None,
            message: "A shell was spawned".to_owned(),
            repeats: 0,
            json: r#"{"hostname":"node-1","output":"x","output_fields":{"evt.time":1,"proc.name":"sh","fd.name":null},"priority":"Notice","rule":"Terminal shell in container","source":"syscall","tags":["container","shell"],"time":"2023-11-14T22:13:20.000000000Z"}"#.to_owned(),
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let message = message(7);
        let kept = message.encode().unwrap();
        assert_eq!(Message::decode(&kept).unwrap(), message);
        assert_eq!(message.priority_name(), "Notice");
        assert_eq!(message.output_fields()["proc.name"], "sh");
    }

    #[test]
    fn other_bytes_are_errors() {
        let kept = message(1).encode().unwrap();
        for length in 0..kept.len() {
            assert!(Message::decode(&kept[..length]).is_err(), "{length}");
        }
        assert!(matches!(Message::decode(&[9, 1]), Err(DecodeError::Form(9))));
        assert!(matches!(Message::decode(&[FORM, 0xff]), Err(DecodeError::Damaged(_))));
        assert!(Message { json: "[".to_owned(), ..message(1) }.output_fields().is_empty());
    }
}

//! An alert as sinks get it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::event::RemoteEnd;
use crate::identity::Provenance;
use crate::identity::peer::Peer;
use crate::process::Ancestor;
use crate::rules::rule::Priority;

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// What no other alert has: 32 hexadecimal digits; empty until it is given out.
    pub id: String,
    /// When the event was, nanoseconds since 1970.
    pub time_unix_ns: u64,
    /// The rule.
    pub rule: Arc<str>,
    /// Its priority.
    #[serde(serialize_with = "by_name")]
    pub priority: Priority,
    /// The rule's tags.
    pub tags: Arc<[String]>,
    /// Whose event it was.
    pub tenant: Arc<str>,
    /// Labels that go along with the tenant.
    #[serde(skip)]
    pub tenant_labels: Arc<BTreeMap<String, String>>,
    /// How that was found.
    pub identity: Provenance,
    /// Namespace of the pod; `None` outside of pods, and where nobody told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// Id of the container in full; `None` on the host.
    pub container: Option<Box<str>>,
    /// Who is at the other end of the connection; `None` when the event is about none,
    /// and where nobody tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerFacts>,
    /// Where that is.
    #[serde(skip)]
    pub remote: Option<RemoteEnd>,
    /// Type of the event.
    pub event: &'static str,
    /// Name of the process.
    pub process: String,
    /// Its id.
    pub pid: u32,
    /// It and its ancestors, its parent second; empty where nobody asks for them.
    #[serde(skip)]
    pub lineage: Vec<Ancestor>,
    /// What the rule says of it.
    pub message: String,
    /// Further alerts that said the same and were not written.
    pub repeats: u64,
    /// The line that Falco would write as text.
    #[serde(skip)]
    pub text: Vec<u8>,
    /// The line that Falco would write as JSON.
    #[serde(skip)]
    pub json: Vec<u8>,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerFacts {
    /// `pod`, `service`, `node`, `loopback`, `outside` or `unknown`.
    pub kind: &'static str,
    /// The namespace of a pod or a Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of a pod, a Service or another node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose it is, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// `false`: it may be somebody else, or somebody else's; nobody is to be accused.
    pub certain: bool,
}

impl From<&Peer<'_>> for PeerFacts {
    fn from(peer: &Peer<'_>) -> Self {
        Self {
            kind: peer.kind.label(),
            namespace: peer.namespace.map(str::to_owned),
            name: peer.name.map(|name| name.to_string()),
            tenant: peer.tenant().map(str::to_owned),
            certain: peer.is_certain,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn by_name<S: serde::Serializer>(priority: &Priority, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(priority.name())
}

impl Alert {
    /// Says who is at the other end: as `peer`, also of the JSON.
    pub fn set_peer(&mut self, peer: PeerFacts) {
        self.say("peer", &peer);
        self.peer = Some(peer);
    }

    /// Says what to call it, also in the JSON.
    pub fn set_id(&mut self, id: String) {
        self.say("id", &id);
        self.id = id;
    }

    /// Adds a key to the JSON.
    fn say(&mut self, key: &str, value: &impl Serialize) {
        if let (Ok(told), Some(b'}')) = (serde_json::to_vec(value), self.json.last()) {
            self.json.pop();
            self.json.extend_from_slice(format!(",\"{key}\":").as_bytes());
            self.json.extend_from_slice(&told);
            self.json.push(b'}');
        }
    }

    /// Says that it stands for further ones: at the end of the texts, and as the
    /// field `landlord.repeats` of the JSON.
    #[must_use]
    pub fn repeated(mut self, count: u64) -> Self {
        self.repeats = count;
        let times = if count == 1 { "once more".to_owned() } else { format!("{count} times more") };
        let said = format!(" (said {times})");
        self.message.push_str(&said);
        self.text.extend_from_slice(said.as_bytes());
        if let Ok(Value::Object(mut alert)) = serde_json::from_slice(&self.json) {
            for key in ["output", "message"] {
                if let Some(Value::String(text)) = alert.get_mut(key) {
                    text.push_str(&said);
                }
            }
            if let Some(Value::Object(fields)) = alert.get_mut("output_fields") {
                fields.insert("landlord.repeats".to_owned(), count.into());
            }
            self.json = Value::Object(alert).to_string().into_bytes();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Alert, PeerFacts};
    use crate::identity::Provenance;
    use crate::rules::rule::Priority;

    fn alert() -> Alert {
        Alert {
            id: String::new(),
            time_unix_ns: 1,
            rule: "R".into(),
            priority: Priority::Notice,
            tags: [].into(),
            tenant: "acme".into(),
            tenant_labels: Arc::default(),
            identity: Provenance::Cgroup,
            namespace: None,
            pod: None,
            container: None,
            peer: None,
            remote: None,
            event: "openat",
            process: "cat".to_owned(),
            pid: 7,
            lineage: Vec::new(),
            message: "m".to_owned(),
            repeats: 0,
            text: b"00:00:00.000000001: Notice m".to_vec(),
            json: br#"{"output":"x m","output_fields":{"evt.time":1},"rule":"R"}"#.to_vec(),
        }
    }

    #[test]
    fn the_peer_is_said_in_both_forms_of_json() {
        let check = |peer: PeerFacts, expected: &str| {
            let mut alert = alert();
            alert.set_peer(peer);
            let line: serde_json::Value = serde_json::from_slice(&alert.json).unwrap();
            let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
            assert_eq!(line["peer"], expected);
            assert_eq!(line["output"], "x m");
            assert_eq!(serde_json::to_value(&alert).unwrap()["peer"], expected);
            assert_eq!(alert.text, super::tests::alert().text);
        };
        let nobody = || PeerFacts {
            kind: "unknown",
            namespace: None,
            name: None,
            tenant: None,
            certain: false,
        };
        check(nobody(), r#"{"kind":"unknown","certain":false}"#);
        let pod = PeerFacts {
            kind: "pod",
            namespace: Some("ns".to_owned()),
            name: Some("web".to_owned()),
            tenant: Some("acme".to_owned()),
            certain: true,
        };
        check(
            pod,
            r#"{"kind":"pod","namespace":"ns","name":"web","tenant":"acme","certain":true}"#,
        );
    }

    #[test]
    fn the_id_is_said_in_both_forms_of_json() {
        let mut alert = alert();
        alert.set_id("07".to_owned());
        let line: serde_json::Value = serde_json::from_slice(&alert.json).unwrap();
        assert_eq!((&line["id"], &line["rule"]), (&"07".into(), &"R".into()));
        assert_eq!(serde_json::to_value(&alert).unwrap()["id"], "07");
    }

    #[test]
    fn repeats_are_said_everywhere() {
        let many = alert().repeated(12);
        assert_eq!(many.text, b"00:00:00.000000001: Notice m (said 12 times more)");
        assert_eq!(
            String::from_utf8(many.json).unwrap(),
            r#"{"output":"x m (said 12 times more)","output_fields":{"evt.time":1,"landlord.repeats":12},"rule":"R"}"#
        );
    }
}

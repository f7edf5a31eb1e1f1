//! An alert as sinks get it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::identity::Provenance;
use crate::rules::rule::Priority;

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// When the event was, nanoseconds since 1970.
    pub time_unix_ns: u64,
    /// The rule.
    pub rule: Arc<str>,
    /// Its priority.
    #[serde(serialize_with = "by_name")]
    pub priority: Priority,
    /// Whose event it was.
    pub tenant: Arc<str>,
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
    /// Type of the event.
    pub event: &'static str,
    /// Name of the process.
    pub process: String,
    /// Its id.
    pub pid: u32,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn by_name<S: serde::Serializer>(priority: &Priority, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(priority.name())
}

impl Alert {
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
    use super::Alert;
    use crate::identity::Provenance;
    use crate::rules::rule::Priority;

    #[test]
    fn repeats_are_said_everywhere() {
        let alert = Alert {
            time_unix_ns: 1,
            rule: "R".into(),
            priority: Priority::Notice,
            tenant: "acme".into(),
            identity: Provenance::Cgroup,
            namespace: None,
            pod: None,
            container: None,
            event: "openat",
            process: "cat".to_owned(),
            pid: 7,
            message: "m".to_owned(),
            repeats: 0,
            text: b"00:00:00.000000001: Notice m".to_vec(),
            json: br#"{"output":"x m","output_fields":{"evt.time":1},"rule":"R"}"#.to_vec(),
        };
        let many = alert.repeated(12);
        assert_eq!(many.text, b"00:00:00.000000001: Notice m (said 12 times more)");
        assert_eq!(
            String::from_utf8(many.json).unwrap(),
            r#"{"output":"x m (said 12 times more)","output_fields":{"evt.time":1,"landlord.repeats":12},"rule":"R"}"#
        );
    }
}

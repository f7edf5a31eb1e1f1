//! The variables that OpenTelemetry defines, and the keys that they set.

/// How a value is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the key has it.
    Same,
    /// A number of milliseconds.
    Milliseconds,
}

impl Form {
    /// The value as the key has it.
    pub(super) fn read(self, text: &str) -> String {
        match self {
            Self::Same => text.to_owned(),
            Self::Milliseconds if text.bytes().all(|it| it.is_ascii_digit()) => format!("{text}ms"),
            Self::Milliseconds => text.to_owned(),
        }
    }
}

/// Key, variable and how it is written; see the specification of OTLP exporters and of
/// the SDK.
const VARIABLES: &[(&str, &str, Form)] = &[
    ("otlp.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", Form::Same),
    ("otlp.protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", Form::Same),
    ("otlp.interval", "OTEL_METRIC_EXPORT_INTERVAL", Form::Milliseconds),
    ("otlp.timeout", "OTEL_EXPORTER_OTLP_TIMEOUT", Form::Milliseconds),
    ("otlp.headers", "OTEL_EXPORTER_OTLP_HEADERS", Form::Same),
    ("otlp.resource", "OTEL_RESOURCE_ATTRIBUTES", Form::Same),
    ("otlp.ca_file", "OTEL_EXPORTER_OTLP_CERTIFICATE", Form::Same),
    ("otlp.certificate_file", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", Form::Same),
    ("otlp.key_file", "OTEL_EXPORTER_OTLP_CLIENT_KEY", Form::Same),
];

/// The variable that sets a key.
pub(super) fn variable_of(key: &str) -> Option<(&'static str, Form)> {
    VARIABLES.iter().find(|(known, ..)| *known == key).map(|&(_, name, form)| (name, form))
}

/// Whether a variable sets a key.
pub(super) fn is_variable(name: &str) -> bool {
    VARIABLES.iter().any(|(_, known, _)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::{Form, VARIABLES};
    use crate::config::keys::KEYS;

    #[test]
    fn they_set_keys_that_there_are() {
        for (key, ..) in VARIABLES {
            assert!(KEYS.iter().any(|known| known.name == *key && known.is_scalar()), "{key}");
        }
        assert_eq!(Form::Milliseconds.read("1500"), "1500ms");
        assert_eq!(Form::Milliseconds.read("2s"), "2s");
    }
}

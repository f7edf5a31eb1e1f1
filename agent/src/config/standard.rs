//! The variables that OpenTelemetry defines, and the keys that they set.

/// How a value is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the key has it.
    Same,
    /// A number of milliseconds.
    Milliseconds,
    /// The name of a sampler, the ratio of which is in [`SAMPLER_ARG`].
    Sampler,
}

impl Form {
    /// The value as the key has it, and the variable that says it. `other`: what another
    /// variable says.
    pub(super) fn read<'a>(
        self,
        (name, text): (&'static str, &'a str),
        other: impl Fn(&str) -> Option<&'a str>,
    ) -> (&'static str, String) {
        let text = match self {
            Self::Milliseconds if text.bytes().all(|it| it.is_ascii_digit()) => format!("{text}ms"),
            Self::Same | Self::Milliseconds => text.to_owned(),
            // An alert has no parent that would decide for it.
            Self::Sampler => match text.strip_prefix("parentbased_").unwrap_or(text) {
                "always_on" => "1".to_owned(),
                "always_off" => "0".to_owned(),
                "traceidratio" => match other(SAMPLER_ARG) {
                    Some(ratio) => return (SAMPLER_ARG, ratio.to_owned()),
                    None => "1".to_owned(),
                },
                _ => text.to_owned(),
            },
        };
        (name, text)
    }
}

/// The argument of a sampler.
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Key, variable and how it is written; see the specification of OTLP exporters and of
/// the SDK.
const VARIABLES: &[(&str, &str, Form)] = &[
    ("otlp.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT", Form::Same),
    ("otlp.protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", Form::Same),
    ("otlp.traces_ratio", "OTEL_TRACES_SAMPLER", Form::Sampler),
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
    name == SAMPLER_ARG || VARIABLES.iter().any(|(_, known, _)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::{Form, SAMPLER_ARG, VARIABLES};
    use crate::config::keys::KEYS;

    #[test]
    fn they_set_keys_that_there_are() {
        for (key, ..) in VARIABLES {
            assert!(KEYS.iter().any(|known| known.name == *key && known.is_scalar()), "{key}");
        }
        let read = |text| Form::Milliseconds.read(("X", text), |_| None);
        assert_eq!(read("1500"), ("X", "1500ms".to_owned()));
        assert_eq!(read("2s"), ("X", "2s".to_owned()));
    }

    #[test]
    fn samplers_are_ratios() {
        let check = |sampler, argument, expected: (&str, &str)| {
            let found = Form::Sampler.read(("X", sampler), |_| argument);
            assert_eq!((found.0, found.1.as_str()), expected, "{sampler} {argument:?}");
        };
        check("always_on", Some("0.5"), ("X", "1"));
        check("parentbased_always_off", None, ("X", "0"));
        check("traceidratio", Some("0.5"), (SAMPLER_ARG, "0.5"));
        check("parentbased_traceidratio", Some("half"), (SAMPLER_ARG, "half"));
        check("parentbased_traceidratio", None, ("X", "1"));
        check("jaeger_remote", Some("0.5"), ("X", "jaeger_remote"));
    }
}

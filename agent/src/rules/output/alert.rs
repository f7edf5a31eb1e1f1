//! An alert: a rule that an event fired.

use std::io::Write as _;

use jiff::tz::TimeZone;

use super::append::{ExtraField, Output};
use super::time::{Form, written};
use super::{escape, value};
use crate::rules::event::Event;
use crate::rules::rule::Rule;
use crate::rules::transform::Scratch;

/// What of an alert is written, named after Falco's options.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of this host.
    pub hostname: String,
    /// Zone of the times in texts; those in JSON are UTC.
    pub zone: TimeZone,
    /// Whether times in texts are written as ISO 8601, in UTC.
    pub time_format_iso_8601: bool,
    /// Whether JSON has `output`: the whole text.
    pub json_include_output_property: bool,
    /// Whether JSON has `message`: the text without time and priority.
    pub json_include_message_property: bool,
    /// Whether JSON has `output_fields`: the values in the text.
    pub json_include_output_fields_property: bool,
    /// Whether JSON has `tags`.
    pub json_include_tags_property: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hostname: String::new(),
            zone: TimeZone::UTC,
            time_format_iso_8601: false,
            json_include_output_property: true,
            json_include_message_property: false,
            json_include_output_fields_property: true,
            json_include_tags_property: true,
        }
    }
}

/// Memory that alerts are written with, so that it is allocated once.
#[derive(Debug, Default)]
pub struct Buffers {
    scratch: Scratch,
    /// Time, priority and message, unescaped.
    line: Vec<u8>,
    /// The text of a further entry of `output_fields`.
    extra: Vec<u8>,
}

/// A rule that an event fired, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Alert<'a, E: ?Sized> {
    /// The rule.
    pub rule: &'a Rule,
    /// How its alerts are written.
    pub output: &'a Output,
    /// The event.
    pub event: &'a E,
    /// Of all alerts.
    pub settings: &'a Settings,
}

impl<E: Event + ?Sized> Alert<'_, E> {
    /// Appends the alert as one line of text without its end: time, priority and
    /// message, escaped as in JSON.
    pub fn write_text(&self, buffers: &mut Buffers, out: &mut Vec<u8>) {
        self.line(buffers);
        escape::escaped(&buffers.line, out);
    }

    /// Appends the alert as one line of JSON without its end, keys sorted.
    pub fn write_json(&self, buffers: &mut Buffers, out: &mut Vec<u8>) {
        let settings = self.settings;
        let prefix = self.line(buffers);

        let mut object = Object::open(out);
        escape::string(settings.hostname.as_bytes(), object.key("hostname"));
        if settings.json_include_message_property {
            escape::string(&buffers.line[prefix..], object.key("message"));
        }
        if settings.json_include_output_property {
            escape::string(&buffers.line, object.key("output"));
        }
        if settings.json_include_output_fields_property {
            self.fields(buffers, object.key("output_fields"));
        }
        escape::string(self.rule.priority.name().as_bytes(), object.key("priority"));
        escape::string(self.rule.name.as_bytes(), object.key("rule"));
        escape::string(self.rule.source.as_bytes(), object.key("source"));
        if settings.json_include_tags_property {
            let out = object.key("tags");
            out.push(b'[');
            for (nth, tag) in self.rule.tags.iter().enumerate() {
                if nth > 0 {
                    out.push(b',');
                }
                escape::string(tag.as_bytes(), out);
            }
            out.push(b']');
        }
        let out = object.key("time");
        out.push(b'"');
        self.time(Form::Zulu, out);
        out.push(b'"');
        object.close();
    }

    /// The values in the text, and the time in the form that the text has it.
    fn fields(&self, buffers: &mut Buffers, out: &mut Vec<u8>) {
        let time_key =
            if self.settings.time_format_iso_8601 { "evt.time.iso8601" } else { "evt.time" };
        let mut object = Object::open(out);
        let mut time = value::time_of(self.event);
        let mut timed = false;
        for (key, field) in &self.output.fields {
            if !timed && key.as_str() >= time_key {
                timed = true;
                number(time.take(), object.key(time_key));
            }
            if key == time_key {
                continue;
            }
            let out = object.key(key);
            match field {
                ExtraField::Raw(field) => value::field_json(field, self.event, out),
                ExtraField::Text(template) => {
                    let Buffers { scratch, extra, .. } = buffers;
                    extra.clear();
                    template.write(self.event, &self.settings.zone, scratch, extra);
                    escape::string(extra, out);
                }
            }
        }
        if !timed {
            number(time, object.key(time_key));
        }
        object.close();
    }

    /// Writes time, priority and message, and tells where the message begins.
    fn line(&self, buffers: &mut Buffers) -> usize {
        let Buffers { scratch, line, .. } = buffers;
        line.clear();
        let iso = self.settings.time_format_iso_8601;
        self.time(if iso { Form::Iso8601 } else { Form::Time }, line);
        line.extend_from_slice(b": ");
        line.extend_from_slice(self.rule.priority.name().as_bytes());
        line.push(b' ');
        let prefix = line.len();
        self.output.message.write(self.event, &self.settings.zone, scratch, line);
        prefix
    }

    fn time(&self, form: Form, out: &mut Vec<u8>) {
        // An event without a time is from before all others.
        let time = value::time_of(self.event).unwrap_or_default();
        form.write(time, &self.settings.zone, out);
    }
}

fn number(value: Option<u64>, out: &mut Vec<u8>) {
    match value {
        Some(value) => written(&write!(out, "{value}")),
        None => out.extend_from_slice(b"null"),
    }
}

/// A JSON object while it is written.
struct Object<'out> {
    out: &'out mut Vec<u8>,
    is_empty: bool,
}

impl<'out> Object<'out> {
    fn open(out: &'out mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_empty: true }
    }

    /// Writes a key; the value is to be appended to what it returns.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.push(b',');
        }
        escape::string(key.as_bytes(), self.out);
        self.out.push(b':');
        self.out
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

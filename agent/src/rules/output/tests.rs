//! Templates and alerts, byte for byte.

use std::sync::Arc;

use jiff::tz::{Offset, TimeZone};
use serde_json::json;

use super::{Alert, AppendOutput, Buffers, ExtraField, Output, Settings, Template};
use crate::rules::diagnostic::{Place, ProblemKind};
use crate::rules::field;
use crate::rules::json_event::JsonEvent;
use crate::rules::rule::{Priority, Rule};
use crate::rules::transform::Scratch;
use crate::rules::typed::Condition;

fn event(value: &serde_json::Value) -> JsonEvent {
    JsonEvent::from_value(value).unwrap()
}

fn sample() -> JsonEvent {
    event(&json!({
        "evt.type": "openat", "evt.time": 1_470_327_477_881_781_397_u64, "evt.num": 42,
        "proc.name": "cat", "proc.args": "/etc/shadow", "proc.aname": ["bash", "sshd"],
        "proc.pid": 7, "proc.tty": 34816, "user.name": "root", "user.loginuid": -1,
        "fd.name": "/etc/shadow", "fd.dev": 2049, "fd.types": ["file", "pipe"],
        "evt.rawres": -13, "evt.arg": {"flags": "O_RDONLY"}, "evt.buffer": "a\"b\n\u{e9}",
        "proc.fdusage": 12.5, "fd.is_upper_layer": false, "evt.reltime.ns": 5_000_000,
        "container.id": "host", "proc.env": {"A": "1"}, "fd.sip": "2001:db8::1",
    }))
}

#[test]
fn templates() {
    #[track_caller]
    fn check(template: &str, expected: &str) {
        let template = Template::parse(template).unwrap();
        let (mut scratch, mut out) = (Scratch::default(), Vec::new());
        let zone = TimeZone::fixed(Offset::constant(1));
        template.write(&sample(), &zone, &mut scratch, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
    check("Read (file=%fd.name by=%proc.name)", "Read (file=/etc/shadow by=cat)");
    check("%proc.name%proc.pid", "cat7");
    check("*%proc.name.", "cat.");
    check("%proc.names", "cats");
    check("no field", "no field");
    check("%proc.cmdline|%proc.aname[2]|%proc.aname|%proc.aname[9]", {
        "cat /etc/shadow|sshd|cat|<NA>"
    });
    check("%evt.arg.flags|%evt.arg[3]|%evt.args", "O_RDONLY|O_RDONLY|flags=O_RDONLY ");
    check("%proc.env[A]|%proc.env[B]", "1|<NA>");
    check("%user.loginuid %evt.num %evt.rawres %evt.res", "-1 42 -13 EACCES");
    check("%proc.fdusage %fd.is_upper_layer %fd.dev", "12.5 false 801");
    check("%fd.types %fd.sip", "(file,pipe) 2001:db8::1");
    check("%evt.buffer", "a\"b...");
    check("%evt.time|%evt.time.s|%evt.datetime", {
        "17:17:57.881781397|17:17:57|2016-08-04 17:17:57.881781397"
    });
    check("%evt.time.iso8601|%evt.datetime.s", {
        "2016-08-04T16:17:57.881781397+0000|2016-08-04 17:17:57"
    });
    check(
        "%evt.rawtime|%evt.rawtime.ns|%evt.reltime.ns",
        "1470327477881781397|881781397|005000000",
    );
    check("[%6proc.name] [%2proc.name] [%3proc.pname]", "[cat   ] [ca] [bas]");
    check("[%6k8s.pod.name] [%2k8s.pod.name]", "[<NA>  ] [<N]");
    check("%toupper(proc.name) %tolower(toupper(proc.name))", "CAT cat");
    check("%basename(fd.name).", "shadow.");
    check("%len(fd.types) %len(proc.name)", "2 3");
    check("%concat(proc.name, \":\", user.name)", "cat:root");
    check("%join(\"-\", (proc.name, user.name))", "cat-root");
    check("%toupper(fd.types) %5toupper(proc.name)|", "(FILE,PIPE) CAT  |");
    check("%toupper(k8s.pod.name)", "<NA>");
    check("%container.info(id=%container.id)", "(id=host)");
}

#[test]
fn mistakes() {
    #[track_caller]
    fn check(template: &str, expected: &[(&str, &str, ProblemKind)]) {
        let problems = Template::parse(template).unwrap_err();
        let found: Vec<(&str, &str, ProblemKind)> = problems
            .iter()
            .map(|problem| {
                let about = &template[problem.span.clone()];
                (about, problem.message.as_str(), problem.kind)
            })
            .collect();
        assert_eq!(found, expected, "{template}");
    }
    let unknown = ProblemKind::UnknownName;
    let syntax = ProblemKind::Syntax;
    check("", &[("", "the output is empty", syntax)]);
    check(
        "a %proc.nmae and %fd.nam",
        &[
            ("proc.nmae", "`proc.nmae` is not a field", unknown),
            ("fd.nam", "`fd.nam` is not a field", unknown),
        ],
    );
    check("100%", &[("", "a field has to follow the `%`", syntax)]);
    check("100%%", &[("%", "a field has to follow the `%`", syntax)]);
    check("50% of", &[("", "a field has to follow the `%`", syntax)]);
    check("%12", &[("", "a field has to follow the `%`", syntax)]);
    check("%9999999proc.name", &[("proc.name", "a value cannot be 9999999 bytes wide", syntax)]);
    check("%evt.arg", &[("evt.arg", "`evt.arg` needs an argument in brackets", unknown)]);
    check("%fd.ip", &[("fd.ip", "`fd.ip` is for conditions only", syntax)]);
    check(
        "%tolower(proc.pid)",
        &[("tolower(proc.pid)", "`tolower` takes a text here, not a signed number", syntax)],
    );
    check(
        "%tolower(proc.name",
        &[("tolower(proc.name", "this `tolower(` is never closed", syntax)],
    );
    check("%concat(\"a", &[("\"a", "the text that begins with this \" has no end", syntax)]);
    check("%tolower(proc.nmae) x", &[("proc.nmae)", "`proc.nmae` is not a field", unknown)]);
    let deep = format!("%{}", "tolower(".repeat(100_000));
    let problems = Template::parse(&deep).unwrap_err();
    assert!(problems[0].message.ends_with("is nested deeper than 1000 levels"), "{problems:?}");
}

#[test]
fn old_endings_are_told() {
    let template = Template::parse("x %container.info").unwrap();
    let [warning] = template.warnings() else { panic!("{:?}", template.warnings()) };
    assert_eq!(warning.span, 2..17);
}

#[test]
fn suggestions() {
    assert_eq!(
        Template::suggested(),
        Template::parse(
            "container_id=%container.id container_name=%container.name \
             container_image_repository=%container.image.repository \
             container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name \
             k8s_ns_name=%k8s.ns.name"
        )
        .unwrap()
    );
    for id in field::FieldId::ALL {
        let spec = id.spec();
        let is_suggested = Template::suggested().fields().any(|(key, _)| key == spec.name);
        assert_eq!(is_suggested, spec.has(field::Flag::Suggested), "{}", spec.name);
    }
}

fn rule(output: &str) -> Rule {
    Rule {
        name: "Read \"secret\"".into(),
        description: String::new(),
        condition: Condition::And(Vec::new()),
        condition_text: String::new(),
        output: Template::parse(output).unwrap(),
        output_text: output.to_owned(),
        priority: Priority::Warning,
        source: "syscall".into(),
        tags: vec!["filesystem".to_owned(), "mitre".to_owned()],
        enabled: true,
        warn_evttypes: true,
        capture: false,
        capture_duration_ms: None,
        place: Place {
            file: Arc::from("x.yaml"),
            line: 1,
            column: 1,
            offset: 0,
            length: 1,
            excerpt: String::new(),
            excerpt_column: 1,
        },
    }
}

/// The text line and the JSON line of an alert.
fn lines(rule: &Rule, additions: &[AppendOutput], settings: &Settings) -> [String; 2] {
    lines_of(rule, additions, settings, &sample())
}

fn lines_of(
    rule: &Rule,
    additions: &[AppendOutput],
    settings: &Settings,
    event: &JsonEvent,
) -> [String; 2] {
    let output = Output::new(rule, additions);
    let alert = Alert { rule, output: &output, event, settings };
    let mut buffers = Buffers::default();
    let (mut text, mut json) = (Vec::new(), Vec::new());
    alert.write_text(&mut buffers, &mut text);
    alert.write_json(&mut buffers, &mut json);
    [text, json].map(|line| String::from_utf8(line).unwrap())
}

fn settings() -> Settings {
    Settings { hostname: "node-1".to_owned(), ..Settings::default() }
}

#[test]
fn alerts() {
    let rule = rule(
        "Opened (file=%fd.name pod=%k8s.pod.name up=%toupper(proc.name) \
                     second=%proc.aname[2] tty=%proc.tty upper=%fd.is_upper_layer)",
    );
    let [text, json] = lines(&rule, &[], &settings());
    assert_eq!(
        text,
        "16:17:57.881781397: Warning Opened (file=/etc/shadow pod=<NA> up=CAT second=sshd \
         tty=34816 upper=false)"
    );
    assert_eq!(
        json,
        r#"{"hostname":"node-1","output":"16:17:57.881781397: Warning Opened (file=/etc/shadow pod=<NA> up=CAT second=sshd tty=34816 upper=false)","output_fields":{"evt.time":1470327477881781397,"fd.is_upper_layer":false,"fd.name":"/etc/shadow","k8s.pod.name":null,"proc.aname[2]":"sshd","proc.name":"cat","proc.tty":34816},"priority":"Warning","rule":"Read \"secret\"","source":"syscall","tags":["filesystem","mitre"],"time":"2016-08-04T16:17:57.881781397Z"}"#
    );
}

#[test]
fn options() {
    let rule = rule("x=%evt.time.iso8601");
    let [text, json] = lines(
        &rule,
        &[],
        &Settings {
            time_format_iso_8601: true,
            json_include_output_property: false,
            json_include_message_property: true,
            json_include_tags_property: false,
            ..settings()
        },
    );
    assert_eq!(
        text,
        "2016-08-04T16:17:57.881781397+0000: Warning x=2016-08-04T16:17:57.881781397+0000"
    );
    assert_eq!(
        json,
        r#"{"hostname":"node-1","message":"x=2016-08-04T16:17:57.881781397+0000","output_fields":{"evt.time.iso8601":1470327477881781397},"priority":"Warning","rule":"Read \"secret\"","source":"syscall","time":"2016-08-04T16:17:57.881781397Z"}"#
    );
    let [_, json] = lines(
        &rule,
        &[],
        &Settings {
            json_include_output_fields_property: false,
            json_include_output_property: false,
            json_include_tags_property: false,
            ..settings()
        },
    );
    assert_eq!(
        json,
        r#"{"hostname":"node-1","priority":"Warning","rule":"Read \"secret\"","source":"syscall","time":"2016-08-04T16:17:57.881781397Z"}"#
    );
}

#[test]
fn values_keep_their_types_in_json() {
    let fields = |output: &str| {
        let [_, json] = lines(&rule(output), &[], &settings());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let mut fields = json["output_fields"].clone();
        fields.as_object_mut().unwrap().remove("evt.time");
        fields
    };
    let check = |output: &str, expected| assert_eq!(fields(output), expected, "{output}");
    check("%fd.dev %proc.fdusage", json!({"fd.dev": "801", "proc.fdusage": 12.5}));
    check("%fd.types", json!({"fd.types": ["file", "pipe"]}));
    check("%evt.datetime", json!({"evt.datetime": 1_470_327_477_881_781_397_u64}));
    check("%evt.reltime.ns", json!({"evt.reltime.ns": 5_000_000}));
    check("%fd.sip", json!({"fd.sip": "2001:db8::1"}));
    check("%evt.buffer", json!({"evt.buffer": "a\"b..."}));
    check("%evt.arg.flags", json!({"evt.arg.flags": "O_RDONLY"}));
    check("%user.loginuid", json!({"user.loginuid": -1}));
    check("%len(proc.name)", json!({"proc.name": "cat"}));
    check("%thread.cgroups %fd.dev.major", json!({"thread.cgroups": null, "fd.dev.major": null}));
}

#[test]
fn nothing_in_a_name_can_forge_a_line() {
    let event = event(&json!({
        "evt.type": "open", "evt.time": 0,
        "fd.name": "/tmp/a\n00:00:00.000000000: Critical \u{1b}[31m \"x\" \\",
    }));
    let [text, json] = lines_of(&rule("f=%fd.name"), &[], &settings(), &event);
    assert_eq!(
        text,
        r#"00:00:00.000000000: Warning f=/tmp/a\n00:00:00.000000000: Critical \u001b[31m \"x\" \\"#
    );
    assert!(!json.contains('\n'));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["output_fields"]["fd.name"],
        "/tmp/a\n00:00:00.000000000: Critical \u{1b}[31m \"x\" \\"
    );
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let event = event(&json!({
        "evt.type": "open", "evt.time": 0, "fd.name": {"base64": "L2Ev/3o="},
    }));
    let [text, json] = lines_of(&rule("f=%fd.name"), &[], &settings(), &event);
    assert_eq!(text, "00:00:00.000000000: Warning f=/a/\u{fffd}z");
    assert!(json.contains("\"fd.name\":\"/a/\u{fffd}z\""), "{json}");
}

#[test]
fn additions() {
    let additions = [
        AppendOutput {
            source: Some("syscall".to_owned()),
            extra_output: Some(Template::parse("cpu=%evt.cpu").unwrap()),
            extra_fields: vec![
                ("home".to_owned(), {
                    ExtraField::Text(Template::parse("on %proc.name").unwrap())
                }),
                ("evt.num".to_owned(), ExtraField::Raw(field::resolve("evt.num", None).unwrap())),
            ],
            ..AppendOutput::default()
        },
        AppendOutput {
            tags: vec!["mitre".to_owned()],
            extra_output: Some(Template::suggested()),
            ..AppendOutput::default()
        },
        AppendOutput {
            rule: Some("another".to_owned()),
            extra_output: Some(Template::parse("never").unwrap()),
            ..AppendOutput::default()
        },
        AppendOutput {
            tags: vec!["mitre".to_owned(), "another".to_owned()],
            extra_output: Some(Template::parse("never").unwrap()),
            ..AppendOutput::default()
        },
    ];
    let [text, json] = lines(&rule("x=%proc.pid"), &additions, &settings());
    assert_eq!(
        text,
        "16:17:57.881781397: Warning x=7 cpu=<NA> container_id=host container_name=host \
         container_image_repository=<NA> container_image_tag=<NA> k8s_pod_name=<NA> \
         k8s_ns_name=<NA>"
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["output_fields"],
        json!({
            "container.id": "host", "container.image.repository": null,
            "container.image.tag": null, "container.name": "host", "evt.cpu": null,
            "evt.num": 42, "evt.time": 1_470_327_477_881_781_397_u64, "home": "on cat",
            "k8s.ns.name": null, "k8s.pod.name": null, "proc.pid": 7,
        })
    );
}

#[test]
fn keys_are_sorted() {
    let [_, json] = lines(&rule("%proc.name %evt.type %evt.arg.flags %fd.name"), &[], &settings());
    let fields = &json[json.find("output_fields").unwrap()..];
    let places = ["evt.arg.flags", "evt.time", "evt.type", "fd.name", "proc.name", "priority"];
    let places = places.map(|key| fields.find(&format!("\"{key}\":")).unwrap());
    assert!(places.is_sorted(), "{json}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_template_or_told_why_not(text in "[%*a-z0-9.\\[\\](),\" é]{0,40}") {
        if let Err(problems) = Template::parse(&text) {
            proptest::prop_assert!(!problems.is_empty());
            for problem in problems {
                // Every span can be shown.
                proptest::prop_assert!(text.get(problem.span).is_some());
            }
        }
    }

    #[test]
    fn any_bytes_make_one_line(name in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&name);
        let event = event(&json!({
            "evt.type": "open", "evt.time": 1, "fd.name": {"base64": encoded},
            "evt.buffer": {"base64": encoded},
        }));
        let rule = rule("%fd.name %evt.buffer %5fd.name %toupper(fd.name)");
        let [text, json] = lines_of(&rule, &[], &settings(), &event);
        proptest::prop_assert!(text.bytes().all(|byte| byte >= b' '));
        proptest::prop_assert!(json.bytes().all(|byte| byte >= b' '));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = String::from_utf8_lossy(&name);
        proptest::prop_assert_eq!(json["output_fields"]["fd.name"].as_str(), Some(&*expected));
        // The text is the output as JSON has it inside its quotes.
        let line: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        proptest::prop_assert_eq!(json["output"].as_str(), Some(line.as_str()));
    }
}

//! Reading, deriving and writing back.

use serde_json::json;

use super::JsonEvent;
use crate::rules::event::Event;
use crate::rules::value::Value;

/// All values of the field of a key such as `proc.aname[2]`, as texts.
fn values(event: &JsonEvent, key: &str) -> Vec<String> {
    let field = super::field_of(key).unwrap();
    let texts = (0..).map_while(|nth| event.value(&field, nth)).map(|value| match value {
        Value::Text(text) | Value::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Ip(value) => value.to_string(),
    });
    texts.collect()
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases read better")]
fn check(event: serde_json::Value, expected: &[(&str, &[&str])]) {
    let event = JsonEvent::from_value(&event).unwrap();
    for (key, expected) in expected {
        assert_eq!(values(&event, key), *expected, "{key}");
    }
}

#[test]
fn values_of_every_kind() {
    check(
        json!({
            "evt.type": "openat", "evt.time": 1_700_000_000_000_000_123_u64, "proc.pid": -1,
            "user.uid": 0, "proc.fdusage": 1.5, "proc.is_exe_writable": true, "fd.sport": 443,
            "fd.sip": "::1", "evt.buffer": {"base64": "/wA="}, "proc.name": null,
            "evt.arg": {"flags": "O_RDONLY", "mode": 0}, "evt.rawarg": {"res": -2},
            "tenant.labels": {"team": "blue"}, "container.mount.dest[/proc*]": "/host/proc",
            "fd.types": ["file", "pipe"],
        }),
        &[
            ("evt.type", &["openat"]),
            ("evt.rawtime", &["1700000000000000123"]),
            ("evt.rawtime.s", &["1700000000"]),
            ("evt.rawtime.ns", &["123"]),
            ("proc.pid", &["-1"]),
            ("user.uid", &["0"]),
            ("proc.fdusage", &["1.5"]),
            ("proc.is_exe_writable", &["true"]),
            ("fd.sport", &["443"]),
            ("fd.sip", &["::1"]),
            ("evt.buffer", &["\u{fffd}\0"]),
            ("proc.name", &[]),
            ("evt.arg.flags", &["O_RDONLY"]),
            ("evt.arg[3]", &["O_RDONLY"]),
            ("evt.arg[0]", &[]),
            ("evt.arg.mode", &["0"]),
            ("evt.rawarg.res", &["-2"]),
            ("tenant.labels[team]", &["blue"]),
            ("tenant.labels[other]", &[]),
            ("container.mount.dest[/proc*]", &["/host/proc"]),
            ("fd.types", &["file", "pipe"]),
        ],
    );
}

#[test]
fn mistakes() {
    let check = |line: &str, expected: &str| {
        assert_eq!(JsonEvent::from_line(line).unwrap_err().to_string(), expected, "{line}");
    };
    check("{", "not JSON: EOF while parsing an object at line 1 column 1");
    check("[]", "an event is an object, not an array");
    check("{}", "`evt.type` is missing");
    check(
        r#"{"evt.type": "opennat"}"#,
        "key `evt.type`: `opennat` is not a type of event; did you mean `openat`?",
    );
    check(
        r#"{"evt.type": "open", "proc.nmae": "x"}"#,
        "key `proc.nmae`: `proc.nmae` is not a field; did you mean `proc.name`?",
    );
    check(r#"{"evt.type": "open", "proc.name": 3}"#, "key `proc.name`: a text is expected, not 3");
    check(
        r#"{"evt.type": "open", "fd.sport": 65536}"#,
        "key `fd.sport`: a port is expected, not 65536",
    );
    check(
        r#"{"evt.type": "open", "fd.ip": ["x"]}"#,
        "key `fd.ip`: an IP address is expected, not \"x\"",
    );
    check(
        r#"{"evt.type": "open", "evt.arg": {"flgas": "x"}}"#,
        "key `evt.arg`: `flgas` is not a parameter of any event; did you mean `flags`?",
    );
    check(
        r#"{"evt.type": "open", "proc.env": {"A": 1}}"#,
        "key `proc.env[A]`: a text is expected, not 1",
    );
    check(
        r#"{"evt.type": "open", "proc.name[1]": "x"}"#,
        "key `proc.name[1]`: `proc.name` takes no argument",
    );
}

#[test]
fn ancestors() {
    check(
        json!({"evt.type": "execve", "proc.name": "ls", "proc.aname": ["bash", "sshd"]}),
        &[
            ("proc.pname", &["bash"]),
            ("proc.aname", &["bash", "sshd"]),
            ("proc.aname[0]", &["ls"]),
            ("proc.aname[1]", &["bash"]),
            ("proc.aname[2]", &["sshd"]),
            ("proc.aname[3]", &[]),
        ],
    );
    check(
        json!({"evt.type": "execve", "proc.pname": "bash", "proc.aname[2]": "sshd"}),
        &[("proc.aname", &["bash", "sshd"]), ("proc.aname[1]", &["bash"])],
    );
    check(json!({"evt.type": "execve", "proc.ppid": 7}), &[("proc.apid", &["7"])]);
}

#[test]
fn connections() {
    let ends: &[(&str, &[&str])] = &[
        ("fd.name", &["10.0.0.1:4711->10.0.0.2:443"]),
        ("fd.cip", &["10.0.0.1"]),
        ("fd.sport", &["443"]),
        ("fd.ip", &["10.0.0.1", "10.0.0.2"]),
        ("fd.net", &["10.0.0.1", "10.0.0.2"]),
        ("fd.port", &["4711", "443"]),
        ("fd.snet", &["10.0.0.2"]),
        ("fd.rip", &["10.0.0.2"]),
        ("fd.lport", &["4711"]),
        ("fd.typechar", &["4"]),
        ("fd.type", &["ipv4"]),
        ("fd.sockfamily", &["ip"]),
        ("fd.directory", &[]),
    ];
    check(json!({"evt.type": "connect", "fd.name": "10.0.0.1:4711->10.0.0.2:443"}), ends);
    check(
        json!({"evt.type": "connect", "fd.cip": "10.0.0.1", "fd.cport": 4711,
               "fd.sip": "10.0.0.2", "fd.sport": 443}),
        ends,
    );
    check(
        json!({"evt.type": "accept4", "fd.name": "::1:4711->::2:22"}),
        &[("fd.lip", &["::2"]), ("fd.rport", &["4711"]), ("fd.typechar", &["6"])],
    );
    check(
        json!({"evt.type": "sendto", "fd.sip": "10.0.0.2"}),
        &[("fd.ip", &["10.0.0.2"]), ("fd.rip", &[]), ("fd.name", &[])],
    );
    check(
        json!({"evt.type": "sendto", "fd.ip": ["10.0.0.1", "10.0.0.2"]}),
        &[("fd.net", &["10.0.0.1", "10.0.0.2"])],
    );
}

#[test]
fn files() {
    let check_name = |name: &str, directory: &str, filename: &str| {
        check(
            json!({"evt.type": "openat", "fd.name": name}),
            &[
                ("fd.directory", &[directory]),
                ("fd.filename", &[filename]),
                ("fd.typechar", &["f"]),
                ("fs.path.name", &[name]),
            ],
        );
    };
    check_name("/etc/shadow", "/etc", "shadow");
    check_name("/vmlinuz", "/", "vmlinuz");
    check(
        json!({"evt.type": "openat", "fd.name": "/etc", "fd.type": "directory"}),
        &[("fd.directory", &["/etc"]), ("fd.filename", &[]), ("fd.typechar", &["d"])],
    );
    check(json!({"evt.type": "read", "fd.typechar": "p"}), &[("fd.type", &["pipe"])]);
}

#[test]
fn ways_to_open() {
    let check_flags = |name: &str, flags: &str, mode: &str, expected: [&str; 4]| {
        let [read, write, create, exec] = expected;
        check(
            json!({"evt.type": name, "evt.arg": {"flags": flags, "mode": mode}}),
            &[
                ("evt.is_open_read", &[read]),
                ("evt.is_open_write", &[write]),
                ("evt.is_open_create", &[create]),
                ("evt.is_open_exec", &[exec]),
            ],
        );
    };
    check_flags("open", "O_RDONLY|O_CLOEXEC", "0", ["true", "false", "false", "false"]);
    check_flags("openat", "O_RDWR", "0", ["true", "true", "false", "false"]);
    check_flags("openat2", "O_WRONLY|O_CREAT", "0755", ["false", "true", "true", "true"]);
    check_flags("openat", "O_WRONLY|O_CREAT", "0644", ["false", "true", "true", "false"]);
    check_flags("creat", "", "0700", ["false", "true", "true", "true"]);
    check(json!({"evt.type": "open"}), &[("evt.is_open_read", &[])]);
    check(json!({"evt.type": "dup", "evt.arg": {"flags": "O_RDWR"}}), &[("evt.is_open_read", &[])]);
}

#[test]
fn results() {
    let check_result = |event: serde_json::Value, res: &[&str], raw: &[&str], failed: &[&str]| {
        check(event, &[("evt.res", res), ("evt.rawres", raw), ("evt.failed", failed)]);
    };
    check_result(json!({"evt.type": "read", "evt.rawres": 5}), &["SUCCESS"], &["5"], &["false"]);
    check_result(json!({"evt.type": "read", "evt.rawres": -13}), &["EACCES"], &["-13"], &["true"]);
    check_result(json!({"evt.type": "read", "evt.res": "ENOENT"}), &["ENOENT"], &["-2"], &["true"]);
    check_result(json!({"evt.type": "read", "evt.res": "SUCCESS"}), &["SUCCESS"], &[], &["false"]);
    check_result(json!({"evt.type": "read", "evt.arg.res": 0}), &["SUCCESS"], &["0"], &["false"]);
    check_result(json!({"evt.type": "read"}), &[], &[], &[]);
}

#[test]
fn types() {
    let check_type = |name: &str, syscall: &[&str], category: &str, io: &str| {
        check(
            json!({"evt.type": name, "fd.typechar": "f"}),
            &[
                ("syscall.type", syscall),
                ("evt.category", &[category]),
                ("evt.is_io", &[io]),
                ("evt.dir", &["<"]),
            ],
        );
    };
    check_type("read", &["read"], "file", "true");
    check_type("pread64", &["pread"], "file", "true");
    check_type("connect", &["connect"], "net", "false");
    check_type("procexit", &[], "process", "false");
}

#[test]
fn command_lines() {
    let expected: &[(&str, &[&str])] = &[
        ("proc.cmdline", &["sh -c ls"]),
        ("proc.args", &["-c ls"]),
        ("proc.args[0]", &["-c"]),
        ("proc.args[1]", &["ls"]),
        ("proc.args[2]", &[]),
        ("proc.cmdnargs", &["2"]),
        ("proc.cmdlenargs", &["4"]),
    ];
    check(json!({"evt.type": "execve", "proc.name": "sh", "proc.args": "-c ls"}), expected);
    check(json!({"evt.type": "execve", "proc.name": "sh", "proc.args": ["-c", "ls"]}), expected);
    check(json!({"evt.type": "execve", "proc.cmdline": "sh -c ls"}), expected);
    check(
        json!({"evt.type": "execve", "proc.name": "ls", "proc.exe": "/bin/ls", "proc.args": ""}),
        &[("proc.cmdline", &["ls"]), ("proc.exeline", &["/bin/ls"])],
    );
}

#[test]
fn environments() {
    let expected: &[(&str, &[&str])] =
        &[("proc.env", &["A=1 B=x=y"]), ("proc.env[A]", &["1"]), ("proc.env[B]", &["x=y"])];
    check(json!({"evt.type": "execve", "proc.env": {"B": "x=y", "A": "1"}}), expected);
    check(json!({"evt.type": "execve", "proc.env": "A=1 B=x=y"}), expected);
}

#[test]
fn images() {
    let image = |image: &str, repository: &str, tag: &[&str]| {
        check(
            json!({"evt.type": "open", "container.image": image}),
            &[("container.image.repository", &[repository]), ("container.image.tag", tag)],
        );
    };
    image("localhost:5000/a/b:1.2", "localhost:5000/a/b", &["1.2"]);
    image("nginx", "nginx", &[]);
    check(
        json!({"evt.type": "open", "container.image.repository": "a", "container.image.tag": "b"}),
        &[("container.image", &["a:b"])],
    );
    check(json!({"evt.type": "open", "container.id": "host"}), &[("container.name", &["host"])]);
}

#[test]
fn what_is_given_stays() {
    check(
        json!({"evt.type": "openat", "fd.name": "/a/b", "fd.directory": "/x", "evt.dir": ">"}),
        &[("fd.directory", &["/x"]), ("evt.dir", &[">"]), ("fd.filename", &["b"])],
    );
}

#[test]
fn written_events_read_the_same() {
    let event = json!({
        "evt.type": "openat", "evt.rawtime": 12, "proc.aname": ["bash"], "proc.aname[3]": "init",
        "evt.arg.flags": "O_RDONLY", "proc.env[A]": "1", "fd.ip": ["10.0.0.1", "10.0.0.2"],
        "fd.name": {"base64": "L/8="}, "proc.fdusage": 0.25, "fd.types": ["file"],
        "k8s.pod.label[app]": "x",
    });
    let read = JsonEvent::from_value(&event).unwrap();
    assert_eq!(read.to_json(), event);
    assert_eq!(JsonEvent::from_value(&read.to_json()).unwrap(), read);
}

//! Broken files of different kinds, as a person gets to read about them.

use super::loaded;
use crate::rules::diagnostic::{summary, text};

#[track_caller]
fn check(file: &str, expected: &str) {
    let loaded = loaded(&[file]);
    let report = &loaded.reports[0];
    let told = format!("{}{}\n", text(report, false), summary(report));
    assert_eq!(told, expected, "\n{told}");
}

#[test]
fn slips_of_the_finger() {
    check(
        r#"- macro: spawned_process
  condition: (evt.type in (execve, execveat))

- rule: Shell in a pod
  desc: Somebody opened a shell
  condition: >
    spawned_proces and container.id != host
    and proc.nmae in (bash, sh)
  output: Shell %proc.cmdline opened by %usr.name
  priority: WARN
  tag: [shell]
"#,
        r#"error: there is no macro `spawned_proces`
 --> a.yaml:7:5 (rule `Shell in a pod`)
  |
7 |     spawned_proces and container.id != host
  |     ^^^^^^^^^^^^^^
  = help: did you mean `spawned_process`?

error: `proc.nmae` is not a field
 --> a.yaml:8:9 (rule `Shell in a pod`)
  |
8 |     and proc.nmae in (bash, sh)
  |         ^^^^^^^^^
  = help: did you mean `proc.name`?

error: `usr.name` is not a field
 --> a.yaml:9:42 (rule `Shell in a pod`)
  |
9 |   output: Shell %proc.cmdline opened by %usr.name
  |                                          ^^^^^^^^
  = help: did you mean `user.name`?

error: `WARN` is not a priority; there are emergency, alert, critical, error, warning, notice, informational (or info) and debug
  --> a.yaml:10:13 (rule `Shell in a pod`)
   |
10 |   priority: WARN
   |             ^^^^
   = help: did you mean `Warning`?

warning: the key `tag` is not known and ignored
  --> a.yaml:11:3 (rule `Shell in a pod`)
   |
11 |   tag: [shell]
   |   ^^^
   = help: did you mean `tags`?

a.yaml: Invalid
"#,
    );
}

#[test]
fn broken_yaml() {
    check(
        r#"- rule: Shell in a pod
  desc: Somebody opened a shell: look who
  condition: evt.type = execve
"#,
        r#"error: this is not YAML: mapping values are not allowed in this context
 --> a.yaml:2:32
  |
2 |   desc: Somebody opened a shell: look who
  |                                ^
  = help: put a value that holds `: ` in quotes, or write it as a block after `>`

a.yaml: Invalid
"#,
    );
}

#[test]
fn changes_of_what_is_not_there() {
    check(
        r#"- required_engine_version: 0.70.0

- list: shells
  items: [bash, sh]

- rule: Shell in a pod
  desc: Somebody opened a shell
  condition: evt.type = execve and proc.name in (shells) and fd.num = many
  output: Shell
  priority: WARNING
  exceptions:
  - name: known
    fields: [proc.name, proc.pname]
    comps: [=]
    values:
    - [bash, cron]

- rule: Shell in a Pod
  condition: and not proc.pname = cron
  output: more
  override:
    condition: append
"#,
        r#"error: the file needs version 0.70.0 of the rule engine, this one has 0.63.0
 --> a.yaml:1:28
  |
1 | - required_engine_version: 0.70.0
  |                            ^^^^^^
  = help: use an older release of the rule file, or a newer Landlord

error: `many` is not a signed number
 --> a.yaml:8:71 (rule `Shell in a pod`)
  |
8 |   condition: evt.type = execve and proc.name in (shells) and fd.num = many
  |                                                                       ^^^^
  = help: write a whole number, with 0x before it if it is hexadecimal

error: 2 fields have 1 comparisons
  --> a.yaml:14:12 (rule `Shell in a pod`)
   |
14 |     comps: [=]
   |            ^^
   = help: give one in `comps` for each of the `fields`

error: `override` does not say what to do with `output`
  --> a.yaml:20:3 (rule `Shell in a Pod`)
   |
20 |   output: more
   |   ^^^^^^
   = help: add `output` to `override` with `append` or `replace`, or remove it here

a.yaml: Invalid
"#,
    );
}

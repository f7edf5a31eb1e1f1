//! Explanations of small rule sets.

use super::{Explanation, explain};
use crate::rules::load::{Options, SourceFile, load};
use crate::rules::parse;
use crate::rules::typed::Condition;

const BASE: &str = "\
- list: shells
  items: [bash, sh]
- macro: started
  condition: (evt.type in (execve, execveat) and proc.name in (shells))
- rule: Any start
  desc: d
  condition: evt.type = execve and proc.tty != 0
  output: o
  priority: INFO
- rule: Shell
  desc: Somebody opened a shell
  condition: started and proc.tty != 0
  output: A shell (%user.name)
  priority: NOTICE
  exceptions:
    - name: images
      fields: container.image.repository
      values: [builder]
";

const LOCAL: &str = "\
- list: shells
  items: [zsh]
  override: {items: append}
- rule: Shell
  priority: ERROR
  exceptions:
    - name: images
      values: [other]
  override: {priority: replace, exceptions: append}
";

fn explained(files: &[(&str, &str)], rule: &str) -> Explanation {
    let files: Vec<SourceFile> =
        files.iter().map(|(name, text)| SourceFile::new(name, *text)).collect();
    let loaded = load(files.clone(), &Options::default());
    assert!(!loaded.failed(), "{:#?}", loaded.reports);
    let rule = loaded.rules.iter().find(|it| *it.name == *rule).unwrap();
    explain(rule, &loaded, &files)
}

fn both() -> Explanation {
    explained(&[("base.yaml", BASE), ("local.yaml", LOCAL)], "Shell")
}

#[test]
fn conditions_are_spread_out() {
    assert_eq!(
        both().expanded,
        "evt.type in (execve, execveat)\n\
         and proc.name in (bash, sh, zsh)\n\
         and proc.tty != 0\n\
         and not container.image.repository in (builder, other)"
    );
}

#[test]
fn what_is_spread_out_means_the_same() {
    let long = "evt.type = open and (fd.name startswith /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa or \
                fd.name startswith /bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb or not (proc.name = a \
                and (fd.num > 1 or fd.num < 0))) and not (proc.name = b or proc.name = c)";
    let bind = |text: &str| -> Condition {
        let expr = parse::condition(text).unwrap();
        let no_macros = &mut |_: &crate::rules::ast::Name| unreachable!();
        crate::rules::bind::condition(&expr, no_macros).unwrap().condition
    };
    let condition = bind(long);
    let pretty = super::pretty::pretty(&condition);
    assert!(pretty.lines().count() > 3, "{pretty}");
    assert_eq!(bind(&pretty), condition, "{pretty}");
}

#[test]
fn every_part_has_its_places() {
    let explanation = both();
    let places = |definitions: &[super::Definition]| -> Vec<String> {
        definitions.iter().map(|it| format!("{}:{} {}", it.file, it.line, it.what)).collect()
    };
    let changes = "local.yaml:4 priority: replace, exceptions: append";
    assert_eq!(places(&explanation.definitions), ["base.yaml:10 defined", changes]);
    let parts: Vec<(&str, &str, Vec<String>)> = explanation
        .parts
        .iter()
        .map(|part| (part.kind, part.name.as_str(), places(&part.definitions)))
        .collect();
    let owned = |all: &[&str]| all.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        parts,
        [
            ("list", "shells", owned(&["base.yaml:1 defined", "local.yaml:1 items: append"])),
            ("macro", "started", owned(&["base.yaml:3 defined"])),
        ]
    );
    let exceptions: Vec<_> = explanation
        .exceptions
        .iter()
        .map(|it| (it.name.as_str(), it.fields.len(), it.values, it.file.as_str()))
        .collect();
    assert_eq!(exceptions, [("images", 1, 1, "base.yaml"), ("images", 0, 1, "local.yaml")]);
}

#[test]
fn events_and_fields() {
    let explanation = both();
    assert_eq!(explanation.events, ["execve", "execveat"]);
    let fields: Vec<(&str, bool)> =
        explanation.fields.iter().map(|it| (it.field.as_str(), it.in_condition)).collect();
    let expected = [
        ("container.image.repository", true),
        ("evt.type", true),
        ("proc.name", true),
        ("proc.tty", true),
        ("user.name", false),
    ];
    assert_eq!(fields, expected);
    assert!(explanation.prefilter[0].contains("execve"), "{:?}", explanation.prefilter);
}

#[test]
fn what_comes_first() {
    assert_eq!(both().tried_after, ["Any start"]);
    assert_eq!(both().never_fires, None);
    let shadowed =
        BASE.replace("evt.type = execve and proc.tty != 0", "evt.type in (execve, execveat)");
    let why = explained(&[("base.yaml", &shadowed)], "Shell").never_fires.unwrap();
    assert!(why.contains("`Any start`"), "{why}");
}

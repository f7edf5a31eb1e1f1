//! Laws of the table, names, and the fields that Falco's own rules use.

use std::path::PathBuf;

use super::{
    ArgumentSpec, FieldError, FieldId, Flag, Needs, Shape, longest, lookup, resolve, similar,
};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::value::Kind;

#[test]
fn names_are_sorted_and_unique() {
    let name = |id: &FieldId| id.spec().name;
    assert!(FieldId::ALL.is_sorted_by(|a, b| name(a) < name(b)));
    for (index, id) in FieldId::ALL.iter().enumerate() {
        assert_eq!(id.index(), index);
        assert_eq!(lookup(name(id)), Some((*id, None)));
    }
}

#[test]
fn rows_make_sense() {
    for id in FieldId::ALL {
        let spec = id.spec();
        let name = spec.name;
        assert!(spec.description.ends_with('.'), "{name}: a sentence");
        assert!(!spec.description.contains("  "), "{name}: blanks");
        if spec.shape == Shape::Ends {
            assert!(spec.has(Flag::NoRightSide) && spec.has(Flag::ConditionOnly), "{name}");
        }
        if spec.shape == Shape::Ancestors {
            let optional = [ArgumentSpec::OptionalIndex, ArgumentSpec::OptionalKey];
            assert!(optional.contains(&spec.argument), "{name}");
        }
        if spec.has(Flag::Dotted) {
            assert_ne!(spec.argument, ArgumentSpec::None, "{name}");
        }
        assert!(Needs::ALL.contains(&spec.needs), "{name}");
        let mut flags = spec.flags.to_vec();
        flags.dedup();
        assert_eq!(flags, spec.flags, "{name}");
    }
}

#[test]
fn lookups() {
    let check = |name: &str, expected: Option<(FieldId, Option<&str>)>| {
        assert_eq!(lookup(name), expected, "{name}");
    };
    check("proc.name", Some((FieldId::ProcName, None)));
    check("evt.arg.flags", Some((FieldId::EvtArg, Some("flags"))));
    check("evt.type.is.open", Some((FieldId::EvtTypeIs, Some("open"))));
    check("thread.cgroup.cpu", Some((FieldId::ThreadCgroup, Some("cpu"))));
    check("k8s.pod.label.app.kubernetes.io/name", {
        Some((FieldId::K8sPodLabel, Some("app.kubernetes.io/name")))
    });
    check("evt.arg.", None);
    check("proc.name.x", None);
    check("proc", None);
    check("proc.", None);
    check("", None);
}

#[test]
fn arguments() {
    let check = |name: &str, brackets: Option<&str>, expected: Result<Argument, FieldError>| {
        let argument = resolve(name, brackets).map(|field| field.argument);
        assert_eq!(argument, expected, "{name}{brackets:?}");
    };
    let flags = Argument::Param(ParamId::named("flags").unwrap());
    check("proc.name", None, Ok(Argument::None));
    check("proc.name", Some("1"), Err(FieldError::ArgumentUnwanted("proc.name")));
    check("proc.aname", None, Ok(Argument::None));
    check("proc.aname", Some("2"), Ok(Argument::Index(2)));
    check("proc.aname", Some("-1"), {
        Err(FieldError::NotANumber { field: "proc.aname", argument: "-1".to_owned() })
    });
    check("proc.env", Some("HOME"), Ok(Argument::Key("HOME".into())));
    check("container.mount.dest", Some("/proc*"), Ok(Argument::Key("/proc*".into())));
    check("container.mount.dest", None, {
        Err(FieldError::ArgumentMissing("container.mount.dest"))
    });
    check("evt.arg.flags", None, Ok(flags.clone()));
    check("evt.arg", Some("flags"), Ok(flags.clone()));
    check("evt.arg", Some("0"), Ok(Argument::Index(0)));
    check("evt.arg.flags", Some("0"), Err(FieldError::ArgumentUnwanted("evt.arg")));
    check("evt.arg", None, Err(FieldError::ArgumentMissing("evt.arg")));
    check("evt.arg.flgas", None, Err(FieldError::UnknownParam("flgas".to_owned())));
    check("evt.rawarg.flags", None, Ok(flags));
    check("evt.rawarg", Some("0"), Err(FieldError::UnknownParam("0".to_owned())));
    check("evt.type.is.opn", None, Err(FieldError::UnknownType("opn".to_owned())));
    check("tenant.labels", Some("team"), Ok(Argument::Key("team".into())));
    check("proc.nam", None, Err(FieldError::Unknown("proc.nam".to_owned())));
}

#[test]
fn help() {
    let check = |name: &str, brackets: Option<&str>, expected: Option<&str>| {
        let help = resolve(name, brackets).unwrap_err().help();
        assert_eq!(help.as_deref(), expected, "{name}");
    };
    check("proc.nmae", None, Some("did you mean `proc.name`?"));
    check("container.image.repo", None, Some("did you mean `container.image.repository`?"));
    check("fd.nmu", None, Some("did you mean `fd.num`?"));
    check("evt.arg.flgas", None, Some("did you mean `flags`?"));
    check("evt.type.is.opn", None, Some("did you mean `open`?"));
    check("evt.arg", None, Some("such as `evt.arg.name`, or `evt.arg[0]` for the first"));
    check("qqqqqq", None, None);
    check("proc.name", Some("1"), None);
    assert_eq!(similar(&"x".repeat(10_000)), None);
}

#[test]
fn the_longest_field_at_the_beginning() {
    let check = |text: &str, expected: Option<(&str, &str)>| {
        let found = longest(text).map(|(field, length)| {
            (field.map_or_else(|error| error.to_string(), |it| it.to_string()), &text[length..])
        });
        let found = found.as_ref().map(|(field, rest)| (field.as_str(), *rest));
        assert_eq!(found, expected, "{text}");
    };
    check("proc.name ran", Some(("proc.name", " ran")));
    check("proc.name.", Some(("proc.name", ".")));
    check("proc.names", Some(("proc.name", "s")));
    check("proc.name[2]", Some(("proc.name", "[2]")));
    check("proc.aname[2])", Some(("proc.aname[2]", ")")));
    check("proc.exe_ino.ctime_duration_proc_start", {
        Some(("proc.exe_ino.ctime_duration_proc_start", ""))
    });
    check("evt.args", Some(("evt.args", "")));
    check("evt.arg.flags.", Some(("evt.arg.flags", ".")));
    check("evt.arg.namespace", Some(("evt.arg.name", "space")));
    check("evt.arg[0]", Some(("evt.arg[0]", "")));
    check("evt.arg", Some(("`evt.arg` needs an argument in brackets", "")));
    check("evt.type.is.openat2!", Some(("evt.type.is.openat2", "!")));
    check("thread.cgroup.cpu)", Some(("thread.cgroup.cpu", ")")));
    check("proc.env[HOME] x", Some(("proc.env[HOME]", " x")));
    check("proc.aname[2", Some(("proc.aname", "[2")));
    check("nothing.here", None);
    check("", None);
}

#[test]
fn arguments_decide_shape_and_kind() {
    let check = |name: &str, brackets: Option<&str>, shape: Shape, kind: Kind| {
        let field = resolve(name, brackets).unwrap();
        assert_eq!((field.shape(), field.kind()), (shape, kind), "{field}");
    };
    check("proc.aname", None, Shape::Ancestors, Kind::Text);
    check("proc.aname", Some("2"), Shape::One, Kind::Text);
    check("fd.types", None, Shape::List, Kind::Text);
    check("fd.types", Some("0"), Shape::One, Kind::Text);
    check("fd.net", None, Shape::Ends, Kind::Net);
    check("evt.rawarg.res", None, Shape::One, Kind::Int);
    check("evt.rawarg.flags", None, Shape::One, Kind::Uint);
    check("evt.arg.res", None, Shape::One, Kind::Text);
    check("k8smeta.svc.label", Some("a"), Shape::List, Kind::Text);
}

/// Every word of Falco's own rule files that looks like a field, and every type of
/// event that they name.
#[test]
fn the_official_rules_name_nothing_unknown() {
    let folder = std::env::var_os("LANDLORD_FALCO_RULES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/falco-rules")),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no rule files in {}", folder.display());
        return;
    };
    let mut fields = 0;
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        // A file named `user.log` and the class `fs.path` in prose are no fields.
        let words = lines.flat_map(|line| {
            line.split(|c: char| !c.is_ascii_alphanumeric() && !"._/[]*".contains(c))
        });
        for word in words {
            let word = word.trim_matches('.');
            let class = word.split('.').next().unwrap_or_default();
            let is_field = FieldId::ALL.iter().any(|id| id.spec().class() == class)
                && word.contains('.')
                && !["user.log", "fs.path"].contains(&word)
                && !word.contains("..");
            if !is_field {
                continue;
            }
            let Some((field, _)) = longest(word) else { panic!("{word} is not known") };
            let FieldRef { id, .. } = match field {
                Ok(field) => field,
                // Prose names the field alone.
                Err(FieldError::ArgumentMissing(_)) => continue,
                Err(error) => panic!("{word}: {error}"),
            };
            assert!(word.starts_with(id.spec().name));
            fields += 1;
        }
        for list in text.split("evt.type in (").skip(1) {
            let list = list.split(')').next().unwrap_or_default();
            for name in list.split(',').map(str::trim) {
                assert!(EventType::named(name).is_some(), "{name}");
            }
        }
    }
    assert!(fields > 1000, "{fields} fields in {}", folder.display());
}

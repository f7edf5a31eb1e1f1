//! Conditions that mean something and conditions that do not.

mod laws;
mod operators;
mod refused;

use super::{Bound, condition, problem};
use crate::rules::ast::Name;
use crate::rules::diagnostic::{Code, Problem, ProblemKind};
use crate::rules::typed::{Condition, Literal, Test};
use crate::rules::{parse, print};

/// There are three macros.
fn macros(name: &Name) -> Result<Condition, Problem> {
    let text = match name.text.as_str() {
        "spawned" => "evt.type in (execve, execveat)",
        "shell" => "proc.name = bash or proc.name = sh",
        "never" => "not evt.num exists",
        other => {
            let message = format!("there is no macro `{other}`");
            return Err(problem(ProblemKind::UnknownName, name.span.clone(), message, ""));
        }
    };
    Ok(bound(text).condition)
}

fn try_bind(text: &str) -> Result<Bound, Vec<Problem>> {
    condition(&parse::condition(text).expect(text), &mut macros)
}

#[track_caller]
fn bound(text: &str) -> Bound {
    try_bind(text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

/// Binds a condition and prints what it comes to.
#[track_caller]
fn means(text: &str, expected: &str) {
    assert_eq!(print::typed(&bound(text).condition), expected, "{text}");
}

#[test]
fn fields_are_found_with_their_arguments() {
    means("proc.name = bash", "proc.name = bash");
    means("proc.aname = bash", "proc.aname = bash");
    means("proc.aname[2] = bash", "proc.aname[2] = bash");
    means("proc.env[HOME] = /", "proc.env[HOME] = /");
    means("proc.env['a b'] exists", r#"proc.env["a b"] exists"#);
    means("evt.arg.flags contains O_TRUNC", "evt.arg.flags contains O_TRUNC");
    means("evt.arg[flags] contains O_TRUNC", "evt.arg.flags contains O_TRUNC");
    means("evt.arg[0] = x", "evt.arg[0] = x");
    means("evt.rawarg.res > 5", "evt.rawarg.res > 5");
    means("evt.type.is.open = 1", "evt.type.is[open] = 1");
    means("tenant.labels[team] = a", "tenant.labels[team] = a");
}

#[test]
fn literals_get_the_type_of_the_field() {
    means("proc.pid = 0x1F", "proc.pid = 31");
    means("proc.pid = -0x10", "proc.pid = -16");
    means("proc.pid = +5", "proc.pid = 5");
    means("proc.pid = -9223372036854775808", "proc.pid = -9223372036854775808");
    means("user.uid = 18446744073709551615", "user.uid = 18446744073709551615");
    means("proc.duration >= 1000000000", "proc.duration >= 1000000000");
    means("thread.cpu > 0.50", "thread.cpu > 0.5");
    means("thread.cpu = -0.0", "thread.cpu = 0");
    means("fd.sport = 65535", "fd.sport = 65535");
    means("fd.sport in (ssh, 443, https)", "fd.sport in (22, 443)");
    means("evt.is_open_read = true", "evt.is_open_read = true");
    means("evt.is_open_read in (false, true)", "evt.is_open_read in (false, true)");
    means("fd.sip = ::1", "fd.sip = ::1");
    means("fd.sip = 0:0:0:0:0:0:0:1", "fd.sip = ::1");
    means("fd.sip in (10.0.0.1, 10.0.0.0/8)", "fd.sip in (10.0.0.1, 10.0.0.0/8)");
    means("fd.snet = 10.1.2.3/8", "fd.snet = 10.0.0.0/8");
    means("fd.snet in ('fd00::/8')", "fd.snet in (fd00::/8)");
    means("fd.sip.name = example.org", "fd.sip.name = example.org");
    means("evt.type in (open, openat)", "evt.type in (open, openat)");
    means("evt.type startswith op", "evt.type startswith op");
    means("evt.buffer bcontains 7f454C46", r#"evt.buffer contains "\x7fELF""#);
    means("evt.buffer bstartswith ff00", r#"evt.buffer startswith "\xff\x00""#);
    means("proc.name < 5", "proc.name < 5");
}

#[test]
fn sets_are_sorted_and_hold_nothing_twice() {
    means("proc.name in (b, a, 'b')", "proc.name in (a, b)");
    means("proc.name intersects (b, a)", "proc.name intersects (a, b)");
    means("fd.name pmatch (/var, /etc, /var)", "fd.name pmatch (/etc, /var)");
    means("proc.name = anyof (b, a, b)", "proc.name = anyof (a, b)");
    means("proc.name != allof (b, a, b)", "proc.name != allof (a, b)");
    // Of two equal ones both pass, which is not one.
    means("proc.name = oneof (b, a, b)", "proc.name = oneof (a, b, b)");
    means("proc.name in ()", "proc.name in ()");
    // The name of a list that nobody defined.
    means("proc.name in shells", "proc.name in (shells)");
    assert_eq!(bound("proc.name == a").condition, bound("proc.name='a'").condition);
}

#[test]
fn levels_that_change_nothing_are_gone() {
    means(
        "proc.pid = 1 and (proc.pid = 2 and proc.pid = 3)",
        "proc.pid = 1 and proc.pid = 2 and proc.pid = 3",
    );
    means(
        "(proc.pid = 1 or proc.pid = 2) or proc.pid = 3",
        "proc.pid = 1 or proc.pid = 2 or proc.pid = 3",
    );
    means("not (not proc.pid = 1)", "proc.pid = 1");
    means("not (not (not proc.pid = 1))", "not proc.pid = 1");
    means(
        "proc.pid = 1 or proc.pid = 2 and proc.pid = 3",
        "proc.pid = 1 or proc.pid = 2 and proc.pid = 3",
    );
    means(
        "(proc.pid = 1 or proc.pid = 2) and proc.pid = 3",
        "(proc.pid = 1 or proc.pid = 2) and proc.pid = 3",
    );
}

#[test]
fn macros_are_what_they_stand_for() {
    means(
        "spawned and shell",
        "evt.type in (execve, execveat) and (proc.name = bash or proc.name = sh)",
    );
    means("shell or proc.name = zsh", "proc.name = bash or proc.name = sh or proc.name = zsh");
    means("not never", "evt.num exists");
    let problems = try_bind("spawned and foo or bar").unwrap_err();
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["there is no macro `foo`", "there is no macro `bar`"]);
}

#[test]
fn transformers_have_types() {
    means("len(proc.name) > 5", "len(proc.name) > 5");
    means("len(evt.buffer) = 3", "len(evt.buffer) = 3");
    means("len(k8smeta.svc.name) = 3", "len(k8smeta.svc.name) = 3");
    means("toupper(tolower(proc.name)) = A", "toupper(tolower(proc.name)) = A");
    means("tolower(k8smeta.svc.name) in (a)", "tolower(k8smeta.svc.name) in (a)");
    means("basename(fd.name) startswith lib", "basename(fd.name) startswith lib");
    means("b64(evt.buffer) bcontains 00ff", r#"b64(evt.buffer) contains "\x00\xff""#);
    means(r#"join("-", (proc.name, 5)) = y"#, r#"join("-", (proc.name, "5")) = y"#);
    means(r#"concat(proc.name, " ", 0x1) = y"#, r#"concat(proc.name, " ", "0x1") = y"#);
    means(r#"getopt((proc.name), "n") in (n)"#, r#"getopt((proc.name), "n") in (n)"#);
    means(r#"getopt((proc.name), "n:")[n] = y"#, r#"getopt((proc.name), "n:")[n] = y"#);
}

#[test]
fn values_of_one_type_are_compared_with_each_other() {
    means("proc.name = val(proc.pname)", "proc.name = val(proc.pname)");
    means("proc.pid < val(proc.ppid)", "proc.pid < val(proc.ppid)");
    means("fd.sip != val(fd.cip)", "fd.sip != val(fd.cip)");
    means("proc.name glob val(proc.pname)", "proc.name glob val(proc.pname)");
    means("proc.name in val(proc.pname)", "proc.name in val(proc.pname)");
    means("proc.name intersects val(proc.pname)", "proc.name intersects val(proc.pname)");
    means("proc.name = tolower(proc.name)", "proc.name = tolower(proc.name)");
    means("len(proc.name) = len(proc.pname)", "len(proc.name) = len(proc.pname)");
}

#[test]
fn regular_expressions_mean_what_they_mean_in_re2() {
    let check = |written: &str, read: &str| {
        let escaped = written.replace('\\', "\\\\");
        let Condition::Check(check) = bound(&format!("proc.name regex '{escaped} *'")).condition
        else {
            panic!("{written}")
        };
        let Test::Literal { literals, .. } = check.test else { panic!("{written}") };
        let expected = Literal::Text(format!("{read} *").into_bytes().into());
        assert_eq!(literals, [expected], "{written}");
    };
    check("a(b|c)*[d-f]?", "a(b|c)*[d-f]?");
    check("^/etc/.*", "^/etc/.*");
    check("[[:alpha:]_]+", "[[:alpha:]_]+");
    check("[]a]", "[\\]a]");
    check("[^]a]", "[^\\]a]");
    check("[[a&&b~~c]", "[\\[a\\&\\&b\\~\\~c]");
    check("[+--]", "[+-\\-]");
    check("a{2}b{2,}c{2,3}", "a{2}b{2,}c{2,3}");
    check("a{,2}{x}", "a\\{,2}\\{x}");
    check("a+?b*?", "a+{0,1}b*{0,1}");
    check("a\\.b\\[\\\\", "a\\.b\\[\\\\");
    check("a^b$c", "(?m)a^b$c");
    check("größe", "größe");
}

#[test]
fn odd_conditions_are_warned_of() {
    let check = |text: &str, expected: &[(Code, &str, &str)]| {
        let bound = bound(text);
        let told: Vec<_> = bound
            .warnings
            .iter()
            .map(|one| (one.code, &text[one.span.clone()], one.message.as_str()))
            .collect();
        assert_eq!(told, expected, "{text}");
    };
    let missing = "a value that is missing is not `<NA>`: it makes every check false";
    check("proc.name = <NA>", &[(Code::UnsafeNaCheck, "<NA>", missing)]);
    check("not proc.name = '<NA>'", &[(Code::UnsafeNaCheck, "'<NA>'", missing)]);
    check("fd.types intersects (<NA>, file)", &[(Code::UnsafeNaCheck, "<NA>", missing)]);
    let other = "a value that is missing is not `N/A`: it makes every check false";
    check("proc.name == N/A", &[(Code::UnsafeNaCheck, "N/A", other)]);
    check("proc.name in (a, N/A, <NA>)", &[(Code::UnsafeNaCheck, "N/A", other)]);
    // A missing value makes this false, too, which is what is meant.
    check("proc.name != <NA> and proc.pname != 'N/A'", &[]);
    check("proc.name in (a, <NA>)", &[(Code::UnsafeNaCheck, "<NA>", missing)]);
    check("fd.name pmatch (<NA>)", &[(Code::UnsafeNaCheck, "<NA>", missing)]);
    check("proc.name contains <NA>", &[]);
    check(
        "proc.name = proc.pname",
        &[(
            Code::ConditionWarning,
            "proc.pname",
            "`proc.pname` is compared as a text, not as a field",
        )],
    );
    check(
        "proc.name = 'tolower( proc.pname )'",
        &[(
            Code::ConditionWarning,
            "'tolower( proc.pname )'",
            "`tolower( proc.pname )` is compared as a text, not as a transformer",
        )],
    );
    check(
        "proc.name regex '^.*bash.*$'",
        &[(Code::ConditionWarning, "'^.*bash.*$'", "`^.*bash.*$` needs no regular expression")],
    );
    check("proc.name regex 'ba+sh'", &[]);
    check(
        "user.uid != -1",
        &[(Code::ConditionWarning, "-1", "`-1` is negative, and `user.uid` never is")],
    );
    check("user.loginuid != -1", &[]);
}

#[test]
fn directions_are_warned_of() {
    let check = |text: &str, expected: &[(&str, bool)]| {
        let bound = bound(text);
        let told: Vec<_> = bound
            .warnings
            .iter()
            .map(|one| {
                assert_eq!(one.code, Code::DeprecatedItem);
                (
                    &text[one.span.start..],
                    one.message == "`evt.dir` is always `<`: this always holds",
                )
            })
            .collect();
        assert_eq!(told, expected, "{text}");
        let never = "`evt.dir` is always `<`: this never holds";
        let others = bound.warnings.iter().zip(&told).filter(|(_, (_, always))| !always);
        others.for_each(|(one, _)| assert_eq!(one.message, never, "{text}"));
    };
    check("evt.dir = <", &[("evt.dir = <", true)]);
    check("evt.dir exists", &[("evt.dir exists", true)]);
    check("evt.dir in (<, >)", &[("evt.dir in (<, >)", true)]);
    check("evt.dir != >", &[("evt.dir != >", true)]);
    check("evt.dir = >", &[("evt.dir = >", false)]);
    check("not evt.dir = >", &[("evt.dir = >", false)]);
    check("evt.dir in (>)", &[("evt.dir in (>)", false)]);
    check("evt.dir != <", &[("evt.dir != <", false)]);
    // Each once.
    check("evt.dir = < or evt.dir = <", &[("evt.dir = < or evt.dir = <", true)]);
    check("evt.dir=> or evt.dir=<", &[("evt.dir=> or evt.dir=<", false), ("evt.dir=<", true)]);
}

#[test]
fn other_checks_of_directions_are_warned_of() {
    let [warning] = &*bound("evt.dir startswith <").warnings else { panic!() };
    assert_eq!(warning.message, "`evt.dir` is kept for old rules only");
}

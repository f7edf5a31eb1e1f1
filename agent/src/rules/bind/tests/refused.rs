//! Conditions that read but mean nothing, and what people are told: the words that
//! are underlined, what is wrong with them, what to do.

use super::try_bind;

#[track_caller]
fn refuses(text: &str, expected: &[(&str, &str, &str)]) {
    let problems = try_bind(text).expect_err(text);
    let told: Vec<_> = problems
        .iter()
        .map(|problem| {
            let help = problem.help.as_deref().unwrap_or_default();
            (&text[problem.span.clone()], problem.message.as_str(), help)
        })
        .collect();
    assert_eq!(told, expected, "{text}");
}

#[test]
fn names_that_do_not_exist() {
    refuses(
        "proc.nmae = x",
        &[("proc.nmae", "`proc.nmae` is not a field", "did you mean `proc.name`?")],
    );
    refuses(
        "foo.bar = x",
        &[("foo.bar", "`foo.bar` is not a field", "`landlord rules fields` lists the fields")],
    );
    refuses("proc.name[2] = x", &[("2", "`proc.name` takes no argument", "")]);
    refuses(
        "proc.aname[x] = y",
        &[(
            "x",
            "`x` is not a number that `proc.aname` can have in brackets",
            "such as `proc.aname[1]`",
        )],
    );
    refuses(
        "evt.arg.flgas = x",
        &[("evt.arg.flgas", "`flgas` is not a parameter of any event", "did you mean `flags`?")],
    );
    refuses(
        "evt.arg = x",
        &[(
            "evt.arg",
            "`evt.arg` needs an argument in brackets",
            "such as `evt.arg.name`, or `evt.arg[0]` for the first",
        )],
    );
    refuses("evt.arg.flags[x] = y", &[("x", "`evt.arg` takes no argument", "")]);
    refuses(
        "evt.type = opne",
        &[("opne", "there is no type of event `opne`", "did you mean `open`?")],
    );
    refuses("evt.type in (open, foo, openat)", &[("foo", "there is no type of event `foo`", "")]);
    refuses(
        "evt.type.is.opne = 1",
        &[("evt.type.is.opne", "`opne` is not a type of event", "did you mean `open`?")],
    );
    refuses("foo", &[("foo", "there is no macro `foo`", "")]);
    refuses(
        "proc.nmae = val(proc.pnmae)",
        &[
            ("proc.nmae", "`proc.nmae` is not a field", "did you mean `proc.name`?"),
            ("proc.pnmae", "`proc.pnmae` is not a field", "did you mean `proc.pname`?"),
        ],
    );
}

#[test]
fn literals_of_the_wrong_type() {
    refuses(
        "proc.pid = abc",
        &[(
            "abc",
            "`abc` is not a signed number",
            "write a whole number, with 0x before it if it is hexadecimal",
        )],
    );
    refuses(
        "proc.pid = 5.5",
        &[(
            "5.5",
            "`5.5` is not a signed number",
            "write a whole number, with 0x before it if it is hexadecimal",
        )],
    );
    refuses(
        "proc.pid = 9223372036854775808",
        &[(
            "9223372036854775808",
            "`9223372036854775808` is out of range",
            "it has to be -9223372036854775808..=9223372036854775807",
        )],
    );
    refuses(
        "user.uid = 99999999999999999999999999999999999999999999",
        &[(
            "99999999999999999999999999999999999999999999",
            "`9999999999999999999999999999999999999999…` is out of range",
            "it has to be 0..=18446744073709551615",
        )],
    );
    refuses("fd.sport = 70000", &[("70000", "`70000` is out of range", "it has to be 0..=65535")]);
    refuses(
        "fd.sport = foo",
        &[(
            "foo",
            "`foo` is not a port",
            "write its number, or one of the usual names such as `ssh`",
        )],
    );
    refuses("fd.sport = -1", &[("-1", "`-1` is out of range", "it has to be 0..=65535")]);
    refuses("thread.cpu = x", &[("x", "`x` is not a fraction", "write a number such as 0.5")]);
    refuses(
        "thread.cpu = NaN",
        &[("NaN", "`NaN` is not a fraction", "write a number such as 0.5")],
    );
    refuses(
        "evt.is_open_read = yes",
        &[("yes", "`yes` is not a boolean", "write `true` or `false`")],
    );
    refuses(
        "fd.sip = 10.0.0",
        &[("10.0.0", "`10.0.0` is not an address", "write it as 10.0.0.1, 10.0.0.0/8 or fd00::/8")],
    );
    refuses(
        "fd.snet = 10.0.0.0/33",
        &[(
            "10.0.0.0/33",
            "`10.0.0.0/33` is not a network address",
            "write it as 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        )],
    );
    refuses("fd.sip.name = ''", &[("''", "`` is not the name of a host", "")]);
    refuses(
        "evt.buffer bcontains 7f4",
        &[(
            "7f4",
            "`7f4` is not a sequence of bytes in hexadecimal",
            "two digits stand for a byte, such as 7f454c46",
        )],
    );
    refuses(
        "evt.buffer bcontains xx",
        &[(
            "xx",
            "`xx` is not a sequence of bytes in hexadecimal",
            "two digits stand for a byte, such as 7f454c46",
        )],
    );
    refuses(
        "evt.buffer bcontains ''",
        &[(
            "''",
            "`` is not a sequence of bytes in hexadecimal",
            "two digits stand for a byte, such as 7f454c46",
        )],
    );
    refuses(
        "fd.sport in (x, 80, y)",
        &[
            ("x", "`x` is not a port", "write its number, or one of the usual names such as `ssh`"),
            ("y", "`y` is not a port", "write its number, or one of the usual names such as `ssh`"),
        ],
    );
}

#[test]
fn regular_expressions_that_are_none() {
    refuses(
        "proc.name regex '('",
        &[(
            "'('",
            "`(` is not a regular expression: unclosed group",
            "there are no references back and no looking around",
        )],
    );
    refuses(
        "proc.name regex 'a(?=b)'",
        &[(
            "'a(?=b)'",
            "`a(?=b)` is not a regular expression: look-around, including look-ahead and \
             look-behind, is not supported",
            "there are no references back and no looking around",
        )],
    );
    refuses(
        "proc.name regex '(a{1000}){1000}'",
        &[(
            "'(a{1000}){1000}'",
            "`(a{1000}){1000}` takes too much memory",
            "repeat less often, or less inside what is repeated",
        )],
    );
    refuses("proc.name regex '\\xff'", &[("'\\xff'", "a regular expression has to be UTF-8", "")]);
}

#[test]
fn transformers_of_the_wrong_type() {
    refuses(
        "len(proc.pid) > 5",
        &[("proc.pid", "`len` takes a text, bytes or a list here, not a signed number", "")],
    );
    refuses("tolower(fd.ip) = x", &[("fd.ip", "no transformer can be applied to `fd.ip`", "")]);
    refuses(
        "tolower(proc.aname[2]) = x",
        &[("proc.aname[2]", "no transformer can be applied to `proc.aname`", "")],
    );
    refuses(
        "tolower(evt.type) = open",
        &[(
            "evt.type",
            "no transformer can be applied to `evt.type`",
            "the events of a rule have to be known before one happens",
        )],
    );
    refuses(
        "tolower(proc.name, proc.name) = x",
        &[("tolower", "`tolower` takes one argument", "")],
    );
    refuses(
        "join(proc.name, proc.name) = x",
        &[("proc.name", "`join` takes a list of texts here, not a text", "")],
    );
    refuses("join(',') = x", &[("join", "`join` takes two arguments: join(separator, list)", "")]);
    refuses(
        "join(',', (proc.pid)) = x",
        &[(
            "proc.pid",
            "this is not a text",
            "a list among the arguments of a transformer consists of texts",
        )],
    );
    refuses("concat(proc.name) = x", &[("concat", "`concat` takes two arguments or more", "")]);
    refuses(
        "concat(proc.name, proc.pid) = x",
        &[("proc.pid", "`concat` takes a text here, not a signed number", "")],
    );
    refuses(
        "getopt((proc.name), 'n') = n",
        &[(
            "=",
            "`=` does not apply to `getopt`, which is a list of texts",
            "use one of in intersects exists",
        )],
    );
    refuses(
        "getopt((proc.name), 'n')[nn] = n",
        &[("nn", "the argument of `getopt(…)` has to be one letter", "such as `getopt(…)[n]`")],
    );
    refuses("len(proc.name)[2] = 5", &[("2", "`len(…)` takes no argument in brackets", "")]);
    refuses(
        "b64(proc.pid) = x",
        &[("proc.pid", "`b64` takes a text or bytes here, not a signed number", "")],
    );
    refuses(
        "tolower(evt.buffer) = x",
        &[("evt.buffer", "`tolower` takes a text here, not a byte sequence", "")],
    );
}

#[test]
fn values_that_cannot_be_compared() {
    refuses(
        "proc.name = val(proc.pid)",
        &[(
            "proc.pid",
            "a text cannot be compared with a signed number",
            "both sides have to be of the same type",
        )],
    );
    refuses(
        "proc.name = val(evt.type)",
        &[(
            "evt.type",
            "`evt.type` cannot be compared with a field",
            "the events of a rule have to be known before one happens",
        )],
    );
    refuses(
        "evt.type = val(proc.name)",
        &[(
            "evt.type",
            "`evt.type` cannot be compared with a field",
            "the events of a rule have to be known before one happens",
        )],
    );
    refuses(
        "proc.name = val(proc.aname)",
        &[("proc.aname", "`proc.aname` cannot be compared with a field", "")],
    );
    refuses("fd.ip = val(fd.sip)", &[("fd.ip", "`fd.ip` cannot be compared with a field", "")]);
    refuses(
        "proc.name regex val(proc.pname)",
        &[("regex", "`regex` takes literals only", "what it compares with is compiled ahead")],
    );
    refuses(
        "proc.name pmatch val(proc.pname)",
        &[("pmatch", "`pmatch` takes literals only", "what it compares with is compiled ahead")],
    );
    refuses(
        "fd.snet = val(fd.sip)",
        &[("fd.snet", "`fd.snet` cannot be compared with a field", "")],
    );
    refuses(
        "k8smeta.svc.name in val(proc.name)",
        &[(
            "proc.name",
            "a list of texts cannot be compared with a text",
            "both sides have to be of the same type",
        )],
    );
    refuses(
        "proc.pid = len(proc.name)",
        &[(
            "len(proc.name)",
            "a signed number cannot be compared with an unsigned number",
            "both sides have to be of the same type",
        )],
    );
}

#[test]
fn all_of_a_condition_in_one_go() {
    refuses(
        "proc.nmae = x and fd.sport = foo or evt.type = opne and not (proc.pid contains 5 or foo)",
        &[
            ("proc.nmae", "`proc.nmae` is not a field", "did you mean `proc.name`?"),
            (
                "foo",
                "`foo` is not a port",
                "write its number, or one of the usual names such as `ssh`",
            ),
            ("opne", "there is no type of event `opne`", "did you mean `open`?"),
            (
                "contains",
                "`contains` does not apply to `proc.pid`, which is a signed number",
                "use one of = != < <= > >= in intersects exists",
            ),
            ("foo", "there is no macro `foo`", ""),
        ],
    );
}

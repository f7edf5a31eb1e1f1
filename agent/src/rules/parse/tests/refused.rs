//! Conditions that are refused, and what people are told: the words that are
//! underlined, what is wrong with them, what to do.

use super::condition;

#[track_caller]
fn refuses(text: &str, expected: &[(&str, &str, &str)]) {
    let problems = condition(text).expect_err(text);
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
fn a_condition_has_operands() {
    refuses("", &[("", "the condition is empty", "")]);
    refuses("  \n", &[("  \n", "the condition is empty", "")]);
    refuses(
        "a and",
        &[("", "expected a field, a macro, `not` or `(`, found the end of the condition", "")],
    );
    refuses(
        "(a or",
        &[
            ("", "expected a field, a macro, `not` or `(`, found the end of the condition", ""),
            ("(", "this `(` is never closed", "add the missing `)`"),
        ],
    );
    refuses(
        "and",
        &[
            (
                "and",
                "expected a field, a macro, `not` or `(`, found `and`",
                "something is missing around `and`",
            ),
            ("", "expected a field, a macro, `not` or `(`, found the end of the condition", ""),
        ],
    );
    refuses(
        "not",
        &[(
            "not",
            "expected a field, a macro, `not` or `(`, found `not`",
            "something is missing around `not`",
        )],
    );
    refuses(
        "a or or b",
        &[(
            "or",
            "expected a field, a macro, `not` or `(`, found `or`",
            "something is missing around `or`",
        )],
    );
    refuses("()", &[(")", "expected a field, a macro, `not` or `(`, found `)`", "")]);
    refuses(
        "# why\na",
        &[(
            "#",
            "expected a field, a macro, `not` or `(`, found `#`",
            "a condition has no comments",
        )],
    );
    refuses(
        "\"bash\" = proc.name",
        &[(
            "\"bash\"",
            "expected a field, a macro, `not` or `(`, found `\"bash\"`",
            "the field stands on the left, what it is compared with on the right",
        )],
    );
    refuses(
        "5 < proc.pid",
        &[(
            "5",
            "expected a field, a macro, `not` or `(`, found `5`",
            "the field stands on the left, what it is compared with on the right",
        )],
    );
    refuses(
        "%proc.name = x",
        &[(
            "%proc.name",
            "expected a field, a macro, `not` or `(`, found `%proc.name`",
            "a field is named without a sign before it",
        )],
    );
}

#[test]
fn operands_are_connected() {
    refuses(
        "a b",
        &[("b", "expected `and`, `or` or the end, found `b`", "`a` is taken for a macro")],
    );
    refuses(
        "a adn b",
        &[("adn", "expected `and`, `or` or the end, found `adn`", "did you mean `and`?")],
    );
    refuses(
        "a AND b",
        &[("AND", "expected `and`, `or` or the end, found `AND`", "did you mean `and`?")],
    );
    refuses(
        "a && b || c",
        &[
            ("&&", "expected `and`, `or` or the end, found `&&`", "did you mean `and`?"),
            ("||", "expected `and`, `or` or the end, found `||`", "did you mean `or`?"),
        ],
    );
    refuses(
        "a, b",
        &[(",", "expected `and`, `or` or the end, found `,`", "`a` is taken for a macro")],
    );
    refuses(
        "a or\"x\"",
        &[
            ("or", "a blank or `(` has to follow `or`", ""),
            (
                "\"x\"",
                "expected a field, a macro, `not` or `(`, found `\"x\"`",
                "the field stands on the left, what it is compared with on the right",
            ),
        ],
    );
    refuses("(a) b", &[("b", "expected `and`, `or` or the end, found `b`", "")]);
    refuses("proc.name exists x", &[("x", "expected `and`, `or` or the end, found `x`", "")]);
    refuses(
        "a;",
        &[(";", "expected `and`, `or` or the end, found `;`", "`a` is taken for a macro")],
    );
    refuses("!a", &[("!", "`!` does not negate", "write `not`")]);
    refuses("NOT(a)", &[("NOT", "`NOT` does not negate", "write `not`")]);
    refuses(
        "a or(b) and c",
        &[(
            "and",
            "`and` cannot follow `or(…)`",
            "write a blank between `or` and `(`: then `and` binds more tightly than `or`",
        )],
    );
    refuses(
        "größe",
        &[("öße", "expected `and`, `or` or the end, found `öße`", "`gr` is taken for a macro")],
    );
}

#[test]
fn parentheses_close() {
    refuses("(a", &[("(", "this `(` is never closed", "add the missing `)`")]);
    refuses("((a", &[("(", "this `(` and 1 before it are never closed", "add the missing `)`")]);
    refuses("a)", &[(")", "this `)` closes nothing", "remove it, or open it further left")]);
    refuses("(a))", &[(")", "this `)` closes nothing", "remove it, or open it further left")]);
    refuses("proc.name in (a", &[("(", "this `(` is never closed", "add the missing `)`")]);
    refuses(
        "tolower(proc.name",
        &[("tolower(", "this `tolower(` is never closed", "add the missing `)`")],
    );
    refuses(
        "proc.name = val(proc.pname",
        &[("val(", "this `val(` is never closed", "add the missing `)`")],
    );
    refuses(
        "(evt.type = open and (a) or b",
        &[("(", "this `(` is never closed", "add the missing `)`")],
    );
}

#[test]
fn operators_have_names() {
    refuses(
        "proc.name contans bash",
        &[("contans", "`contans` is not an operator", "did you mean `contains`?")],
    );
    refuses("proc.name => bash", &[("=>", "`=>` is not an operator", "did you mean `>=`?")]);
    refuses("proc.pid =< 5", &[("=<", "`=<` is not an operator", "did you mean `<=`?")]);
    refuses("proc.pid >== 5", &[(">==", "`>==` is not an operator", "did you mean `>=`?")]);
    refuses("proc.pid <> 5", &[("<>", "`<>` is not an operator", "did you mean `!=`?")]);
    refuses(
        "proc.name === x",
        &[("=", "expected a value after `==`, found `=`", "an operator is `=` or `==`")],
    );
    refuses("proc.name =~ \"x\"", &[("=~", "`=~` is not an operator", "did you mean `regex`?")]);
    refuses("proc.name ~ x", &[("~", "`~` is not an operator", "did you mean `regex`?")]);
    refuses(
        "proc.name !~ x",
        &[("!~", "`!~` is not an operator", "did you mean `regex` after `not`?")],
    );
    refuses("proc.name is bash", &[("is", "`is` is not an operator", "did you mean `=`?")]);
    refuses(
        "proc.name frob x",
        &[(
            "frob",
            "`frob` is not an operator",
            "there are =, !=, <, <=, >, >=, contains, icontains, bcontains, startswith, \
             bstartswith, endswith, glob, iglob, regex, in, intersects, pmatch and exists",
        )],
    );
    refuses("proc.name int (a)", &[("int", "`int` is not an operator", "did you mean `in`?")]);
    refuses(
        "proc.name startswithx y",
        &[("startswithx", "`startswithx` is not an operator", "did you mean `startswith`?")],
    );
    refuses(
        "proc.name",
        &[(
            "",
            "expected an operator, found the end of the condition",
            "compare `proc.name` with something, or write `proc.name exists`",
        )],
    );
    refuses(
        "proc.name and a",
        &[(
            "and",
            "expected an operator, found `and`",
            "compare `proc.name` with something, or write `proc.name exists`",
        )],
    );
    refuses(
        "tolower(proc.name) x",
        &[(
            "x",
            "`x` is not an operator",
            "there are =, !=, <, <=, >, >=, contains, icontains, bcontains, startswith, \
             bstartswith, endswith, glob, iglob, regex, in, intersects, pmatch and exists",
        )],
    );
}

#[test]
fn word_operators_need_a_blank() {
    refuses("proc.name contains\"x\"", &[("contains", "a blank has to follow `contains`", "")]);
    refuses("proc.name glob(x)", &[("glob", "a blank has to follow `glob`", "")]);
    refuses(
        "proc.name regex",
        &[("", "expected a value after `regex`, found the end of the condition", "")],
    );
}

#[test]
fn values_follow_operators() {
    refuses(
        "proc.name =",
        &[("", "expected a value after `=`, found the end of the condition", "")],
    );
    refuses("(proc.name = )", &[(")", "expected a value after `=`, found `)`", "")]);
    refuses(
        "proc.name = and evt.type = open",
        &[(
            "and",
            "expected a value after `=`, found `and`",
            "a value is missing, or needs quotes",
        )],
    );
    refuses(
        "proc.cmdline contains rm -rf and a",
        &[(
            "-rf",
            "expected `and`, `or` or the end, found `-rf`",
            "a value with blanks in it has to be quoted",
        )],
    );
    refuses(
        "proc.name = a=b",
        &[(
            "=",
            "expected `and`, `or` or the end, found `=`",
            "a value with `=`, blanks, quotes or parentheses in it has to be quoted",
        )],
    );
    refuses(
        "proc.name = a, b",
        &[(
            ",",
            "expected `and`, `or` or the end, found `,`",
            "for one of several write `in (…, …)`",
        )],
    );
    refuses(
        "proc.name = (a, b)",
        &[(
            "(",
            "expected a value after `=`, found `(`",
            "for one of several write `in (…)`, or `= anyof (…)`",
        )],
    );
    refuses(
        "proc.pid < abc",
        &[(
            "abc",
            "expected a number, `val(…)` or a transformer after `<`, found `abc`",
            "`<` takes a number without quotes",
        )],
    );
    refuses(
        "proc.pid < \"5\"",
        &[(
            "\"5\"",
            "expected a number, `val(…)` or a transformer after `<`, found `\"5\"`",
            "`<` takes a number without quotes",
        )],
    );
    refuses("proc.pid > 5k", &[("k", "expected `and`, `or` or the end, found `k`", "")]);
    refuses("proc.name = val(x)", &[("x", "expected a field in `val(`, found `x`", "")]);
    refuses(
        "proc.name = val(len(proc.name))",
        &[("len", "expected a field in `val(`, found `len`", "")],
    );
}

#[test]
fn lists_have_parentheses() {
    refuses(
        "proc.name in a, b",
        &[(
            ",",
            "expected `and`, `or` or the end, found `,`",
            "a list stands in parentheses: in (…, …)",
        )],
    );
    refuses(
        "proc.name in \"a\"",
        &[("\"a\"", "expected a list after `in`, found `\"a\"`", "write in (\"a\")")],
    );
    refuses(
        "proc.name in",
        &[("", "expected a list after `in`, found the end of the condition", "")],
    );
    refuses(
        "proc.name in /x",
        &[("/x", "expected a list after `in`, found `/x`", "write in (/x)")],
    );
    refuses(
        "proc.name in (a b)",
        &[(
            "b",
            "expected `,` or `)` in the list, found `b`",
            "separate the values with commas, and quote those with blanks in them",
        )],
    );
    refuses(
        "proc.name in (a,)",
        &[(")", "expected a value in the list, found `)`", "remove the comma before `)`")],
    );
    refuses("proc.name in (,a)", &[(",", "expected a value in the list, found `,`", "")]);
    refuses("proc.name in ((a))", &[("(", "expected a value in the list, found `(`", "")]);
    refuses(
        "proc.name pmatch allof (a)",
        &[("allof", "`pmatch` takes no `allof`", "leave `allof` out: pmatch (…)")],
    );
    refuses(
        "proc.name in oneof (a)",
        &[("oneof", "`in` takes no `oneof`", "leave `oneof` out: in (…)")],
    );
    refuses("proc.name = oneof ((a))", &[("(", "expected a value in the list, found `(`", "")]);
}

#[test]
fn quoted_texts_end_and_escape() {
    refuses(
        "proc.name = \"abc and b",
        &[("\"", "the text that begins with this \" has no end", "close it with another \"")],
    );
    refuses(
        "proc.name = \"abc\\\\\"",
        &[(
            "\"",
            "the text that begins with this \" has no end",
            "a \" after a backslash does not close; for a backslash at the end write a backslash \
             and a blank before the \"",
        )],
    );
    refuses(
        "proc.name = \"a\\qb\"",
        &[(
            "\\q",
            "\\q is not an escape",
            "write \\\\ for a backslash; there are \\b \\f \\n \\r \\t \\\\ \\/ \\xHH and \\\"",
        )],
    );
    refuses(
        "proc.name = \"a\\'b\"",
        &[("\\'", "\\' is not an escape", "inside \" quotes a ' needs no backslash")],
    );
    refuses(
        "proc.name = '\\x4'",
        &[("\\x", "\\x is not an escape", "two hexadecimal digits have to follow, such as \\x1b")],
    );
    refuses(
        "proc.name = '\\d' and fd.name = '\\w'",
        &[
            (
                "\\d",
                "\\d is not an escape",
                "write \\\\ for a backslash; there are \\b \\f \\n \\r \\t \\\\ \\/ \\xHH and \\'",
            ),
            (
                "\\w",
                "\\w is not an escape",
                "write \\\\ for a backslash; there are \\b \\f \\n \\r \\t \\\\ \\/ \\xHH and \\'",
            ),
        ],
    );
}

#[test]
fn brackets_hold_an_argument() {
    refuses(
        "proc.env[",
        &[(
            "[",
            "expected an argument after `[`, found the end of the condition",
            "no blanks may stand in the brackets",
        )],
    );
    refuses(
        "proc.env[]",
        &[(
            "[]",
            "expected an argument after `[`, found `]`",
            "no blanks may stand in the brackets",
        )],
    );
    refuses(
        "proc.env[a b] exists",
        &[(
            "[a ",
            "expected `]`, found ` `",
            "an argument with blanks or quotes in it has to be quoted",
        )],
    );
    refuses(
        "proc.env['a]",
        &[("'", "the text that begins with this ' has no end", "close it with another '")],
    );
    refuses(
        "proc.env [a] exists",
        &[("[a]", "expected an operator, found `[a]`", "no blank may stand before `[`")],
    );
    refuses(
        "proc.env['\\xff'] exists",
        &[("'\\xff'", "the argument of a field has to be text in UTF-8", "")],
    );
}

#[test]
fn transformers_have_names_and_arguments() {
    refuses(
        "lower(proc.name) = x",
        &[(
            "lower",
            "`lower` is not a transformer",
            "there are tolower, toupper, b64, basename, len, join, concat, getopt",
        )],
    );
    refuses(
        "tolowr(proc.name) = x",
        &[("tolowr", "`tolowr` is not a transformer", "did you mean `tolower`?")],
    );
    refuses(
        "val(proc.name) = x",
        &[("val", "`val` is not a transformer", "`val(…)` stands on the right of an operator")],
    );
    refuses(
        "tolower (proc.name) = x",
        &[(
            "(",
            "expected `and`, `or` or the end, found `(`",
            "no blank may stand between `tolower` and `(`",
        )],
    );
    refuses(
        "tolower() = x",
        &[(")", "expected a field, a transformer, a quoted text or a number, found `)`", "")],
    );
    refuses(
        "tolower(x) = x",
        &[(
            "x",
            "expected a field, a transformer, a quoted text or a number, found `x`",
            "a field has a dot in its name, a text has to be quoted",
        )],
    );
    refuses("tolower(proc.name = x", &[("=", "expected `,` or `)` in the call, found `=`", "")]);
    refuses(
        "join(',', (a.b, (c.d))) = x",
        &[("(", "expected a field, a transformer, a quoted text or a number, found `(`", "")],
    );
    refuses(
        "concat(proc.name,) = x",
        &[(")", "expected a field, a transformer, a quoted text or a number, found `)`", "")],
    );
}

#[test]
fn macros_are_not_fields() {
    refuses(
        "procname = bash",
        &[("procname", "`procname` is not a field", "did you mean the field `proc.name`?")],
    );
    refuses(
        "shells = bash",
        &[(
            "shells",
            "`shells` is not a field",
            "the name of a field has a dot in it, and a macro cannot be compared",
        )],
    );
    refuses(
        "shells contains bash",
        &[(
            "shells",
            "`shells` is not a field",
            "the name of a field has a dot in it, and a macro cannot be compared",
        )],
    );
    refuses(
        "shells exists",
        &[(
            "shells",
            "`shells` is not a field",
            "the name of a field has a dot in it, and a macro cannot be compared",
        )],
    );
    refuses(
        "shells in (a)",
        &[(
            "shells",
            "`shells` is not a field",
            "the name of a field has a dot in it, and a macro cannot be compared",
        )],
    );
}

#[test]
fn independent_mistakes_are_told_in_one_go() {
    refuses(
        "proc.name contans a and fd.name ~ b or (evt.type is c and x y) or d",
        &[
            ("contans", "`contans` is not an operator", "did you mean `contains`?"),
            ("~", "`~` is not an operator", "did you mean `regex`?"),
            ("is", "`is` is not an operator", "did you mean `=`?"),
            ("y", "expected `and`, `or` or the end, found `y`", "`x` is taken for a macro"),
        ],
    );
    refuses(
        "(tolower(a) = x or proc.pid < x) and proc.name = '\\q' or (",
        &[
            (
                "a",
                "expected a field, a transformer, a quoted text or a number, found `a`",
                "a field has a dot in its name, a text has to be quoted",
            ),
            (
                "x",
                "expected a number, `val(…)` or a transformer after `<`, found `x`",
                "`<` takes a number without quotes",
            ),
            (
                "\\q",
                "\\q is not an escape",
                "write \\\\ for a backslash; there are \\b \\f \\n \\r \\t \\\\ \\/ \\xHH and \\'",
            ),
            ("", "expected a field, a macro, `not` or `(`, found the end of the condition", ""),
            ("(", "this `(` is never closed", "add the missing `)`"),
        ],
    );
    refuses(
        "a adn b ro c && d",
        &[
            ("adn", "expected `and`, `or` or the end, found `adn`", "did you mean `and`?"),
            ("ro", "expected `and`, `or` or the end, found `ro`", "did you mean `or`?"),
            ("&&", "expected `and`, `or` or the end, found `&&`", "did you mean `and`?"),
        ],
    );
}

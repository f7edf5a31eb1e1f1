//! Conditions that read and conditions that do not, production by production.

mod laws;
mod lists;
mod official;
mod refused;

use super::condition;
use crate::rules::print;

/// Reads a condition and prints it in the least that means the same.
#[track_caller]
fn reads(text: &str, printed: &str) {
    match condition(text) {
        Ok(expr) => assert_eq!(print::condition(&expr), printed, "{text}"),
        Err(problems) => panic!("{text}\n{problems:#?}"),
    }
}

#[track_caller]
fn same(text: &str) {
    reads(text, text);
}

#[test]
fn and_binds_more_tightly_than_or_and_not_most() {
    same("a or b and c");
    same("(a or b) and c");
    same("a and b or c and d");
    same("a and (b and c)");
    same("a or (b or c)");
    same("not a and b");
    same("not (a and b)");
    same("not (not a)");
    reads("(a)", "a");
    reads("((a) and (((b))))", "a and b");
    reads("a or(b)", "a or b");
    reads("a and(b)and(c)", "a and b and c");
    reads("a and(b or c) and d", "a and (b or c) and d");
    reads("a or(b) or c and d", "a or b or c and d");
    reads("(a)and(b)or(c)", "a and b or c");
}

#[test]
fn not_may_be_written_as_often_as_one_likes() {
    reads("not a", "not a");
    reads("not not a", "a");
    reads("not not not a", "not a");
    reads("not(a)", "not a");
    reads("not not(not a)", "not a");
    reads("not not not not not(not not(not not_a))", "not (not not_a)");
    reads("not  (a or b)", "not (a or b)");
    reads("not\n\ta", "not a");
    same("notable and order and andy");
}

#[test]
fn blanks_are_spaces_tabs_lines_and_backspaces() {
    reads(" \t\r\n\x08a\x08and\n\tb ", "a and b");
    reads("proc.name\n=\r\nbash", "proc.name = bash");
    reads("proc.name=bash", "proc.name = bash");
    reads("proc.name contains\tbash", "proc.name contains bash");
    reads("proc.name  in\n( a ,\tb )", "proc.name in (a, b)");
}

#[test]
fn every_operator() {
    for operator in ["=", "!=", "glob", "iglob", "contains", "icontains", "bcontains"] {
        same(&format!("proc.name {operator} bash"));
    }
    for operator in ["startswith", "bstartswith", "endswith", "regex"] {
        same(&format!("proc.name {operator} bash"));
    }
    for operator in ["in", "intersects", "pmatch"] {
        same(&format!("proc.name {operator} (a, b)"));
        same(&format!("proc.name {operator} shells"));
        same(&format!("proc.name {operator} ()"));
    }
    for operator in ["<", "<=", ">", ">="] {
        same(&format!("proc.pid {operator} 5"));
    }
    same("proc.name exists");
    reads("proc.name == bash", "proc.name = bash");
}

#[test]
fn operators_are_prefixes_of_what_follows() {
    reads("proc.name in(a)", "proc.name in (a)");
    reads("proc.name pmatch(a)", "proc.name pmatch (a)");
    reads("proc.name intersects(a)", "proc.name intersects (a)");
    reads("proc.name inside", "proc.name in side");
    reads("proc.pid>=5and a", "proc.pid >= 5 and a");
    reads("(proc.name exists)or a", "proc.name exists or a");
    // The two fields of old rules that look like operators.
    reads("evt.dir=> and evt.dir=<", "evt.dir = > and evt.dir = <");
    reads("evt.dir = <", "evt.dir = <");
}

#[test]
fn numbers() {
    for number in ["0", "5", "+5", "-1", "1.5", "1.", "1e+5", "2.5E-3", "0x1F", "0X1f"] {
        same(&format!("proc.pid < {number}"));
    }
}

#[test]
fn modifiers_ask_how_many() {
    same("proc.name = oneof (a, b)");
    same("proc.name != allof (a, b)");
    same("proc.name contains anyof (a, b)");
    same("proc.name contains anyof ()");
    same("proc.name startswith anyof shells");
    reads("proc.name = anyof(a)", "proc.name = anyof (a)");
    // A word that cannot be one is a literal.
    reads("proc.name = anyofus", "proc.name = anyofus");
    reads("proc.name = anyof", "proc.name = \"anyof\"");
    reads("proc.name = anyof and a", "proc.name = \"anyof\" and a");
    reads("(proc.name = oneof)", "proc.name = \"oneof\"");
}

#[test]
fn words_without_quotes_hold_nearly_everything() {
    same("fd.name = /etc/passwd");
    same("fd.name = a-b:c;d|e[f]{g}*?!<>\\%");
    same("fd.name = größe");
    same("fd.snet in (10.0.0.0/8, fd00::/8)");
    reads("proc.name in (a,b,c)", "proc.name in (a, b, c)");
}

#[test]
fn quoted_texts_have_escapes() {
    reads(r#"proc.name = "bash""#, "proc.name = bash");
    reads("proc.name = 'bash'", "proc.name = bash");
    reads("proc.name = ''", r#"proc.name = """#);
    same(r#"proc.name = "a b""#);
    reads("proc.name = 'a \"b'", r#"proc.name = "a \"b""#);
    reads(r"proc.name = 'it\'s'", r#"proc.name = "it's""#);
    same(r#"proc.name = "\b\f\n\r\t""#);
    reads(r#"proc.name = "\/""#, "proc.name = /");
    reads(r#"proc.name = "a\\b c""#, r#"proc.name = "a\\b c""#);
    reads(r#"proc.name = "\x41\x1b\xff""#, r#"proc.name = "A\x1b\xff""#);
    // A backslash and a blank are a backslash alone.
    reads(r#"proc.name = "a\ b c""#, r#"proc.name = "a\\b c""#);
    same(r#"proc.name = "a b\ ""#);
    // A quote after a backslash does not close, even after two.
    reads(r#"proc.name = "a\\" or b""#, r#"proc.name = "a\\\" or b""#);
}

#[test]
fn fields_have_arguments() {
    same("proc.aname[2] = bash");
    same("proc.env[HOME] = /root");
    same("container.mount.dest[/etc/*] exists");
    same("proc.env[a=b,(c)] exists");
    reads("proc.env['HOME'] exists", "proc.env[HOME] exists");
    same(r#"proc.env["a b"] exists"#);
    same(r#"proc.env["a]b"] exists"#);
    same(r#"proc.env[""] exists"#);
    same("evt.arg.flags contains O_TRUNC");
    same("a.b_1.c2 exists");
}

#[test]
fn transformers_have_arguments() {
    same("tolower(proc.name) = bash");
    same("toupper(tolower(proc.aname[2])) = BASH");
    same("b64(evt.buffer) contains x");
    same("basename(fd.name) in (a, b)");
    same("len(proc.name) > 5");
    same(r#"join(",", (proc.name, tolower(proc.pname), "x", 5)) = y"#);
    same(r#"join("", ()) exists"#);
    same(r#"concat(proc.name, " ", 0x1F) = y"#);
    same(r#"getopt(proc.args, "nt:")[t] = y"#);
    reads("tolower( proc.name\n) = bash", "tolower(proc.name) = bash");
    reads("join( ',',( proc.name ,'b' ) )=y", r#"join(",", (proc.name, "b")) = y"#);
}

#[test]
fn a_value_may_be_compared_with_another() {
    same("proc.name = val(proc.pname)");
    same("proc.name != val(proc.aname[2])");
    same("proc.pid < val(proc.ppid)");
    same("proc.name in val(proc.pname)");
    same("proc.name = tolower(proc.name)");
    same("proc.pid >= len(proc.name)");
    same("proc.name intersects getopt(proc.args, \"n\")");
    reads("proc.name = val( proc.pname )", "proc.name = val(proc.pname)");
    // Only where the parenthesis follows is it more than a word.
    same("proc.name = val");
    same("proc.name = tolower");
    same("proc.name in len");
}

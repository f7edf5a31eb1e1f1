//! Each transformer on the values of a small event.

use super::signature::{self, Misfit, Type};
use super::{Scratch, apply};
use crate::rules::event::{Event, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::field::{FieldId, resolve};
use crate::rules::typed::{Operand, Transformer};
use crate::rules::value::Value;

struct Sample;

impl Event for Sample {
    fn event_type(&self) -> EventType {
        EventType::named("execve").unwrap()
    }

    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        match (field.id, nth) {
            (FieldId::ProcName, 0) => Some(Value::Text(b"Bash")),
            (FieldId::ProcExepath, 0) => Some(Value::Text(b"/usr/bin/bash")),
            (FieldId::ProcCwd, 0) => Some(Value::Text(b"aGVsbG8")),
            (FieldId::ProcPid, 0) => Some(Value::Int(-7)),
            (FieldId::FdTypes, 0) => Some(Value::Text(b"file")),
            (FieldId::FdTypes, 1) => Some(Value::Text(b"pipe")),
            _ => None,
        }
    }
}

fn field(name: &str) -> Operand {
    Operand::Field(resolve(name, None).unwrap())
}

fn text(text: &str) -> Operand {
    Operand::Text(text.as_bytes().into())
}

fn call<const N: usize>(transformer: Transformer, arguments: [Operand; N]) -> Operand {
    Operand::Call(transformer, arguments.into())
}

#[track_caller]
fn check(operand: &Operand, expected: Option<&[&str]>) {
    let mut scratch = Scratch::default();
    let values = apply(operand, &Sample, &mut scratch);
    let values: Option<Vec<String>> = values.map(|values| {
        let shown = values.iter().map(|value| match value {
            Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Value::Uint(number) => number.to_string(),
            other => format!("{other:?}"),
        });
        shown.collect()
    });
    let expected = expected.map(|texts| texts.iter().map(|&text| text.to_owned()).collect());
    assert_eq!(values, expected, "{operand:?}");
}

#[test]
fn texts() {
    use Transformer::{Base64, Basename, ToLower, ToUpper};
    check(&field("proc.name"), Some(&["Bash"]));
    check(&call(ToLower, [field("proc.name")]), Some(&["bash"]));
    check(&call(ToUpper, [field("proc.name")]), Some(&["BASH"]));
    check(&call(ToUpper, [field("fd.types")]), Some(&["FILE", "PIPE"]));
    check(&call(Basename, [field("proc.exepath")]), Some(&["bash"]));
    check(&call(Basename, [field("proc.name")]), Some(&["Bash"]));
    check(&call(Basename, [text("/dir/")]), Some(&[""]));
    check(&call(Base64, [field("proc.cwd")]), Some(&["hello"]));
    check(&call(Base64, [text("aGVsbG8=")]), Some(&["hello"]));
    check(&call(Base64, [text("a*")]), None);
    check(&call(ToLower, [field("fd.name")]), None);
    check(&call(ToUpper, [call(Basename, [field("proc.exepath")])]), Some(&["BASH"]));
    check(&call(ToUpper, [field("proc.pid")]), None);
}

#[test]
fn lengths() {
    use Transformer::{Len, ToLower};
    check(&call(Len, [field("proc.name")]), Some(&["4"]));
    check(&call(Len, [field("fd.types")]), Some(&["2"]));
    check(&call(Len, [call(ToLower, [field("fd.types")])]), Some(&["2"]));
    check(&call(Len, [field("fd.name")]), None);
    check(&call(Len, [field("proc.pid")]), None);
}

#[test]
fn rows() {
    use Transformer::{Concat, Join, ToLower};
    let list = || Operand::List(vec![field("proc.name"), text("x"), field("proc.pid")]);
    check(&call(Join, [text(", "), list()]), Some(&["Bash, x, -7"]));
    check(&call(Join, [text("-"), field("fd.types")]), Some(&["file-pipe"]));
    check(&call(Join, [text("-"), Operand::List(vec![field("fd.name")])]), None);
    check(&call(Concat, [field("proc.name"), text(":"), field("proc.pid")]), Some(&["Bash:-7"]));
    check(&call(ToLower, [call(Concat, [text("A"), field("proc.name")])]), Some(&["abash"]));
    check(&call(Concat, [text("a"), field("fd.name")]), None);
}

#[test]
fn options() {
    use Transformer::{Getopt, Join, Len};
    let comes_to = check;
    let check = |words: &str, described: &str, expected: &[&str]| {
        let words = Operand::List(words.split(' ').map(text).collect());
        comes_to(&call(Getopt, [words, text(described)]), Some(expected));
    };
    check("-n -tfile -t other", "nt:", &["n", "t", "file", "t", "other"]);
    check("-ntfile", "nt:", &["n", "t", "file"]);
    check("-tn", "nt:", &["t", "n"]);
    // The value is the next word, whatever that is.
    check("-t -- -n", "nt:", &["t", "--", "n"]);
    check("-t -n", "nt:", &["t", "-n"]);
    // The end of the options.
    check("-n -- -t", "nt", &["n"]);
    check("-n - -t", "nt", &["n"]);
    check("-n file -t", "nt", &["n"]);
    check("-n  -t", "nt", &["n"]);
    check("file -n", "n", &[]);
    // Long options are passed over.
    check("-n --long=t -t", "nt", &["n", "t"]);
    check("--long file -t", "t", &[]);
    // Unknown ones are told.
    check("-xn", "n", &["?", "n"]);
    check("-n: -é", "n:", &["n", ":", "?", "?"]);
    check("-:", "n:", &["?"]);
    // The value of the last one is missing.
    check("-n -t", "nt:", &["n", ""]);
    // What is odd about a description changes nothing.
    check("-n -tx", ":nt::", &["n", "t", "x"]);
    check("-tx", "tt:", &["t", "x"]);
    check("-+", "+", &["+"]);
    check("-n", "", &["?"]);

    let words = || Operand::List(["-n", "-x"].map(text).into());
    comes_to(&call(Len, [call(Getopt, [words(), text("n")])]), Some(&["2"]));
    let none = || call(Getopt, [Operand::List(vec![text("x")]), text("n")]);
    comes_to(&call(Len, [none()]), Some(&["0"]));
    comes_to(&call(Join, [text(","), none()]), Some(&[""]));
}

#[test]
fn one_option() {
    let check = |words: &str, described: &str, letter: &str, expected: Option<&str>| {
        let words = Operand::List(words.split(' ').map(text).collect());
        let operand = call(Transformer::Getopt, [words, text(described), text(letter)]);
        check(&operand, expected.as_ref().map(std::slice::from_ref));
    };
    check("-n -tfile -t other", "nt:", "t", Some("other"));
    check("-n -tfile -t other", "nt:", "n", Some("n"));
    check("-n -tfile", "nt:z", "z", None);
    check("-ta -t", "t:", "t", Some(""));
    // One that is not described is not there.
    check("-x", "n", "x", None);
    check("-x -?", "n", "?", None);
    check("-?", "?", "?", Some("?"));
}

#[test]
fn what_transformers_take() {
    use Transformer::{Base64, Basename, Concat, Getopt, Join, Len, ToLower, ToUpper};
    let check = |transformer, arguments: &[Operand], expected: &str| {
        let result = signature::call(transformer, arguments.to_vec(), None);
        let told = result.map_or_else(|it| it.to_string(), |it| Type::of(&it).to_string());
        assert_eq!(told, expected);
    };
    let list = || Operand::List(vec![field("proc.name"), text("x")]);
    for transformer in [ToLower, ToUpper, Basename] {
        let name = transformer.name();
        check(transformer, &[field("proc.name")], "a text");
        check(transformer, &[field("fd.types")], "a list of texts");
        check(transformer, &[list()], "a list of texts");
        let refused = |given: &str| format!("`{name}` takes a text here, not {given}");
        check(transformer, &[field("proc.pid")], &refused("a signed number"));
        check(transformer, &[field("evt.buffer")], &refused("a byte sequence"));
        check(transformer, &[], &format!("`{name}` takes one argument"));
        check(transformer, &[text("a"), text("a")], &format!("`{name}` takes one argument"));
    }
    check(Base64, &[field("proc.name")], "a text");
    check(Base64, &[field("evt.buffer")], "a byte sequence");
    check(Base64, &[field("fd.types")], "a list of texts");
    let refused = "`b64` takes a text or bytes here, not a boolean";
    check(Base64, &[field("evt.is_open_read")], refused);
    check(Len, &[field("proc.name")], "an unsigned number");
    check(Len, &[field("evt.buffer")], "an unsigned number");
    check(Len, &[field("fd.types")], "an unsigned number");
    let refused = "`len` takes a text, bytes or a list here, not a signed number";
    check(Len, &[field("proc.pid")], refused);
    check(Join, &[text(","), field("fd.types")], "a text");
    check(Join, &[text(","), list()], "a text");
    let refused = "`join` takes a list of texts here, not a text";
    check(Join, &[text(","), field("proc.name")], refused);
    check(Join, &[list(), list()], "`join` takes a text here, not a list of texts");
    check(Join, &[list()], "`join` takes two arguments: join(separator, list)");
    check(Concat, &[text(","), field("proc.name"), text(",")], "a text");
    check(Concat, &[text(",")], "`concat` takes two arguments or more");
    let refused = "`concat` takes a text here, not a list of texts";
    check(Concat, &[text(","), text(","), field("fd.types")], refused);
    let refused = "`concat` takes a text here, not a byte sequence";
    check(Concat, &[field("evt.buffer"), text(",")], refused);
    check(Getopt, &[list(), text("a:")], "a list of texts");
    // The arguments of a process are one text.
    let refused = "`getopt` takes a list of texts here, not a text";
    check(Getopt, &[field("proc.args"), text("a:")], refused);
    check(Getopt, &[list(), list()], "`getopt` takes a text here, not a list of texts");
    let refused = "`getopt` takes two arguments: getopt(list of words, options)";
    check(Getopt, &[list()], refused);
    check(Getopt, &[list(), text("a"), text("a")], refused);
}

#[test]
fn what_stands_in_brackets() {
    use Transformer::{Getopt, Len};
    let check = |transformer, arguments: &[Operand], brackets: &str, expected: &str| {
        let result = signature::call(transformer, arguments.to_vec(), Some(brackets.as_bytes()));
        let told = result.map_or_else(|it| it.to_string(), |it| Type::of(&it).to_string());
        assert_eq!(told, expected);
    };
    let words = [Operand::List(vec![text("-a")]), text("a")];
    check(Getopt, &words, "a", "a text");
    check(Getopt, &words, "", "the argument of `getopt(…)` has to be one letter");
    check(Getopt, &words, "ab", "the argument of `getopt(…)` has to be one letter");
    check(Len, &[text("a")], "a", "`len(…)` takes no argument in brackets");
}

#[test]
fn arguments_of_any_transformer() {
    let check = |operand: &Operand, argument: &str, element: &str| {
        let told = |result: Result<(), Misfit>| {
            result.map_or_else(|it| it.to_string(), |()| String::new())
        };
        assert_eq!(told(signature::argument(operand)), argument);
        assert_eq!(told(signature::element(operand)), element);
    };
    check(&field("proc.name"), "", "");
    check(&text("a"), "", "");
    check(&field("proc.pid"), "", "this is not a text");
    check(&field("fd.types"), "", "this is not a text");
    let refused = "no transformer can be applied to `proc.aname`";
    check(&field("proc.aname"), refused, refused);
}

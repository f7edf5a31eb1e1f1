//! YAML documents as trees whose nodes know their bytes in the file. This is the
//! only place that knows the YAML library.
//!
//! What comes out is bounded, whatever goes in: the number of nodes, how deeply
//! they are nested and what aliases may repeat.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError};

/// Nodes in a file; the official rule files have some 5000.
const MAX_NODES: usize = 500_000;
/// How deeply nodes may be nested, aliases followed; a rule file needs 7.
const MAX_DEPTH: usize = 64;
/// What aliases may repeat in total: bytes of text, and [`NODE`] for each node.
const MAX_REPEATED: usize = 8 << 20;
/// What a node counts beside its text.
const NODE: usize = 64;

/// A node with its place.
#[derive(Debug, PartialEq)]
pub(in crate::rules) struct Node {
    /// What it is.
    pub(in crate::rules) value: Value,
    /// Its bytes in the file: of a mapping or a sequence its beginning; of a quoted
    /// text with the quotes, of a block text without the line of its indicator.
    pub(in crate::rules) range: Range<usize>,
    /// Nodes and text below it, as [`MAX_REPEATED`] counts.
    weight: usize,
    /// Levels below it.
    height: usize,
}

/// What a node is.
#[derive(Debug, PartialEq)]
pub(in crate::rules) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A text, a number or a truth: YAML leaves that to the reader.
    Scalar(Rc<str>, Style),
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// Keys with values, in the order of the file.
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` and `>`
    Block,
}

impl Value {
    /// What to call it in a message.
    pub(in crate::rules) const fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(..) => "a single value",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// Why there are no more documents.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rules) struct Failure {
    /// Where.
    pub(in crate::rules) range: Range<usize>,
    /// What is wrong.
    pub(in crate::rules) message: String,
    /// What to do.
    pub(in crate::rules) help: Option<&'static str>,
}

/// Reads the documents of a file. Of the document with the failure, those elements
/// are there that were complete before it.
pub(in crate::rules) fn documents(text: &str) -> (Vec<Rc<Node>>, Option<Failure>) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let result = match event {
            Ok((event, span)) => builder.event(event, span.byte_range().unwrap_or_default()),
            Err(error) => Err(from_scan(text, &error)),
        };
        if let Err(failure) = result {
            builder.salvage();
            return (builder.documents, Some(failure));
        }
    }
    (builder.documents, None)
}

fn from_scan(text: &str, error: &ScanError) -> Failure {
    let mut at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    // The library tells where the value begins in which it finds a tab.
    if error.info().contains("tab") {
        at += text[at..].find('\t').unwrap_or(0);
    }
    let help = match text.as_bytes().get(at) {
        Some(b'\t') => Some("indent with spaces; YAML does not allow tabs"),
        Some(b'%' | b'@' | b'`') => Some("put the value in quotes"),
        Some(b':') => {
            Some("put a value that holds `: ` in quotes, or write it as a block after `>`")
        }
        _ => None,
    };
    Failure { range: at..at + 1, message: format!("this is not YAML: {}", error.info()), help }
}

/// A collection that has not ended.
enum Open {
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(Rc<Node>, Rc<Node>)>, Option<Rc<Node>>),
}

struct Frame {
    open: Open,
    range: Range<usize>,
    anchor: usize,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Rc<Node>>,
    frames: Vec<Frame>,
    /// Nodes by the number of their anchor.
    anchors: HashMap<usize, Rc<Node>>,
    nodes: usize,
    repeated: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Failure> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).map(Rc::clone) else {
                    let message = "the alias is inside of what it stands for".to_owned();
                    return Err(Failure { range, message, help: None });
                };
                self.repeated = self.repeated.saturating_add(node.weight);
                if self.repeated > MAX_REPEATED {
                    let message = "aliases repeat too much".to_owned();
                    let help = Some("write out what the aliases stand for");
                    return Err(Failure { range, message, help });
                }
                self.add(node, &range)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let null = style == Style::Plain
                    && tag.is_none()
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let weight = NODE + text.len();
                let value = if null { Value::Null } else { Value::Scalar(text.into(), style) };
                self.finish(Node { value, range, weight, height: 0 }, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Open::Sequence(vec![]), range, anchor)?;
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(Open::Mapping(vec![], None), range, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, open: Open, range: Range<usize>, anchor: usize) -> Result<(), Failure> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(range));
        }
        self.frames.push(Frame { open, range, anchor });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Failure> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let mut weight = NODE;
        let mut height = 0;
        let mut below = |node: &Node| {
            weight = weight.saturating_add(node.weight);
            height = height.max(node.height + 1);
        };
        let value = match frame.open {
            Open::Sequence(elements) => {
                elements.iter().for_each(|element| below(element));
                Value::Sequence(elements)
            }
            Open::Mapping(entries, _) => {
                for (key, value) in &entries {
                    below(key);
                    below(value);
                }
                Value::Mapping(entries)
            }
        };
        self.finish(Node { value, range: frame.range, weight, height }, frame.anchor)
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Failure> {
        let range = node.range.clone();
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node, &range)
    }

    fn add(&mut self, node: Rc<Node>, range: &Range<usize>) -> Result<(), Failure> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values");
            let help = Some("share it out to several files");
            return Err(Failure { range: range.clone(), message, help });
        }
        if self.frames.len() + node.height > MAX_DEPTH {
            return Err(too_deep(range.clone()));
        }
        match self.frames.last_mut().map(|frame| &mut frame.open) {
            None => self.documents.push(node),
            Some(Open::Sequence(elements)) => elements.push(node),
            Some(Open::Mapping(entries, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
        Ok(())
    }

    /// Keeps what is complete of a document that breaks off.
    fn salvage(&mut self) {
        self.frames.truncate(1);
        if let Some(Frame { open: Open::Sequence(elements), range, .. }) = self.frames.pop() {
            let value = Value::Sequence(elements);
            self.documents.push(Rc::new(Node { value, range, weight: 0, height: 0 }));
        }
    }
}

fn too_deep(range: Range<usize>) -> Failure {
    let message = format!("values are nested more than {MAX_DEPTH} deep");
    Failure { range, message, help: None }
}

#[cfg(test)]
mod tests {
    use super::{Node, Value, documents};

    /// A tree in one line.
    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Null => "~".to_owned(),
            Value::Scalar(text, _) => format!("{text:?}"),
            Value::Sequence(all) => {
                format!("[{}]", all.iter().map(|one| shown(one)).collect::<Vec<_>>().join(","))
            }
            Value::Mapping(all) => {
                let entries =
                    all.iter().map(|(key, value)| format!("{}:{}", shown(key), shown(value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn trees() {
        let check = |text: &str, expected: &str| {
            let (documents, failure) = documents(text);
            assert_eq!(failure, None, "{text}");
            let found: Vec<String> = documents.iter().map(|node| shown(node)).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        };
        check("", "");
        check("- a\n- {b: 1, c: }\n", r#"["a",{"b":"1","c":~}]"#);
        check("- a\n---\n- b\n", r#"["a"] ["b"]"#);
        check("[~, null, 'null', \"~\", !!str null]", r#"[~,~,"null","~","null"]"#);
        check("- &x [a]\n- *x\n", r#"[["a"],["a"]]"#);
        check("- >-\n  a\n  b\n- |\n  c\n", r#"["a b","c\n"]"#);
    }

    #[test]
    fn failures_leave_what_was_before_them() {
        let check = |text: &str, expected: &str, message: &str| {
            let (documents, failure) = documents(text);
            let found: Vec<String> = documents.iter().map(|node| shown(node)).collect();
            assert_eq!(found.join(" "), expected);
            let failure = failure.unwrap();
            assert!(failure.message.contains(message), "{}", failure.message);
        };
        check("- a\n- b: [\n", r#"["a"]"#, "not YAML");
        check("- a\n- *x\n", r#"["a"]"#, "not YAML");
        check("- a\n- &x [*x]\n", r#"["a"]"#, "inside");
        check(&format!("{}a", "- ".repeat(100)), "[]", "nested");
        // The library refuses before it has told a single value.
        check(&"[".repeat(10_000_000), "", "not YAML");
    }

    #[test]
    fn aliases_are_bounded() {
        let mut bomb = "- &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..30 {
            let before = format!("*a{}", level - 1);
            bomb += &format!("- &a{level} [{}]\n", [before.as_str(); 9].join(","));
        }
        assert!(documents(&bomb).1.unwrap().message.contains("aliases"));
        // Each is inside the next, so that nothing repeats often but all is deep.
        let mut tower = "- &a0 [x]\n".to_owned();
        for level in 1..1000 {
            tower += &format!("- &a{level} [*a{}]\n", level - 1);
        }
        assert!(documents(&tower).1.unwrap().message.contains("nested"));
    }

    #[test]
    fn the_number_of_nodes_is_bounded() {
        let (_, failure) = documents(&"- a\n".repeat(600_000));
        assert!(failure.unwrap().message.contains("500000"));
    }
}

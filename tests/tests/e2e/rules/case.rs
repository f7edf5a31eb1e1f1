//! Files of cases: for a rule an action that raises it, and near misses that do not.
//!
//! ```text
//! == Name of the rule
//! in container
//! fire on terminal
//!     lines of a shell
//! near in host
//!     lines of a shell
//! ```
//!
//! A case may end with `otherwise` and parts that take the place of those before it where a
//! program is missing that it needs.

/// Where a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Host,
    Container,
    Privileged,
}

/// One script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether the rule has to be raised, or must not be.
    pub(super) fires: bool,
    pub(super) place: Place,
    pub(super) on_terminal: bool,
    pub(super) script: String,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) rule: String,
    pub(super) place: Place,
    /// Programs without which it cannot be tried.
    pub(super) needs: Vec<String>,
    /// Who runs the scripts on the host.
    pub(super) user: Option<String>,
    /// The oldest kernel that it can be tried on.
    pub(super) kernel: Option<(u32, u32)>,
    pub(super) parts: Vec<Part>,
    /// What is tried where a program that it needs is missing.
    pub(super) substitutes: Option<Vec<Part>>,
}

impl Case {
    /// All that it may try.
    pub(super) fn all_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain(self.substitutes.iter().flatten())
    }

    /// The parts that are being read.
    fn open(&mut self) -> &mut Vec<Part> {
        self.substitutes.as_mut().unwrap_or(&mut self.parts)
    }
}

/// Reads a file of cases; the error names the line.
pub(super) fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}: {line}", number + 1);
        if let Some(rule) = line.strip_prefix("== ") {
            cases.push(Case {
                rule: rule.trim().to_owned(),
                place: Place::Host,
                needs: Vec::new(),
                user: None,
                kernel: None,
                parts: Vec::new(),
                substitutes: None,
            });
            continue;
        }
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let case = cases.last_mut().ok_or_else(|| wrong("before the first rule"))?;
        if let Some(command) = line.strip_prefix("    ") {
            let part = case.open().last_mut().ok_or_else(|| wrong("neither fire nor near"))?;
            part.script.push_str(command);
            part.script.push('\n');
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["in", name] => case.place = place(name).ok_or_else(|| wrong("no place"))?,
            ["needs", program] => case.needs.push((*program).to_owned()),
            ["user", name] => case.user = Some((*name).to_owned()),
            ["kernel", version] => {
                case.kernel = Some(release(version).ok_or_else(|| wrong("no version"))?);
            }
            ["otherwise"] => case.substitutes = Some(Vec::new()),
            [kind @ ("fire" | "near"), more @ ..] => {
                let (place, on_terminal) = match more {
                    [] => (case.place, false),
                    ["on", "terminal"] => (case.place, true),
                    ["in", name] => (place(name).ok_or_else(|| wrong("no place"))?, false),
                    _ => return Err(wrong("not understood")),
                };
                let fires = *kind == "fire";
                case.open().push(Part { fires, place, on_terminal, script: String::new() });
            }
            _ => return Err(wrong("not understood")),
        }
    }
    Ok(cases)
}

/// The first two numbers of a kernel's release.
pub(super) fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn place(name: &str) -> Option<Place> {
    match name {
        "host" => Some(Place::Host),
        "container" => Some(Place::Container),
        "privileged" => Some(Place::Privileged),
        _ => None,
    }
}

#[test]
fn cases_are_read() {
    let text = "# All.\n== A rule (of mine)\nin privileged\nneeds python3\nuser nobody\nkernel 5.14\n\
                fire on terminal\n    one\n\n      two\nnear in host\n    # none\n\notherwise\nfire\n    three\n\n== Other\n";
    let cases = parse(text).unwrap();
    assert_eq!((cases.len(), cases[1].rule.as_str()), (2, "Other"));
    assert_eq!(cases[1].substitutes, None);
    let Case { rule, needs, user, kernel, parts, substitutes, .. } = &cases[0];
    assert_eq!(
        (rule.as_str(), needs.len(), user.as_deref()),
        ("A rule (of mine)", 1, Some("nobody"))
    );
    assert_eq!(*kernel, Some((5, 14)));
    let part = |fires, place, on_terminal, script: &str| Part {
        fires,
        place,
        on_terminal,
        script: script.to_owned(),
    };
    assert_eq!(parts[0], part(true, Place::Privileged, true, "one\n  two\n"));
    assert_eq!(parts[1], part(false, Place::Host, false, "# none\n"));
    assert_eq!(parts.len(), 2);
    let three = part(true, Place::Privileged, false, "three\n");
    assert_eq!(substitutes.as_deref(), Some(&[three][..]));
    let check = |text: &str| assert!(parse(text).is_err(), "{text}");
    check("    x\n");
    check("== A\n    x\n");
    check("== A\nfire\notherwise\n    x\n");
    check("== A\nfire in boat\n");
    check("== A\nfly\n");
    assert_eq!(release("6.12.57+deb13-amd64"), Some((6, 12)));
}

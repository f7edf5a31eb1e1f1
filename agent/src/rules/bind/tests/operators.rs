//! Which operator applies to which type: the whole table.

use super::try_bind;
use crate::rules::ast::{Modifier, Operator};
use crate::rules::diagnostic::ProblemKind;

/// A field of each type, a literal for it, and the operators that apply.
const TYPES: [(&str, &str, &str); 15] = [
    ("evt.is_open_read", "true", "= != in intersects"),
    ("proc.pid", "5", "= != < <= > >= in intersects"),
    ("user.uid", "5", "= != < <= > >= in intersects"),
    ("thread.cpu", "5", "= != < <= > >= in intersects"),
    ("proc.duration", "5", "= != < <= > >= in intersects"),
    ("container.start_ts", "5", "= != < <= > >= in intersects"),
    ("fd.sport", "80", "= != < <= > >= in intersects"),
    ("fd.port", "80", "= != < <= > >= in intersects"),
    ("fd.sip", "10.0.0.1", "= != in intersects"),
    ("fd.ip", "10.0.0.1", "= != in intersects"),
    ("fd.snet", "10.0.0.0/8", "= != in intersects"),
    ("fd.sip.name", "example.org", "= != in intersects"),
    (
        "proc.name",
        "5",
        "= != < <= > >= contains icontains startswith endswith glob iglob regex in intersects pmatch",
    ),
    ("evt.buffer", "00", "= != contains bcontains startswith bstartswith endswith in intersects"),
    ("k8smeta.svc.name", "5", "in intersects"),
];

#[test]
fn operators_apply_to_types() {
    for (field, literal, allowed) in TYPES {
        try_bind(&format!("{field} exists")).expect(field);
        let allowed: Vec<_> = allowed.split(' ').collect();
        for (operator, text) in Operator::ALL {
            let is_order =
                matches!(operator, Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge);
            // What the grammar does not let through has no type either.
            if is_order && literal.parse::<f64>().is_err() {
                continue;
            }
            let condition = if operator.takes_list() {
                format!("{field} {text} ({literal})")
            } else {
                format!("{field} {text} {literal}")
            };
            let result = try_bind(&condition);
            assert_eq!(result.is_ok(), allowed.contains(&text), "{condition}: {result:#?}");
            if let Err(problems) = result {
                assert_eq!(problems.len(), 1, "{condition}");
                assert_eq!(problems[0].kind, ProblemKind::Type, "{condition}");
                let place = &condition[problems[0].span.clone()];
                assert_eq!(place, text, "{condition}");
            }
        }
    }
}

#[test]
fn modifiers_apply_where_the_operator_does_save_to_lists() {
    for (field, literal, allowed) in TYPES {
        for (operator, text) in Operator::ALL {
            let ordered =
                matches!(operator, Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge);
            if operator.takes_list() || ordered {
                continue;
            }
            for modifier in Modifier::ALL {
                let condition =
                    format!("{field} {text} {} ({literal}, {literal})", modifier.text());
                let expected = allowed.split(' ').any(|one| one == text);
                assert_eq!(try_bind(&condition).is_ok(), expected, "{condition}");
            }
        }
    }
}

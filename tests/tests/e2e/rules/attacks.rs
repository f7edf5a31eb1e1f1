//! The usual list of attacks, performed with ordinary tools, against all of Falco's own
//! rule files together: each raises the rule of its name.

use super::official::check;

#[test]
fn usual_attacks() {
    let files = [
        "falco_rules.yaml",
        "falco-incubating_rules.yaml",
        "falco-sandbox_rules.yaml",
        "falco-deprecated_rules.yaml",
    ];
    check(include_str!("cases/attacks.case"), &files, "");
}

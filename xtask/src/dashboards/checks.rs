//! What holds for every dashboard and every rule: names are those of the catalogue of
//! metrics, labels those that such a metric has, and everything says what it is.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::label::Matchers;
use promql_parser::parser::{Expr, LabelModifier, VectorSelector, parse};
use serde_json::Value;

use super::all;
use super::panel::Kind;
use crate::{files, workspace};

/// Labels that a scrape adds.
const OF_SCRAPES: [&str; 4] = ["node", "instance", "job", "namespace"];
/// What Prometheus itself makes.
const PROMETHEUS: [(&str, &[&str]); 2] = [("up", &[]), ("ALERTS", &["alertname", "alertstate"])];

/// Labels by the name of a metric.
type Known = BTreeMap<String, BTreeSet<String>>;

fn read(file: &str) -> String {
    files::read_text(&workspace::root().join(file)).unwrap()
}

/// The table of docs/metrics.md, which is made from the agent's catalogue.
fn catalogue() -> Known {
    let page = read("docs/metrics.md");
    let words = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (table, _) = page.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let known = rows.map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        (words(cells[0])[0].clone(), words(cells[3]).into_iter().collect())
    });
    let known: Known = known.collect();
    assert!(known.len() > 60, "{} metrics: the table is not where it was", known.len());
    known
}

/// All rules of charts/prometheus/landlord.rules.yaml.
fn rules() -> Vec<Value> {
    let text = read("charts/prometheus/landlord.rules.yaml");
    let file: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = file["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The catalogue, what is recorded, and what Prometheus makes.
fn known() -> Known {
    let mut known = catalogue();
    for rule in rules().iter().filter(|rule| rule.get("record").is_some()) {
        let name = text(rule, "record");
        // `level:metric:operation`: the level is the labels that are left.
        let level = name.split(':').next().unwrap();
        known.insert(name.to_owned(), level.split('_').map(str::to_owned).collect());
    }
    for (name, labels) in PROMETHEUS {
        known.insert(name.to_owned(), labels.iter().map(|&label| label.to_owned()).collect());
    }
    known
}

/// With all variables filled in, as Grafana would.
fn filled(expr: &str) -> String {
    let expr = expr.replace("$__rate_interval", "1m").replace("$__range", "1h");
    expr.replace("$tenant", "acme").replace("$namespace", "blue").replace("$node", "n1")
}

/// What is wrong with an expression.
fn wrong(known: &Known, expr: &str) -> Vec<String> {
    let mut found = Vec::new();
    match parse(&filled(expr)) {
        Ok(parsed) => drop(look(known, &parsed, &mut found)),
        Err(error) => found.push(error),
    }
    found
}

/// Looks at all metrics and labels; gives the labels that the result may have, or `None` where a
/// function makes some.
fn look(known: &Known, expr: &Expr, found: &mut Vec<String>) -> Option<BTreeSet<String>> {
    match expr {
        Expr::VectorSelector(of) => selector(known, of, found),
        Expr::MatrixSelector(of) => selector(known, &of.vs, found),
        Expr::Paren(inner) => look(known, &inner.expr, found),
        Expr::Unary(inner) => look(known, &inner.expr, found),
        Expr::Subquery(inner) => look(known, &inner.expr, found),
        Expr::Aggregate(of) => {
            let labels = look(known, &of.expr, found);
            match (&of.modifier, labels) {
                (Some(LabelModifier::Include(by)), Some(labels)) => {
                    for label in &by.labels {
                        if !labels.contains(label) {
                            found.push(format!("by ({label}), which is none of {labels:?}"));
                        }
                    }
                    Some(by.labels.iter().cloned().collect())
                }
                (_, labels) => labels,
            }
        }
        Expr::Binary(of) => {
            let left = look(known, &of.lhs, found);
            let right = look(known, &of.rhs, found);
            Some(left?.union(&right?).cloned().collect())
        }
        Expr::Call(of) => {
            let labels: Vec<_> = of.args.args.iter().map(|arg| look(known, arg, found)).collect();
            if of.func.name.starts_with("label_") {
                None
            } else {
                labels.into_iter().next().flatten()
            }
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => None,
    }
}

fn selector(
    known: &Known,
    of: &VectorSelector,
    found: &mut Vec<String>,
) -> Option<BTreeSet<String>> {
    let name = of.name.clone().unwrap_or_default();
    let Some(labels) = known.get(&name) else {
        found.push(format!("there is no metric {name}"));
        return None;
    };
    let mut labels = labels.clone();
    labels.extend(OF_SCRAPES.map(str::to_owned));
    let Matchers { matchers, .. } = &of.matchers;
    for matcher in matchers.iter().filter(|matcher| !labels.contains(&matcher.name)) {
        found.push(format!("{name} has no label {}", matcher.name));
    }
    Some(labels)
}

#[test]
fn an_expression_names_metrics_and_labels_that_there_are() {
    let known = known();
    let check = |expr: &str, expected: &[&str]| assert_eq!(wrong(&known, expr), expected, "{expr}");
    check("sum by (tenant) (rate(landlord_tenant_cpu_seconds_total{node=~\"$node\"}[5m]))", &[]);
    check("rate(landlord_tenant_cpu_total[5m])", &["there is no metric landlord_tenant_cpu_total"]);
    check("tenant:landlord_tenant_syscalls:rate5m{tenant=\"a\"}", &[]);
    check("landlord_cgroups{tenant=\"a\"}", &["landlord_cgroups has no label tenant"]);
    let expected = "by (tenant), which is none of {\"instance\", \"job\", \"namespace\", \"node\"}";
    check("sum by (tenant) (landlord_cgroups)", &[expected]);
    assert_eq!(wrong(&known, "sum(landlord_cgroups").len(), 1);
}

#[test]
fn dashboards_and_rules_name_metrics_and_labels_that_there_are() {
    let known = known();
    let mut found = Vec::new();
    let mut add = |place: String, expr: &str| {
        found
            .extend(wrong(&known, expr).into_iter().map(|what| format!("{place}: {what}: {expr}")));
    };
    for dashboard in all() {
        for panel in dashboard.rows.iter().flat_map(|row| &row.panels) {
            for target in &panel.targets {
                add(format!("{}: {}", dashboard.uid, panel.title), &target.expr);
            }
        }
    }
    for rule in rules() {
        add(text(&rule, "record").to_owned() + text(&rule, "alert"), text(&rule, "expr"));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_panel_says_what_it_shows() {
    let uids: BTreeSet<&str> = all().iter().map(|dashboard| dashboard.uid).collect();
    assert_eq!(uids.len(), all().len(), "a uid twice");
    for dashboard in all() {
        assert!(!dashboard.about.is_empty());
        for row in &dashboard.rows {
            let mut titles = BTreeSet::new();
            for panel in &row.panels {
                let place = format!("{}: {}: {}", dashboard.uid, row.title, panel.title);
                assert!(panel.about.ends_with('.'), "{place}: no description");
                assert!(titles.insert(panel.title), "{place}: twice");
                assert!(!panel.targets.is_empty(), "{place}: no query");
                assert!(panel.width <= 24, "{place}: too wide");
                let is_named = |legend: &str| !legend.is_empty();
                let needs_names = !matches!(panel.kind, Kind::Stat | Kind::Table(_));
                let all_named = panel.targets.iter().all(|it| is_named(it.legend));
                assert!(!needs_names || all_named, "{place}: a series without name");
            }
        }
    }
}

#[test]
fn every_alert_has_its_place_among_the_runbooks() {
    const RUNBOOKS: &str = "https://github.com/landlord-dev/landlord/blob/main/docs/runbooks.md#";
    const PARTS: [&str; 4] = ["**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**"];
    let page = read("docs/runbooks.md");
    let sections: BTreeMap<&str, &str> =
        page.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    let mut alerts = BTreeSet::new();
    for rule in rules().iter().filter(|rule| rule.get("alert").is_some()) {
        let name = text(rule, "alert");
        assert!(alerts.insert(name.to_owned()), "{name}: twice");
        let notes = &rule["annotations"];
        for note in ["summary", "description"] {
            assert!(!text(notes, note).is_empty(), "{name}: no {note}");
        }
        assert_eq!(text(notes, "runbook_url"), format!("{RUNBOOKS}{}", name.to_lowercase()));
        let severity = text(&rule["labels"], "severity");
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        let section = sections.get(name).unwrap_or_else(|| panic!("{name}: no section"));
        for part in PARTS {
            assert!(section.contains(part), "{name}: its section has no {part}");
        }
    }
    let unknown: Vec<&&str> = sections.keys().filter(|it| !alerts.contains(**it)).collect();
    assert!(unknown.is_empty(), "sections without an alert: {unknown:?}");
}

#[test]
fn every_rule_is_tested() {
    let file: Value =
        serde_saphyr::from_str(&read("charts/prometheus/landlord.test.yaml")).unwrap();
    let tests = file["tests"].as_array().unwrap();
    let cases = |kind: &str| -> Vec<Value> {
        tests.iter().flat_map(|test| test[kind].as_array().cloned().unwrap_or_default()).collect()
    };
    for rule in rules() {
        let (record, alert) = (text(&rule, "record"), text(&rule, "alert"));
        let is_tested = if record.is_empty() {
            let of_it = |case: &&Value| text(case, "alertname") == alert;
            let fires = |case: &Value| !case["exp_alerts"].as_array().unwrap().is_empty();
            let cases = cases("alert_rule_test");
            let of_it: Vec<&Value> = cases.iter().filter(of_it).collect();
            of_it.iter().any(|case| fires(case)) && of_it.iter().any(|case| !fires(case))
        } else {
            cases("promql_expr_test").iter().any(|case| text(case, "expr") == record)
        };
        assert!(is_tested, "{record}{alert} has no test, or none in which it does not fire");
    }
}

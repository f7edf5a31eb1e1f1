//! Every start and every end of short processes is seen, with the right ancestors, and
//! nothing is kept of them.

use std::collections::BTreeSet;
use std::time::Duration;

use landlord_tests::truth::{exactly, must_fail};
use landlord_tests::workload::Order;

use super::{detection, drops, rules};
use crate::stage::{PATIENCE, amount, home, tenant};

const DEPTH: usize = 8;
/// On a machine that others use as well, there are fewer processes.
const SECONDS_MAX: &str = "60";
/// For how long a process that ended is known, and some more to be sure.
const GRACE: Duration = Duration::from_secs(8);
/// What the agent may have more in memory after the storm than before.
const GROWTH_BYTES: u64 = 24 << 20;

/// `{folder}` takes the place of the folder of the programs.
fn rule_text(folder: &str) -> String {
    let levels = |field: &str| -> String {
        (1..DEPTH).map(|level| format!(" %proc.{field}[{level}]")).collect()
    };
    format!(
        "- rule: Started\n  desc: d\n  condition: >\n    evt.type = execve and evt.rawres = 0 and \
         proc.exe startswith {folder}/lab-level\n  output: >\n    %proc.name %proc.args %proc.pid \
         %proc.apid[1]{}{}\n  priority: NOTICE\n\
         - rule: Ended\n  desc: d\n  condition: >\n    evt.type = procexit and \
         proc.exe startswith {folder}/lab-level\n  output: >\n    %proc.name %proc.args %proc.pid \
         %proc.apid[1]{}{}\n  priority: NOTICE\n",
        levels("apid"),
        levels("aname"),
        levels("apid"),
        levels("aname"),
    )
}

#[test]
fn ten_thousand_short_processes() {
    if !landlord_tests::may_run() {
        return;
    }
    let folder = tempfile::Builder::new().prefix("landlord-tree-").tempdir().unwrap();
    let file = rules(folder.path(), &rule_text(&folder.path().display().to_string()));
    let home = home();
    let mut watch = home.watch(&[file], &[]).unwrap();
    watch.settle().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let (cgroup, tenant) = tenant("tree");
    let before = watch.agent().usage().unwrap();
    let resident = watch.agent().resident_bytes().unwrap();

    let folder = folder.path().display().to_string();
    let (depth, chains) = (DEPTH.to_string(), amount(1250, 25).to_string());
    let mut work = vec!["tree", "--folder", &folder, "--depth", &depth];
    work.extend(["--count", &chains, "--seconds", SECONDS_MAX]);
    let truth = Order::new(work).inside(&cgroup).run(PATIENCE).unwrap();
    watch.settle().unwrap();
    let alerts = watch.alerts().unwrap();
    for rule in ["Started", "Ended"] {
        let mut seen = BTreeSet::new();
        for alert in alerts.iter().filter(|it| it.rule() == rule) {
            let number = |name: &str| alert.field(name).as_u64();
            // child-of-chain, number, depth, then the ids of those above.
            let args = alert.field("proc.args").as_str().unwrap();
            let words: Vec<&str> = args.split(' ').collect();
            let above: Vec<u64> = words[3..].iter().map(|word| word.parse().unwrap()).collect();
            let level = above.len();
            assert_eq!(alert.field("proc.name"), &format!("lab-level{level}"), "{alert:?}");
            for distance in 1..DEPTH {
                let Some(pid) = level.checked_sub(distance).map(|at| above[at]) else { break };
                let field = format!("proc.apid[{distance}]");
                assert_eq!(number(&field), Some(pid), "{field} of {alert:?}");
                let field = format!("proc.aname[{distance}]");
                let name = match level - distance {
                    0 => "workload".to_owned(),
                    above => format!("lab-level{above}"),
                };
                assert_eq!(alert.field(&field), &name, "{field} of {alert:?}");
            }
            assert!(seen.insert((words[1].to_owned(), level)), "{rule} twice: {alert:?}");
        }
        let lost = drops(&watch.agent().usage().unwrap(), &tenant);
        let seen = seen.len() as u64;
        exactly(rule, seen, truth.operations)
            .map_err(|it| format!("{it}; lost: {lost:?}"))
            .unwrap();
        must_fail(rule, &exactly(rule, seen, truth.operations + 1)).unwrap();
    }

    let known = detection(&watch.agent().usage().unwrap())["processes"].as_u64().unwrap();
    std::thread::sleep(GRACE);
    let after = watch.agent().usage().unwrap();
    let grown = watch.agent().resident_bytes().unwrap().saturating_sub(resident);
    let processes = |usage| detection(usage)["processes"].as_u64().unwrap();
    let rate = truth.operations as f64 / (truth.elapsed_ns as f64 / 1e9);
    println!(
        "{} processes, {rate:.0} a second; known before {}, at the end {known}, {GRACE:?} later {}; \
         resident {} KiB more",
        truth.operations,
        processes(&before),
        processes(&after),
        grown >> 10,
    );
    // The machine has others, too.
    assert!(processes(&after) < processes(&before) + 100, "{} processes", processes(&after));
    assert!(grown < GROWTH_BYTES, "{grown} bytes more");
}

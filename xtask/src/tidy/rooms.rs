//! What may not be used where: the layers of `agent/src/lib.rs`.

use std::path::Path;

use super::source::Source;

/// Modules of the agent, and words that no name in their code may hold: `tenant`
/// is held by `max_tenant` and by `TenantName`. A word of several parts, such as
/// `k8s_openapi`, is a whole name.
const FORBIDDEN: [(&[&str], &[&str], &str); 5] = [
    (
        &[
            "calls",
            "capture",
            "cost",
            "decode",
            "detection",
            "event",
            "filter",
            "isolation",
            "process",
            "rules",
            "usage",
        ],
        &["aya", "kube", "k8s_openapi", "tokio"],
        "is pure: what loads, watches or waits lives elsewhere",
    ),
    (&["container"], &["aya", "kube", "k8s_openapi"], "asks files and sockets, and no kernel"),
    (
        &[
            "container/cri",
            "container/docker",
            "container/document",
            "container/facts",
            "container/files",
            "container/image",
            "container/monitor",
            "container/oci",
            "container/privilege",
            "container/recorded",
            "container/runc",
            "container/sources",
        ],
        &["tokio"],
        "reads what it is given: what asks and waits lives in container/ask",
    ),
    (&["kernel"], &["tenant", "tenants"], "counts by cgroup and knows no tenant"),
    (&["sinks"], &["rules"], "ships what it is given and knows no rules"),
];

/// Where memory may be touched that Rust does not guard, and the one instruction
/// that no library offers.
const UNSAFE_ROOMS: [&str; 3] = ["agent/src/kernel", "agent-ebpf", "tests/src/bin/workload/raw.rs"];

/// Imports that cross a boundary.
pub(super) fn imports(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        for (modules, words, why) in FORBIDDEN {
            let Some(module) = modules.iter().find(|module| is_in(&source.path, module)) else {
                continue;
            };
            let hits = source.words().into_iter().filter(|(_, name)| holds(name, words));
            findings.extend(hits.map(|(line, word)| {
                format!("{}:{line}: `{word}`: {module} {why}", source.path.display())
            }));
        }
    }
    findings
}

/// `unsafe` outside the rooms that have it.
pub(super) fn unsafe_code(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        if UNSAFE_ROOMS.iter().any(|room| source.path.starts_with(room)) {
            continue;
        }
        let hits = source.words().into_iter().filter(|(_, word)| word == "unsafe");
        findings.extend(hits.map(|(line, _)| {
            let rooms = UNSAFE_ROOMS.join(", ");
            format!("{}:{line}: `unsafe` outside {rooms}", source.path.display())
        }));
    }
    findings
}

/// Whether the name, or one of the words that it is made of, is among these.
fn holds(name: &str, words: &[&str]) -> bool {
    words.contains(&name)
        || name
            .split('_')
            .flat_map(camel_words)
            .any(|word| words.contains(&word.to_lowercase().as_str()))
}

/// `TenantName` has two words, `TENANT` has one.
fn camel_words(name: &str) -> Vec<&str> {
    let starts = |(at, pair): (usize, &[u8])| {
        (pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).then_some(at + 1)
    };
    let mut words = Vec::new();
    let mut rest = name;
    while let Some(at) = rest.as_bytes().windows(2).enumerate().find_map(starts) {
        let (word, after) = rest.split_at(at);
        words.push(word);
        rest = after;
    }
    words.push(rest);
    words
}

/// Whether a file belongs to a module of the agent.
fn is_in(path: &Path, module: &str) -> bool {
    let folder = Path::new("agent/src").join(module);
    path.starts_with(&folder) || path == folder.with_extension("rs")
}

#[cfg(test)]
mod tests {
    use super::{Source, holds, imports, unsafe_code};

    fn check(run: fn(&[Source]) -> Vec<String>, path: &str, text: &str, expected: &[&str]) {
        let source = Source { path: path.into(), text: text.to_owned() };
        assert_eq!(run(&[source]), expected);
    }

    #[test]
    fn imports_stay_in_their_rooms() {
        let pure = "agent/src/usage/mod.rs:2: `tokio`: usage is pure: what loads, watches or waits \
                    lives elsewhere";
        check(imports, "agent/src/usage/mod.rs", "//! no tokio\nuse tokio::sync;\n", &[pure]);
        check(
            imports,
            "agent/src/decode.rs",
            "fn aya() {}",
            &[
                "agent/src/decode.rs:1: `aya`: decode is pure: what loads, watches or waits lives elsewhere",
            ],
        );
        check(imports, "agent/src/container/ask/http.rs", "use tokio::net;", &[]);
        check(
            imports,
            "agent/src/container/oci.rs",
            "use tokio::net;",
            &["agent/src/container/oci.rs:1: `tokio`: container/oci reads what it is given: \
               what asks and waits lives in container/ask"],
        );
        check(imports, "agent/src/pipeline.rs", "use tokio::sync;", &[]);
        check(imports, "agent/src/usage_report.rs", "use tokio::sync;", &[]);
        check(
            imports,
            "agent/src/kernel/load.rs",
            "use crate::identity::{CgroupId, TenantName};",
            &[
                "agent/src/kernel/load.rs:1: `TenantName`: kernel counts by cgroup and knows no tenant",
            ],
        );
    }

    #[test]
    fn names_are_taken_apart() {
        let check = |name, expected| {
            assert_eq!(holds(name, &["tenant", "aya", "k8s_openapi"]), expected, "{name}");
        };
        check("tenant", true);
        check("max_tenant_count", true);
        check("TenantName", true);
        check("OTHER_TENANT", true);
        check("usageByTenant", true);
        check("aya_obj", true);
        check("maya", false);
        check("k8s_openapi", true);
        check("K8sPodName", false);
        check("untenanted", false);
    }

    #[test]
    fn unsafe_stays_in_its_rooms() {
        let text = "#![deny(unsafe_code)]\nlet x = unsafe { f() }; // unsafe\n";
        check(unsafe_code, "agent/src/kernel/mmap.rs", text, &[]);
        check(unsafe_code, "agent-ebpf/src/main.rs", text, &[]);
        check(
            unsafe_code,
            "tests/src/lib.rs",
            text,
            &["tests/src/lib.rs:2: `unsafe` outside agent/src/kernel, agent-ebpf, \
             tests/src/bin/workload/raw.rs"],
        );
    }
}

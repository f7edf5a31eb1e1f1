//! What holds for every rendering of the chart: no more rights in the cluster and on
//! the node than were granted here, by name.

use serde_json::Value;

/// Rights in the cluster: API group, resource, verbs. Whatever is not here is a finding.
const RIGHTS: &[(&str, &str, &[&str])] = &[
    ("", "pods", &["get", "list", "watch"]),
    ("", "namespaces", &["get", "list", "watch"]),
    ("", "resourcequotas", &["get", "list", "watch"]),
    ("", "nodes", &["list", "watch"]),
    ("", "services", &["list", "watch"]),
    ("discovery.k8s.io", "endpointslices", &["list", "watch"]),
    ("", "nodes/stats", &["get"]),
    ("landlord.dev", "tenants", &["get", "list", "watch"]),
    ("landlord.dev", "tenants/status", &["patch"]),
];

/// Rights in the release's own namespace.
const OWN_RIGHTS: &[(&str, &str, &[&str])] =
    &[("coordination.k8s.io", "leases", &["create", "get", "update", "patch"])];

/// Capabilities, each with its reason in docs/kubernetes.md.
pub(super) const CAPABILITIES: [&str; 7] =
    ["BPF", "PERFMON", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "SYSLOG", "SYS_RESOURCE"];

/// Folders of the host that may be written to.
const WRITABLE: [&str; 3] = ["bpffs", "spool", "state"];

/// Everything in a manifest that goes beyond what was granted.
pub(super) fn findings(manifest: &Value) -> Vec<String> {
    match text(manifest, "/kind") {
        "ClusterRole" => rights(manifest, RIGHTS),
        "Role" => rights(manifest, OWN_RIGHTS),
        "ClusterRoleBinding" | "RoleBinding" => binding(manifest),
        "DaemonSet" => pod(manifest.pointer("/spec/template/spec").unwrap_or(&Value::Null)),
        _ => Vec::new(),
    }
}

fn rights(role: &Value, granted: &[(&str, &str, &[&str])]) -> Vec<String> {
    let mut findings = Vec::new();
    for rule in list(role, "/rules") {
        for group in words(rule, "/apiGroups") {
            for resource in words(rule, "/resources") {
                let verbs = granted
                    .iter()
                    .find(|(g, r, _)| (*g, *r) == (group, resource))
                    .map(|(.., v)| *v);
                for verb in words(rule, "/verbs") {
                    if !verbs.is_some_and(|verbs| verbs.contains(&verb)) {
                        findings.push(format!("right to {verb} {resource} of group {group:?}"));
                    }
                }
            }
        }
        if rule.get("nonResourceURLs").is_some() {
            findings.push("right to URLs".to_owned());
        }
    }
    findings
}

/// A binding may only hand out the chart's own role to its own account.
fn binding(binding: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    if text(binding, "/roleRef/name") != text(binding, "/metadata/name") {
        findings.push(format!("binds the role {}", text(binding, "/roleRef/name")));
    }
    for subject in list(binding, "/subjects") {
        if text(subject, "/kind") != "ServiceAccount" {
            findings.push(format!("binds to a {}", text(subject, "/kind")));
        }
    }
    findings
}

fn pod(pod: &Value) -> Vec<String> {
    let mut findings = Vec::new();
    for container in list(pod, "/containers").iter().chain(list(pod, "/initContainers")) {
        let context = container.get("securityContext").unwrap_or(&Value::Null);
        let expected = [
            ("privileged", Value::Bool(false)),
            ("allowPrivilegeEscalation", Value::Bool(false)),
            ("readOnlyRootFilesystem", Value::Bool(true)),
        ];
        for (key, value) in expected {
            if context.get(key) != Some(&value) {
                findings.push(format!("{key} is not {value}"));
            }
        }
        if text(context, "/seccompProfile/type") != "RuntimeDefault" {
            findings.push("seccomp is not RuntimeDefault".to_owned());
        }
        if words(context, "/capabilities/drop") != ["ALL"] {
            findings.push("not all capabilities are dropped".to_owned());
        }
        for added in words(context, "/capabilities/add") {
            if !CAPABILITIES.contains(&added) {
                findings.push(format!("capability {added}"));
            }
        }
        findings.extend(writable_mounts(pod, container));
    }
    findings
}

fn writable_mounts(pod: &Value, container: &Value) -> Vec<String> {
    let from_host = |name: &str| {
        let mut volumes = list(pod, "/volumes").iter();
        volumes.any(|volume| text(volume, "/name") == name && volume.get("hostPath").is_some())
    };
    list(container, "/volumeMounts")
        .iter()
        .filter(|mount| mount.get("readOnly") != Some(&Value::Bool(true)))
        .map(|mount| text(mount, "/name"))
        .filter(|name| from_host(name) && !WRITABLE.contains(name))
        .map(|name| format!("the host's folder {name} is writable"))
        .collect()
}

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn words<'a>(value: &'a Value, at: &str) -> Vec<&'a str> {
    list(value, at).iter().map(|word| word.as_str().unwrap_or("?")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::findings;

    #[test]
    fn rights_beyond_those_granted() {
        let check = |kind: &str, group: &str, resource: &str, verb: &str, expected: &[&str]| {
            let rule = json!({ "apiGroups": [group], "resources": [resource], "verbs": [verb] });
            let role = json!({ "kind": kind, "rules": [rule] });
            assert_eq!(findings(&role), expected, "{group} {resource} {verb}");
        };
        check("ClusterRole", "", "pods", "watch", &[]);
        check("ClusterRole", "", "pods", "*", &["right to * pods of group \"\""]);
        check("ClusterRole", "", "secrets", "get", &["right to get secrets of group \"\""]);
        check("ClusterRole", "", "*", "get", &["right to get * of group \"\""]);
        check("ClusterRole", "*", "pods", "get", &["right to get pods of group \"*\""]);
        check("ClusterRole", "", "nodes/proxy", "get", &["right to get nodes/proxy of group \"\""]);
        check("ClusterRole", "", "nodes", "watch", &[]);
        check("ClusterRole", "", "nodes", "get", &["right to get nodes of group \"\""]);
        check("ClusterRole", "", "pods", "delete", &["right to delete pods of group \"\""]);
        let lease = "coordination.k8s.io";
        check("Role", lease, "leases", "update", &[]);
        let everywhere = "right to update leases of group \"coordination.k8s.io\"";
        check("ClusterRole", lease, "leases", "update", &[everywhere]);
    }

    #[test]
    fn bindings_of_other_roles() {
        let check = |role: &str, subject: &str, expected: &[&str]| {
            let binding = json!({
                "kind": "ClusterRoleBinding",
                "metadata": { "name": "landlord" },
                "roleRef": { "name": role },
                "subjects": [{ "kind": subject }],
            });
            assert_eq!(findings(&binding), expected);
        };
        check("landlord", "ServiceAccount", &[]);
        check("cluster-admin", "ServiceAccount", &["binds the role cluster-admin"]);
        check("landlord", "Group", &["binds to a Group"]);
    }

    #[test]
    fn powers_on_the_node() {
        let check = |change: &dyn Fn(&mut Value), expected: &[&str]| {
            let mut container = json!({
                "securityContext": {
                    "privileged": false,
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "seccompProfile": { "type": "RuntimeDefault" },
                    "capabilities": { "drop": ["ALL"], "add": ["BPF"] },
                },
                "volumeMounts": [{ "name": "root", "readOnly": true }, { "name": "state" }],
            });
            change(&mut container);
            let volumes = json!([
                { "name": "root", "hostPath": {} },
                { "name": "state", "hostPath": {} },
            ]);
            let pod = json!({ "containers": [container], "volumes": volumes });
            let set = json!({ "kind": "DaemonSet", "spec": { "template": { "spec": pod } } });
            assert_eq!(findings(&set), expected);
        };
        check(&|_| (), &[]);
        let set = |at: &'static str, to: Value| {
            move |container: &mut Value| *container.pointer_mut(at).unwrap() = to.clone()
        };
        check(&set("/securityContext/privileged", json!(true)), &["privileged is not false"]);
        check(
            &set("/securityContext/capabilities/add", json!(["SYS_ADMIN"])),
            &["capability SYS_ADMIN"],
        );
        check(
            &set("/securityContext/capabilities/drop", json!(["NET_RAW"])),
            &["not all capabilities are dropped"],
        );
        check(
            &set("/securityContext/seccompProfile/type", json!("Unconfined")),
            &["seccomp is not RuntimeDefault"],
        );
        check(
            &set("/volumeMounts/0/readOnly", json!(false)),
            &["the host's folder root is writable"],
        );
    }
}

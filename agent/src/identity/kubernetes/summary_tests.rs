//! Summaries as kubelets write them.

use super::read;

/// As a kubelet of 1.34 with containerd answers, of a node with four pods: one with an
/// init container and two claims, one that was just made, a static one, and one whose
/// volumes are not measured yet.
const WHOLE: &str = include_str!("summary.json");

fn told(json: &str) -> Vec<String> {
    let pods = read(json.as_bytes()).unwrap();
    let lines = pods.iter().map(|pod| {
        let claims = pod.claims.iter().map(|it| {
            format!(" {}/{}={:?}/{:?}", it.namespace, it.claim, it.used_bytes, it.capacity_bytes)
        });
        format!(
            "{}/{} {} {:?} {:?}{}",
            pod.namespace,
            pod.name,
            pod.uid,
            pod.ephemeral_bytes,
            pod.ephemeral_inodes,
            claims.collect::<String>()
        )
    });
    lines.collect()
}

#[test]
fn a_whole_answer() {
    let expected = [
        "acme-prod/db-0 6a1f0d2e-5b3c-4c8e-9f10-2d7f0c4b1a01 Some(20578304) Some(44) \
         acme-prod/data-db-0=Some(1073741824)/Some(10464022528) \
         acme-prod/shared=Some(4096)/Some(107374182400)",
        "acme-prod/web-7c9d5b6f4-x2x7k 0b8e6f34-9a51-4a55-8a0f-6a2f1f0f5c02 None None",
        "kube-system/etcd-node-1 3f1a1c0fb0f3a6e1d8c1a9d6d1f0b2c4 Some(40960) Some(7)",
        "oil/batch-28765-abcde c3d5a7f0-1b2c-4d3e-8f90-a1b2c3d4e503 Some(0) Some(0) \
         oil/scratch=None/None",
    ];
    assert_eq!(told(WHOLE), expected);
}

#[test]
fn what_is_missing_or_null_is_not_known() {
    let check = |pod: &str, expected: &str| {
        let reference = r#""podRef": {"name": "p", "namespace": "n", "uid": "u"}"#;
        let json = format!(r#"{{"node": {{}}, "pods": [{{{reference}{pod}}}]}}"#);
        assert_eq!(told(&json), [format!("n/p u {expected}")], "{pod}");
    };
    check("", "None None");
    check(r#", "volume": null, "ephemeral-storage": null"#, "None None");
    check(r#", "volume": [], "ephemeral-storage": {}"#, "None None");
    check(r#", "ephemeral-storage": {"usedBytes": null, "inodesUsed": 3}"#, "None Some(3)");
    check(r#", "ephemeral-storage": {"usedBytes": 0}"#, "Some(0) None");
    check(r#", "volume": [{"name": "tmp", "usedBytes": 5, "pvcRef": null}]"#, "None None");
    let claim = r#""pvcRef": {"name": "c", "namespace": "n"}"#;
    check(&format!(r#", "volume": [{{"name": "v", {claim}}}]"#), "None None n/c=None/None");
    let most = u64::MAX;
    let volume = format!(r#", "volume": [{{"usedBytes": {most}, {claim}}}]"#);
    check(&volume, &format!("None None n/c=Some({most})/None"));
}

#[test]
fn nodes_without_pods() {
    assert!(told(r#"{"node": {}, "pods": null}"#).is_empty());
    assert!(told(r#"{"pods": []}"#).is_empty());
}

#[test]
fn what_is_no_summary_is_told_with_its_place() {
    let check = |json: &str, expected: &str| {
        assert_eq!(read(json.as_bytes()).unwrap_err().to_string(), expected, "{json}");
    };
    check("", "EOF while parsing a value at line 1 column 0");
    check("Unauthorized", "expected value at line 1 column 1");
    check("{}", "missing field `pods` at line 1 column 2");
    check("{\"pods\":\n [{}]}", "missing field `podRef` at line 2 column 4");
    check(
        "{\"pods\": [\n{\"podRef\": {\"name\": \"p\", \"namespace\": \"n\"}}]}",
        "missing field `uid` at line 2 column 42",
    );
    check(
        r#"{"pods": [{"podRef": {"name": "p", "namespace": "n", "uid": "u"},
           "ephemeral-storage": {"usedBytes": -1}}]}"#,
        "invalid value: integer `-1`, expected u64 at line 2 column 48",
    );
}

//! The alerts that are delivered: like those of a rule with an output of usual length.

use landlord::sinks::delivery::Message;
use serde_json::json;

const RULE: &str = "Read sensitive file untrusted";

/// The alert of a number; each is another one.
pub(crate) fn alert(number: u32) -> Message {
    let file = format!("/etc/secrets/of-a-tenant/credential-{number:08}");
    let said = format!(
        "Sensitive file opened for reading by non-trusted program | file={file} gparent=containerd-shim \
         ggparent=systemd gggparent=<NA> evt_type=openat user=root user_uid=0 user_loginuid=-1 \
         process=cat proc_exepath=/usr/bin/cat parent=bash command=cat {file} terminal=34816 \
         container_id=3ad7b26ded6d container_name=web"
    );
    let time_unix_ns = 1_700_000_000_000_000_000 + u64::from(number) * 1_000_000;
    let json = json!({
        "hostname": "node-0001",
        "output": format!("22:13:20.000000000: Warning {said}"),
        "output_fields": {
            "container.id": "3ad7b26ded6d", "container.name": "web", "evt.time": time_unix_ns,
            "evt.type": "openat", "fd.name": file, "proc.aname[2]": "containerd-shim",
            "proc.aname[3]": "systemd", "proc.aname[4]": null, "proc.cmdline": format!("cat {file}"),
            "proc.exepath": "/usr/bin/cat", "proc.name": "cat", "proc.pname": "bash", "proc.tty": 34816,
            "user.loginuid": -1, "user.name": "root", "user.uid": 0,
        },
        "priority": "Warning", "rule": RULE, "source": "syscall",
        "tags": ["T1555", "container", "filesystem", "host", "maturity_stable", "mitre_credential_access"],
        "time": "2023-11-14T22:13:20.000000000Z",
    });
    Message {
        id: format!("{number:032x}"),
        time_unix_ns,
        rule: RULE.to_owned(),
        priority: 4,
        tags: [
            "T1555",
            "container",
            "filesystem",
            "host",
            "maturity_stable",
            "mitre_credential_access",
        ]
        .map(str::to_owned)
        .to_vec(),
        tenant: format!("tenant-{}", number % 10),
        identity: "informer".to_owned(),
        tenant_labels: [("team".to_owned(), "blue".to_owned())].into(),
        namespace: Some(format!("tenant-{}-production", number % 10)),
        pod: Some("web-5d4f8c7b9-x2x7q".to_owned()),
        container: Some(
            "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e".to_owned(),
        ),
        event: "openat".to_owned(),
        process: "cat".to_owned(),
        pid: 4000 + number % 30_000,
        lineage: Vec::new(),
        remote: None,
        message: said,
        repeats: 0,
        json: json.to_string(),
    }
}

/// Bytes that one has before it is packed.
pub(crate) fn bytes() -> usize {
    alert(1).encode().unwrap().len()
}

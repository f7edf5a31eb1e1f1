//! What the chart renders with its default values: the reviewed snapshot, which the tests
//! of the chart hold against Helm's own output.

use anyhow::{Context as _, Result};
use serde_json::Value;

const RENDERED: &str = include_str!("../../../charts/tests/snapshots/default.yaml");

/// The pod of the DaemonSet.
pub(super) fn pod() -> Result<Value> {
    let mut set = object("DaemonSet")?;
    set.pointer_mut("/spec/template/spec").map(Value::take).context("a DaemonSet has a pod")
}

/// The files of a ConfigMap.
pub(super) fn config_map(name: &str) -> Result<Vec<(String, String)>> {
    let object = objects()?
        .into_iter()
        .find(|object| object["kind"] == "ConfigMap" && object["metadata"]["name"] == name)
        .with_context(|| format!("the chart has no ConfigMap {name}"))?;
    let data = object["data"].as_object().context("a ConfigMap has data")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(data.iter().map(|(file, value)| (file.clone(), text(value))).collect())
}

fn object(kind: &str) -> Result<Value> {
    let found = objects()?.into_iter().find(|object| object["kind"] == kind);
    found.with_context(|| format!("the chart has no {kind}"))
}

fn objects() -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(RENDERED).context("the chart's snapshot is not YAML")
}

#[cfg(test)]
mod tests {
    use super::{config_map, pod};

    #[test]
    fn the_snapshot_has_the_pod_and_its_configuration() {
        assert_eq!(pod().unwrap()["hostPID"], true);
        let files = config_map("landlord").unwrap();
        assert_eq!(files.len(), 1);
        assert!(files[0].1.contains("/sys/fs/bpf/landlord"), "{files:?}");
        assert!(config_map("other").is_err());
    }
}

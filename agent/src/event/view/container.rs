//! Where it was done: `container.…`.

use super::{View, filled, mount, text};
use crate::container::{ContainerFacts, Probe};
use crate::identity::cgroup_path::Runtime;
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::value::Value;

/// In place of the id, the name and the runtime of a container.
const HOST: &str = "host";
/// Digits of an id that are shown.
const SHORT: usize = 12;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    let place = view.around.place;
    let container = place.container_id.as_deref();
    match field.id {
        FieldId::ContainerId => return view.container_id().map(text),
        FieldId::ContainerFullId => return container.or_else(|| view.host()).map(text),
        FieldId::ContainerName | FieldId::ContainerType if container.is_none() => {
            return view.host().map(text);
        }
        FieldId::ContainerType => return runtime(view).map(text),
        FieldId::ContainerStartTs => return view.container_start().map(Value::Uint),
        FieldId::ContainerDuration => {
            let now = view.unix_ns(view.record.head.time_ns);
            return Some(Value::Uint(now.checked_sub(view.container_start()?)?));
        }
        _ => {}
    }
    let facts = place.facts.as_deref().filter(|_| container.is_some())?;
    let some = |text: &'v Option<String>| filled(text.as_deref()?.as_bytes());
    let flag = |value: Option<bool>| value.map(Value::Bool);
    match field.id {
        FieldId::ContainerName => some(&facts.name),
        FieldId::ContainerImage => some(&facts.image),
        FieldId::ContainerImageId => some(&facts.image_id),
        FieldId::ContainerImageDigest => facts.image_digest().map(text),
        FieldId::ContainerImageRepository => facts.image_repository().map(text),
        FieldId::ContainerImageTag => facts.image_tag().map(text),
        FieldId::ContainerIp => some(&facts.ip),
        FieldId::ContainerPrivileged => flag(facts.privileged),
        FieldId::ContainerHostIpc => flag(facts.host_ipc),
        FieldId::ContainerHostNetwork => flag(facts.host_network),
        FieldId::ContainerHostPid => flag(facts.host_pid),
        FieldId::ContainerHealthcheck => probe(facts, Probe::Healthcheck),
        FieldId::ContainerLivenessProbe => probe(facts, Probe::Liveness),
        FieldId::ContainerReadinessProbe => probe(facts, Probe::Readiness),
        FieldId::ContainerLabel => match &field.argument {
            Argument::Key(key) => facts.labels.get(&**key).map(|label| text(label)),
            _ => None,
        },
        FieldId::ContainerLabels => {
            let compose = |out: &mut Vec<u8>| labels(&facts.labels, out);
            view.texts.get(field.id, 0, compose).map(Value::Text)
        }
        _ => mount::value(view, field, &facts.mounts),
    }
}

impl View<'_> {
    /// `container.id`.
    pub(super) fn container_id(&self) -> Option<&str> {
        self.around.place.container_id.as_deref().map(short).or_else(|| self.host())
    }

    /// What stands for the host, where that is known not to be a container.
    fn host(&self) -> Option<&'static str> {
        let place = self.around.place;
        (place.container_id.is_none() && !place.cgroup_path.is_empty()).then_some(HOST)
    }

    /// When the container was started, nanoseconds since 1970: by its runtime, or else
    /// by its first process.
    fn container_start(&self) -> Option<u64> {
        let place = self.around.place;
        place.container_id.as_deref()?;
        let told = place.facts.as_ref().and_then(|facts| facts.started_unix_ns);
        told.or_else(|| self.namespace_start())
    }
}

/// An id as container tools show it; names are not shortened.
pub(super) fn short(id: &str) -> &str {
    let is_hex = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { &id[..SHORT] } else { id }
}

/// Labels as `a:1, b:2`; false when there are none.
pub(super) fn labels<'l>(
    labels: impl IntoIterator<Item = (&'l String, &'l String)>,
    out: &mut Vec<u8>,
) -> bool {
    for (key, label) in labels {
        out.extend_from_slice(if out.is_empty() { b"" } else { b", " });
        out.extend_from_slice(key.as_bytes());
        out.push(b':');
        out.extend_from_slice(label.as_bytes());
    }
    !out.is_empty()
}

fn runtime<'v>(view: &'v View<'_>) -> Option<&'v str> {
    let place = view.around.place;
    let told = place.facts.as_deref().map(|facts| facts.runtime.as_str());
    told.filter(|runtime| !runtime.is_empty()).or_else(|| match place.runtime? {
        Runtime::Crio => Some("cri-o"),
        // The path does not tell who made it.
        Runtime::Oci => None,
        runtime => Some(runtime.name()),
    })
}

/// The command of a probe; `NONE` where there is none, as in Falco.
fn probe(facts: &ContainerFacts, probe: Probe) -> Option<Value<'_>> {
    let found = facts.probes.iter().find(|(kind, _)| *kind == probe);
    Some(text(found.map_or("NONE", |(_, command)| command)))
}

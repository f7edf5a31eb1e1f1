//! The pod around it, as far as the cluster and the runtime tell: `k8s.…` and
//! `k8smeta.…`.

use super::{View, container, filled, text};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::value::Value;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef, nth: usize) -> Option<Value<'v>> {
    let place = view.around.place;
    let facts = place.facts.as_deref();
    let pod = place.pod.as_deref();
    let labels = pod.map(|pod| &pod.labels).or_else(|| facts.map(|facts| &facts.pod_labels));
    match field.id {
        FieldId::K8sPodUid | FieldId::K8sPodId | FieldId::K8smetaPodUid => {
            let told = pod.and_then(|pod| pod.uid.as_deref());
            let told = told.or_else(|| facts.and_then(|facts| facts.pod_uid.as_deref()));
            return filled(told.or(place.pod_uid.as_deref())?.as_bytes());
        }
        FieldId::K8sNsName | FieldId::K8smetaNsName => {
            let told = pod.map(|pod| pod.namespace.as_str());
            return filled(told.or_else(|| facts?.pod_namespace.as_deref())?.as_bytes());
        }
        FieldId::K8sPodName | FieldId::K8smetaPodName => {
            let told = pod.map(|pod| pod.name.as_str());
            return filled(told.or_else(|| facts?.pod_name.as_deref())?.as_bytes());
        }
        FieldId::K8sPodIp | FieldId::K8smetaPodIp => {
            let told = pod.and_then(|pod| pod.ip.as_deref());
            // Containers of a pod share its address.
            let of_container = || facts.filter(|it| it.pod_name.is_some())?.ip.as_deref();
            return filled(told.or_else(of_container)?.as_bytes());
        }
        FieldId::K8sPodLabel | FieldId::K8smetaPodLabel => {
            let Argument::Key(key) = &field.argument else { return None };
            return labels?.get(&**key).map(|label| text(label));
        }
        FieldId::K8sPodLabels => {
            let labels = labels?;
            let compose = |out: &mut Vec<u8>| container::labels(labels, out);
            return view.texts.get(field.id, 0, compose).map(Value::Text);
        }
        FieldId::K8smetaPodLabels => {
            let label = labels?.iter().nth(nth)?;
            let compose = |out: &mut Vec<u8>| container::labels([label], out);
            return view.texts.get(field.id, nth, compose).map(Value::Text);
        }
        _ => {}
    }
    let facts = facts?;
    let some = |text: &'v Option<String>| filled(text.as_deref()?.as_bytes());
    match field.id {
        FieldId::K8sPodFullSandboxId => some(&facts.pod_sandbox_id),
        FieldId::K8sPodSandboxId => facts.pod_sandbox_id.as_deref().map(container::short).map(text),
        // Of what is not watched: deployments, Services and the like.
        _ => None,
    }
}

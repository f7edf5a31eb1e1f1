//! The pod around it, as far as the runtime tells: `k8s.…` and `k8smeta.…`.

use super::{View, container, filled, text};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::value::Value;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef, nth: usize) -> Option<Value<'v>> {
    let place = view.around.place;
    let facts = place.facts.as_deref();
    match field.id {
        FieldId::K8sPodUid | FieldId::K8sPodId | FieldId::K8smetaPodUid => {
            let told = facts.and_then(|facts| facts.pod_uid.as_deref());
            return filled(told.or(place.pod_uid.as_deref())?.as_bytes());
        }
        _ => {}
    }
    let facts = facts?;
    let some = |text: &'v Option<String>| filled(text.as_deref()?.as_bytes());
    match field.id {
        FieldId::K8sNsName | FieldId::K8smetaNsName => some(&facts.pod_namespace),
        FieldId::K8sPodName | FieldId::K8smetaPodName => some(&facts.pod_name),
        FieldId::K8sPodFullSandboxId => some(&facts.pod_sandbox_id),
        FieldId::K8sPodSandboxId => facts.pod_sandbox_id.as_deref().map(container::short).map(text),
        FieldId::K8sPodIp | FieldId::K8smetaPodIp => {
            // Containers of a pod share its address.
            facts.pod_name.as_ref().and_then(|_| some(&facts.ip))
        }
        FieldId::K8sPodLabel | FieldId::K8smetaPodLabel => match &field.argument {
            Argument::Key(key) => facts.pod_labels.get(&**key).map(|label| text(label)),
            _ => None,
        },
        FieldId::K8sPodLabels => {
            let compose = |out: &mut Vec<u8>| container::labels(&facts.pod_labels, out);
            view.texts.get(field.id, 0, compose).map(Value::Text)
        }
        FieldId::K8smetaPodLabels => {
            let label = facts.pod_labels.iter().nth(nth)?;
            let compose = |out: &mut Vec<u8>| container::labels([label], out);
            view.texts.get(field.id, nth, compose).map(Value::Text)
        }
        // Asked of the API server, which nobody here asks.
        _ => None,
    }
}

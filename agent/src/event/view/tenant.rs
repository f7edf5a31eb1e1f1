//! Whose it is: `tenant.…`.

use super::{View, filled, text};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::value::Value;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    let place = view.around.place;
    match (field.id, &field.argument) {
        (FieldId::TenantName, _) => filled(place.tenant.as_bytes()),
        (FieldId::TenantLabels, Argument::Key(key)) => {
            place.tenant_labels.get(&**key).map(|label| text(label))
        }
        (FieldId::TenantPeer, _) => view.around.peer.map(text),
        _ => None,
    }
}

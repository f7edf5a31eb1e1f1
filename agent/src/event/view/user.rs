//! On whose behalf: `user.…` and `group.…`.

use super::{View, text};
use crate::rules::event::FieldRef;
use crate::rules::field::FieldId;
use crate::rules::value::Value;

/// No user.
const UNSET: u32 = u32::MAX;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    let head = &view.record.head;
    let names = view.around.names;
    let container = view.around.place.container_id.as_deref();
    match field.id {
        FieldId::UserUid => Some(Value::Uint(head.uid.into())),
        FieldId::UserName => names.user_name(container, head.uid).map(text),
        FieldId::UserHomedir => names.home(container, head.uid).map(text),
        FieldId::UserShell => names.shell(container, head.uid).map(text),
        FieldId::UserLoginuid => {
            Some(Value::Int(if head.loginuid == UNSET { -1 } else { head.loginuid.into() }))
        }
        // Whoever logged in did so on the host.
        FieldId::UserLoginname if head.loginuid != UNSET => {
            names.user_name(None, head.loginuid).map(text)
        }
        FieldId::GroupGid => Some(Value::Uint(head.gid.into())),
        FieldId::GroupName => names.group_name(container, head.gid).map(text),
        _ => None,
    }
}

//! Mounts of the container: `container.mount…`.

use super::{View, text};
use crate::container::Mount;
use crate::rules::compile::Glob;
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::FieldId;
use crate::rules::value::Value;

pub(super) fn value<'v>(
    view: &'v View<'_>,
    field: &FieldRef,
    mounts: &'v [Mount],
) -> Option<Value<'v>> {
    if field.id == FieldId::ContainerMounts {
        let compose = |out: &mut Vec<u8>| {
            for mount in mounts {
                out.extend_from_slice(if out.is_empty() { b"" } else { b"," });
                write(mount, out);
            }
            !mounts.is_empty()
        };
        return view.texts.get(field.id, 0, compose).map(Value::Text);
    }
    let of_key: fn(&Mount) -> &str = match field.id {
        FieldId::ContainerMountSource => |mount| &mount.destination,
        FieldId::ContainerMount
        | FieldId::ContainerMountDest
        | FieldId::ContainerMountMode
        | FieldId::ContainerMountRdwr
        | FieldId::ContainerMountPropagation => |mount| &mount.source,
        _ => return None,
    };
    let Argument::Key(key) = &field.argument else { return None };
    let at = find(mounts, key, of_key)?;
    let mount = &mounts[at];
    match field.id {
        FieldId::ContainerMountSource => Some(text(&mount.source)),
        FieldId::ContainerMountDest => Some(text(&mount.destination)),
        FieldId::ContainerMountMode => Some(text(&mount.mode)),
        FieldId::ContainerMountRdwr => Some(text(if mount.writable { "true" } else { "false" })),
        FieldId::ContainerMountPropagation => Some(text(&mount.propagation)),
        _ => {
            let compose = |out: &mut Vec<u8>| {
                write(mount, out);
                true
            };
            view.texts.get(field.id, at, compose).map(Value::Text)
        }
    }
}

/// The place of the mount of that number, or of the first that matches.
fn find(mounts: &[Mount], key: &str, text: fn(&Mount) -> &str) -> Option<usize> {
    if let Ok(number) = key.parse::<usize>() {
        return (number < mounts.len()).then_some(number);
    }
    if !key.contains(['*', '?', '[', '\\']) {
        return mounts.iter().position(|mount| text(mount) == key);
    }
    let glob = Glob::new(key.as_bytes(), false);
    mounts.iter().position(|mount| glob.matches(text(mount).as_bytes()))
}

/// A mount as `source:dest:mode:rdrw:propagation`.
fn write(mount: &Mount, out: &mut Vec<u8>) {
    let writable = if mount.writable { "true" } else { "false" };
    let parts = [&mount.source, &mount.destination, &mount.mode, writable, &mount.propagation];
    out.extend_from_slice(parts.join(":").as_bytes());
}

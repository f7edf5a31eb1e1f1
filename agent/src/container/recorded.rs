//! Files and answers of real runtimes: runc 1.1.5, crun 1.8.1, containerd 1.6.20,
//! Docker 20.10.24 and Podman 4.3.1. Shortened where they list system calls and
//! devices. Two names were given to the one image.

use serde_json::Value;

/// Text of a recorded file.
macro_rules! recorded {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/container/recorded/", $path))
    };
}
pub(super) use recorded;

pub(super) const SANDBOX: &str = "ab3d981d0083b695c257bf3aa8e641bfab2c341e4514a905ba74207d20218f83";
/// A container of the pod.
pub(super) const WEB: &str = "fc5f638539e6f79676c09c8eb5d4cd74ae016ef729686210763542521bf576b8";
/// A privileged one.
pub(super) const AGENT: &str = "c7a80a4ffea28bf416df0b05b11f897ae61edec81836b8307f41096fb78bb38d";
pub(super) const DOCKER_WEB: &str =
    "06d04cd1b86e9e08b2b8713deefedb6df718ca54900791707a7b9f6a7a17f753";
pub(super) const DOCKER_ROOT: &str =
    "62422054d42bc85e624ed1a6f6784e9094160e25558849623de06b109739d518";
pub(super) const PODMAN_WEB: &str =
    "1605aca25bd2b7221e21e4d05228880d3189f0f244f0475bddea98dfa373e450";
pub(super) const PODMAN_NONE: &str =
    "5a726352552d8aafb74cd9e6345f65a057403d34b368cec762a836808b6c0b33";
pub(super) const PODMAN_ROOT: &str =
    "0084ba0a29a5b92cef4fd519b68cb2feda37284e4c5e3486def4a85eb764c0a5";
pub(super) const POD_UID: &str = "3e41dc6b-08a8-44db-bc2a-3724b18ab19a";
pub(super) const IMAGE: &str = "registry.test:5000/team/web:1.2";
pub(super) const IMAGE_ID: &str =
    "8daca3561be848337bc42dc747a6d5dff8009adc1c13eb4f708fd785eb52eeac";

pub(super) const WEB_STATUS: &[u8] = include_bytes!("recorded/containerd/web.status.pb");
pub(super) const AGENT_STATUS: &[u8] = include_bytes!("recorded/containerd/agent.status.pb");
pub(super) const SANDBOX_STATUS: &[u8] = include_bytes!("recorded/containerd/sandbox.status.pb");

/// The recorded document.
pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a recorded document")
}

//! Every runtime's form as a case, and the laws that hold for any path.

use proptest::prelude::{Just, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{Qos, Workload};

const ID: &str = "0f3ab1c5d4e697887766554433221100ffeeddccbbaa99887766554433221100";
const INNER: &str = "9999999999999999999999999999999999999999999999999999999999999999";
const UID: &str = "8712f785-1a3e-41ec-a00b-e2dcc77431cb";
const UID_SYSTEMD: &str = "8712f785_1a3e_41ec_a00b_e2dcc77431cb";
const INNER_UID: &str = "11111111-2222-3333-4444-555555555555";
const HASH: &str = "9729a196c4723b60ab401eaff722982d";
const GARDEN: &str = "a3d7d0a4-3c1e-4a5b-5f3e-1d2c";

/// Names for the long constants above, so that a case fits a line.
const SHORT: [(&str, &str); 7] = [
    ("$id", ID),
    ("$inner-uid", INNER_UID),
    ("$inner", INNER),
    ("$_uid", UID_SYSTEMD),
    ("$uid", UID),
    ("$hash", HASH),
    ("$garden", GARDEN),
];

fn expand(text: &str) -> String {
    SHORT.iter().fold(text.to_owned(), |text, (name, long)| text.replace(name, long))
}

/// `pod=<uid>/<class> <runtime>=<id> in <slice>/<unit>`, absent parts left out.
fn summary(path: &str) -> String {
    let workload = Workload::parse(path);
    let mut parts = Vec::new();
    if let Some(pod) = &workload.pod {
        let qos = match pod.qos {
            Qos::Guaranteed => "guaranteed",
            Qos::Burstable => "burstable",
            Qos::BestEffort => "besteffort",
        };
        parts.push(format!("pod={}/{qos}", pod.uid.as_str()));
    }
    if let Some(container) = &workload.container {
        parts.push(format!("{}={}", container.runtime, container.id.as_str()));
    }
    match (workload.slice.as_deref(), workload.unit.as_deref()) {
        (None, None) => {}
        (slice, unit) => {
            parts.push(format!("in {}/{}", slice.unwrap_or(""), unit.unwrap_or("")));
        }
    }
    parts.join(" ")
}

#[track_caller]
fn check(path: &str, expected: &str) {
    assert_eq!(summary(&expand(path)), expand(expected), "{path}");
}

#[test]
fn docker() {
    check("/system.slice/docker-$id.scope", "docker=$id in system/docker-$id.scope");
    check("/docker/$id", "docker=$id");
    check("/acme.slice/docker-$id.scope", "docker=$id in acme/docker-$id.scope");
    check("/acme/$id", "oci=$id");
    check("/system.slice:docker:$id", "docker=$id");
    check("/actions_job/$id", "docker=$id");
    check("/system.slice/docker.service", "in system/docker.service");
}

#[test]
fn docker_on_ecs() {
    check("/ecs/3b2a/$id", "docker=$id");
    check("/ecs/cluster/3b2a/$id", "docker=$id");
    check(
        "/ecstasks.slice/ecstasks-3b2a.slice/docker-$id.scope",
        "docker=$id in ecstasks-3b2a/docker-$id.scope",
    );
}

#[test]
fn containerd() {
    check(
        "/system.slice/cri-containerd-$id.scope",
        "containerd=$id in system/cri-containerd-$id.scope",
    );
    check("/system.slice/nerdctl-$id.scope", "containerd=$id in system/nerdctl-$id.scope");
    check("/default/$id", "containerd=$id");
    check("/k8s.io/$id", "containerd=$id");
}

#[test]
fn podman() {
    check("/machine.slice/libpod-$id.scope/container", "podman=$id in machine/libpod-$id.scope");
    check("/machine.slice/libpod-conmon-$id.scope", "in machine/libpod-conmon-$id.scope");
    check("/libpod_parent/libpod-$id", "podman=$id");
    check(
        "/machine.slice/machine-libpod_pod_$inner.slice/libpod-$id.scope",
        "podman=$id in machine-libpod_pod_$inner/libpod-$id.scope",
    );
    check("/system.slice/web.service/libpod-payload-$id", "podman=$id in system/web.service");
    check(
        "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-$id.scope/container",
        "podman=$id in user-1000/user@1000.service",
    );
    check(
        "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-conmon-$id.scope",
        "in user-1000/user@1000.service",
    );
}

#[test]
fn system_containers() {
    check("/lxc/mysql-primary-db", "lxc=mysql-primary-db");
    check("/lxc/101/ns/system.slice/cron.service", "lxc=101");
    check("/lxc.payload/web", "lxc=web");
    check("/lxc.payload.web-1/system.slice/nginx.service", "lxc=web-1");
    check("/lxc.payload.project_web", "lxc=project_web");
    check("/lxc.monitor.web-1", "");
    check("/lxc.monitor/101", "");
    check("/lxc.pivot", "");
    check(
        r"/machine.slice/machine-web\x2d1.scope/payload/init.scope",
        r"nspawn=web-1 in machine/machine-web\x2d1.scope",
    );
    check(
        "/machine.slice/systemd-nspawn@web.service/payload",
        "nspawn=web in machine/systemd-nspawn@web.service",
    );
    check(
        r"/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/vcpu0",
        r"in machine/machine-qemu\x2d1\x2dvm.scope",
    );
    check(r"/machine.slice/machine-bad\x2.scope", r"in machine/machine-bad\x2.scope");
    check(r"/machine.slice/machine-nul\x00.scope", r"in machine/machine-nul\x00.scope");
    check("/system.slice/garden.service/garden/$garden", "garden=$garden in system/garden.service");
    check("/garden/$uid", "garden=$uid");
}

#[test]
fn pods_by_the_cgroupfs_driver() {
    check("/kubepods/burstable/pod$uid/$id", "pod=$uid/burstable oci=$id");
    check("/kubepods/besteffort/pod$uid/$id", "pod=$uid/besteffort oci=$id");
    check("/kubepods/pod$uid/$id", "pod=$uid/guaranteed oci=$id");
    check("/kubepods/pod$uid/crio-$id", "pod=$uid/guaranteed crio=$id");
    check("/kubepods/pod$uid/crio-conmon-$id", "pod=$uid/guaranteed");
    check("/kubepods/burstable/pod$hash/$id", "pod=$hash/burstable oci=$id");
    check("/kubepods/burstable/pod$uid", "pod=$uid/burstable");
    check("/kubepods/burstable", "");
    check("/kubepods", "");
}

#[test]
fn pods_by_the_systemd_driver() {
    let slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod$_uid.slice";
    let unit = |unit| format!("in kubepods-burstable-pod$_uid/{unit}");
    let pod = "pod=$uid/burstable";
    for (scope, container) in [
        ("docker-$id.scope", " docker=$id"),
        ("cri-containerd-$id.scope", " containerd=$id"),
        ("crio-$id.scope", " crio=$id"),
        ("crio-conmon-$id.scope", ""),
    ] {
        check(&format!("{slice}/{scope}"), &format!("{pod}{container} {}", unit(scope)));
    }
    check(&format!("{slice}/cri-containerd-$id"), &format!("{pod} containerd=$id {}", unit("")));
    check(
        &format!("{slice}/crio-$id.scope/container"),
        &format!("{pod} crio=$id {}", unit("crio-$id.scope")),
    );
    check("/kubepods.slice/kubepods-pod$_uid.slice", "pod=$uid/guaranteed in kubepods-pod$_uid/");
    check(
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod$hash.slice/docker-$id.scope",
        "pod=$hash/besteffort docker=$id in kubepods-besteffort-pod$hash/docker-$id.scope",
    );
}

#[test]
fn pods_in_the_unexpanded_form() {
    check(
        "/system.slice/containerd.service/kubepods-burstable-pod$_uid.slice:cri-containerd:$id",
        "pod=$uid/burstable containerd=$id in system/containerd.service",
    );
    check("/kubepods-pod$_uid.slice:cri-containerd:$id", "pod=$uid/guaranteed containerd=$id");
}

#[test]
fn pods_of_small_distributions() {
    // k3s and rke2, by either driver.
    check("/system.slice/k3s.service", "in system/k3s.service");
    check("/k8s.io/k3s/kubepods/besteffort/pod$uid/$id", "pod=$uid/besteffort oci=$id");
    // Talos.
    check("/podruntime/kubelet", "");
    check("/podruntime/runtime", "");
    check("/system/apid", "");
    check("/kubepods/burstable/pod$uid/$id", "pod=$uid/burstable oci=$id");
    // A kubelet below a cgroup root of its own.
    check("/node/kubepods/burstable/pod$uid/$id", "pod=$uid/burstable oci=$id");
}

#[test]
fn a_pod_in_a_container_that_is_a_node() {
    // kind and minikube, cgroupfs and systemd drivers, nodes by docker and podman.
    check("/docker/$inner/kubelet/kubepods/besteffort/pod$uid/$id", "pod=$uid/besteffort oci=$id");
    check(
        "/system.slice/docker-$inner.scope/kubelet.slice/kubelet-kubepods.slice/\
         kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod$_uid.slice/cri-containerd-$id.scope",
        "pod=$uid/burstable containerd=$id in system/docker-$inner.scope",
    );
    check(
        "/machine.slice/libpod-$inner.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod$_uid.slice",
        "pod=$uid/guaranteed in machine/libpod-$inner.scope",
    );
    check("/docker/$id/system.slice/containerd.service", "docker=$id");
}

#[test]
fn what_runs_inside_a_pod_belongs_to_it() {
    let pod = "/kubepods/burstable/pod$uid/$id";
    let expected = "pod=$uid/burstable oci=$id";
    for inner in [
        "/docker/$inner",
        "/system.slice/docker-$inner.scope",
        "/init.scope",
        "/system.slice/nginx.service",
        // kind in the pod, and a pod that its owner made up.
        "/docker/$inner/kubelet/kubepods/besteffort/pod$inner-uid/$inner",
        "/kubepods/pod$inner-uid/$inner",
        "/lxc.payload.web",
    ] {
        check(&format!("{pod}{inner}"), expected);
    }
}

#[test]
fn what_runs_inside_a_container_belongs_to_it() {
    check("/docker/$id/docker/$inner", "docker=$id");
    check(
        "/system.slice/docker-$id.scope/system.slice/sshd.service",
        "docker=$id in system/docker-$id.scope",
    );
    check("/lxc.payload.web/docker/$inner", "lxc=web");
}

#[test]
fn no_pods_where_others_write_the_names() {
    check("/lxc.payload.web/kubepods/pod$uid/$id", "lxc=web");
    check("/garden/$garden/kubepods/pod$uid", "garden=$garden");
    check(
        "/machine.slice/machine-web.scope/kubepods/pod$uid",
        "nspawn=web in machine/machine-web.scope",
    );
    check(
        "/user.slice/user-1000.slice/user@1000.service/kubepods/pod$uid",
        "in user-1000/user@1000.service",
    );
    check(
        "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-$inner.scope/kubepods/pod$uid",
        "docker=$inner in user-1000/user@1000.service",
    );
}

#[test]
fn services_and_slices() {
    check("/system.slice/nginx.service", "in system/nginx.service");
    check("/system.slice/nginx.service/worker", "in system/nginx.service");
    check(r"/system.slice/dev-hugepages.mount", "in system/dev-hugepages.mount");
    check(
        "/system.slice/system-getty.slice/getty@tty1.service",
        "in system-getty/getty@tty1.service",
    );
    check("/user.slice/user-1000.slice/session-2.scope", "in user-1000/session-2.scope");
    check(
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-shell.scope",
        "in user-1000/user@1000.service",
    );
    check("/init.scope", "in /init.scope");
    check("/system.slice", "in system/");
    check("/acme/worker", "");
}

#[test]
fn near_misses_are_no_workloads() {
    check("/", "");
    check("", "");
    check("/docker/short", "");
    check(&format!("/docker/{}", &ID[1..]), "");
    check(&format!("/docker/{ID}0"), "");
    check("/pod$uid/$id", "oci=$id");
    check("/burstable/pod$uid", "");
    check("/kubepods/podcast", "");
    check("/kubepods/burstable/deep/pod$uid", "");
    check("/xkubepods-pod$_uid.slice", "in xkubepods-pod$_uid/");
    check("/kubepods-pod$_uid", "");
    check("/system.slice/docker-$id.service", "in system/docker-$id.service");
    check("/lxc", "");
    check("/lxc.payload.", "");
}

#[test]
fn ids_are_normalised() {
    check(&format!("/docker/{}", ID.to_uppercase()), "docker=$id");
    check(&format!("/kubepods/pod{}", UID.to_uppercase()), "pod=$uid/guaranteed");
    check("//docker//$id//", "docker=$id");
}

#[test]
fn short_ids() {
    let short = |path: &str| {
        Workload::parse(&expand(path)).container.map(|c| c.id.short().to_owned()).unwrap()
    };
    assert_eq!(short("/docker/$id"), "0f3ab1c5d4e6");
    assert_eq!(short("/lxc/a-name-longer-than-twelve"), "a-name-longer-than-twelve");
    assert_eq!(short("/garden/$garden"), GARDEN);
}

/// Components of which the interesting paths consist, and noise.
fn component() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 23] = [
        "kubepods",
        "burstable",
        "besteffort",
        "pod$uid",
        "pod$inner-uid",
        "kubepods-burstable-pod$_uid.slice",
        "kubepods-pod$_uid.slice:cri-containerd:$id",
        "docker",
        "$id",
        "$inner",
        "docker-$inner.scope",
        "crio-conmon-$id.scope",
        "lxc.payload.web",
        "lxc",
        "machine.slice",
        r"machine-a\x2db.scope",
        "user@1000.service",
        "system.slice",
        "nginx.service",
        "ecs",
        "garden",
        "$garden",
        "",
    ];
    prop_oneof![
        prop::sample::select(&KNOWN[..]).prop_map(expand),
        "[^/]{0,12}",
        Just("é\u{0}".into())
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(component(), 0..8)
        .prop_map(|components| components.iter().fold(String::new(), |path, c| path + "/" + c))
}

proptest! {
    #[test]
    fn any_text_is_read_and_ids_are_well_formed(path in prop_oneof![path(), ".*"]) {
        let workload = Workload::parse(&path);
        if let Some(pod) = workload.pod {
            let uid = pod.uid.as_str();
            prop_assert!(uid.len() == 36 || uid.len() == 32, "{uid}");
            prop_assert!(uid.chars().all(|c| c == '-' || matches!(c, '0'..='9' | 'a'..='f')), "{uid}");
        }
        if let Some(container) = workload.container {
            let id = container.id.as_str();
            prop_assert!((1..=255).contains(&id.len()));
            prop_assert!(!id.chars().any(|c| c.is_control() || c == '/'));
            prop_assert!(id.starts_with(container.id.short()));
        }
        prop_assert_eq!(workload.top.is_none(), path.split('/').all(str::is_empty));
    }

    #[test]
    fn nothing_below_a_pods_container_changes_either(above in path(), below in path()) {
        let outer = Workload::parse(&format!("{above}/kubepods/pod{UID}/{ID}"));
        let inner = Workload::parse(&format!("{above}/kubepods/pod{UID}/{ID}{below}"));
        prop_assert_eq!(inner, outer);
    }

    #[test]
    fn a_pod_stays_a_pod(above in path(), below in path()) {
        if let Some(pod) = Workload::parse(&above).pod {
            prop_assert_eq!(Workload::parse(&(above + &below)).pod, Some(pod));
        }
    }

    #[test]
    fn a_container_is_lost_only_to_a_pod_below_it(above in path(), below in path()) {
        if let Some(container) = Workload::parse(&above).container {
            let inner = Workload::parse(&(above + &below));
            prop_assert!(inner.pod.is_some() || inner.container == Some(container));
        }
    }

    #[test]
    fn users_and_system_containers_name_no_pods(
        boundary in prop_oneof![Just("/user@7.service"), Just("/lxc.payload.x"), Just("/machine.slice/machine-x.scope")],
        below in path(),
    ) {
        prop_assert_eq!(Workload::parse(&format!("{boundary}{below}")).pod, None);
    }
}

//! Where it was done: container, pod, tenant.

use super::draft::Draft;
use super::world::{ID, World};
use super::{check, check_in};

#[test]
fn a_container() {
    check(
        &Draft::call("close"),
        &[
            ("container.id", "3ad7b26ded6d"),
            ("container.full_id", ID),
            ("container.name", "web"),
            ("container.type", "containerd"),
            ("container.image", "registry.example:5000/team/web:1.2"),
            ("container.image.repository", "registry.example:5000/team/web"),
            ("container.image.tag", "1.2"),
            ("container.image.digest", "-"),
            ("container.privileged", "true"),
            ("container.host_pid", "-"),
            ("container.label[team]", "red"),
            ("container.label.tier", "1"),
            ("container.label[none]", "-"),
            ("container.labels", "team:red, tier:1"),
            ("container.ip", "10.1.2.3"),
            ("container.liveness_probe", "/bin/sh -c serve"),
            ("container.healthcheck", "NONE"),
            ("container.start_ts", "500000000900"),
            ("container.duration", "6999999101"),
            ("container.cni.json", "-"),
        ],
    );
}

#[test]
fn mounts() {
    check(
        &Draft::call("close"),
        &[
            ("container.mounts", {
                "/etc:/host/etc:ro:false:rprivate,/var/lib/a:/data:rw:true:rprivate"
            }),
            ("container.mount[0]", "/etc:/host/etc:ro:false:rprivate"),
            ("container.mount[/var/*]", "/var/lib/a:/data:rw:true:rprivate"),
            ("container.mount[2]", "-"),
            ("container.mount.dest[/etc]", "/host/etc"),
            ("container.mount.dest[/etc*]", "/host/etc"),
            ("container.mount.dest[1]", "/data"),
            ("container.mount.dest[/none]", "-"),
            ("container.mount.source[/data]", "/var/lib/a"),
            ("container.mount.source[/etc]", "-"),
            ("container.mount.mode[/etc]", "ro"),
            ("container.mount.rdwr[1]", "true"),
            ("container.mount.propagation[1]", "rprivate"),
        ],
    );
}

#[test]
fn a_container_that_nobody_tells_of() {
    let mut world = World::default();
    world.place.facts = None;
    check_in(
        &world,
        &Draft::call("close"),
        &[
            ("container.id", "3ad7b26ded6d"),
            ("container.type", "containerd"),
            ("container.name", "-"),
            ("container.image.repository", "-"),
            ("container.privileged", "-"),
            ("container.mounts", "-"),
            // By the first process of its pid namespace.
            ("container.start_ts", "501000000000"),
            ("k8s.pod.uid", "b2e1"),
            ("k8s.pod.name", "-"),
            ("proc.is_container_liveness_probe", "-"),
        ],
    );
    // A name is not shortened.
    world.place.container_id = Some("web-front-end-1".into());
    check_in(&world, &Draft::call("close"), &[("container.id", "web-front-end-1")]);
}

#[test]
fn the_host() {
    let expected = [
        ("container.id", "host"),
        ("container.full_id", "host"),
        ("container.name", "host"),
        ("container.type", "host"),
        ("container.image", "-"),
        ("container.privileged", "-"),
        ("container.start_ts", "-"),
        ("k8s.ns.name", "-"),
        ("tenant.name", "host"),
        ("user.name", "alice"),
    ];
    check_in(&World::host(), &Draft::call("close"), &expected);
    let mut unknown = World::host();
    unknown.place.cgroup_path = "".into();
    unknown.place.tenant = "unknown".into();
    let expected = [("container.id", "-"), ("container.name", "-"), ("tenant.name", "unknown")];
    check_in(&unknown, &Draft::call("close"), &expected);
}

#[test]
fn a_pod_and_its_tenant() {
    let world = World { peer: Some("bank"), ..World::default() };
    check_in(
        &world,
        &Draft::call("close"),
        &[
            ("k8s.ns.name", "shop"),
            ("k8s.pod.name", "web-0"),
            ("k8s.pod.uid", "b2e1"),
            ("k8s.pod.id", "b2e1"),
            ("k8s.pod.sandbox_id", "4ad7b26ded6d"),
            ("k8s.pod.label[app]", "web"),
            ("k8s.pod.label.app.kubernetes.io/part-of", "shop"),
            ("k8s.pod.labels", "app:web, app.kubernetes.io/part-of:shop"),
            ("k8s.pod.ip", "10.1.2.3"),
            ("k8smeta.pod.name", "web-0"),
            ("k8smeta.pod.labels", "app:web,app.kubernetes.io/part-of:shop"),
            ("k8smeta.ns.name", "shop"),
            ("k8s.deployment.name", "-"),
            ("k8smeta.svc.name", "-"),
            ("tenant.name", "shop"),
            ("tenant.labels[team]", "blue"),
            ("tenant.labels.none", "-"),
            ("tenant.peer", "bank"),
        ],
    );
    check(&Draft::call("close"), &[("tenant.peer", "-")]);
}

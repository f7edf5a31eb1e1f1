//! A cluster of the size that is measured, and what changes in it.

use serde_json::{Value, json};

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) pods: usize,
    pub(crate) nodes: usize,
    pub(crate) services: usize,
    pub(crate) namespaces: usize,
}

impl Size {
    /// As many nodes as are usual for so many pods.
    pub(crate) fn of(pods: usize) -> Self {
        Self {
            pods,
            nodes: (pods / 50).max(1),
            services: pods / 10,
            namespaces: (pods / 50).max(1),
        }
    }

    fn namespace(self, n: usize) -> String {
        format!("tenant-{:03}-production", n % self.namespaces)
    }

    /// The name that a pod of a ReplicaSet of four has.
    fn pod_name(n: usize) -> String {
        format!("backend-{:03}-{:010x}-{:05x}", n / 4 % 700, n / 4 * 977, n * 31)
    }

    /// Namespace and name of the pod that is the `n`-th.
    pub(crate) fn name(self, n: usize) -> (String, String) {
        (self.namespace(n), Self::pod_name(n))
    }

    /// Everything but pods.
    pub(crate) fn rest(self) -> impl Iterator<Item = Value> {
        let namespaces = (0..self.namespaces).map(move |n| {
            json!({"kind": "Namespace", "metadata": {
                "name": self.namespace(n), "labels": {"capsule.clastix.io/tenant": format!("t{n}")}}})
        });
        let nodes = (0..self.nodes).map(|n| {
            let address = format!("192.168.{}.{}", n / 250, n % 250);
            json!({"kind": "Node", "metadata": {"name": node(n), "managedFields": managed()},
                   "spec": {"podCIDR": format!("10.{}.{}.0/24", 100 + n / 250, n % 250)},
                   "status": {"addresses": [{"type": "InternalIP", "address": address}],
                              "images": (0..50).map(image).collect::<Vec<_>>()}})
        });
        let services = (0..self.services).map(move |n| {
            json!({"kind": "Service", "metadata": {
                       "namespace": self.namespace(n), "name": format!("service-{n}"), "managedFields": managed()},
                   "spec": {"clusterIP": format!("10.96.{}.{}", n / 250, n % 250), "ports": [{"port": 80}]}})
        });
        namespaces.chain(nodes).chain(services)
    }

    /// The `n`-th pod as it is written: without an address, then running with two.
    pub(crate) fn pod(self, n: usize, node: &str, running: bool) -> Value {
        let status = if running {
            let (high, low) = (n / 250, n % 250);
            let addresses =
                [format!("10.{}.{}.{low}", 100 + high / 250, high % 250), format!("fd00::{n:x}")];
            json!({
                "phase": "Running", "podIP": addresses[0],
                "podIPs": [{"ip": addresses[0]}, {"ip": addresses[1]}],
                "hostIP": "192.168.0.1", "startTime": "2026-01-01T00:00:00Z", "qosClass": "Burstable",
                "conditions": (0..5).map(condition).collect::<Vec<_>>(),
                "containerStatuses": [{
                    "name": "main", "ready": true, "restartCount": 0, "started": true,
                    "image": "registry.example/backend:1.2.3", "imageID": format!("registry.example/backend@sha256:{n:064x}"),
                    "containerID": format!("containerd://{n:064x}"),
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
            })
        } else {
            json!({"phase": "Pending", "qosClass": "Burstable"})
        };
        json!({
            "kind": "Pod",
            "metadata": {
                "namespace": self.namespace(n), "name": Self::pod_name(n),
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"app.kubernetes.io/name": "backend", "app.kubernetes.io/instance": format!("i{n}"),
                           "app.kubernetes.io/version": "1.2.3", "pod-template-hash": "5d4f8c7b9"},
                "annotations": {"checksum/config": format!("{n:064x}")},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
                                     "name": "backend", "uid": "0f3c"}],
                "managedFields": managed(),
            },
            "spec": {
                "nodeName": node, "serviceAccountName": "default", "restartPolicy": "Always",
                "containers": [{
                    "name": "main", "image": "registry.example/backend:1.2.3",
                    "env": (0..10).map(|n| json!({"name": format!("VARIABLE_{n}"), "value": "value"})).collect::<Vec<_>>(),
                    "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
                    "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}],
                "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
                "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
            },
            "status": status,
        })
    }
}

/// The name of a node.
pub(crate) fn node(n: usize) -> String {
    format!("node-{n:04}")
}

/// What makes up a good part of any object: who set which field.
fn managed() -> Value {
    let fields = |manager: &str| {
        let of: serde_json::Map<String, Value> =
            (0..20).map(|n| (format!("f:field{n}"), json!({".": {}, "f:value": {}}))).collect();
        json!({"manager": manager, "operation": "Update", "apiVersion": "v1",
               "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:status": of}})
    };
    json!([fields("kube-controller-manager"), fields("kubelet")])
}

fn condition(n: usize) -> Value {
    json!({"type": format!("Condition{n}"), "status": "True", "lastProbeTime": null,
           "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

fn image(n: usize) -> Value {
    json!({"names": [format!("registry.example/image-{n}@sha256:{n:064x}")], "sizeBytes": 123_456_789})
}

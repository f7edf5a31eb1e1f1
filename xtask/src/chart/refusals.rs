//! Values that have to be refused, and the words by which an operator finds the mistake.

/// Values as YAML, and what the message has to hold.
pub(super) const REFUSALS: &[(&str, &[&str])] = &[
    ("imagee: {}", &["imagee", "not allowed"]),
    ("image: { pullPolicy: Sometimes }", &["/image/pullPolicy", "Always", "IfNotPresent", "Never"]),
    ("image: { digest: latest }", &["/image/digest", "pattern"]),
    ("image: { repository: '' }", &["/image/repository"]),
    ("image: { tag: 1.0 }", &["/image/tag", "number", "string"]),
    ("image: { pullSecrets: [registry] }", &["/image/pullSecrets/0", "object"]),
    ("config: { listen: 9464 }", &["/config/listen", "string"]),
    ("config: { listen: localhost }", &["/config/listen", "pattern"]),
    ("config: { kubernetes: { enabled: yes-please } }", &["/config/kubernetes/enabled", "always"]),
    ("config: { kubernetes: { tenants: 'yes' } }", &["/config/kubernetes/tenants", "boolean"]),
    ("config: { kubernetes: { addresses: 'yes' } }", &["/config/kubernetes/addresses", "boolean"]),
    ("config: { log: { level: loud } }", &["/config/log/level", "debug"]),
    ("rules: { files: { own.txt: '' } }", &["own.txt", "pattern"]),
    ("rules: { files: [own.yaml] }", &["/rules/files", "object"]),
    ("runtimes: { containerd: { paths: [run/containerd] } }", &["/runtimes/containerd/paths/0"]),
    ("runtimes: { docker: { enabled: true } }", &["/runtimes", "docker", "not allowed"]),
    ("config: { otlp: { endpoint: 'collector:4317' } }", &["/config/otlp/endpoint", "pattern"]),
    ("config: { sinks: [{ name: a }] }", &["/config/sinks/0", "kind", "to"]),
    ("host: { bpffs: sys/fs/bpf }", &["/host/bpffs", "pattern"]),
    (
        "updateStrategy: { rollingUpdate: { maxSurge: 1 } }",
        &["/updateStrategy/rollingUpdate", "maxSurge"],
    ),
    ("updateStrategy: { type: Recreate }", &["/updateStrategy/type", "RollingUpdate", "OnDelete"]),
    ("tolerations: { operator: Exists }", &["/tolerations", "array"]),
    ("podMonitor: { interval: 15 }", &["/podMonitor/interval", "string"]),
    ("podMonitor: { interval: 15 seconds }", &["/podMonitor/interval", "pattern"]),
    ("networkPolicy: { apiServerPorts: [70000] }", &["/networkPolicy/apiServerPorts/0", "65,535"]),
    ("priorityQuota: { pods: 0 }", &["/priorityQuota/pods"]),
    ("terminationGracePeriodSeconds: 0", &["/terminationGracePeriodSeconds"]),
    ("commonLabels: { cost: 7 }", &["/commonLabels/cost", "string"]),
    ("dashboards: { labels: { grafana_dashboard: 1 } }", &["/dashboards/labels", "string"]),
    ("dashboards: { annotations: { grafana_dashboard_folder: 7 } }", &["/dashboards/annotations"]),
    ("prometheusRule: { runbooks: '' }", &["/prometheusRule/runbooks"]),
    // What no schema can tell.
    (
        "{ serviceMonitor: { enabled: true }, podMonitor: { enabled: true } }",
        &["serviceMonitor.enabled and podMonitor.enabled", "twice"],
    ),
    (
        "{ serviceMonitor: { enabled: true }, service: { enabled: false } }",
        &["serviceMonitor.enabled needs service.enabled"],
    ),
    ("api: { clientCertificates: true }", &["api.clientCertificates needs api.tlsSecret"]),
    (
        "rules: { existingConfigMap: own, files: { own.yaml: '' } }",
        &["rules.files and rules.existingConfigMap"],
    ),
    (
        "config: { pin: { path: /sys/fs/bpf2/landlord } }",
        &["config.pin.path /sys/fs/bpf2/landlord", "host.bpffs /sys/fs/bpf"],
    ),
    (
        "config: { spool: { path: /spool } }",
        &["config.spool.path /spool", "host.spool /var/lib/landlord"],
    ),
    (
        "config: { state: /var/lib/state }",
        &["config.state /var/lib/state", "host.state /run/landlord"],
    ),
];

//! The table of all configuration keys.

use std::time::Duration;

use super::{Key, Kind};

/// Priorities of rules, the most urgent first.
const PRIORITIES: &[&str] =
    &["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"];

/// All keys, in the order of the documentation.
pub(in crate::config) static KEYS: &[Key] = &[
    Key {
        name: "listen",
        kind: Kind::Address,
        default: "127.0.0.1:9464",
        about: "Address and port of the metrics (`/metrics`), the health checks (`/healthz`, \
                `/readyz`) and the local API (`/v1/usage`, `/v1/alerts`). Without a token or \
                certificates of clients (`api`) anybody who reaches it reads every tenant's use \
                and alerts.",
    },
    Key {
        name: "api.certificate_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with the certificate, in PEM, that is shown to who connects to `listen`, and \
                those that vouch for it; empty: no TLS. It may be replaced at any time, as the \
                files below.",
    },
    Key {
        name: "api.key_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with its key, in PEM.",
    },
    Key {
        name: "api.client_ca_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with the certificates, in PEM, of those who sign clients'. A client that \
                shows one needs no token; without a token it has to show one.",
    },
    Key {
        name: "api.token_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with a token that clients have to say as `Authorization: Bearer`. The health \
                checks want none, as the kubelet says none. The commands that ask the agent, such \
                as `landlord top`, read it from here.",
    },
    Key {
        name: "interval",
        kind: Kind::Duration(Duration::from_secs(1), Duration::from_secs(60)),
        default: "5s",
        about: "How often the kernel's counters are collected without a scrape; every scrape \
                collects anew.",
    },
    Key {
        name: "log.format",
        kind: Kind::Choice(&["text", "json"]),
        default: "text",
        about: "Form of the log on standard error: lines for people or JSON objects for machines.",
    },
    Key {
        name: "log.level",
        kind: Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        default: "info",
        about: "The least severe messages that are logged.",
    },
    Key {
        name: "pin.enabled",
        kind: Kind::Flag,
        default: "true",
        about: "Whether the counters stay in the kernel while the agent restarts. Without it they \
                begin at zero with every start.",
    },
    Key {
        name: "pin.path",
        kind: Kind::AbsolutePath,
        default: "/sys/fs/bpf/landlord",
        about: "Folder of the pinned counters, on a bpf file system. It is made when missing.",
    },
    Key {
        name: "state",
        kind: Kind::AbsolutePath,
        default: "/run/landlord/state",
        about: "File with the totals of cgroups that have ended. It belongs to the pinned counters \
                and, like them, need not outlive a reboot.",
    },
    Key {
        name: "max_cgroups",
        kind: Kind::Count(64, 4095),
        default: "2048",
        about: "Cgroups that have counters of their own at the same time. Further ones are counted \
                to the tenant `unknown`. `landlord doctor` tells what it costs in kernel memory.",
    },
    Key {
        name: "max_tenants",
        kind: Kind::Count(1, 10_000),
        default: "1000",
        about: "Tenants that have metrics of their own. Further ones share the tenant `other`.",
    },
    Key {
        name: "max_wait_causes",
        kind: Kind::Count(1, 1000),
        default: "32",
        about: "Tenants told apart, for each tenant, as the cause of its waiting for a CPU. \
                Further ones share the cause `other`.",
    },
    Key {
        name: "pod_metrics",
        kind: Kind::Flag,
        default: "false",
        about: "Whether each pod of the node has metrics of its own, `landlord_pod_*` with \
                `namespace`, `pod` and `uid`: ten series a pod. Without it they are in \
                `landlord pods` and `/v1/usage` only.",
    },
    Key {
        name: "rules.enabled",
        kind: Kind::Flag,
        default: "true",
        about: "Whether events are watched and rules are held against them. Without it the agent \
                only meters.",
    },
    Key {
        name: "rules.paths",
        kind: Kind::Paths,
        default: "[]",
        about: "Rule files, or folders of them (`*.yaml` and `*.yml` in the order of their names), \
                in Falco's format; later ones change what earlier ones define. Of none, the rules \
                that come with Landlord are in force. They are read anew when they change, and on \
                SIGHUP; files with errors leave the rules as they were.",
    },
    Key {
        name: "rules.match",
        kind: Kind::Choice(&["first", "all"]),
        default: "first",
        about: "Which of the rules that match an event raise an alert.",
    },
    Key {
        name: "rules.priority",
        kind: Kind::Choice(PRIORITIES),
        default: "debug",
        about: "Rules that are less urgent are not in force.",
    },
    Key {
        name: "alerts.format",
        kind: Kind::Choice(&["text", "json", "none"]),
        default: "text",
        about: "Form of the alerts on standard output, as Falco writes them.",
    },
    Key {
        name: "alerts.repeats",
        kind: Kind::Duration(Duration::ZERO, Duration::from_secs(3600)),
        default: "10s",
        about: "For how long an alert that says the same as one before, of the same rule and \
                tenant, is counted instead of written; the count is written with the last of \
                them at the end of that time. `0s` writes all.",
    },
    Key {
        name: "events.rate",
        kind: Kind::Count(0, 100_000_000),
        default: "50000",
        about: "Events a second that one cgroup may send to the agent, beyond those that no rule \
                can match, which are not sent. What exceeds it is dropped and counted, so that \
                a noisy tenant loses its own events and not its neighbours'. 0: no limit. Starts \
                and ends of processes are not limited.",
    },
    Key {
        name: "events.buffer",
        kind: Kind::Count(1, 512),
        default: "8",
        about: "MiB of kernel memory for events on their way to the agent, a power of two. Starts \
                and ends of processes have a buffer of their own of the same size.",
    },
    Key {
        name: "events.memory",
        kind: Kind::Count(16, 16_384),
        default: "64",
        about: "MiB that the agent keeps of processes and of events that wait for what their \
                container is. Of processes that exceed it the oldest that have ended are \
                forgotten first, and counted.",
    },
    Key {
        name: "spool.path",
        kind: Kind::AbsolutePath,
        default: "/var/lib/landlord/spool",
        about: "Folder of what waits to be delivered to sinks. What is there when the agent ends, \
                however it ends, is delivered by the next one.",
    },
    Key {
        name: "spool.size",
        kind: Kind::Count(16, 65_536),
        default: "64",
        about: "MiB that the files of one sink may have. When they are full, the oldest of the \
                least urgent alerts are dropped, and counted.",
    },
    Key {
        name: "otlp.endpoint",
        kind: Kind::Text,
        default: "''",
        about: "Address of an OpenTelemetry back-end, such as a Collector, without the path of a \
                signal: `http://collector:4318`. Empty: nothing is exported. As for what follows, \
                the standard variables of OpenTelemetry count where nothing else is said.",
    },
    Key {
        name: "otlp.protocol",
        kind: Kind::Choice(&["http/protobuf", "grpc"]),
        default: "http/protobuf",
        about: "How it is spoken to; `grpc` is at port 4317 as a rule.",
    },
    Key {
        name: "otlp.metrics",
        kind: Kind::Flag,
        default: "true",
        about: "Whether metrics are exported there. They are what `/metrics` tells: let only one \
                of both get to the same Prometheus, or every sum is doubled.",
    },
    Key {
        name: "otlp.logs",
        kind: Kind::Flag,
        default: "true",
        about: "Whether alerts are exported there, as log records.",
    },
    Key {
        name: "otlp.traces",
        kind: Kind::Flag,
        default: "false",
        about: "Whether each alert is exported there as a trace, too: the processes that led to it \
                as spans. Only where the back-end takes traces, as Jaeger and Tempo do; they \
                would wait otherwise.",
    },
    Key {
        name: "otlp.traces_ratio",
        kind: Kind::Ratio,
        default: "1",
        about: "Which part of the alerts is exported as traces, chosen by their ids alone, so that \
                all agents choose alike. Those that are `critical` or more urgent always are. \
                `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say it, too.",
    },
    Key {
        name: "otlp.trace_acts",
        kind: Kind::Count(0, 128),
        default: "16",
        about: "How many acts of each process a trace tells: the last files that it opened, \
                programs that it began, connections and what it sent, as far as rules were shown \
                them. They take up to 8 MiB of memory while traces are exported, and none \
                otherwise.",
    },
    Key {
        name: "otlp.connections",
        kind: Kind::Choice(&["none", "tenants", "all"]),
        default: "none",
        about: "Which TCP connections of this node's tenants are exported as spans when they end, \
                with their bytes: none; those between different `tenants`, where both are known; \
                or all. `otlp.traces_ratio` takes a part of them. They need rules to be in force, \
                and cost a little with each connection, whoever's it is. A change needs a restart.",
    },
    Key {
        name: "otlp.self_traces",
        kind: Kind::Flag,
        default: "false",
        about: "Whether the agent's own work is exported as traces: files that are read anew, lists \
                of the API server, deliveries.",
    },
    Key {
        name: "otlp.interval",
        kind: Kind::Duration(Duration::from_secs(1), Duration::from_secs(3600)),
        default: "30s",
        about: "How often metrics are exported.",
    },
    Key {
        name: "otlp.timeout",
        kind: Kind::Duration(Duration::from_millis(100), Duration::from_secs(300)),
        default: "10s",
        about: "How long an answer is waited for.",
    },
    Key {
        name: "otlp.headers",
        kind: Kind::Text,
        default: "''",
        about: "Headers of every request, `name=value,name=value`. Better than a secret here is a \
                file with a token.",
    },
    Key {
        name: "otlp.tenant_header",
        kind: Kind::Text,
        default: "''",
        about: "Name of a header that says whose the alerts of a request are, such as \
                `X-Scope-OrgID`: each request then has those of one tenant. Metrics are of all; \
                say their tenant in `otlp.headers`.",
    },
    Key {
        name: "otlp.resource",
        kind: Kind::Text,
        default: "''",
        about: "Further attributes of the resource, `name=value,name=value`, such as \
                `k8s.cluster.name=prod`.",
    },
    Key {
        name: "otlp.token_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with a token that is sent as `Authorization: Bearer`. It may be replaced at \
                any time, as the files below.",
    },
    Key {
        name: "otlp.ca_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with the certificates, in PEM, of those who sign the back-end's; empty: those \
                of this machine.",
    },
    Key {
        name: "otlp.certificate_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with the agent's own certificate, in PEM.",
    },
    Key {
        name: "otlp.key_file",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with its key, in PEM.",
    },
    Key {
        name: "sinks",
        kind: Kind::Sinks,
        default: "[]",
        about: "Who gets alerts, beside standard output and OpenTelemetry. Each sink has a queue \
                on the disk and is tried again until it takes what it gets.",
    },
    Key {
        name: "sinks[].name",
        kind: Kind::Text,
        default: "",
        about: "Its name in logs and metrics: up to 64 letters, digits, `-` or `_`.",
    },
    Key {
        name: "sinks[].kind",
        kind: Kind::Choice(&["falco_http", "alertmanager", "syslog", "file"]),
        default: "",
        about: "What it is: `falco_http` gets Falco's JSON by HTTP, as Falcosidekick wants it; \
                `alertmanager` gets alerts by its API v2; `syslog` lines of RFC 5424; `file` lines \
                of Falco's JSON.",
    },
    Key {
        name: "sinks[].to",
        kind: Kind::Text,
        default: "",
        about: "Where it is: an address of HTTP; for syslog `/dev/log`, `udp://host:514` or \
                `tcp://host:601`; for a file its path.",
    },
    Key {
        name: "sinks[].priority",
        kind: Kind::Choice(PRIORITIES),
        default: "",
        about: "Alerts that are less urgent do not go there.",
    },
    Key {
        name: "sinks[].tags",
        kind: Kind::Texts,
        default: "",
        about: "Only alerts of rules with one of these tags go there.",
    },
    Key {
        name: "sinks[].tenants",
        kind: Kind::Texts,
        default: "",
        about: "Only alerts of tenants whose whole name is matched by one of these regular \
                expressions go there.",
    },
    Key {
        name: "sinks[].rate",
        kind: Kind::Count(1, 1_000_000),
        default: "",
        about: "Alerts a second at most; the others wait.",
    },
    Key {
        name: "sinks[].timeout",
        kind: Kind::Duration(Duration::from_millis(100), Duration::from_secs(300)),
        default: "",
        about: "How long an answer is waited for; 10 seconds when nothing is said.",
    },
    Key {
        name: "sinks[].headers",
        kind: Kind::Headers,
        default: "",
        about: "Headers of every request, such as `X-Scope-OrgID`. They are never logged.",
    },
    Key {
        name: "sinks[].token_file",
        kind: Kind::AbsolutePath,
        default: "",
        about: "File with a token that is sent as `Authorization: Bearer`. It may be replaced at \
                any time, as the files below.",
    },
    Key {
        name: "sinks[].ca_file",
        kind: Kind::AbsolutePath,
        default: "",
        about: "File with the certificates, in PEM, of those who sign the back-end's; without it \
                those of this machine.",
    },
    Key {
        name: "sinks[].certificate_file",
        kind: Kind::AbsolutePath,
        default: "",
        about: "File with the agent's own certificate, in PEM.",
    },
    Key {
        name: "sinks[].key_file",
        kind: Kind::AbsolutePath,
        default: "",
        about: "File with its key, in PEM.",
    },
    Key {
        name: "sinks[].resolve",
        kind: Kind::Duration(Duration::from_secs(1), Duration::from_secs(86_400)),
        default: "",
        about: "For Alertmanager: how long after its last event an alert is over; 5 minutes when \
                nothing is said.",
    },
    Key {
        name: "sinks[].size",
        kind: Kind::Count(1, 1 << 20),
        default: "",
        about: "For a file: MiB after which it is put aside; 100 when nothing is said.",
    },
    Key {
        name: "sinks[].keep",
        kind: Kind::Count(0, 100),
        default: "",
        about: "For a file: how many of those that were put aside are kept; 5 when nothing is said.",
    },
    Key {
        name: "kubernetes.enabled",
        kind: Kind::Choice(&["auto", "always", "never"]),
        default: "auto",
        about: "Whether the API server is asked whose the pods of this node are. `auto`: in a pod, \
                or when `kubernetes.kubeconfig` is set. The agent meters on when the API server \
                cannot be reached; what pods use meanwhile is held until it is.",
    },
    Key {
        name: "kubernetes.node",
        kind: Kind::Text,
        default: "''",
        about: "Name of this node in the cluster; empty: the machine's name.",
    },
    Key {
        name: "kubernetes.kubeconfig",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File that says where the API server is and who asks; empty: the service account of \
                the agent's pod.",
    },
    Key {
        name: "kubernetes.tenants",
        kind: Kind::Flag,
        default: "true",
        about: "Whether tenants are also taken from `Tenant` objects of the cluster. They come \
                before the rules below; see docs/tenants.md.",
    },
    Key {
        name: "kubernetes.addresses",
        kind: Kind::Flag,
        default: "true",
        about: "Whether the agent knows who has which address in the whole cluster, so that alerts \
                say who is at the other end of a connection. It watches all pods, nodes and \
                Services for it: some 174 B of memory for each pod, and all their changes over the \
                network; see docs/identity.md.",
    },
    Key {
        name: "kubelet.enabled",
        kind: Kind::Flag,
        default: "true",
        about: "Whether the kubelet of this node is asked what pods keep on disks and in \
                persistent volumes. Only if the API server is asked, too. Where it cannot be \
                asked, those figures are missing and nothing else.",
    },
    Key {
        name: "kubelet.address",
        kind: Kind::OptionalHost,
        default: "''",
        about: "IP address of the kubelet, with or without its port (10250); empty: that of \
                loopback.",
    },
    Key {
        name: "kubelet.interval",
        kind: Kind::Duration(Duration::from_secs(1), Duration::from_secs(3600)),
        default: "60s",
        about: "How often it is asked; it measures volumes once a minute. What it said three \
                times that ago is not told any more.",
    },
    Key {
        name: "kubelet.authority",
        kind: Kind::OptionalPath,
        default: "''",
        about: "File with the certificates, PEM, by which the kubelet's own is signed; empty: \
                those of the API server. Its own must be for its address or for the node's name.",
    },
    Key {
        name: "kubelet.insecure",
        kind: Kind::Flag,
        default: "false",
        about: "Whether its certificate is not looked at. Whoever takes its address, as a pod \
                may on some networks, is then told the token of the agent and may do with it \
                what the agent may.",
    },
    Key {
        name: "tenant_labels",
        kind: Kind::LabelKeys,
        default: "[team, cost-center, environment, owner]",
        about: "Labels of a namespace that go along with its tenant, by their whole keys.",
    },
    Key {
        name: "tenants",
        kind: Kind::Rules,
        default: r"
  # Kubernetes: the tools that keep tenants name them in labels of namespaces.
  - match: { namespace_label: capsule.clastix.io/tenant }
    tenant: '{namespace_label}'
  - match: { hnc: true }
    tenant: '{hnc_root}'
  # The namespace goes before the name of a virtual cluster, because a label of a
  # pod says what the owner of the pod likes.
  - match: { pod_label: vcluster.loft.sh/managed-by }
    tenant: '{namespace}/{pod_label}'
  - match: { namespace_label: managedby=kubeplus }
    tenant: '{namespace}'
  - match: { namespace: kube-system|kube-public|kube-node-lease|kube-flannel }
    tenant: '{namespace}'
    class: shared
  - match: { namespace: .+ }
    tenant: '{namespace}'
  # Without Kubernetes.
  - match: { pod: true }
    tenant: 'pod-{pod_uid}'
  - match: { container: any }
    tenant: '{runtime}-{container_id_short}'
  # systemd keeps template units in slices of their own, such as
  # system-getty.slice; nobody means them as tenants.
  - match: { path: '^/system\.slice(/|$)' }
    tenant: system
  - match: { slice: true }
    tenant: '{slice}'
  - match: { path: '^/' }
    tenant: '{top}'",
        about: "Rules that name the tenant of a cgroup. The first whose whole `match` holds wins; \
                a list here replaces the default list. The root cgroup is always `host`, and what \
                no rule matches is `unknown`; a pod whose namespace the API server has told, and \
                which no rule matches, is `unassigned`. Until the API server has told of a pod, it \
                is `pending`, whatever the rules say.",
    },
    Key {
        name: "tenants[].match.path",
        kind: Kind::Regex,
        default: "",
        about: "Found anywhere in the cgroup's path below the mount, such as \
                `/system.slice/nginx.service`; begin it with `^`, because a workload may choose \
                the names at the end of its path. Its named groups are fields of the tenant's \
                name; a rule whose name uses a group that took no part in the match does not \
                apply.",
    },
    Key {
        name: "tenants[].match.pod",
        kind: Kind::Flag,
        default: "",
        about: "Whether the cgroup belongs to a Kubernetes pod.",
    },
    Key {
        name: "tenants[].match.container",
        kind: Kind::Runtime,
        default: "",
        about: "The cgroup belongs to a container of this runtime, or of `any`. `oci` are \
                containers whose path tells no runtime's name.",
    },
    Key {
        name: "tenants[].match.slice",
        kind: Kind::Flag,
        default: "",
        about: "Whether the cgroup is in a slice of the host's systemd.",
    },
    Key {
        name: "tenants[].match.unit",
        kind: Kind::Flag,
        default: "",
        about: "Whether the cgroup is in a service, scope or other unit of the host's systemd.",
    },
    Key {
        name: "tenants[].match.namespace",
        kind: Kind::Regex,
        default: "",
        about: "The whole name of the pod's namespace. Its named groups are fields of the tenant's \
                name. This and what follows holds only for what the API server has told.",
    },
    Key {
        name: "tenants[].match.namespace_label",
        kind: Kind::Label,
        default: "",
        about: "The pod's namespace has this label, and this value if one is given.",
    },
    Key {
        name: "tenants[].match.namespace_annotation",
        kind: Kind::Annotation,
        default: "",
        about: "The pod's namespace has this annotation, and this value if one is given.",
    },
    Key {
        name: "tenants[].match.pod_label",
        kind: Kind::Label,
        default: "",
        about: "The pod has this label, and this value if one is given. Whoever may create a pod \
                may label it, so a rule that takes the tenant's name from such a label lets \
                tenants give their use to others; ask for a namespace, too, or put `{namespace}` \
                into the name.",
    },
    Key {
        name: "tenants[].match.hnc",
        kind: Kind::Flag,
        default: "",
        about: "Whether the pod's namespace is in a tree of the Hierarchical Namespace Controller, \
                which labels it with `<ancestor>.tree.hnc.x-k8s.io/depth`.",
    },
    Key {
        name: "tenants[].tenant",
        kind: Kind::Template,
        default: "",
        about: "The tenant's name. `{field}` stands for a property of the cgroup, listed below; a \
                brace itself is written `{{` or `}}`.",
    },
    Key {
        name: "tenants[].class",
        kind: Kind::Choice(&["tenant", "shared"]),
        default: "",
        about: "Whose it is: a tenant's own (`tenant`, also when nothing is said), or everybody's, \
                as what the cluster itself needs (`shared`).",
    },
];

//! The table of fields: one row a field, sorted by name.
//!
//! Data only. A row says the type of the field's values, how many there are, what
//! may stand in its brackets, what the agent has to know for it, and what is special
//! about it; the text below a row is what the reference says.

use super::{ArgumentSpec, FieldSpec, Flag, Needs, Shape};
use crate::rules::value::Kind;

macro_rules! fields {
    ($($id:ident $name:literal $kind:ident $shape:ident $argument:ident $needs:ident
       [$($flag:ident)*] $description:literal;)*) => {
        /// A field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FieldId { $(#[doc = $description] $id,)* }

        impl FieldId {
            /// All of them, sorted by name.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// What is declared of it.
            #[must_use]
            pub fn spec(self) -> &'static FieldSpec {
                &SPECS[self.index()]
            }

            /// Its place among all.
            #[must_use]
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        /// In the order of the fields.
        pub(super) static SPECS: &[FieldSpec] = &[$(FieldSpec {
            name: $name,
            kind: Kind::$kind,
            shape: Shape::$shape,
            argument: ArgumentSpec::$argument,
            needs: Needs::$needs,
            min_kernel: Needs::$needs.min_kernel(),
            flags: &[$(Flag::$flag),*],
            description: $description,
        }),*];
    };
}

fields! {
    ContainerCniJson "container.cni.json" Text One None ContainerRuntime []
        "What the network plugin said of the container, as JSON.";
    ContainerDuration "container.duration" Duration One None ProcessTable []
        "Nanoseconds since the start of the container.";
    ContainerFullId "container.full_id" Text One None Cgroup []
        "The container's id in full.";
    ContainerHealthcheck "container.healthcheck" Text One None ContainerRuntime []
        "Command of the health check.";
    ContainerHostIpc "container.host_ipc" Bool One None ContainerRuntime []
        "True if the container shares the host's IPC namespace.";
    ContainerHostNetwork "container.host_network" Bool One None ContainerRuntime []
        "True if the container shares the host's network namespace.";
    ContainerHostPid "container.host_pid" Bool One None ContainerRuntime []
        "True if the container shares the host's pid namespace.";
    ContainerId "container.id" Text One None Cgroup [Suggested]
        "The first 12 characters of the container's id; `host` if the process is in none.";
    ContainerImage "container.image" Text One None ContainerRuntime []
        "Image of the container with its tag.";
    ContainerImageDigest "container.image.digest" Text One None ContainerRuntime []
        "Digest of the image in its registry.";
    ContainerImageId "container.image.id" Text One None ContainerRuntime []
        "Id of the image.";
    ContainerImageRepository "container.image.repository" Text One None ContainerRuntime [Suggested]
        "Image without its tag.";
    ContainerImageTag "container.image.tag" Text One None ContainerRuntime [Suggested]
        "Tag of the image.";
    ContainerIp "container.ip" Text One None ContainerRuntime []
        "IPv4 address of the container.";
    ContainerLabel "container.label" Text One Key ContainerRuntime [Dotted]
        "A label of the container: `container.label[team]` or `container.label.team`.";
    ContainerLabels "container.labels" Text One None ContainerRuntime []
        "All labels of the container as `a:1, b:2`.";
    ContainerLivenessProbe "container.liveness_probe" Text One None ContainerRuntime []
        "Command of the liveness probe.";
    ContainerMount "container.mount" Text One Key ContainerRuntime []
        "One mount as `container.mounts` has it, by number or by source, which may be a pattern.";
    ContainerMountDest "container.mount.dest" Text One Key ContainerRuntime []
        "Destination of a mount, by number or by source, which may be a pattern.";
    ContainerMountMode "container.mount.mode" Text One Key ContainerRuntime []
        "Mode of a mount, by number or by source, which may be a pattern.";
    ContainerMountPropagation "container.mount.propagation" Text One Key ContainerRuntime []
        "Propagation of a mount, by number or by source, which may be a pattern.";
    ContainerMountRdwr "container.mount.rdwr" Text One Key ContainerRuntime []
        "`true` if a mount is writable, by number or by source, which may be a pattern.";
    ContainerMountSource "container.mount.source" Text One Key ContainerRuntime []
        "Source of a mount, by number or by destination, which may be a pattern.";
    ContainerMounts "container.mounts" Text One None ContainerRuntime []
        "All mounts, each as `source:dest:mode:rdrw:propagation`.";
    ContainerName "container.name" Text One None ContainerRuntime [Suggested]
        "Name of the container; `host` if the process is in none.";
    ContainerPrivileged "container.privileged" Bool One None ContainerRuntime []
        "True if the container is privileged.";
    ContainerReadinessProbe "container.readiness_probe" Text One None ContainerRuntime []
        "Command of the readiness probe.";
    ContainerStartTs "container.start_ts" Time One None ProcessTable []
        "Start of the container in nanoseconds since 1970.";
    ContainerType "container.type" Text One None Cgroup []
        "Kind of runtime, such as `containerd` or `docker`.";
    EvtAbspath "evt.abspath" Text One OptionalKey UserMemory [Dotted]
        "Absolute path that the call was given; `evt.abspath.src` and `evt.abspath.dst` of calls \
        with two.";
    EvtArg "evt.arg" Text One Param UserMemory [Dotted]
        "A parameter of the event as text, by name or number: `evt.arg.flags`, `evt.arg[0]`.";
    EvtArgs "evt.args" Text One None UserMemory []
        "All parameters of the event, each as `name=value `.";
    EvtAround "evt.around" Uint One Key Unavailable [ConditionOnly NoRightSide NoTransformer]
        "Picks events near a time in a recording; Landlord reads none.";
    EvtAsynctype "evt.asynctype" Text One None Event []
        "Type of such an event, `container`.";
    EvtBuffer "evt.buffer" Bytes One None UserMemory []
        "The first bytes that the call read or wrote.";
    EvtBuflen "evt.buflen" Uint One None Event []
        "Bytes that the call read or wrote.";
    EvtBuflenFile "evt.buflen.file" Uint One None FdTable []
        "Bytes that the call read from or wrote to a file.";
    EvtBuflenFileIn "evt.buflen.file.in" Uint One None FdTable []
        "Bytes that the call read from a file.";
    EvtBuflenFileOut "evt.buflen.file.out" Uint One None FdTable []
        "Bytes that the call wrote to a file.";
    EvtBuflenIn "evt.buflen.in" Uint One None Event []
        "Bytes that the call read.";
    EvtBuflenNet "evt.buflen.net" Uint One None FdTable []
        "Bytes that the call received or sent.";
    EvtBuflenNetIn "evt.buflen.net.in" Uint One None FdTable []
        "Bytes that the call received.";
    EvtBuflenNetOut "evt.buflen.net.out" Uint One None FdTable []
        "Bytes that the call sent.";
    EvtBuflenOut "evt.buflen.out" Uint One None Event []
        "Bytes that the call wrote.";
    EvtCategory "evt.category" Text One None Event []
        "What the event is about, such as `file`, `net` or `process`.";
    EvtCount "evt.count" Uint One None Event []
        "Always 1.";
    EvtCountError "evt.count.error" Uint One None Event []
        "1 if the call returned an error.";
    EvtCountErrorFile "evt.count.error.file" Uint One None Event []
        "1 if the call returned an error and was about files.";
    EvtCountErrorMemory "evt.count.error.memory" Uint One None Event []
        "1 if the call returned an error and was about memory.";
    EvtCountErrorNet "evt.count.error.net" Uint One None Event []
        "1 if the call returned an error and was about the network.";
    EvtCountErrorOther "evt.count.error.other" Uint One None Event []
        "1 if the call returned an error and was about none of these.";
    EvtCountExit "evt.count.exit" Uint One None Event []
        "Always 1: calls are seen when they return.";
    EvtCountProcinfo "evt.count.procinfo" Uint One None Unavailable []
        "1 for periodic reports of processes, which Landlord does not make.";
    EvtCountThreadinfo "evt.count.threadinfo" Uint One None Unavailable []
        "1 for periodic reports of threads, which Landlord does not make.";
    EvtCpu "evt.cpu" Int One None Event []
        "Number of the CPU that the event happened on.";
    EvtDatetime "evt.datetime" Text One None Event [Clock]
        "Date and time of the event with nanoseconds.";
    EvtDatetimeS "evt.datetime.s" Text One None Event [Clock]
        "Date and time of the event in seconds.";
    EvtDeltatime "evt.deltatime" Duration One None Agent []
        "Nanoseconds since the event before.";
    EvtDeltatimeNs "evt.deltatime.ns" Duration One None Agent [Padded]
        "Nanoseconds of `evt.deltatime` within its second.";
    EvtDeltatimeS "evt.deltatime.s" Duration One None Agent []
        "Whole seconds since the event before.";
    EvtDir "evt.dir" Text One None Event [Deprecated]
        "Always `<`: calls are seen when they return.";
    EvtFailed "evt.failed" Bool One None Event []
        "True if the call returned an error.";
    EvtHostname "evt.hostname" Text One None Agent []
        "Name of the host; the environment variable FALCO_HOSTNAME of the agent takes precedence.";
    EvtInfo "evt.info" Text One None UserMemory []
        "The same as `evt.args`.";
    EvtInfraDockerContainerId "evt.infra.docker.container.id" Text One None Unavailable [Deprecated]
        "Container of a Docker event.";
    EvtInfraDockerContainerImage "evt.infra.docker.container.image" Text One None Unavailable [Deprecated]
        "Image of that container.";
    EvtInfraDockerContainerName "evt.infra.docker.container.name" Text One None Unavailable [Deprecated]
        "Name of that container.";
    EvtInfraDockerName "evt.infra.docker.name" Text One None Unavailable [Deprecated]
        "Name of a Docker event.";
    EvtIoDir "evt.io_dir" Text One None Event []
        "`r` for calls that read from a descriptor, `w` for those that write.";
    EvtIsAsync "evt.is_async" Bool One None Event []
        "True if the event came from user space beside the others.";
    EvtIsIo "evt.is_io" Bool One None Event []
        "True for calls that read from or write to a descriptor.";
    EvtIsIoRead "evt.is_io_read" Bool One None Event []
        "True for calls that read from a descriptor.";
    EvtIsIoWrite "evt.is_io_write" Bool One None Event []
        "True for calls that write to a descriptor.";
    EvtIsOpenCreate "evt.is_open_create" Bool One None Event []
        "True if the call creates a file.";
    EvtIsOpenExec "evt.is_open_exec" Bool One None Event []
        "True if the call creates a file that may be executed.";
    EvtIsOpenRead "evt.is_open_read" Bool One None Event []
        "True if the call opens a file for reading.";
    EvtIsOpenWrite "evt.is_open_write" Bool One None Event []
        "True if the call opens a file for writing.";
    EvtIsSyslog "evt.is_syslog" Bool One None FdTable []
        "True for writes to `/dev/log`.";
    EvtIsWait "evt.is_wait" Bool One None Event []
        "True for calls that make the thread wait, such as `poll`.";
    EvtLatency "evt.latency" Duration One None Unavailable [Deprecated]
        "Duration of the call. Calls are seen when they return, so it is not known.";
    EvtLatencyHuman "evt.latency.human" Text One None Unavailable [Deprecated]
        "`evt.latency` with a unit.";
    EvtLatencyNs "evt.latency.ns" Duration One None Unavailable [Deprecated Padded]
        "Nanoseconds of `evt.latency` within its second.";
    EvtLatencyQuantized "evt.latency.quantized" Uint One None Unavailable [Deprecated]
        "Order of magnitude of `evt.latency`.";
    EvtLatencyS "evt.latency.s" Duration One None Unavailable [Deprecated]
        "Whole seconds of `evt.latency`.";
    EvtNum "evt.num" Uint One None Agent []
        "Number of the event since the agent began, from 1.";
    EvtOutputtime "evt.outputtime" Text One None Event [Clock OutputOnly]
        "The same as `evt.time`.";
    EvtPlugininfo "evt.plugininfo" Text One None Unavailable []
        "What that plugin says of the event.";
    EvtPluginname "evt.pluginname" Text One None Unavailable []
        "Name of the plugin that made the event; Landlord loads none.";
    EvtRawarg "evt.rawarg" Text One Param UserMemory [Dotted NoRightSide NoTransformer]
        "A parameter of the event as it came, of the parameter's own type: `evt.rawarg.res`.";
    EvtRawres "evt.rawres" Int One None Event []
        "What the call returned; negative for an error.";
    EvtRawtime "evt.rawtime" Time One None Event []
        "Time of the event in nanoseconds since 1970.";
    EvtRawtimeNs "evt.rawtime.ns" Time One None Event [Padded]
        "Nanoseconds of the event's time within its second.";
    EvtRawtimeS "evt.rawtime.s" Time One None Event []
        "Time of the event in whole seconds since 1970.";
    EvtReltime "evt.reltime" Duration One None Agent []
        "Nanoseconds from the start of the agent to the event.";
    EvtReltimeNs "evt.reltime.ns" Duration One None Agent [Padded]
        "Nanoseconds of `evt.reltime` within its second.";
    EvtReltimeS "evt.reltime.s" Duration One None Agent []
        "Whole seconds from the start of the agent to the event.";
    EvtRes "evt.res" Text One None Event []
        "`SUCCESS`, or the name of the error, such as `ENOENT`.";
    EvtSource "evt.source" Text One None Agent []
        "Source of the event, `syscall`.";
    EvtTime "evt.time" Text One None Event [Clock]
        "Time of the event with nanoseconds, `HH:MM:SS.nnnnnnnnn`.";
    EvtTimeIso8601 "evt.time.iso8601" Text One None Event [Clock]
        "Time of the event in UTC with date and nanoseconds, \
        `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+0000`.";
    EvtTimeS "evt.time.s" Text One None Event [Clock]
        "Time of the event in seconds, `HH:MM:SS`.";
    EvtType "evt.type" Text One None Event []
        "Name of the event, such as `openat`.";
    EvtTypeIs "evt.type.is" Uint One Key Event [Dotted]
        "1 if the event is of the type named after a dot, as in `evt.type.is.open`, else 0.";
    EvtUnverified "evt.unverified" Bool One None Event []
        "True if a path or address of the event came from memory that the process could change.";
    EvtWaitLatency "evt.wait_latency" Duration One None Unavailable [Deprecated]
        "How long the call waited; not known, as for `evt.latency`.";
    FdCip "fd.cip" Ip One None FdTable []
        "Address of the client.";
    FdCipName "fd.cip.name" Text One None HostNames [HostName NoRightSide NoTransformer]
        "Name of the client: a condition resolves the names it is compared with.";
    FdCnet "fd.cnet" Net One None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Address of the client, to compare with networks.";
    FdConnected "fd.connected" Bool One None FdTable []
        "True if the socket is connected.";
    FdContainerdirectory "fd.containerdirectory" Text One None FdTable []
        "`container.id` and `fd.directory` with a colon between them.";
    FdContainername "fd.containername" Text One None FdTable []
        "`container.id` and `fd.name` with a colon between them.";
    FdCport "fd.cport" Port One None FdTable []
        "Port of the client.";
    FdCproto "fd.cproto" Text One None FdTable []
        "Port of the client as a text; services are not looked up.";
    FdDev "fd.dev" Int One None Inode [Hex]
        "Device that the file is on.";
    FdDevMajor "fd.dev.major" Int One None Inode []
        "Major number of that device.";
    FdDevMinor "fd.dev.minor" Int One None Inode []
        "Minor number of that device.";
    FdDirectory "fd.directory" Text One None FdTable []
        "Directory of the file.";
    FdFilename "fd.filename" Text One None FdTable []
        "Name of the file without its directory.";
    FdIno "fd.ino" Int One None Inode []
        "Inode number of the file.";
    FdIp "fd.ip" Ip Ends None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Address of either end.";
    FdIsLowerLayer "fd.is_lower_layer" Bool One None Inode []
        "True if the file is in a lower layer of an overlay.";
    FdIsServer "fd.is_server" Bool One None FdTable []
        "True if the process is the server of the connection.";
    FdIsUpperLayer "fd.is_upper_layer" Bool One None Inode []
        "True if the file is in the upper, writable layer of an overlay.";
    FdL4proto "fd.l4proto" Text One None FdTable []
        "Protocol of the socket: `tcp`, `udp`, `icmp` or `raw`.";
    FdLip "fd.lip" Ip One None FdTable []
        "Address of this end.";
    FdLipName "fd.lip.name" Text One None HostNames [HostName NoRightSide NoTransformer]
        "Name of this end: a condition resolves the names it is compared with.";
    FdLnet "fd.lnet" Net One None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Address of this end, to compare with networks.";
    FdLport "fd.lport" Port One None FdTable []
        "Port of this end.";
    FdLproto "fd.lproto" Text One None FdTable []
        "Port of this end as a text.";
    FdName "fd.name" Text One None FdTable []
        "Absolute path of the file, or both ends of the socket as `10.0.0.1:4711->10.0.0.2:443`.";
    FdNameChanged "fd.name_changed" Bool One None FdTable []
        "True if the event gave the descriptor another name, as UDP does with each address.";
    FdNameraw "fd.nameraw" Text One None UserMemory []
        "Path as the process gave it, not made absolute.";
    FdNet "fd.net" Net Ends None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Address of either end, to compare with networks.";
    FdNum "fd.num" Int One None Event []
        "Number of the descriptor; -1 if it was not opened.";
    FdPort "fd.port" Port Ends None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Port of either end.";
    FdProto "fd.proto" Port Ends None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Service at either end, by its port.";
    FdRip "fd.rip" Ip One None FdTable []
        "Address of the other end.";
    FdRipName "fd.rip.name" Text One None HostNames [HostName NoRightSide NoTransformer]
        "Name of the other end: a condition resolves the names it is compared with.";
    FdRnet "fd.rnet" Net One None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Address of the other end, to compare with networks.";
    FdRport "fd.rport" Port One None FdTable []
        "Port of the other end.";
    FdRproto "fd.rproto" Text One None FdTable []
        "Port of the other end as a text.";
    FdSip "fd.sip" Ip One None FdTable []
        "Address of the server.";
    FdSipName "fd.sip.name" Text One None HostNames [HostName NoRightSide NoTransformer]
        "Name of the server: a condition resolves the names it is compared with.";
    FdSnet "fd.snet" Net One None FdTable [ConditionOnly NoRightSide NoTransformer]
        "Address of the server, to compare with networks.";
    FdSockfamily "fd.sockfamily" Text One None FdTable []
        "Family of the socket: `ip` or `unix`.";
    FdSport "fd.sport" Port One None FdTable []
        "Port of the server.";
    FdSproto "fd.sproto" Text One None FdTable []
        "Port of the server as a text.";
    FdType "fd.type" Text One None FdTable []
        "Kind of descriptor: `file`, `directory`, `ipv4`, `ipv6`, `unix`, `pipe`, `event`, \
        `signalfd`, `eventpoll`, `inotify`, `memfd` and so on.";
    FdTypechar "fd.typechar" Text One None FdTable []
        "Kind of descriptor in one character: `f` file, `d` directory, `4` and `6` socket, `u` \
        unix socket, `p` pipe, `e` event, `s` signal, `l` epoll, `i` inotify, `b` bpf, `r` \
        io_uring, `m` memfd, `o` another.";
    FdTypes "fd.types" Text List OptionalIndex FdTable [NoRightSide]
        "Kinds of all open descriptors, each once; with a number that of one.";
    FdUid "fd.uid" Text One None FdTable []
        "Thread id and number of the descriptor in a row.";
    FdlistCips "fdlist.cips" Text One None FdTable []
        "Addresses of their clients, separated by commas.";
    FdlistCports "fdlist.cports" Text One None FdTable []
        "Ports of their clients, separated by commas.";
    FdlistNames "fdlist.names" Text One None FdTable []
        "Their names, separated by commas.";
    FdlistNums "fdlist.nums" Text One None UserMemory []
        "Numbers of the descriptors that `poll` was given, separated by commas.";
    FdlistSips "fdlist.sips" Text One None FdTable []
        "Addresses of their servers, separated by commas.";
    FdlistSports "fdlist.sports" Text One None FdTable []
        "Ports of their servers, separated by commas.";
    FsPathName "fs.path.name" Text One None UserMemory []
        "Absolute path that the call acted on, also of calls without a descriptor such as \
        `unlink`; only of calls that succeeded.";
    FsPathNameraw "fs.path.nameraw" Text One None UserMemory []
        "That path as the process gave it.";
    FsPathSource "fs.path.source" Text One None UserMemory []
        "Absolute path that a call with two paths acted from.";
    FsPathSourceraw "fs.path.sourceraw" Text One None UserMemory []
        "That path as the process gave it.";
    FsPathTarget "fs.path.target" Text One None UserMemory []
        "Absolute path that a call with two paths acted to.";
    FsPathTargetraw "fs.path.targetraw" Text One None UserMemory []
        "That path as the process gave it.";
    GroupGid "group.gid" Uint One None Credentials []
        "Group id.";
    GroupName "group.name" Text One None UserDatabase []
        "Name of the group.";
    K8sDeploymentId "k8s.deployment.id" Text One None Kubernetes [Deprecated]
        "UID of the pod's deployment.";
    K8sDeploymentLabel "k8s.deployment.label" Text One Key Kubernetes [Deprecated Dotted]
        "A label of the pod's deployment.";
    K8sDeploymentLabels "k8s.deployment.labels" Text One None Kubernetes [Deprecated]
        "All labels of the pod's deployment as `a:1, b:2`.";
    K8sDeploymentName "k8s.deployment.name" Text One None Kubernetes [Deprecated]
        "Name of the pod's deployment.";
    K8sNsId "k8s.ns.id" Text One None Kubernetes [Deprecated]
        "UID of the namespace.";
    K8sNsLabel "k8s.ns.label" Text One Key Kubernetes [Deprecated Dotted]
        "A label of the namespace.";
    K8sNsLabels "k8s.ns.labels" Text One None Kubernetes [Deprecated]
        "All labels of the namespace as `a:1, b:2`.";
    K8sNsName "k8s.ns.name" Text One None Kubernetes [Suggested]
        "Namespace of the pod.";
    K8sPodCniJson "k8s.pod.cni.json" Text One None ContainerRuntime []
        "What the network plugin said of the pod, as JSON.";
    K8sPodFullSandboxId "k8s.pod.full_sandbox_id" Text One None Cgroup []
        "Id of the pod's sandbox in full.";
    K8sPodId "k8s.pod.id" Text One None Kubernetes [Deprecated]
        "The same as `k8s.pod.uid`.";
    K8sPodIp "k8s.pod.ip" Text One None Kubernetes []
        "IPv4 address of the pod.";
    K8sPodLabel "k8s.pod.label" Text One Key Kubernetes [Dotted]
        "A label of the pod: `k8s.pod.label[app]` or `k8s.pod.label.app`.";
    K8sPodLabels "k8s.pod.labels" Text One None Kubernetes []
        "All labels of the pod as `a:1, b:2`.";
    K8sPodName "k8s.pod.name" Text One None Kubernetes [Suggested]
        "Name of the pod.";
    K8sPodSandboxId "k8s.pod.sandbox_id" Text One None Cgroup []
        "The first 12 characters of the id of the pod's sandbox.";
    K8sPodUid "k8s.pod.uid" Text One None Kubernetes []
        "UID of the pod.";
    K8sRcId "k8s.rc.id" Text One None Kubernetes [Deprecated]
        "UID of the pod's replication controller.";
    K8sRcLabel "k8s.rc.label" Text One Key Kubernetes [Deprecated Dotted]
        "A label of the pod's replication controller.";
    K8sRcLabels "k8s.rc.labels" Text One None Kubernetes [Deprecated]
        "All labels of the pod's replication controller as `a:1, b:2`.";
    K8sRcName "k8s.rc.name" Text One None Kubernetes [Deprecated]
        "Name of the pod's replication controller.";
    K8sRsId "k8s.rs.id" Text One None Kubernetes [Deprecated]
        "UID of the pod's replica set.";
    K8sRsLabel "k8s.rs.label" Text One Key Kubernetes [Deprecated Dotted]
        "A label of the pod's replica set.";
    K8sRsLabels "k8s.rs.labels" Text One None Kubernetes [Deprecated]
        "All labels of the pod's replica set as `a:1, b:2`.";
    K8sRsName "k8s.rs.name" Text One None Kubernetes [Deprecated]
        "Name of the pod's replica set.";
    K8sSvcId "k8s.svc.id" Text One None Kubernetes [Deprecated]
        "UIDs of the pod's services.";
    K8sSvcLabel "k8s.svc.label" Text One Key Kubernetes [Deprecated Dotted]
        "A label of the pod's services.";
    K8sSvcLabels "k8s.svc.labels" Text One None Kubernetes [Deprecated]
        "All labels of the pod's services as `a:1, b:2`.";
    K8sSvcName "k8s.svc.name" Text One None Kubernetes [Deprecated]
        "Names of the pod's services.";
    K8smetaDeploymentLabel "k8smeta.deployment.label" Text One Key Kubernetes []
        "A label of the pod's deployment.";
    K8smetaDeploymentLabels "k8smeta.deployment.labels" Text List None Kubernetes []
        "All labels of the pod's deployment, each as `a:1`.";
    K8smetaDeploymentName "k8smeta.deployment.name" Text One None Kubernetes []
        "Name of the pod's deployment.";
    K8smetaDeploymentUid "k8smeta.deployment.uid" Text One None Kubernetes []
        "UID of the pod's deployment.";
    K8smetaNsLabel "k8smeta.ns.label" Text One Key Kubernetes []
        "A label of the namespace.";
    K8smetaNsLabels "k8smeta.ns.labels" Text List None Kubernetes []
        "All labels of the namespace, each as `a:1`.";
    K8smetaNsName "k8smeta.ns.name" Text One None Kubernetes []
        "Name of the namespace.";
    K8smetaNsUid "k8smeta.ns.uid" Text One None Kubernetes []
        "UID of the namespace.";
    K8smetaPodIp "k8smeta.pod.ip" Text One None Kubernetes []
        "Address of the pod.";
    K8smetaPodLabel "k8smeta.pod.label" Text One Key Kubernetes []
        "A label of the pod.";
    K8smetaPodLabels "k8smeta.pod.labels" Text List None Kubernetes []
        "All labels of the pod, each as `a:1`.";
    K8smetaPodName "k8smeta.pod.name" Text One None Kubernetes []
        "Name of the pod.";
    K8smetaPodUid "k8smeta.pod.uid" Text One None Kubernetes []
        "UID of the pod.";
    K8smetaRcLabel "k8smeta.rc.label" Text One Key Kubernetes []
        "A label of the pod's replication controller.";
    K8smetaRcLabels "k8smeta.rc.labels" Text List None Kubernetes []
        "All labels of the pod's replication controller, each as `a:1`.";
    K8smetaRcName "k8smeta.rc.name" Text One None Kubernetes []
        "Name of the pod's replication controller.";
    K8smetaRcUid "k8smeta.rc.uid" Text One None Kubernetes []
        "UID of the pod's replication controller.";
    K8smetaRsLabel "k8smeta.rs.label" Text One Key Kubernetes []
        "A label of the pod's replica set.";
    K8smetaRsLabels "k8smeta.rs.labels" Text List None Kubernetes []
        "All labels of the pod's replica set, each as `a:1`.";
    K8smetaRsName "k8smeta.rs.name" Text One None Kubernetes []
        "Name of the pod's replica set.";
    K8smetaRsUid "k8smeta.rs.uid" Text One None Kubernetes []
        "UID of the pod's replica set.";
    K8smetaSvcLabel "k8smeta.svc.label" Text List Key Kubernetes []
        "A label of the pod's services.";
    K8smetaSvcLabels "k8smeta.svc.labels" Text List None Kubernetes []
        "All labels of the pod's services, each as `a:1`.";
    K8smetaSvcName "k8smeta.svc.name" Text List None Kubernetes []
        "Names of the pod's services.";
    K8smetaSvcUid "k8smeta.svc.uid" Text List None Kubernetes []
        "UIDs of the pod's services.";
    NetBytesReceived "net.bytes_received" Uint One None Accounting []
        "Bytes that the cgroup of the process has received over the network.";
    NetBytesTransmitted "net.bytes_transmitted" Uint One None Accounting []
        "Bytes that the cgroup of the process has sent over the network.";
    ProcAargs "proc.aargs" Text Ancestors OptionalIndex ProcessTable [NoRightSide NoTransformer]
        "`proc.args` of an ancestor: 1 is the parent, 0 the process itself; without a number any \
        ancestor.";
    ProcAcmdline "proc.acmdline" Text Ancestors OptionalIndex ProcessTable [NoRightSide NoTransformer]
        "`proc.cmdline` of an ancestor: 1 is the parent, 0 the process itself; without a number \
        any ancestor.";
    ProcAenv "proc.aenv" Text Ancestors OptionalKey ProcessTable [NoRightSide NoTransformer]
        "`proc.env` of any ancestor; with a number of that ancestor, with a name the nearest \
        ancestor's value of that variable.";
    ProcAexe "proc.aexe" Text Ancestors OptionalIndex ProcessTable [NoRightSide NoTransformer]
        "`proc.exe` of an ancestor: 1 is the parent, 0 the process itself; without a number any \
        ancestor.";
    ProcAexepath "proc.aexepath" Text Ancestors OptionalIndex ProcessTable [NoRightSide NoTransformer]
        "`proc.exepath` of an ancestor: 1 is the parent, 0 the process itself; without a number \
        any ancestor.";
    ProcAname "proc.aname" Text Ancestors OptionalIndex ProcessTable [NoRightSide NoTransformer]
        "`proc.name` of an ancestor: 1 is the parent, 0 the process itself; without a number any \
        ancestor.";
    ProcApid "proc.apid" Int Ancestors OptionalIndex ProcessTable [NoRightSide NoTransformer]
        "Process id of an ancestor: 1 is the parent, 0 the process itself; without a number any \
        ancestor.";
    ProcArgs "proc.args" Text One OptionalIndex ProcessTable []
        "The command line after its first word, joined by spaces; with a number the argument of \
        that place, from 0.";
    ProcCmdlenargs "proc.cmdlenargs" Uint One None ProcessTable []
        "Bytes of all arguments in `proc.args`, the spaces between them left out.";
    ProcCmdline "proc.cmdline" Text One None ProcessTable []
        "`proc.name` and `proc.args`, joined by a space.";
    ProcCmdnargs "proc.cmdnargs" Uint One None ProcessTable []
        "Number of arguments in `proc.args`.";
    ProcCwd "proc.cwd" Text One None ProcessTable []
        "Working directory, with a `/` at its end.";
    ProcDuration "proc.duration" Duration One None ProcessTable []
        "Nanoseconds since the process was made.";
    ProcEnv "proc.env" Text One OptionalKey ProcessTable []
        "Environment when the program was started, as `A=1 B=2`; with a name the value of that \
        variable.";
    ProcExe "proc.exe" Text One None ProcessTable []
        "First word of the command line (`argv[0]`), which its caller chose freely.";
    ProcExeIno "proc.exe_ino" Int One None Inode []
        "Inode number of the executable file.";
    ProcExeInoCtime "proc.exe_ino.ctime" Time One None Inode []
        "Last change to the executable file or its attributes, in nanoseconds since 1970.";
    ProcExeInoCtimeDurationPidnsStart "proc.exe_ino.ctime_duration_pidns_start" Time One None Inode []
        "Nanoseconds from the start of the pid namespace to `proc.exe_ino.ctime`, if that is \
        later.";
    ProcExeInoCtimeDurationProcStart "proc.exe_ino.ctime_duration_proc_start" Time One None Inode []
        "Nanoseconds from `proc.exe_ino.ctime` to the start of the process.";
    ProcExeInoMtime "proc.exe_ino.mtime" Time One None Inode []
        "Last change to the content of the executable file, in nanoseconds since 1970.";
    ProcExeline "proc.exeline" Text One None ProcessTable []
        "`proc.exe` and `proc.args`, joined by a space.";
    ProcExepath "proc.exepath" Text One None ProcessTable []
        "Path of the executable file, links resolved.";
    ProcFdlimit "proc.fdlimit" Int One None FdTable []
        "Number of descriptors that may be open.";
    ProcFdopencount "proc.fdopencount" Uint One None FdTable []
        "Number of open descriptors.";
    ProcFdusage "proc.fdusage" Double One None FdTable []
        "Open descriptors in per cent of those that may be open.";
    ProcIsContainerHealthcheck "proc.is_container_healthcheck" Bool One None ContainerRuntime []
        "True if the process is part of the container's health check.";
    ProcIsContainerLivenessProbe "proc.is_container_liveness_probe" Bool One None ContainerRuntime []
        "True if the process is part of the container's liveness probe.";
    ProcIsContainerReadinessProbe "proc.is_container_readiness_probe" Bool One None ContainerRuntime []
        "True if the process is part of the container's readiness probe.";
    ProcIsExeFromMemfd "proc.is_exe_from_memfd" Bool One None Inode []
        "True if the executable file exists in memory only, made by `memfd_create`.";
    ProcIsExeLowerLayer "proc.is_exe_lower_layer" Bool One None Inode []
        "True if the executable file is in a lower layer of an overlay: part of the image.";
    ProcIsExeUpperLayer "proc.is_exe_upper_layer" Bool One None Inode []
        "True if the executable file is in the upper, writable layer of an overlay: not part of \
        the image.";
    ProcIsExeWritable "proc.is_exe_writable" Bool One None Inode []
        "True if the process' user may write to the executable file.";
    ProcIsPgidLeader "proc.is_pgid_leader" Bool One None ProcessTable []
        "True if the process leads its group, by the numbers of the host.";
    ProcIsSidLeader "proc.is_sid_leader" Bool One None ProcessTable []
        "True if the process leads its session.";
    ProcIsVpgidLeader "proc.is_vpgid_leader" Bool One None ProcessTable []
        "True if the process leads its group, by the numbers of its own pid namespace.";
    ProcLoginshellid "proc.loginshellid" Int One None ProcessTable []
        "Process id of the eldest shell among the ancestors.";
    ProcName "proc.name" Text One None ProcessTable []
        "Name of the process, the kernel's `comm`: 15 bytes at most.";
    ProcNchilds "proc.nchilds" Uint One None ProcessTable []
        "Number of threads that run beside the main one.";
    ProcNthreads "proc.nthreads" Uint One None ProcessTable []
        "Number of threads that run, the main one included.";
    ProcPcmdline "proc.pcmdline" Text One None ProcessTable []
        "`proc.cmdline` of the parent.";
    ProcPexe "proc.pexe" Text One None ProcessTable []
        "`proc.exe` of the parent.";
    ProcPexepath "proc.pexepath" Text One None ProcessTable []
        "`proc.exepath` of the parent.";
    ProcPgid "proc.pgid" Int One None ProcessTable []
        "Process group id on the host.";
    ProcPgidExe "proc.pgid.exe" Text One None ProcessTable []
        "`proc.exe` of the group's leader.";
    ProcPgidExepath "proc.pgid.exepath" Text One None ProcessTable []
        "`proc.exepath` of the group's leader.";
    ProcPgidName "proc.pgid.name" Text One None ProcessTable []
        "`proc.name` of the group's leader.";
    ProcPid "proc.pid" Int One None Event []
        "Process id on the host.";
    ProcPidTs "proc.pid.ts" Duration One None ProcessTable []
        "When the process was made, in nanoseconds since 1970.";
    ProcPidnsInitStartTs "proc.pidns_init_start_ts" Uint One None ProcessTable []
        "Start of the pid namespace in nanoseconds since 1970.";
    ProcPname "proc.pname" Text One None ProcessTable []
        "`proc.name` of the parent.";
    ProcPpid "proc.ppid" Int One None ProcessTable []
        "Process id of the parent.";
    ProcPpidDuration "proc.ppid.duration" Duration One None ProcessTable []
        "Nanoseconds since the parent was made.";
    ProcPpidTs "proc.ppid.ts" Duration One None ProcessTable []
        "When the parent was made, in nanoseconds since 1970.";
    ProcPvpid "proc.pvpid" Int One None ProcessTable []
        "Process id of the parent in its own pid namespace.";
    ProcSid "proc.sid" Int One None ProcessTable []
        "Session id.";
    ProcSidExe "proc.sid.exe" Text One None ProcessTable []
        "`proc.exe` of the session's leader.";
    ProcSidExepath "proc.sid.exepath" Text One None ProcessTable []
        "`proc.exepath` of the session's leader.";
    ProcSname "proc.sname" Text One None ProcessTable []
        "`proc.name` of the session's leader.";
    ProcStderrName "proc.stderr.name" Text One None FdTable []
        "`fd.name` of descriptor 2.";
    ProcStderrType "proc.stderr.type" Text One None FdTable []
        "`fd.type` of descriptor 2.";
    ProcStdinName "proc.stdin.name" Text One None FdTable []
        "`fd.name` of descriptor 0.";
    ProcStdinType "proc.stdin.type" Text One None FdTable []
        "`fd.type` of descriptor 0.";
    ProcStdoutName "proc.stdout.name" Text One None FdTable []
        "`fd.name` of descriptor 1.";
    ProcStdoutType "proc.stdout.type" Text One None FdTable []
        "`fd.type` of descriptor 1.";
    ProcTty "proc.tty" Uint One None ProcessTable []
        "Device number of the controlling terminal; 0 if there is none.";
    ProcVmrss "proc.vmrss" Uint One None Accounting []
        "Resident memory in KiB.";
    ProcVmsize "proc.vmsize" Uint One None Accounting []
        "Virtual memory in KiB.";
    ProcVmswap "proc.vmswap" Uint One None Accounting []
        "Swapped memory in KiB.";
    ProcVpgid "proc.vpgid" Int One None ProcessTable []
        "Process group id in the process' own pid namespace.";
    ProcVpgidExe "proc.vpgid.exe" Text One None ProcessTable []
        "`proc.exe` of the leader of that group.";
    ProcVpgidExepath "proc.vpgid.exepath" Text One None ProcessTable []
        "`proc.exepath` of the leader of that group.";
    ProcVpgidName "proc.vpgid.name" Text One None ProcessTable []
        "`proc.name` of the leader of that group.";
    ProcVpid "proc.vpid" Int One None ProcessTable []
        "Process id in the process' own pid namespace.";
    SyscallType "syscall.type" Text One None Event []
        "Name of the system call; none if the event is no call.";
    TenantLabels "tenant.labels" Text One Key Tenant [Dotted]
        "A label of the tenant: `tenant.labels[team]`.";
    TenantName "tenant.name" Text One None Tenant []
        "The tenant that the process belongs to; `host`, `pending` or `unknown` if it is none.";
    TenantPeer "tenant.peer" Text One None Tenant []
        "The tenant at the other end of the connection, or that the target of a signal or of \
        `ptrace` belongs to.";
    ThreadCapEffective "thread.cap_effective" Text One None Credentials []
        "Effective capabilities.";
    ThreadCapInheritable "thread.cap_inheritable" Text One None Credentials []
        "Inheritable capabilities.";
    ThreadCapPermitted "thread.cap_permitted" Text One None Credentials []
        "Permitted capabilities, such as `CAP_CHOWN CAP_SYS_ADMIN`.";
    ThreadCgroup "thread.cgroup" Text One Key Cgroup [Dotted]
        "Path of its cgroup for a controller: `thread.cgroup.cpu`.";
    ThreadCgroups "thread.cgroups" Text One None Cgroup []
        "Paths of all its cgroups, as `controller=path`, joined by spaces.";
    ThreadCpu "thread.cpu" Double One None Unavailable []
        "CPU of the thread in the last second, in per cent.";
    ThreadCpuSystem "thread.cpu.system" Double One None Unavailable []
        "That part of `thread.cpu` which the kernel used.";
    ThreadCpuUser "thread.cpu.user" Double One None Unavailable []
        "That part of `thread.cpu` which its own code used.";
    ThreadExectime "thread.exectime" Duration One None Unavailable []
        "CPU time of the thread that was on the CPU last.";
    ThreadIsmain "thread.ismain" Bool One None Event []
        "True if the thread is its process' main one.";
    ThreadNametid "thread.nametid" Text One None ProcessTable []
        "Name of the process and thread id in a row.";
    ThreadPfmajor "thread.pfmajor" Uint One None Accounting []
        "Page faults of the thread that had to read from disk.";
    ThreadPfminor "thread.pfminor" Uint One None Accounting []
        "Page faults of the thread that did not.";
    ThreadTid "thread.tid" Int One None Event []
        "Thread id on the host.";
    ThreadTotexectime "thread.totexectime" Duration One None Unavailable []
        "CPU time of the thread since the agent began.";
    ThreadVmrss "thread.vmrss" Uint One None Accounting []
        "Resident memory in KiB for a main thread, else 0.";
    ThreadVmrssB "thread.vmrss.b" Uint One None Accounting []
        "Resident memory in bytes for a main thread, else 0.";
    ThreadVmsize "thread.vmsize" Uint One None Accounting []
        "Virtual memory in KiB for a main thread, else 0.";
    ThreadVmsizeB "thread.vmsize.b" Uint One None Accounting []
        "Virtual memory in bytes for a main thread, else 0.";
    ThreadVtid "thread.vtid" Int One None ProcessTable []
        "Thread id in the thread's own pid namespace.";
    UserHomedir "user.homedir" Text One None UserDatabase []
        "Home directory of the user.";
    UserLoginname "user.loginname" Text One None UserDatabase []
        "Name of the user at login.";
    UserLoginuid "user.loginuid" Int One None Credentials []
        "User id at login, as the audit subsystem keeps it; -1 if there was no login.";
    UserName "user.name" Text One None UserDatabase []
        "Name of the user.";
    UserShell "user.shell" Text One None UserDatabase []
        "Login shell of the user.";
    UserUid "user.uid" Uint One None Credentials []
        "User id.";
    UtilCnt "util.cnt" Uint One None Agent [Deprecated]
        "A number that grows with each event.";
}

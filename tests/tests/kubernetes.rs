//! The agent's watches against a double of the API server, a case a fault.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use landlord::identity::cluster::change::Trouble;
use landlord::identity::cluster::{AddressChange, Change, Health, Source, Update};
use landlord::identity::kubernetes::connect::Liveness;
use landlord::identity::kubernetes::watch::Patience;
use landlord::identity::kubernetes::{Access, Wanted, Watches};
use landlord_tests::apiserver::{ApiServer, Fault, Verb};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was told so far.
#[derive(Default)]
struct Told {
    /// Names of objects.
    objects: BTreeMap<Source, BTreeSet<String>>,
    /// How often all there is was told.
    lists: BTreeMap<Source, usize>,
    health: BTreeMap<Source, Health>,
    /// Keys of annotations with which all namespaces were told.
    annotations: Vec<Arc<[Box<str>]>>,
    /// All troubles, in order.
    troubles: Vec<(Source, Trouble)>,
}

impl Told {
    fn take(&mut self, change: Change) {
        match change {
            Change::Pods(update) => self.update(Source::Pods, update, |pod| pod.name),
            Change::Namespaces(update) => self.update(Source::Namespaces, update, |it| it.name),
            Change::Quotas(update) => self.update(Source::Quotas, update, |quota| quota.name),
            Change::Addresses(AddressChange::Pods(update)) => {
                self.update(Source::RemotePods, update, |pod| pod.name);
            }
            Change::Addresses(AddressChange::Nodes(update)) => {
                self.update(Source::Nodes, update, |node| node.name);
            }
            Change::Addresses(AddressChange::Services(update)) => {
                self.update(Source::Services, update, |service| service.name);
            }
            Change::Addresses(AddressChange::EndpointSlices(update)) => {
                self.update(Source::EndpointSlices, update, |slice| slice.name);
            }
            Change::Tenants(_)
            | Change::Storage(_)
            | Change::Addresses(AddressChange::PodLabels(_)) => {}
            Change::Annotations(keys) => self.annotations.extend([keys]),
            Change::Health(source, health) => {
                if let Health::Interrupted(trouble) = &health {
                    self.troubles.push((source, trouble.clone()));
                }
                self.health.insert(source, health);
            }
        }
    }

    fn update<T>(&mut self, source: Source, update: Update<T>, name: fn(T) -> Box<str>) {
        let objects = self.objects.entry(source).or_default();
        match update {
            Update::Put(object) => drop(objects.insert(name(object).into())),
            Update::Gone(object) => drop(objects.remove(&*name(object))),
            Update::All(all) => {
                *objects = all.into_iter().map(|object| name(object).into()).collect();
                *self.lists.entry(source).or_default() += 1;
            }
        }
    }

    fn has(&self, source: Source, names: &[&str]) -> bool {
        self.objects.get(&source).is_some_and(|objects| objects.iter().eq(names))
    }

    fn is_synced(&self, source: Source) -> bool {
        self.health.get(&source) == Some(&Health::Synced)
    }

    fn trouble(&self, source: Source) -> Option<&'static str> {
        match self.health.get(&source)? {
            Health::Synced => None,
            Health::Interrupted(trouble) => Some(trouble.label()),
        }
    }
}

/// A server, watches of it, and what they told.
struct Scene {
    server: ApiServer,
    watches: Watches,
    news: mpsc::Receiver<Change>,
    told: Told,
}

impl Scene {
    /// Watches that are impatient, of a server that was prepared.
    fn new(prepare: impl FnOnce(&ApiServer)) -> Self {
        Self::with(prepare, |_| ())
    }

    fn with(prepare: impl FnOnce(&ApiServer), change: impl FnOnce(&mut Wanted)) -> Self {
        Self::noticing(Liveness::default(), prepare, change)
    }

    fn noticing(
        liveness: Liveness,
        prepare: impl FnOnce(&ApiServer),
        change: impl FnOnce(&mut Wanted),
    ) -> Self {
        let server = ApiServer::start().unwrap();
        for namespace in ["blue", "green"] {
            server.put(json!({"kind": "Namespace", "metadata": {"name": namespace}})).unwrap();
        }
        server.put(pod("blue", "here", "node-1", "10.0.0.1")).unwrap();
        server.put(pod("green", "there", "node-2", "10.0.0.2")).unwrap();
        prepare(&server);
        let mut wanted = Wanted {
            node: "node-1".into(),
            addresses: true,
            quotas: true,
            annotations: [].into(),
            pod_labels: [].into(),
            patience: Patience {
                piece: Duration::from_secs(2),
                watch: Duration::from_secs(30),
                forbidden: Duration::from_secs(2),
                missing: Duration::from_secs(4),
                streams: true,
            },
        };
        change(&mut wanted);
        let access = Access::new(Some(&server.kubeconfig()), Duration::from_secs(3));
        let access = access.noticing(liveness);
        let (sender, news) = mpsc::channel(16);
        let watches = Watches::start(&access, &wanted, &sender);
        Self { server, watches, news, told: Told::default() }
    }

    /// Takes news until this holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Told) -> bool) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !holds(&self.told) {
            match tokio::time::timeout_at(end, self.news.recv()).await {
                Ok(change) => self.told.take(change.expect("the watches ended")),
                Err(_) => panic!("not told in time: {what}; troubles: {:?}", self.told.troubles),
            }
        }
    }

    async fn until_synced(&mut self) {
        let sources = Source::ALL
            .into_iter()
            .filter(|source| ![Source::Tenants, Source::Kubelet].contains(source));
        let sources: Vec<_> = sources.collect();
        self.until("all there is", |told| sources.iter().all(|source| told.is_synced(*source)))
            .await;
    }

    /// How often a source was listed since the requests were last looked at.
    fn lists(&self, resource: &str) -> usize {
        let lists = |request: &landlord_tests::apiserver::Seen| {
            request.resource == resource
                && (request.verb == Verb::List || request.query.contains_key("sendInitialEvents"))
        };
        self.server.requests().iter().filter(|request| lists(request)).count()
    }
}

fn pod(namespace: &str, name: &str, node: &str, ip: &str) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"nodeName": node, "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    })
}

#[tokio::test]
async fn what_exists_is_told_and_then_what_changes() {
    let mut scene = Scene::new(|_| ());
    scene.until_synced().await;
    assert!(scene.told.has(Source::Pods, &["here"]), "only this node's");
    assert!(scene.told.has(Source::RemotePods, &["here", "there"]));
    assert!(scene.told.has(Source::Namespaces, &["blue", "green"]));
    assert!(scene.told.troubles.is_empty());
    let requests = scene.server.requests();
    let of = |resource: &'static str| {
        requests.iter().filter(move |request| request.resource == resource)
    };
    assert!(of("namespaces").all(|request| request.metadata_only));
    assert!(of("pods").any(|request| request.node_is("node-1") && request.verb == Verb::List));
    assert!(of("services").all(|request| request.verb == Verb::Watch), "listed by a watch");

    scene.server.put(pod("blue", "new", "node-1", "10.0.0.3")).unwrap();
    assert!(scene.server.remove("namespaces", "", "green"));
    scene
        .until("changes", |told| {
            told.has(Source::Pods, &["here", "new"]) && told.has(Source::Namespaces, &["blue"])
        })
        .await;
    assert!(scene.server.remove("pods", "blue", "new"));
    scene
        .until("its end", |told| {
            told.has(Source::Pods, &["here"]) && told.has(Source::RemotePods, &["here", "there"])
        })
        .await;
    assert!(scene.told.lists.values().all(|lists| *lists == 1));
}

#[tokio::test]
async fn slices_are_told_of_what_is_no_pod() {
    const OF_PODS: &str = "endpointslice-controller.k8s.io";
    const MIRROR: &str = "endpointslicemirroring-controller.k8s.io";
    let slice = |name: &str, by: Option<&str>| {
        let mut labels = json!({"kubernetes.io/service-name": "db"});
        if let Some(by) = by {
            labels["endpointslice.kubernetes.io/managed-by"] = json!(by);
        }
        json!({
            "kind": "EndpointSlice",
            "metadata": {"namespace": "blue", "name": name, "labels": labels},
            "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.8"]}],
        })
    };
    let mut scene = Scene::new(|server| {
        for object in [slice("by-hand", None), slice("mirror", Some(MIRROR))] {
            server.put(object).unwrap();
        }
        server.put(slice("of-pods", Some(OF_PODS))).unwrap();
    });
    scene.until_synced().await;
    assert!(scene.told.has(Source::EndpointSlices, &["by-hand", "mirror"]));
    scene.server.put(slice("more-of-pods", Some(OF_PODS))).unwrap();
    assert!(scene.server.remove("endpointslices", "blue", "mirror"));
    scene.server.put(slice("operator", Some("an operator"))).unwrap();
    let expected = ["by-hand", "operator"];
    scene.until("changes", |told| told.has(Source::EndpointSlices, &expected)).await;
    assert!(scene.told.troubles.is_empty(), "{:?}", scene.told.troubles);
}

#[tokio::test]
async fn namespaces_are_told_anew_with_other_annotations() {
    let mut scene = Scene::new(|_| ());
    scene.until_synced().await;
    assert_eq!(scene.told.annotations, [[].into()]);
    let keys: Arc<[Box<str>]> = ["a".into(), "b".into()].into();
    scene.watches.annotations().send_replace(Arc::clone(&keys));
    scene.until("the annotations", |told| told.annotations.last() == Some(&keys)).await;
    assert_eq!(scene.told.lists[&Source::Namespaces], 2);
    assert_eq!((scene.told.lists[&Source::Pods], scene.lists("pods")), (1, 2));
    assert!(scene.told.troubles.is_empty());
    // And it is watched on.
    assert!(scene.server.remove("namespaces", "", "green"));
    scene.until("changes", |told| told.has(Source::Namespaces, &["blue"])).await;
}

#[tokio::test]
async fn servers_that_cannot_list_by_a_watch_are_asked_in_pages() {
    let prepare = |server: &ApiServer| {
        server.set_watch_list(false);
        for n in 0..1200 {
            let ip = format!("10.1.{}.{}", n / 250, n % 250);
            server.put(pod("blue", &format!("p{n:04}"), "node-3", &ip)).unwrap();
        }
    };
    let mut scene = Scene::new(prepare);
    scene.until_synced().await;
    assert_eq!(scene.told.objects[&Source::RemotePods].len(), 1202);
    assert!(scene.told.troubles.is_empty(), "{:?}", scene.told.troubles);
    let requests = scene.server.requests();
    let pages = requests.iter().filter(|request| {
        request.resource == "pods" && request.verb == Verb::List && !request.node_is("node-1")
    });
    assert_eq!(pages.count(), 3);
}

#[tokio::test]
async fn a_broken_connection_costs_no_list_and_no_change() {
    for http2 in [true, false] {
        let mut scene = Scene::new(|server| server.set_http2(http2));
        scene.until_synced().await;
        drop(scene.server.requests());
        scene.server.hang_up();
        scene.server.put(pod("blue", "new", "node-1", "10.0.0.3")).unwrap();
        scene
            .until("what changed meanwhile", |told| {
                told.has(Source::Pods, &["here", "new"])
                    && told.has(Source::RemotePods, &["here", "new", "there"])
            })
            .await;
        assert_eq!(scene.lists("pods"), 0, "HTTP/2: {http2}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_though_nothing_breaks() {
    let liveness = Liveness { quiet: Duration::from_secs(2), sign: Duration::from_secs(2) };
    // Else a watch is only given up when it has been silent for longer than this test.
    let patient = |wanted: &mut Wanted| wanted.patience.watch = 4 * PATIENCE;
    // Without bookmarks: where nothing happens, nothing is told.
    let quiet = |server: &ApiServer| server.set_bookmarks(4 * PATIENCE);
    let mut scene = Scene::noticing(liveness, quiet, patient);
    scene.until_synced().await;
    // As long as there are signs of life, silence is no trouble.
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(scene.server.requests());
    scene.server.hang(true);
    scene.server.put(pod("blue", "new", "node-1", "10.0.0.3")).unwrap();
    let sources = [Source::Pods, Source::Namespaces, Source::RemotePods, Source::Services];
    scene
        .until("its silence", |told| {
            sources.iter().all(|source| told.trouble(*source) == Some("unreachable"))
        })
        .await;
    assert!(scene.told.has(Source::Pods, &["here"]));
    scene.server.hang(false);
    scene.until_synced().await;
    scene.until("what changed meanwhile", |told| told.has(Source::Pods, &["here", "new"])).await;
    assert_eq!(scene.lists("pods"), 0);
}

#[tokio::test]
async fn changes_that_the_server_forgot_are_made_up_for_by_a_list() {
    let mut scene = Scene::new(|_| ());
    scene.until_synced().await;
    scene.server.close();
    scene.server.put(pod("blue", "new", "node-1", "10.0.0.3")).unwrap();
    assert!(scene.server.remove("pods", "blue", "here"));
    scene.server.forget_history();
    scene.server.open().unwrap();
    scene
        .until("a second list", |told| {
            told.has(Source::Pods, &["new"]) && told.has(Source::RemotePods, &["new", "there"])
        })
        .await;
    assert_eq!(scene.told.lists[&Source::Pods], 2);
}

#[tokio::test]
async fn gone_is_understood_as_a_status_and_as_an_event() {
    for fault in [Fault::status(410), Fault::error_event(410)] {
        let mut scene = Scene::new(|_| ());
        scene.until_synced().await;
        // When a change was told the watch runs: no request is on its way that could meet
        // the fault, and lose the answer to it.
        scene.server.put(json!({"kind": "Namespace", "metadata": {"name": "red"}})).unwrap();
        let all = ["blue", "green", "red"];
        scene.until("a change", |told| told.has(Source::Namespaces, &all)).await;
        scene.server.fail(fault.clone().of("namespaces").on(Verb::Watch).times(1));
        scene.server.hang_up();
        scene.until("a second list", |told| told.lists[&Source::Namespaces] == 2).await;
        // A request on the way when the server hung up may have met that, which is another.
        let troubles =
            scene.told.troubles.iter().filter(|(source, _)| *source == Source::Namespaces);
        let others: Vec<_> =
            troubles.filter(|(_, trouble)| !matches!(trouble, Trouble::Unreachable(_))).collect();
        assert!(others.is_empty(), "{others:?}");
    }
}

#[tokio::test]
async fn the_server_is_left_alone_for_as_long_as_it_wishes() {
    for plain in [false, true] {
        let fault = Fault::too_many(4, plain).of("namespaces").times(1);
        let start = Instant::now();
        let mut scene = Scene::new(|server| _ = server.fail(fault));
        scene
            .until("overload", |told| told.trouble(Source::Namespaces) == Some("overloaded"))
            .await;
        scene.until("namespaces", |told| told.is_synced(Source::Namespaces)).await;
        assert!(start.elapsed() >= Duration::from_secs(4), "plain: {plain}");
        assert_eq!(scene.lists("namespaces"), 2);
    }
}

#[tokio::test]
async fn a_token_that_expired_is_read_again_and_watches_go_on() {
    let mut scene = Scene::new(|_| ());
    scene.until_synced().await;
    drop(scene.server.requests());
    scene.server.set_token("second");
    scene.server.hang_up();
    scene.until("refusal", |told| told.trouble(Source::Pods) == Some("unauthenticated")).await;
    scene.server.put(pod("blue", "new", "node-1", "10.0.0.3")).unwrap();
    scene.server.write_kubeconfig("second").unwrap();
    scene.until_synced().await;
    scene.until("what changed meanwhile", |told| told.has(Source::Pods, &["here", "new"])).await;
    assert_eq!(scene.lists("pods"), 0);
}

#[tokio::test]
async fn what_is_forbidden_is_said_and_the_rest_goes_on() {
    let mut fault = None;
    let mut scene =
        Scene::new(|server| fault = Some(server.fail(Fault::status(403).of("services"))));
    scene
        .until("others", |told| {
            told.is_synced(Source::Pods) && told.trouble(Source::Services) == Some("forbidden")
        })
        .await;
    let (_, trouble) = scene.told.troubles.first().unwrap();
    assert!(trouble.text().contains("cannot watch resource \"services\""), "{trouble:?}");
    scene.server.mend(fault.unwrap());
    scene.until_synced().await;
    assert_eq!(scene.told.troubles.len(), 1, "told once");
}

#[tokio::test]
async fn kinds_that_do_not_exist_are_looked_for_seldom() {
    let mut fault = None;
    let mut scene =
        Scene::new(|server| fault = Some(server.fail(Fault::status(404).of("resourcequotas"))));
    scene.until("its absence", |told| told.trouble(Source::Quotas) == Some("missing")).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(scene.lists("resourcequotas") <= 2);
    scene.server.mend(fault.unwrap());
    scene.until("quotas", |told| told.is_synced(Source::Quotas)).await;
    assert_eq!(scene.told.troubles.len(), 1, "told once: {:?}", scene.told.troubles);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_at_first_is_found_later() {
    let mut scene = Scene::new(ApiServer::close);
    scene.until("its absence", |told| told.trouble(Source::Pods) == Some("unreachable")).await;
    scene.server.open().unwrap();
    scene.until_synced().await;
    assert!(scene.told.has(Source::Pods, &["here"]));
}

#[tokio::test]
async fn without_a_kubeconfig_it_is_waited_for() {
    let mut kept = Vec::new();
    let mut scene = Scene::new(|server| {
        kept = std::fs::read(server.kubeconfig()).unwrap();
        std::fs::remove_file(server.kubeconfig()).unwrap();
    });
    scene.until("its absence", |told| told.trouble(Source::Pods) == Some("unauthenticated")).await;
    std::fs::write(scene.server.kubeconfig(), kept).unwrap();
    scene.until_synced().await;
}

#[tokio::test]
async fn answers_that_do_not_come_or_do_not_end_are_asked_for_again() {
    let faults =
        [Fault::hang_up(), Fault::cut(), Fault::silence(), Fault::stall(), Fault::status(500)];
    for fault in faults {
        let fault = fault.of("namespaces").on(Verb::List).times(1);
        let mut scene = Scene::new(|server| _ = server.fail(fault.clone()));
        scene.until("namespaces", |told| told.is_synced(Source::Namespaces)).await;
        assert!(scene.told.has(Source::Namespaces, &["blue", "green"]), "{fault:?}");
    }
}

#[tokio::test]
async fn late_answers_are_waited_for() {
    let fault = Fault::late(Duration::from_secs(1)).of("namespaces");
    let mut scene = Scene::new(|server| _ = server.fail(fault));
    scene.until("namespaces", |told| told.is_synced(Source::Namespaces)).await;
    assert!(scene.told.troubles.is_empty());
}

#[tokio::test]
async fn a_watch_that_fell_silent_is_given_up() {
    let impatient = |wanted: &mut Wanted| wanted.patience.watch = Duration::from_secs(1);
    // Not even bookmarks: then only the clock tells.
    let mut scene = Scene::with(|_| (), impatient);
    scene.until_synced().await;
    scene.server.fail(Fault::stall().of("namespaces").on(Verb::Watch).times(1));
    scene.server.put(json!({"kind": "Namespace", "metadata": {"name": "red"}})).unwrap();
    scene.server.hang_up();
    scene
        .until("what changed meanwhile", |told| {
            told.has(Source::Namespaces, &["blue", "green", "red"])
        })
        .await;
}

#[tokio::test]
async fn they_end_when_told_to() {
    let mut scene = Scene::new(|_| ());
    scene.until_synced().await;
    scene.watches.stop().await;
    scene.server.put(pod("blue", "new", "node-1", "10.0.0.3")).unwrap();
    while let Some(change) = scene.news.recv().await {
        scene.told.take(change);
    }
    assert!(scene.told.has(Source::Pods, &["here"]));
}

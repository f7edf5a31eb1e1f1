//! The agent's reader of storage against a double of the kubelet, a case a fault.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::time::Duration;

use landlord::identity::cluster::change::Trouble;
use landlord::identity::cluster::{Change, Health, Source};
use landlord::identity::kubernetes::kubelet::KubeletReader;
use landlord::identity::kubernetes::{Access, Kubelet};
use landlord_tests::apiserver::{ApiServer, Authority};
use landlord_tests::kubelet::{self, Fault, NODE, pod};
use tokio::sync::mpsc;

/// How long a kubelet may take to begin an answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster with a kubelet.
struct Scene {
    server: ApiServer,
    kubelet: kubelet::Kubelet,
    settings: Kubelet,
}

impl Scene {
    fn new() -> Self {
        let server = ApiServer::start().unwrap();
        let kubelet = kubelet::Kubelet::start(server.signer()).unwrap();
        let settings = Kubelet {
            address: kubelet.address(),
            node: NODE.into(),
            authority: None,
            insecure: false,
        };
        Self { server, kubelet, settings }
    }

    fn reader(&self) -> KubeletReader {
        let access = Access::new(Some(&self.server.kubeconfig()), ANSWER);
        KubeletReader::new(&access, &self.settings)
    }

    /// Names of the pods that are told, or what is wrong.
    async fn ask(&self) -> Result<Vec<String>, Trouble> {
        let pods = self.reader().ask().await?;
        Ok(pods.into_iter().map(|pod| pod.name.into()).collect())
    }

    /// What is wrong, and what it is called.
    async fn trouble(&self) -> (&'static str, String) {
        let trouble = self.ask().await.unwrap_err();
        (trouble.label(), trouble.text().to_owned())
    }
}

fn db() -> serde_json::Value {
    pod(("blue", "db", "u"), 4096, &[("data", 5, 10)])
}

#[tokio::test]
async fn pods_are_told() {
    let scene = Scene::new();
    assert_eq!(scene.ask().await, Ok(vec![]));
    scene.kubelet.set_pods(vec![db()]);
    let pods = scene.reader().ask().await.unwrap();
    let [pod] = pods.as_slice() else { panic!("{pods:?}") };
    assert_eq!((&*pod.namespace, &*pod.name, &*pod.uid), ("blue", "db", "u"));
    assert_eq!((pod.ephemeral_bytes, pod.ephemeral_inodes), (Some(4096), Some(3)));
    let [claim] = pod.claims.as_slice() else { panic!("{pod:?}") };
    assert_eq!(
        (&*claim.claim, claim.used_bytes, claim.capacity_bytes),
        ("data", Some(5), Some(10))
    );
}

#[tokio::test]
async fn refusals_say_why() {
    let scene = Scene::new();
    let check = async |code, expected: (&str, &str)| {
        scene.kubelet.set_fault(Some(Fault::Refused(code)));
        let (label, text) = scene.trouble().await;
        assert_eq!((label, &*text), expected);
    };
    let forbidden = "Forbidden (user=system:serviceaccount:landlord:landlord, verb=get, \
                     resource=nodes, subresource(s)=[stats]) (403)";
    check(403, ("forbidden", forbidden)).await;
    check(404, ("missing", "made to fail with 404 (404)")).await;
    check(503, ("overloaded", "made to fail with 503 (503)")).await;
    check(418, ("other", "made to fail with 418 (418)")).await;
    // Redirects are not followed: the token is for the kubelet.
    check(302, ("other", "made to fail with 302 (302)")).await;
    scene.kubelet.set_fault(None);
    scene.kubelet.set_token("another");
    let expected = ("unauthenticated", "Unauthorized (401)".to_owned());
    assert_eq!(scene.trouble().await, expected);
}

#[tokio::test]
async fn answers_that_are_none() {
    let scene = Scene::new();
    let check = async |text: String, expected: &str| {
        scene.kubelet.set_fault(Some(Fault::Text(text)));
        assert_eq!(scene.trouble().await, ("other", expected.to_owned()));
    };
    let place = "not a summary of a kubelet: ";
    check("<html>".to_owned(), &format!("{place}expected value at line 1 column 1")).await;
    check(
        "{\"pods\": [\n".to_owned(),
        &format!("{place}EOF while parsing a list at line 2 column 0"),
    )
    .await;
    check("{}".to_owned(), &format!("{place}missing field `pods` at line 1 column 2")).await;
    scene.kubelet.set_fault(Some(Fault::Endless));
    assert_eq!(scene.trouble().await, ("other", "the answer exceeds 16 MiB".to_owned()));
    scene.kubelet.set_fault(Some(Fault::Silent));
    assert_eq!(scene.trouble().await, ("unreachable", "no answer within 2 s".to_owned()));
}

#[tokio::test]
async fn a_kubelet_that_is_not_there() {
    let mut scene = Scene::new();
    scene.settings.address = ([127, 0, 0, 1], 1).into();
    let (label, text) = scene.trouble().await;
    assert_eq!(label, "unreachable");
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test]
async fn certificates_of_strangers_are_refused_before_the_token_is_said() {
    let mut scene = Scene::new();
    let own = Authority::new("landlord-e2e-node-ca@1763712904").unwrap();
    scene.kubelet.show_name_only(&own).unwrap();
    let (label, text) = scene.trouble().await;
    assert_eq!(label, "untrusted");
    assert!(text.contains("invalid peer certificate: UnknownIssuer"), "{text}");
    assert_eq!(scene.kubelet.asked(), (0, 0));
    // Whoever names its authority trusts it, for the name of the node.
    let file = scene.server.folder().join("kubelet.crt");
    std::fs::write(&file, own.pem()).unwrap();
    scene.settings.authority = Some(file.clone());
    assert_eq!(scene.ask().await, Ok(vec![]));
    scene.settings.node = "another-node".into();
    let (label, text) = scene.trouble().await;
    assert_eq!(label, "untrusted");
    assert!(text.contains("not valid for name"), "{text}");
    assert_eq!(scene.kubelet.asked(), (1, 1));
    // And whoever does not look trusts everybody.
    scene.settings = Kubelet { authority: None, insecure: true, ..scene.settings.clone() };
    assert_eq!(scene.ask().await, Ok(vec![]));
    // A file that is not there.
    std::fs::remove_file(&file).unwrap();
    scene.settings = Kubelet { authority: Some(file), insecure: false, ..scene.settings.clone() };
    let (_, text) = scene.trouble().await;
    assert!(text.contains("credentials cannot be used"), "{text}");
    assert_eq!(scene.kubelet.asked(), (2, 2));
}

#[tokio::test]
async fn trouble_is_told_once_a_change_and_ends_by_itself() {
    let scene = Scene::new();
    scene.kubelet.set_fault(Some(Fault::Refused(503)));
    let (sender, mut news) = mpsc::channel(16);
    let reader = scene.reader().run(Duration::from_millis(50), sender);
    let task = tokio::spawn(reader);
    let mut next = async || {
        let change = tokio::time::timeout(PATIENCE, news.recv()).await.unwrap().unwrap();
        match change {
            Change::Health(Source::Kubelet, Health::Interrupted(trouble)) => trouble.label(),
            Change::Health(Source::Kubelet, Health::Synced) => "synced",
            Change::Storage(pods) if pods.is_empty() => "nothing",
            Change::Storage(_) => "pods",
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(next().await, "overloaded");
    // The kubelet says the same some times more before it is well.
    while scene.kubelet.asked().0 < 3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.kubelet.set_fault(None);
    assert_eq!(next().await, "nothing");
    assert_eq!(next().await, "synced");
    scene.kubelet.set_pods(vec![db()]);
    while next().await != "pods" {}
    // A token that has expired, and is written anew.
    scene.kubelet.set_token("second");
    while next().await != "unauthenticated" {}
    scene.server.write_kubeconfig("second").unwrap();
    assert_eq!(next().await, "pods");
    assert_eq!(next().await, "synced");
    drop(news);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}

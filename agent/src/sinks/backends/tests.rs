use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;

use super::alertmanager::Alertmanager;
use super::falco_http::FalcoHttp;
use super::file::AlertFile;
use super::syslog::{Receiver, Syslog};
use crate::sinks::client::{Access, Client};
use crate::sinks::delivery::message::tests::message;
use crate::sinks::delivery::{Destination, Message, Outcome};
use crate::telemetry::SinkFailure;

/// A back-end that remembers bodies and answers in turn, then 200.
#[derive(Clone, Default)]
struct Backend {
    bodies: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Backend {
    async fn start(answers: &[u16]) -> (Self, hyper::Uri) {
        let backend = Self { answers: Arc::new(Mutex::new(answers.to_vec())), ..Self::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let router = Router::new().route("/", post(take)).with_state(backend.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (backend, uri)
    }

    fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().clone()
    }
}

async fn take(State(backend): State<Backend>, body: axum::body::Bytes) -> StatusCode {
    let mut answers = backend.answers.lock().unwrap();
    let status = if answers.is_empty() { 200 } else { answers.remove(0) };
    if status == 200 {
        backend.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    }
    StatusCode::from_u16(status).unwrap()
}

fn client() -> Client {
    Client::new(&Access::default()).unwrap()
}

fn messages(count: u32) -> Vec<Message> {
    (0..count).map(message).collect()
}

#[tokio::test]
async fn falcosidekick_gets_what_falco_writes() {
    let (backend, uri) = Backend::start(&[]).await;
    let mut sink = FalcoHttp::new(client(), uri);
    let outcome = sink.deliver(&messages(2)).await;
    assert_eq!(outcome, Outcome::Partly { done: 2, refused: 0 });
    let bodies = backend.bodies();
    assert_eq!(bodies.len(), 2);
    insta::assert_snapshot!(bodies[1], @r#"{"hostname":"node-1","output":"x","output_fields":{"evt.time":1,"fd.name":null,"landlord.id":"00000000000000000000000000000001","proc.name":"sh"},"priority":"Notice","rule":"Terminal shell in container","source":"syscall","tags":["container","shell"],"time":"2023-11-14T22:13:20.000000000Z"}"#);
}

#[tokio::test]
async fn what_is_refused_for_good_is_counted_and_what_fails_comes_again() {
    let (backend, uri) = Backend::start(&[200, 400, 200, 503]).await;
    let mut sink = FalcoHttp::new(client(), uri);
    let outcome = sink.deliver(&messages(5)).await;
    assert_eq!(outcome, Outcome::Partly { done: 3, refused: 1 });
    assert_eq!(backend.bodies().len(), 2);

    let (_backend, uri) = Backend::start(&[429]).await;
    let mut sink = FalcoHttp::new(client(), uri);
    let outcome = sink.deliver(&messages(1)).await;
    assert!(matches!(outcome, Outcome::Later { cause: SinkFailure::Throttled, .. }), "{outcome:?}");
}

#[tokio::test]
async fn alertmanager_gets_one_alert_of_many_that_are_the_same() {
    let (backend, uri) = Backend::start(&[]).await;
    let mut sink = Alertmanager::new(client(), uri, "node-1".to_owned(), Duration::from_secs(300));
    assert_eq!(sink.again_every(), None);
    let other = Message { tenant: "globex".to_owned(), ..message(9) };
    let mut batch = messages(3);
    batch.push(other);
    assert_eq!(sink.deliver(&batch).await, Outcome::Delivered);
    assert!(sink.again_every().is_some());
    assert_eq!(sink.again().await, Outcome::Delivered);
    let bodies = backend.bodies();
    assert_eq!(bodies[0], bodies[1], "what goes on is posted as it was");
    let mut posted = bodies[0].clone();
    assert_eq!(posted.as_array().unwrap().len(), 2);
    assert_eq!(posted[0]["startsAt"], "2023-11-14T22:13:20Z");
    posted[0]["endsAt"] = "E".into();
    insta::assert_snapshot!(format!("{:#}", posted[0]), @r#"
    {
      "annotations": {
        "alert_id": "00000000000000000000000000000002",
        "container": "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e",
        "description": "A shell was spawned",
        "pod": "web-0",
        "process": "sh (4002)",
        "summary": "Terminal shell in container"
      },
      "endsAt": "E",
      "labels": {
        "alertname": "Terminal shell in container",
        "namespace": "acme-prod",
        "node": "node-1",
        "priority": "notice",
        "severity": "info",
        "tenant": "acme"
      },
      "startsAt": "2023-11-14T22:13:20Z"
    }
    "#);
}

#[tokio::test]
async fn alertmanager_is_asked_one_by_one_when_it_refuses_many() {
    let (backend, uri) = Backend::start(&[400, 400, 400, 200]).await;
    let mut sink = Alertmanager::new(client(), uri, "node-1".to_owned(), Duration::from_secs(300));
    let batch = messages(2);
    assert_eq!(sink.deliver(&batch).await, Outcome::Partly { done: 1, refused: 1 });
    assert_eq!(sink.deliver(&batch[1..]).await, Outcome::Partly { done: 1, refused: 1 });
    assert_eq!(sink.deliver(&batch[1..]).await, Outcome::Delivered);
    assert_eq!(backend.bodies().len(), 1);
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn files_are_put_aside_when_they_are_large() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.json");
    let mut sink = AlertFile::new(path.clone(), 1000, 2);
    for number in 0..7 {
        assert_eq!(sink.deliver(&messages(2)).await, Outcome::Delivered, "{number}");
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["alerts.json", "alerts.json.1", "alerts.json.2"]);
    assert_eq!(lines(&path).len() % 2, 0);
    assert_eq!(lines(&path)[0]["output_fields"]["landlord.id"], message(0).id);
    // Taken away by somebody else: a new one.
    std::fs::rename(&path, folder.path().join("taken")).unwrap();
    assert_eq!(sink.deliver(&messages(1)).await, Outcome::Delivered);
    assert_eq!(lines(&path).len(), 1);

    let mut nowhere = AlertFile::new(folder.path().join("no/such/file"), 1000, 2);
    let outcome = nowhere.deliver(&messages(1)).await;
    assert!(matches!(outcome, Outcome::Later { cause: SinkFailure::LocalIo, .. }), "{outcome:?}");
}

#[tokio::test]
async fn syslog_by_all_ways() {
    let mut message = message(1);
    message.message = "a \"b\" ]\u{1b}".to_owned();
    message.rule = "a \"b\" ]\u{1b}".to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let local = UnixDatagram::bind(&path).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [udp.local_addr().unwrap(), tcp.local_addr().unwrap()].map(|it| it.to_string());
    let [udp_address, tcp_address] = addresses;
    let mut texts = Vec::new();
    let mut buffer = [0; 4096];
    for receiver in [Receiver::Local(path), Receiver::Udp(udp_address)] {
        let is_local = matches!(receiver, Receiver::Local(_));
        let mut sink = Syslog::new(receiver, "node-1".to_owned());
        assert_eq!(sink.deliver(std::slice::from_ref(&message)).await, Outcome::Delivered);
        let length =
            if is_local { local.recv(&mut buffer) } else { udp.recv(&mut buffer) }.unwrap();
        texts.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    let mut sink = Syslog::new(Receiver::Tcp(tcp_address), "node-1".to_owned());
    assert_eq!(sink.deliver(&[message.clone(), message]).await, Outcome::Delivered);
    drop(sink);
    let mut stream = tcp.accept().unwrap().0;
    let mut framed = String::new();
    stream.read_to_string(&mut framed).unwrap();
    let one = format!("{} {}", texts[0].len(), texts[0]);
    assert_eq!(framed, one.repeat(2));
    assert_eq!(texts[0], texts[1]);
    let text = texts[0].replace(&format!(" {} alert", std::process::id()), " PID alert");
    insta::assert_snapshot!(text, @r#"<37>1 2023-11-14T22:13:20.000000Z node-1 landlord PID alert [landlord@32473 id="00000000000000000000000000000001" rule="a \"b\" \]" tenant="acme" namespace="acme-prod" pod="web-0" container="3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e" process="sh"] a "b" ]"#);
}

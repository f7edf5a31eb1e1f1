//! What is written, and by whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

fn report(namespaces: u64, conflicts: &[&str]) -> TenantReport {
    TenantReport {
        generation: 3,
        namespaces,
        pods: Some(7),
        conflicts: conflicts.len() as u64,
        first_conflicts: conflicts.iter().map(|it| ((*it).into(), "first".into())).collect(),
    }
}

#[test]
fn what_is_written() {
    let is = status(&report(2, &["a", "b"]), None, "2026-11-21T12:00:00Z");
    assert_eq!((is.observed_generation, is.namespaces, is.pods), (3, 2, Some(7)));
    assert_eq!(is.conflict_count, 2);
    let holder = |namespace: &str| TenantConflict {
        namespace: namespace.to_owned(),
        holder: "first".to_owned(),
    };
    assert_eq!(is.conflicts, [holder("a"), holder("b")]);
    let told: Vec<_> = is
        .conditions
        .iter()
        .map(|it| format!("{} {} {}: {}", it.r#type, it.status, it.reason, it.message))
        .collect();
    assert_eq!(
        told,
        [
            "Applied True Observed: ",
            "Conflicted True TakenByOther: other Tenants of the same priority have 2 namespaces",
        ]
    );
}

#[test]
fn conditions_keep_their_time_until_they_change() {
    let times = |status: &TenantStatus| {
        let times = status.conditions.iter().map(|it| it.last_transition_time.clone());
        times.collect::<Vec<_>>().join(" ")
    };
    let first = status(&report(1, &[]), None, "t1");
    assert_eq!(times(&first), "t1 t1");
    let second = status(&report(2, &[]), Some(&first), "t2");
    assert_eq!(times(&second), "t1 t1");
    assert_eq!(status(&report(2, &[]), Some(&second), "t3"), second);
    let third = status(&report(2, &["a"]), Some(&second), "t4");
    assert_eq!(times(&third), "t1 t4");
}

#[test]
fn times_are_those_of_kubernetes() {
    let now = now();
    assert!(now.len() == 20 && now.ends_with('Z'), "{now}");
}

/// As much of an API server as the writer asks: objects by their paths.
#[derive(Clone, Debug, Default)]
struct Server(Arc<Mutex<Store>>);

#[derive(Debug, Default)]
struct Store {
    objects: HashMap<String, Value>,
    version: u64,
    /// What is answered instead, when it is told.
    refusal: Option<StatusCode>,
}

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        let answer = move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let (status, answer) = server.answer(&head.method, head.uri.path(), &body);
                let answer = Body::from(serde_json::to_vec(&answer).unwrap());
                let answer = Response::builder().status(status).body(answer).unwrap();
                Ok::<_, std::convert::Infallible>(answer)
            }
        };
        Client::new(tower::service_fn(answer), "default")
    }

    fn answer(&self, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let mut store = self.0.lock().unwrap();
        if let Some(status) = store.refusal {
            return refused(status);
        }
        store.version += 1;
        let version = json!(store.version.to_string());
        let path = path.trim_end_matches("/status").to_owned();
        let old = store.objects.get(&path).cloned();
        let new = match (method.as_str(), old) {
            ("GET", None) if path.ends_with("/tenants") => {
                let items: Vec<_> = store
                    .objects
                    .iter()
                    .filter(|(name, _)| name.starts_with(&path))
                    .map(|(_, object)| object.clone())
                    .collect();
                let list = json!({
                    "apiVersion": "landlord.dev/v1alpha1",
                    "kind": "TenantList",
                    "metadata": {},
                    "items": items,
                });
                return (StatusCode::OK, list);
            }
            ("GET", Some(object)) => return (StatusCode::OK, object),
            ("POST", _) => {
                let path = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap());
                if store.objects.contains_key(&path) {
                    return refused(StatusCode::CONFLICT);
                }
                let mut object = body.clone();
                object["metadata"]["resourceVersion"] = version;
                store.objects.insert(path, object.clone());
                return (StatusCode::CREATED, object);
            }
            ("PUT", Some(old)) => {
                let seen = &body["metadata"]["resourceVersion"];
                if *seen != old["metadata"]["resourceVersion"] {
                    return refused(StatusCode::CONFLICT);
                }
                body.clone()
            }
            ("PATCH", Some(mut object)) => {
                object["status"] = body["status"].clone();
                object
            }
            _ => return refused(StatusCode::NOT_FOUND),
        };
        let mut object = new;
        object["metadata"]["resourceVersion"] = version;
        store.objects.insert(path, object.clone());
        (StatusCode::OK, object)
    }

    fn make(&self, name: &str) {
        let path = "/apis/landlord.dev/v1alpha1/tenants";
        let object = json!({
            "apiVersion": "landlord.dev/v1alpha1",
            "kind": "Tenant",
            "metadata": {"name": name},
            "spec": {"namespaces": [name]},
        });
        assert_eq!(self.answer(&Method::POST, path, &object).0, StatusCode::CREATED);
    }

    fn namespaces(&self, name: &str) -> Value {
        let path = format!("/apis/landlord.dev/v1alpha1/tenants/{name}");
        self.0.lock().unwrap().objects[&path]["status"]["namespaces"].clone()
    }

    fn refuse(&self, status: Option<StatusCode>) {
        self.0.lock().unwrap().refusal = status;
    }
}

fn refused(status: StatusCode) -> (StatusCode, Value) {
    let reason = status.canonical_reason().unwrap_or_default().replace(' ', "");
    let answer = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": status.to_string(),
        "reason": reason,
        "code": status.as_u16(),
    });
    (status, answer)
}

fn reports(counts: &[(&str, u64)]) -> Reports {
    counts.iter().map(|(name, count)| ((*name).into(), report(*count, &[]))).collect()
}

#[tokio::test]
async fn only_what_has_changed_is_written() {
    let server = Server::default();
    server.make("acme");
    server.make("initech");
    let mut writer = StatusWriter::new(server.client(), "landlord", "a");
    let both = reports(&[("acme", 2), ("initech", 1), ("gone", 7)]);
    assert_eq!(writer.turn(&both).await.unwrap(), 2);
    assert_eq!((server.namespaces("acme"), server.namespaces("initech")), (json!(2), json!(1)));
    assert_eq!(writer.turn(&both).await.unwrap(), 0);
    assert_eq!(writer.turn(&reports(&[("acme", 3), ("initech", 1)])).await.unwrap(), 1);
    assert_eq!(server.namespaces("acme"), json!(3));
}

#[tokio::test]
async fn one_agent_writes() {
    let server = Server::default();
    server.make("acme");
    let mut first = StatusWriter::new(server.client(), "landlord", "a");
    let mut second = StatusWriter::new(server.client(), "landlord", "b");
    let (two, three) = (reports(&[("acme", 2)]), reports(&[("acme", 3)]));
    assert_eq!(first.turn(&two).await.unwrap(), 1);
    assert_eq!(second.turn(&three).await.unwrap(), 0);
    second.finish().await.unwrap();
    assert_eq!(first.turn(&two).await.unwrap(), 0);
    assert_eq!(second.turn(&three).await.unwrap(), 0, "the lease is still the first's");
    first.finish().await.unwrap();
    assert_eq!(second.turn(&two).await.unwrap(), 0, "it reads what the first wrote");
    assert_eq!(first.turn(&three).await.unwrap(), 0);
    assert_eq!(second.turn(&three).await.unwrap(), 1);
    assert_eq!(server.namespaces("acme"), json!(3));
}

#[tokio::test]
async fn without_objects_there_is_no_lease() {
    let server = Server::default();
    let mut writer = StatusWriter::new(server.client(), "landlord", "a");
    assert_eq!(writer.turn(&Reports::new()).await.unwrap(), 0);
    assert!(server.0.lock().unwrap().objects.is_empty());
}

#[tokio::test]
async fn it_recovers_from_an_api_server_that_refuses() {
    let server = Server::default();
    server.make("acme");
    let mut writer = StatusWriter::new(server.client(), "landlord", "a");
    let two = reports(&[("acme", 2)]);
    server.refuse(Some(StatusCode::FORBIDDEN));
    assert!(writer.turn(&two).await.is_err());
    server.refuse(None);
    assert_eq!(writer.turn(&two).await.unwrap(), 1);
    server.refuse(Some(StatusCode::TOO_MANY_REQUESTS));
    assert!(writer.turn(&two).await.is_err());
    server.refuse(None);
    assert_eq!(writer.turn(&two).await.unwrap(), 0);
}

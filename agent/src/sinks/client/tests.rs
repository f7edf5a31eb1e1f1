use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use hyper::Uri;
use hyper::body::Bytes;
use hyper::header::HeaderValue;

use super::{Access, Client, retry_after};
use crate::telemetry::SinkFailure;

#[test]
fn when_to_come_again() {
    let of = |text: &'static str| retry_after(&HeaderValue::from_static(text));
    assert_eq!(of("120"), Some(Duration::from_secs(120)));
    assert_eq!(of("soon"), None);
    assert_eq!(of("Fri, 01 Jan 2021 00:00:00 GMT"), None);
    assert!(of("Fri, 01 Jan 2100 00:00:00 GMT").unwrap() > Duration::from_secs(1 << 30));
}

#[test]
fn wrong_files_are_told_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let told = |access: Access| {
        Client::new(&access)
            .unwrap_err()
            .to_string()
            .replace(folder.path().to_str().unwrap(), "DIR")
    };
    let (empty, nonsense) = (file("empty", ""), file("nonsense", "-----BEGIN CERTIFICATE-----\n!"));
    let missing = folder.path().join("missing");
    let of_ca = |path| Access { ca_file: Some(path), ..Access::default() };
    insta::assert_snapshot!(told(of_ca(missing)), @"DIR/missing: No such file or directory (os error 2)");
    insta::assert_snapshot!(told(of_ca(empty.clone())), @"DIR/empty: has no certificate in PEM");
    insta::assert_snapshot!(told(of_ca(nonsense)), @"DIR/nonsense: has what is no certificate in PEM");
    let token = |path| Access { token_file: Some(path), ..Access::default() };
    insta::assert_snapshot!(told(token(empty)), @"DIR/empty: is empty; expected a token");
    insta::assert_snapshot!(told(token(file("two", "a\nb"))), @"DIR/two: is not one word; expected a token");
    let headers = [("a b".to_owned(), "c".to_owned())].into();
    insta::assert_snapshot!(told(Access { headers, ..Access::default() }), @"`a b` is no name of a header, or its value has what headers may not have");
}

#[test]
fn secrets_are_not_shown() {
    let headers = [("x-key".to_owned(), "secret".to_owned())].into();
    let access = Access { headers, ..Access::default() };
    let shown = format!("{access:?} {:?}", Client::new(&access).unwrap());
    assert!(shown.contains("x-key") && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn headers_and_token_are_sent_and_large_answers_refused() {
    async fn reply(headers: HeaderMap, body: Bytes) -> Vec<u8> {
        if body == "huge" {
            return vec![b'x'; super::ANSWER_BYTES + 1];
        }
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let all = [header("authorization"), header("x-scope-orgid"), header("content-type")];
        all.join(" ").into_bytes()
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri: Uri = format!("http://{}/x", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/x", post(reply))).await.unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "abc\n").unwrap();
    let headers = [("X-Scope-OrgID".to_owned(), "acme".to_owned())].into();
    let access = Access { headers, token_file: Some(token_file), ..Access::default() };
    let client = Client::new(&access).unwrap();
    let post = |body: &'static str| client.post(&uri, "text/plain", &[], body.into());
    assert_eq!(post("small").await.unwrap().text(), "Bearer abc acme text/plain");
    assert_eq!(post("huge").await.unwrap_err().cause, SinkFailure::Broken);
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    let nobody = Client::new(&Access::default()).unwrap();
    let failure = nobody.post(&uri, "text/plain", &[], Bytes::new()).await.unwrap_err();
    assert_eq!(failure.cause, SinkFailure::Connect, "{failure}");
}

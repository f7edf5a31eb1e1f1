use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::logs::{EVENT, request};
use super::{Export, Node, Protocol, traces};
use crate::event::deed::{Access, Object};
use crate::event::{Deed, Initiator, RemoteEnd};
use crate::sinks::client;
use crate::sinks::delivery::message::tests::message;
use crate::sinks::delivery::{Message, Peer, Remote, Share};

fn node() -> Node {
    Node {
        host: "host-1".to_owned(),
        kubernetes: Some("node-1".to_owned()),
        further: vec![("k8s.cluster.name".to_owned(), "prod".to_owned())],
    }
}

#[test]
fn alerts_are_grouped_by_namespace() {
    let other = Message { namespace: None, tenant: "host".to_owned(), ..message(2) };
    let request = request(&[message(1), other, message(3)], &node());
    let counts: Vec<usize> =
        request.resource_logs.iter().map(|it| it.scope_logs[0].log_records.len()).collect();
    assert_eq!(counts, [2, 1]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&request.resource_logs[0]).unwrap(), @r#"
    {
      "resource": {
        "attributes": [
          {
            "key": "service.name",
            "value": {
              "stringValue": "landlord"
            }
          },
          {
            "key": "service.version",
            "value": {
              "stringValue": "0.1.0"
            }
          },
          {
            "key": "service.instance.id",
            "value": {
              "stringValue": "node-1"
            }
          },
          {
            "key": "host.name",
            "value": {
              "stringValue": "host-1"
            }
          },
          {
            "key": "k8s.node.name",
            "value": {
              "stringValue": "node-1"
            }
          },
          {
            "key": "k8s.cluster.name",
            "value": {
              "stringValue": "prod"
            }
          },
          {
            "key": "tenant",
            "value": {
              "stringValue": "acme"
            }
          },
          {
            "key": "k8s.namespace.name",
            "value": {
              "stringValue": "acme-prod"
            }
          }
        ],
        "droppedAttributesCount": 0,
        "entityRefs": []
      },
      "scopeLogs": [
        {
          "scope": {
            "name": "landlord",
            "version": "0.1.0",
            "attributes": [],
            "droppedAttributesCount": 0
          },
          "logRecords": [
            {
              "timeUnixNano": "1700000000000000001",
              "observedTimeUnixNano": "1700000000000000001",
              "severityNumber": 10,
              "severityText": "Notice",
              "body": {
                "stringValue": "A shell was spawned"
              },
              "attributes": [
                {
                  "key": "landlord.alert.id",
                  "value": {
                    "stringValue": "00000000000000000000000000000001"
                  }
                },
                {
                  "key": "security_rule.name",
                  "value": {
                    "stringValue": "Terminal shell in container"
                  }
                },
                {
                  "key": "security_rule.tags",
                  "value": {
                    "arrayValue": {
                      "values": [
                        {
                          "stringValue": "container"
                        },
                        {
                          "stringValue": "shell"
                        }
                      ]
                    }
                  }
                },
                {
                  "key": "tenant",
                  "value": {
                    "stringValue": "acme"
                  }
                },
                {
                  "key": "landlord.identity",
                  "value": {
                    "stringValue": "informer"
                  }
                },
                {
                  "key": "landlord.tenant.label.team",
                  "value": {
                    "stringValue": "blue"
                  }
                },
                {
                  "key": "k8s.namespace.name",
                  "value": {
                    "stringValue": "acme-prod"
                  }
                },
                {
                  "key": "k8s.pod.name",
                  "value": {
                    "stringValue": "web-0"
                  }
                },
                {
                  "key": "container.id",
                  "value": {
                    "stringValue": "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
                  }
                },
                {
                  "key": "process.executable.name",
                  "value": {
                    "stringValue": "sh"
                  }
                },
                {
                  "key": "process.pid",
                  "value": {
                    "intValue": "4001"
                  }
                },
                {
                  "key": "falco.evt.type",
                  "value": {
                    "stringValue": "execve"
                  }
                },
                {
                  "key": "falco.evt.time",
                  "value": {
                    "intValue": "1"
                  }
                }
              ],
              "droppedAttributesCount": 0,
              "flags": 0,
              "traceId": "00000000000000000000000000000001",
              "spanId": "00000fa1d8a00fa1",
              "eventName": "landlord.alert"
            },
            {
              "timeUnixNano": "1700000000000000003",
              "observedTimeUnixNano": "1700000000000000003",
              "severityNumber": 10,
              "severityText": "Notice",
              "body": {
                "stringValue": "A shell was spawned"
              },
              "attributes": [
                {
                  "key": "landlord.alert.id",
                  "value": {
                    "stringValue": "00000000000000000000000000000003"
                  }
                },
                {
                  "key": "security_rule.name",
                  "value": {
                    "stringValue": "Terminal shell in container"
                  }
                },
                {
                  "key": "security_rule.tags",
                  "value": {
                    "arrayValue": {
                      "values": [
                        {
                          "stringValue": "container"
                        },
                        {
                          "stringValue": "shell"
                        }
                      ]
                    }
                  }
                },
                {
                  "key": "tenant",
                  "value": {
                    "stringValue": "acme"
                  }
                },
                {
                  "key": "landlord.identity",
                  "value": {
                    "stringValue": "informer"
                  }
                },
                {
                  "key": "landlord.tenant.label.team",
                  "value": {
                    "stringValue": "blue"
                  }
                },
                {
                  "key": "k8s.namespace.name",
                  "value": {
                    "stringValue": "acme-prod"
                  }
                },
                {
                  "key": "k8s.pod.name",
                  "value": {
                    "stringValue": "web-0"
                  }
                },
                {
                  "key": "container.id",
                  "value": {
                    "stringValue": "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
                  }
                },
                {
                  "key": "process.executable.name",
                  "value": {
                    "stringValue": "sh"
                  }
                },
                {
                  "key": "process.pid",
                  "value": {
                    "intValue": "4003"
                  }
                },
                {
                  "key": "falco.evt.type",
                  "value": {
                    "stringValue": "execve"
                  }
                },
                {
                  "key": "falco.evt.time",
                  "value": {
                    "intValue": "1"
                  }
                }
              ],
              "droppedAttributesCount": 0,
              "flags": 0,
              "traceId": "00000000000000000000000000000003",
              "spanId": "00000fa3d8a00fa3",
              "eventName": "landlord.alert"
            }
          ],
          "schemaUrl": ""
        }
      ],
      "schemaUrl": ""
    }
    "#);
}

#[test]
fn an_alert_is_a_trace_of_what_led_to_it() {
    let request = traces::request(&[message(1)], &node(), Share::default());
    let [spans] = &request.resource_spans[..] else { panic!("{request:?}") };
    let spans = &spans.scope_spans[0].spans;
    let told: Vec<String> = spans
        .iter()
        .map(|span| {
            let hex = |bytes: &[u8]| bytes.iter().map(|it| format!("{it:02x}")).collect::<String>();
            let ids = [&span.trace_id, &span.span_id, &span.parent_span_id].map(|it| hex(it));
            format!("{} {} events={}", span.name, ids.join(" "), span.events.len())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    systemd 00000000000000000000000000000001 00000001d8a00001  events=0
    runc 00000000000000000000000000000001 0000000cd8a0000c 00000001d8a00001 events=0
    sh 00000000000000000000000000000001 00000fa1d8a00fa1 0000000cd8a0000c events=1
    ");
    let half = traces::request(&[message(1)], &node(), Share::new(0.5));
    let span = &half.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((span.trace_state.as_str(), span.flags), ("ot=th:8", 3));
    let [log] = &super::logs::request(&[message(1)], &node()).resource_logs[..] else { panic!() };
    let record = &log.scope_logs[0].log_records[0];
    assert_eq!((&record.trace_id, &record.span_id), (&spans[2].trace_id, &spans[2].span_id));
}

#[test]
fn a_connection_is_a_span_of_its_own() {
    #[track_caller]
    fn check(initiator: Initiator, peer: Option<Peer>, expected: &str) {
        let address = "10.0.0.2".parse().unwrap();
        let end = RemoteEnd { address, port: 443, protocol: Some(6), initiator };
        let remote = Some(Remote { end, peer });
        let message = Message { remote, event: "connect".to_owned(), ..message(1) };
        let request = traces::request(&[message], &node(), Share::default());
        let [.., actor, span] = &request.resource_spans[0].scope_spans[0].spans[..] else {
            panic!("{request:?}")
        };
        assert_eq!(span.parent_span_id, actor.span_id);
        assert_ne!(span.span_id, actor.span_id);
        let attributes: String = span.attributes.iter().map(told).collect();
        assert_eq!(format!("{} {:?}{attributes}", span.name, span.kind()), expected);
    }
    let peer = |certain| Peer {
        kind: "pod".to_owned(),
        namespace: Some("shop".to_owned()),
        name: Some("web-1".to_owned()),
        tenant: Some("globex".to_owned()),
        certain,
    };
    check(
        Initiator::Local,
        Some(peer(true)),
        "connect pod Client tenant=acme network.peer.address=10.0.0.2 network.peer.port=443 \
         server.address=10.0.0.2 server.port=443 network.transport=tcp landlord.peer.kind=pod \
         landlord.peer.certain=true landlord.peer.tenant=globex landlord.peer.namespace=shop \
         landlord.peer.name=web-1",
    );
    check(
        Initiator::Remote,
        None,
        "connect Server tenant=acme network.peer.address=10.0.0.2 network.peer.port=443 \
         client.address=10.0.0.2 client.port=443 network.transport=tcp",
    );
    check(
        Initiator::Unknown,
        None,
        "connect Internal tenant=acme network.peer.address=10.0.0.2 network.peer.port=443 \
         network.transport=tcp",
    );
}

/// An attribute after a space.
fn told(attribute: &KeyValue) -> String {
    let value = attribute.value.as_ref().and_then(|it| it.value.as_ref()).unwrap();
    let value = match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        other => panic!("{other:?}"),
    };
    format!(" {}={value}", attribute.key)
}

#[test]
fn what_a_process_did_are_events_of_its_span() {
    let deed = |time_unix_ns, event: &'static str, object, error: Option<&'static str>, times| {
        Deed { time_unix_ns, event: event.into(), object, error: error.map(Into::into), times }
    };
    let file = |access| Object::File { path: "/etc/shadow".to_owned(), access };
    let connection = Object::Connection {
        local: Some("10.0.0.1:4711".parse().unwrap()),
        peer: "[fd00::1]:443".parse().unwrap(),
        transport: Some("tcp".into()),
    };
    let mut message = message(1);
    message.lineage[0].deeds = vec![
        deed(1, "execve", Object::Program("/bin/sh".to_owned()), None, 1),
        deed(2, "openat", file(Access { read: true, ..Access::default() }), Some("EACCES"), 3),
        deed(3, "connect", connection, None, 1),
        deed(4, "connect", Object::Local("/run/x".to_owned()), None, 1),
    ];
    message.lineage[0].deeds_dropped = 9;
    message.lineage[1].deeds = vec![deed(5, "openat", file(Access::default()), None, 1)];
    let request = traces::request(&[message], &node(), Share::default());
    let of_span = |span: &Span| {
        let events: Vec<String> = span
            .events
            .iter()
            .filter(|it| it.name != EVENT)
            .map(|it| {
                let attributes: String = it.attributes.iter().map(told).collect();
                format!("{} {}{attributes}\n", it.time_unix_nano, it.name)
            })
            .collect();
        format!("{} dropped={}\n{}", span.name, span.dropped_events_count, events.concat())
    };
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    insta::assert_snapshot!(spans.iter().map(of_span).collect::<String>(), @"
    systemd dropped=0
    runc dropped=0
    5 openat file.path=/etc/shadow landlord.file.access=
    sh dropped=9
    1 execve process.executable.path=/bin/sh
    2 openat file.path=/etc/shadow landlord.file.access=read error.type=EACCES landlord.times=3
    3 connect network.peer.address=fd00::1 network.peer.port=443 network.local.address=10.0.0.1 network.local.port=4711 network.transport=tcp
    4 connect network.peer.address=/run/x network.transport=unix
    ");
    assert_eq!(spans[2].events.last().map(|it| it.name.as_str()), Some(EVENT));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for endpoint in ["", "collector", "collector:4317", "ftp://collector", "http://"] {
        for protocol in [Protocol::Grpc, Protocol::Http] {
            let found = Export::new(endpoint, protocol, &client::Access::default());
            assert!(found.is_err(), "{endpoint}");
        }
    }
    let export =
        Export::new("http://collector:4318/", Protocol::Http, &client::Access::default()).unwrap();
    assert_eq!(export.uri("/v1/logs").to_string(), "http://collector:4318/v1/logs");
    let export =
        Export::new("http://loki/otlp", Protocol::Http, &client::Access::default()).unwrap();
    assert_eq!(export.uri("/v1/logs").to_string(), "http://loki/otlp/v1/logs");
}

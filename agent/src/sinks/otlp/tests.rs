use super::logs::request;
use super::{Export, Node, Protocol};
use crate::sinks::client::Access;
use crate::sinks::delivery::Message;
use crate::sinks::delivery::message::tests::message;

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
              "traceId": "",
              "spanId": "",
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
              "traceId": "",
              "spanId": "",
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

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for endpoint in ["", "collector", "collector:4317", "ftp://collector", "http://"] {
        for protocol in [Protocol::Grpc, Protocol::Http] {
            let found = Export::new(endpoint, protocol, &Access::default());
            assert!(found.is_err(), "{endpoint}");
        }
    }
    let export = Export::new("http://collector:4318/", Protocol::Http, &Access::default()).unwrap();
    assert_eq!(export.uri("/v1/logs").to_string(), "http://collector:4318/v1/logs");
    let export = Export::new("http://loki/otlp", Protocol::Http, &Access::default()).unwrap();
    assert_eq!(export.uri("/v1/logs").to_string(), "http://loki/otlp/v1/logs");
}

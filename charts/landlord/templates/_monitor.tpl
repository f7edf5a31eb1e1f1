{{/*
What a ServiceMonitor and a PodMonitor say of an endpoint alike: of the `monitor`'s values
and those of all (`root`). The label `node` tells
agents apart for as long as the node lives, which `instance` and `pod` do not.
*/}}
{{- define "landlord.endpoint" -}}
{{- $api := .root.Values.api -}}
{{- $name := printf "%s.%s.svc" (include "landlord.fullname" .root) .root.Release.Namespace -}}
port: metrics
path: /metrics
{{- with $api.tlsSecret }}
scheme: https
tlsConfig:
  ca:
    secret:
      name: {{ . }}
      key: ca.crt
  serverName: {{ default $name $api.serverName }}
{{- end }}
{{- with $api.tokenSecret }}
authorization:
  type: Bearer
  credentials:
    name: {{ . }}
    key: token
{{- end }}
{{- with .monitor }}
interval: {{ .interval }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
honorLabels: {{ .honorLabels }}
relabelings:
  - sourceLabels: [__meta_kubernetes_pod_node_name]
    targetLabel: node
  {{- with .relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

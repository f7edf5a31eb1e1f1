{{/* Name of the chart, as label. */}}
{{- define "landlord.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of what is made. */}}
{{- define "landlord.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "landlord.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods; they never change. */}}
{{- define "landlord.selector" -}}
app.kubernetes.io/name: {{ include "landlord.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of everything. */}}
{{- define "landlord.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "landlord.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "landlord.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "landlord.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Reference of the image: a digest wins over a tag. */}}
{{- define "landlord.image" -}}
{{- $image := .Values.image -}}
{{- $name := $image.repository -}}
{{- with $image.registry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* ConfigMap with rule files; empty if there are none. */}}
{{- define "landlord.rulesConfigMap" -}}
{{- if .Values.rules.existingConfigMap -}}
{{- .Values.rules.existingConfigMap -}}
{{- else if .Values.rules.files -}}
{{- printf "%s-rules" (include "landlord.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/*
The agent's configuration: the values, and where the chart mounts what it names. Rules
are a folder of their own, since a folder below another ConfigMap is not told of changes.
*/}}
{{- define "landlord.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $rules := default dict $config.rules -}}
{{- if not (hasKey $rules "paths") -}}
{{- $own := include "landlord.rulesConfigMap" . -}}
{{- if $own -}}
{{- $builtin := ternary (list "/usr/share/landlord/rules") list .Values.rules.builtin -}}
{{- $_ := set $rules "paths" (append $builtin "/etc/landlord-rules") -}}
{{- else if not .Values.rules.builtin -}}
{{- $_ := set $rules "enabled" false -}}
{{- end -}}
{{- if $rules }}{{ $_ := set $config "rules" $rules }}{{ end -}}
{{- end -}}
{{- $api := default dict $config.api -}}
{{- with .Values.api.tokenSecret }}{{ $_ := set $api "token_file" "/etc/landlord-token/token" }}{{ end -}}
{{- with .Values.api.tlsSecret -}}
{{- $_ := set $api "certificate_file" "/etc/landlord-tls/tls.crt" -}}
{{- $_ := set $api "key_file" "/etc/landlord-tls/tls.key" -}}
{{- if $.Values.api.clientCertificates }}{{ $_ := set $api "client_ca_file" "/etc/landlord-tls/ca.crt" }}{{ end -}}
{{- end -}}
{{- if $api }}{{ $_ := set $config "api" $api }}{{ end -}}
{{- $pin := default dict $config.pin -}}
{{- $_ := set $pin "path" (default (printf "%s/landlord" .Values.host.bpffs) $pin.path) -}}
{{- $_ := set $config "pin" $pin -}}
{{- $_ := set $config "state" (default (printf "%s/state" .Values.host.state) $config.state) -}}
{{- if include "landlord.delivers" . -}}
{{- $spool := default dict $config.spool -}}
{{- $_ := set $spool "path" (default (printf "%s/spool" .Values.host.spool) $spool.path) -}}
{{- $_ := set $config "spool" $spool -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* A probe, by TLS where the agents speak it. */}}
{{- define "landlord.probe" -}}
{{- $probe := deepCopy .probe -}}
{{- if and .tls $probe.httpGet (not $probe.httpGet.scheme) -}}
{{- $_ := set $probe.httpGet "scheme" "HTTPS" -}}
{{- end -}}
{{- toYaml $probe -}}
{{- end -}}

{{/* Port of the metrics, from the address that the agent listens on. */}}
{{- define "landlord.port" -}}
{{- regexFind "[0-9]+$" (default "0.0.0.0:9464" .Values.config.listen) -}}
{{- end -}}

{{/* Folders of the host that tell of containers. */}}
{{- define "landlord.runtimePaths" -}}
{{- $paths := list -}}
{{- range $_, $runtime := .Values.runtimes -}}
{{- if $runtime.enabled }}{{ $paths = concat $paths $runtime.paths }}{{ end -}}
{{- end -}}
{{- $paths | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* Whether something of the cluster is watched at all. */}}
{{- define "landlord.watches" -}}
{{- if ne (toString (dig "kubernetes" "enabled" "auto" .Values.config)) "never" }}true{{ end -}}
{{- end -}}

{{/* Whether the kubelet is asked; empty for no. */}}
{{- define "landlord.asksKubelet" -}}
{{- if and (include "landlord.watches" .) (dig "kubelet" "enabled" true .Values.config) }}true{{ end -}}
{{- end -}}

{{/* Whether alerts are delivered to somebody; empty for no. */}}
{{- define "landlord.delivers" -}}
{{- if or .Values.config.sinks (dig "otlp" "endpoint" "" .Values.config) }}true{{ end -}}
{{- end -}}

{{/* Mistakes that a schema cannot tell, told before anything is made. */}}
{{- define "landlord.check" -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled: every agent would be scraped twice; choose one" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- fail "serviceMonitor.enabled needs service.enabled; or use podMonitor" -}}
{{- end -}}
{{- if and .Values.api.clientCertificates (not .Values.api.tlsSecret) -}}
{{- fail "api.clientCertificates needs api.tlsSecret: only TLS has certificates of clients" -}}
{{- end -}}
{{- if and .Values.rules.files .Values.rules.existingConfigMap -}}
{{- fail "rules.files and rules.existingConfigMap: only one of them can be mounted; choose one" -}}
{{- end -}}
{{- $pin := dig "pin" "path" .Values.host.bpffs .Values.config -}}
{{- if not (or (eq $pin .Values.host.bpffs) (hasPrefix (printf "%s/" .Values.host.bpffs) $pin)) -}}
{{- fail (printf "config.pin.path %s is not below host.bpffs %s: counters would end with the pod" $pin .Values.host.bpffs) -}}
{{- end -}}
{{- $spool := dig "spool" "path" (printf "%s/spool" .Values.host.spool) .Values.config -}}
{{- if not (hasPrefix (printf "%s/" .Values.host.spool) $spool) -}}
{{- fail (printf "config.spool.path %s is not in host.spool %s: alerts that wait would end with the pod" $spool .Values.host.spool) -}}
{{- end -}}
{{- $state := default (printf "%s/state" .Values.host.state) .Values.config.state -}}
{{- if not (hasPrefix (printf "%s/" .Values.host.state) $state) -}}
{{- fail (printf "config.state %s is not in host.state %s: totals would end with the pod" $state .Values.host.state) -}}
{{- end -}}
{{- end -}}

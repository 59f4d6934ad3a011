{{/* The name of everything in a release: the release's, with the chart's where that is not in it. */}}
{{- define "tidewater.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tidewater.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tidewater.labels" -}}
{{ include "tidewater.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tidewater.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "tidewater.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* The worker's file, as Java's properties are written. */}}
{{- define "tidewater.properties" -}}
listeners={{ lower .Values.service.scheme }}://0.0.0.0:{{ .Values.service.port }}
{{- with .Values.kafka.bootstrapServers }}
bootstrap.servers={{ . }}
{{- end }}
{{- range $name, $value := omit .Values.config "listeners" "bootstrap.servers" }}
{{ $name }}={{ $value | replace "\\" "\\\\" | replace "\n" "\\n" }}
{{- end }}
{{- end -}}

{{/* Seconds from SIGTERM to SIGKILL: what tasks get, and 25 for statuses, answers, connections and a margin. */}}
{{- define "tidewater.grace" -}}
{{- $tasks := get .Values.config "task.shutdown.graceful.timeout.ms" | default "5000" | int64 -}}
{{- add 25 (div (add $tasks 999) 1000) -}}
{{- end -}}

{{- define "assay.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for what is put behind it: names of CronJobs have 52 characters at most. */}}
{{- define "assay.fullname" -}}
{{- $name := include "assay.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ .Values.fullnameOverride | default $full | trunc 32 | trimSuffix "-" }}
{{- end }}

{{- define "assay.selector" -}}
app.kubernetes.io/name: {{ include "assay.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "assay.labels" -}}
{{ include "assay.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* An image, of {root, image, suffix}: what it does not say is that of the API. */}}
{{- define "assay.image" -}}
{{- $own := .root.Values.image -}}
{{- $repository := .image.repository | default (printf "%s%s" $own.repository .suffix) -}}
{{- if .image.digest -}}
{{ $repository }}@{{ .image.digest }}
{{- else -}}
{{ $repository }}:{{ .image.tag | default $own.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "assay.secretName" -}}
{{ .Values.secrets.existingSecret | default (include "assay.fullname" .) }}
{{- end }}

{{- define "assay.secretFolder" -}}
{{ .Values.secrets.injectedAt | default "/run/secrets/assay" }}
{{- end }}

{{/* Whether the files come from a Secret, and not from an agent. */}}
{{- define "assay.mountsSecret" -}}
{{- if and (include "assay.secretKeys" .) (not .Values.secrets.injectedAt) }}yes{{ end -}}
{{- end }}

{{- define "assay.decisionClaim" -}}
{{- if .Values.decisionLog.existingClaim -}}
{{ .Values.decisionLog.existingClaim }}
{{- else if .Values.decisionLog.size -}}
{{ include "assay.fullname" . }}-decisions
{{- end }}
{{- end }}

{{- define "assay.tasksConfigMap" -}}
{{- if .Values.tasks.existingConfigMap -}}
{{ .Values.tasks.existingConfigMap }}
{{- else if .Values.tasks.files -}}
{{ include "assay.fullname" . }}-tasks
{{- end }}
{{- end }}

{{- define "assay.secretKeys" -}}
{{- $keys := .Values.secrets.values | keys -}}
{{- if or .Values.secrets.existingSecret .Values.secrets.injectedAt }}{{ $keys = .Values.secrets.keys }}{{ end -}}
{{ $keys | sortAlpha | join "," }}
{{- end }}

{{/* What a pod says of itself, of {root, component}. */}}
{{- define "assay.podMetadata" -}}
labels:
  {{- include "assay.labels" . | nindent 2 }}
  {{- with .root.Values.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
annotations:
  # Files change in running pods; Assay reads them when it starts.
  checksum/files: {{ list .root.Values.secrets.values .root.Values.tasks.files | toJson | sha256sum }}
  {{- with .root.Values.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{/* What pods of every component have in common, of {root}. */}}
{{- define "assay.pod" -}}
serviceAccountName: {{ include "assay.fullname" .root }}
automountServiceAccountToken: false
# Kubernetes would set ASSAY_PORT to the address of a Service named assay, which is no port.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "assay.containerSecurity" -}}
securityContext:
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Variables of what runs Assay, of {root, component}; backups look into the registry's own store: {registry} is its
   URI, {registryFile} says that a file has it. */}}
{{- define "assay.env" -}}
{{- $values := .root.Values -}}
- {name: ASSAY_HOME, value: /app/data}
- {name: ASSAY_TASKS, value: /app/tasks}
{{- $keys := include "assay.secretKeys" .root }}
{{- if .registryFile }}
- {name: ASSAY_TRACKING_URI_FILE, value: /run/secrets/registry/tracking_uri}
{{- else if .registry }}
- {name: ASSAY_TRACKING_URI, value: {{ .registry | quote }}}
{{- else if $values.mlflow.enabled }}
- {name: ASSAY_TRACKING_URI, value: "http://{{ include "assay.fullname" .root }}-mlflow:5000"}
{{- else if has "tracking_uri" (splitList "," $keys) | not }}
- {name: ASSAY_TRACKING_URI, value: {{ $values.trackingUri | quote }}}
{{- end }}
{{- range without (compact (splitList "," $keys)) (ternary "tracking_uri" "" (ne (.registryFile | default "") "")) }}
- {name: ASSAY_{{ upper . }}_FILE, value: {{ include "assay.secretFolder" $.root }}/{{ . }}}
{{- end }}
{{- if include "assay.decisionClaim" .root }}
- {name: ASSAY_DECISION_FOLDER, value: /app/decisions}
{{- end }}
{{- range $name, $value := $values.settings }}
- {name: ASSAY_{{ upper $name }}, value: {{ ternary $value (toJson $value) (kindIs "string" $value) | quote }}}
{{- end }}
{{- if eq .component "api" }}
- {name: ASSAY_HOST, value: "0.0.0.0"}
- {name: ASSAY_PORT, value: "8000"}
- {name: ASSAY_DRAIN_SECONDS, value: {{ toJson $values.drainSeconds | quote }}}
- {name: ASSAY_STOP_SECONDS, value: {{ toJson $values.stopSeconds | quote }}}
{{- if $values.podTls.secretName }}
- {name: ASSAY_TLS_CERTIFICATE, value: /run/tls/tls.crt}
- {name: ASSAY_TLS_KEY, value: /run/tls/tls.key}
{{- end }}
{{- else }}
# Who is written into the audit log.
- {name: ASSAY_USER, value: {{ printf "%s/%s" .root.Release.Namespace (include "assay.fullname" .root) }}-{{ .component }}}
{{- end }}
{{- end }}

{{- define "assay.mounts" -}}
- {name: home, mountPath: /app/data}
- {name: tmp, mountPath: /tmp}
{{- if include "assay.mountsSecret" .root }}
- {name: secrets, mountPath: /run/secrets/assay, readOnly: true}
{{- end }}
{{- if include "assay.decisionClaim" .root }}
- {name: decisions, mountPath: /app/decisions}
{{- end }}
{{- if include "assay.tasksConfigMap" .root }}
- {name: tasks, mountPath: /app/tasks, readOnly: true}
{{- end }}
{{- end }}

{{- define "assay.volumes" -}}
- name: home
  emptyDir: {sizeLimit: {{ .root.Values.storage.home }}}
- name: tmp
  emptyDir: {sizeLimit: {{ .root.Values.storage.tmp }}}
{{- if include "assay.mountsSecret" .root }}
- name: secrets
  secret:
    secretName: {{ include "assay.secretName" .root }}
    # Of the group 10001; nobody else in the container may read them.
    defaultMode: 0440
    items:
      {{- range splitList "," (include "assay.secretKeys" .root) }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- with include "assay.decisionClaim" .root }}
- name: decisions
  persistentVolumeClaim: {claimName: {{ . }}}
{{- end }}
{{- with include "assay.tasksConfigMap" .root }}
- name: tasks
  configMap: {name: {{ . }}}
{{- end }}
{{- end }}

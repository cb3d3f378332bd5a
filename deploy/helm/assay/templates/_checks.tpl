{{/* What the schema cannot say: values that do not go together. Each message says what to do. */}}
{{- define "assay.checks" -}}
{{- $v := .Values -}}
{{- $keys := splitList "," (include "assay.secretKeys" .) -}}
{{- if gt (len (compact (list $v.secrets.existingSecret $v.secrets.injectedAt (ternary "values" "" (not (empty $v.secrets.values)))))) 1 -}}
{{- fail "More than one of secrets.existingSecret, secrets.injectedAt and secrets.values is set: keep one, and set the others to \"\" or {}." -}}
{{- end -}}
{{- $insecure := $v.settings.insecure | default false -}}
{{- if and (not $insecure) (not (has "database" $keys)) -}}
{{- fail "No database: replicas look keys up in one PostgreSQL. Put its URI into the Secret under the key \"database\" and name that in secrets.keys, or, for a trial behind something that asks for keys, set settings.insecure to true." -}}
{{- end -}}
{{- if and $v.mlflow.enabled (has "tracking_uri" $keys) -}}
{{- fail "mlflow.enabled brings a registry of its own, and secrets has a tracking_uri as well: keep one of the two." -}}
{{- end -}}
{{- if not (or $v.mlflow.enabled $v.trackingUri $v.settings.models (has "tracking_uri" $keys)) -}}
{{- fail "No registry: set trackingUri to MLflow's address, or mlflow.enabled to true, or put tracking_uri into the Secret." -}}
{{- end -}}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.min) (int $v.autoscaling.max)) -}}
{{- fail (printf "autoscaling.min is %d and autoscaling.max %d: the first must not be over the second." (int $v.autoscaling.min) (int $v.autoscaling.max)) -}}
{{- end -}}
{{- if contains "@" $v.trackingUri -}}
{{- fail "trackingUri has a user or a password in it, which would stand in the Deployment: put it into the Secret under the key \"tracking_uri\" and name that in secrets.keys." -}}
{{- end -}}
{{- range list $v.image $v.trainImage $v.mlflow.image -}}
{{- if eq .tag "latest" -}}
{{- fail "An image's tag is \"latest\", which means another image tomorrow: pods would differ and helm rollback would not go back. Name a version, a commit's tag or a digest." -}}
{{- end -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) -}}
{{- fail "ingress.host is empty: name the host that the certificate is for." -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.tlsSecretName) -}}
{{- fail "ingress.tlsSecretName is empty: keys and texts do not travel without TLS. Name a Secret of type kubernetes.io/tls." -}}
{{- end -}}
{{- if and $v.retrain.enabled (not $v.retrain.tasks) -}}
{{- fail "retrain.enabled needs retrain.tasks: the names of the tasks to train again." -}}
{{- end -}}
{{- if and $v.retrain.enabled (or (eq $v.retrain.from "feedback") $v.retrain.onlyDrifted) (not (include "assay.decisionClaim" .)) -}}
{{- fail "retrain reads the decision log of all replicas: set decisionLog.size or decisionLog.existingClaim to a ReadWriteMany volume, or retrain.from to rows and retrain.onlyDrifted to false." -}}
{{- end -}}
{{- if and $v.retrain.enabled (eq $v.retrain.from "feedback") (not (has ($v.settings.decision_text | default "hash") (list "redacted" "full"))) -}}
{{- fail "retrain.from is feedback, and the decision log keeps no texts: set settings.decision_text to redacted or full, or retrain.from to rows." -}}
{{- end -}}
{{- if and $v.backup.enabled (hasPrefix "/" $v.backup.to) (not $v.backup.existingClaim) -}}
{{- fail (printf "backup.to is the folder %q, which dies with the job: name a claim in backup.existingClaim, or an address such as s3://bucket/path." $v.backup.to) -}}
{{- end -}}
{{- end }}

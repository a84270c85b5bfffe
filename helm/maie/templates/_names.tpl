{{/* The prefix of all names. */}}
{{- define "maie.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The labels that select pods. Takes root and component, which may be empty for all of the release. */}}
{{- define "maie.selector" -}}
app.kubernetes.io/name: maie
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* The labels of an object. Takes root and component. */}}
{{- define "maie.labels" -}}
{{ include "maie.selector" . }}
app.kubernetes.io/part-of: maie
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "maie.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "maie.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* The image of a part. Takes root, part, and image, which may be empty. */}}
{{- define "maie.image" -}}
{{- $image := .image | default dict -}}
{{- $registry := required "image.registry: name where the images of maie are, such as registry.example.com/speech" .root.Values.image.registry -}}
{{- $repository := $image.repository | default (printf "%s/maie-%s" $registry .part) -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ $image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The URLs of NATS: each server of the subchart by its own name, so that a client goes to another when one is away. */}}
{{- define "maie.natsUrl" -}}
{{- if .Values.broker.url -}}
{{ .Values.broker.url }}
{{- else -}}
{{- $nats := .Values.nats -}}
{{- if ne .Values.broker.tls.enabled $nats.config.nats.tls.enabled -}}
{{- fail "broker.tls.enabled: must be as nats.config.nats.tls.enabled" -}}
{{- end -}}
{{- if not .Values.broker.nkeys.enabled -}}
{{- fail "broker.nkeys.enabled: the NATS of this chart lets in nkeys alone; name one of your own in broker.url" -}}
{{- end -}}
{{- $servers := list -}}
{{- range $i := until (ternary ($nats.config.cluster.replicas | int) 1 $nats.config.cluster.enabled) -}}
{{- $servers = append $servers (printf "%s://%s-%d.%s-headless:4222" (ternary "tls" "nats" $.Values.broker.tls.enabled) $nats.fullnameOverride $i $nats.fullnameOverride) -}}
{{- end -}}
{{ join "," $servers }}
{{- end -}}
{{- end -}}

{{/* The claim of a volume. Takes root, of (its values) and name. */}}
{{- define "maie.claim" -}}
{{- .of.existingClaim | default (printf "%s-%s" (include "maie.fullname" .root) .name) -}}
{{- end -}}

{{/* Series of this mesh, for a query. */}}
{{- define "maie.series" -}}
{{- .Values.keda.selector | default (printf "namespace=%q" .Release.Namespace) -}}
{{- end -}}

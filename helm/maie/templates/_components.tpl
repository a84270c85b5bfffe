{{/*
The enabled components by name, each with the defaults filled in and with `name`, `stage`, `port` (0 for none), `portName`, `tls` (whether it has a certificate of the mesh) and `env`. A component that
cannot work fails here, with its name.
*/}}
{{- define "maie.components" -}}
{{- $found := dict -}}
{{- range $name, $values := .Values.components -}}
{{- $component := mergeOverwrite (deepCopy $.Values.componentDefaults) (deepCopy ($values | default dict)) -}}
{{- if $component.enabled -}}
{{- $_ := set $component "name" $name -}}
{{- $_ := set $component "stage" ($component.stage | default $name) -}}
{{- $_ := set $component "port" (include "maie.port" $component | int) -}}
{{- $_ := set $component "portName" (ternary "http" "grpc" (eq $component.stage "web")) -}}
{{- $_ := set $component "tls" (or $component.rpc (and (eq $component.stage "gateway") (or (eq $.Values.tls.gateway "mesh") (include "maie.anyRpc" $ | not | not))) (and (eq $component.stage "web") (or (eq $.Values.tls.gateway "mesh") (eq $.Values.tls.web "mesh")))) -}}
{{- if and $component.models (eq $.Values.models.source "none") -}}
{{- fail (printf "components.%s.models: models.source is none" $name) -}}
{{- end -}}
{{- $_ := set $component "env" (include "maie.env" (dict "root" $ "component" $component) | fromYaml) -}}
{{- include "maie.checkScaling" (dict "root" $ "component" $component) -}}
{{- $_ := set $found $name $component -}}
{{- end -}}
{{- end -}}
{{- include "maie.checkShares" $found -}}
{{- include "maie.checkWeb" (dict "root" $ "components" $found) -}}
{{ toYaml $found }}
{{- end -}}

{{/* Says yes where a gateway calls any stage. */}}
{{- define "maie.anyRpc" -}}
{{- range .Values.components -}}
{{- $c := . | default dict -}}
{{- if and (dig "rpc" $.Values.componentDefaults.rpc $c) (dig "enabled" true $c) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* Says yes where `helm test` has a gateway to call. */}}
{{- define "maie.isTested" -}}
{{- if and .Values.test.enabled (dig "enabled" true (.Values.components.gateway | default dict)) -}}yes{{- end -}}
{{- end -}}

{{/* The names of the web part's pods, as JSON strings, where these call gateways without a proxy between. */}}
{{- define "maie.webProxies" -}}
{{- $names := list -}}
{{- range $name, $values := .Values.components -}}
{{- $c := $values | default dict -}}
{{- if and (eq (dig "stage" $name $c) "web") (dig "enabled" true $c) (eq $.Values.tls.gateway "mesh") -}}
{{- $names = append $names (printf "%s-%s-headless" (include "maie.fullname" $) $name | quote) -}}
{{- end -}}
{{- end -}}
{{- join ", " $names -}}
{{- end -}}

{{/* The port of a component: 50051 of a gateway, 8080 of the web part, 50052 of every stage that has one. */}}
{{- define "maie.port" -}}
{{- if eq .stage "gateway" -}}50051{{- else if eq .stage "web" -}}8080{{- else if .rpc -}}50052{{- else -}}0{{- end -}}
{{- end -}}

{{/*
The variables of a component: those that the chart decides, then the settings of values.yaml, which may set no other's. Names that no
setting of the stage has are refused, from the list that `make generate` writes.
*/}}
{{- define "maie.env" -}}
{{- $c := .component -}}
{{- $own := include "maie.ownEnv" . | fromYaml -}}
{{- $known := .root.Files.Get "files/settings.json" | fromJson -}}
{{- $env := deepCopy $own -}}
{{- range $name, $value := mergeOverwrite (deepCopy .root.Values.settings) $c.settings -}}
{{- if hasKey $own $name -}}
{{- fail (printf "components.%s: the chart sets %s itself; see the README for the value that decides it" $c.name $name) -}}
{{- end -}}
{{- $stages := get $known.settings $name | default list -}}
{{- if and (hasPrefix "MAIE_" $name) (has $c.stage $known.stages) -}}
{{- if and (hasKey $c.settings $name) (not (has $c.stage $stages)) -}}
{{- fail (printf "components.%s.settings: %s is no setting of %s; docs/settings.md lists all" $c.name $name $c.stage) -}}
{{- else if not $stages -}}
{{- fail (printf "settings: %s is no setting; docs/settings.md lists all" $name) -}}
{{- end -}}
{{- end -}}
{{- if or (not (hasPrefix "MAIE_" $name)) (not (has $c.stage $known.stages)) (has $c.stage $stages) -}}
{{- $_ := set $env $name (include "maie.text" $value) -}}
{{- end -}}
{{- end -}}
{{ toYaml $env }}
{{- end -}}

{{/* A value as a variable has it: JSON for lists and maps, and no exponents in numbers. */}}
{{- define "maie.text" -}}
{{- if or (kindIs "slice" .) (kindIs "map" .) -}}
{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ printf "%.0f" . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{- define "maie.ownEnv" -}}
{{- $v := .root.Values -}}
{{- $c := .component -}}
{{- $stage := printf "MAIE_%s" ($c.stage | upper | replace "-" "_") -}}
MAIE_HEALTH_FILE: /tmp/health
MAIE_SHUTDOWN_GRACE_SECONDS: {{ include "maie.text" $c.shutdownGraceSeconds | quote }}
{{- if ne $c.stage "web" }}
{{ include "maie.brokerEnv" (dict "root" .root "part" $c.stage) }}
MAIE_BLOB_URL: {{ $v.objects.url | default "file:///var/lib/maie/blobs" | quote }}
{{- with $v.objects.s3.endpoint }}
AWS_ENDPOINT_URL: {{ . | quote }}
{{- end }}
{{- with $v.objects.s3.region }}
AWS_REGION: {{ . | quote }}
{{- end }}
{{- end }}
{{- if $v.metrics.enabled }}
MAIE_METRICS_LISTEN: 0.0.0.0:9464
{{- end }}
{{- with $v.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
{{- if and $c.tls (ne $c.stage "web") }}
MAIE_TLS_CERT_FILE: /etc/maie/tls/tls.crt
MAIE_TLS_KEY_FILE: /etc/maie/tls/tls.key
MAIE_TLS_CA_FILE: /etc/maie/tls/ca.crt
{{- end }}
{{- if $c.port }}
{{ $stage }}_LISTEN: 0.0.0.0:{{ $c.port }}
{{- end }}
{{- if $c.models }}
MAIE_MODELS_DIR: /var/lib/maie/models
{{- end }}
{{- if eq $c.stage "gateway" }}
{{- if eq $v.tls.gateway "own" }}
MAIE_GATEWAY_TLS_CERT_FILE: /etc/maie/gateway-tls/tls.crt
MAIE_GATEWAY_TLS_KEY_FILE: /etc/maie/gateway-tls/tls.key
{{- else if eq $v.tls.gateway "proxy" }}
MAIE_GATEWAY_PLAINTEXT: behind-a-proxy
{{- end }}
{{- with include "maie.webProxies" .root }}
MAIE_GATEWAY_TRUSTED_PROXIES: {{ printf "[%s]" . | squote }}
{{- end }}
{{- if $v.encryption.masterKeySecret }}
MAIE_GATEWAY_MASTER_KEY: file:///etc/maie/master-key/{{ $v.encryption.masterKeyKey }}
{{- end }}
{{- else if eq $c.stage "web" }}
{{ include "maie.webEnv" .root }}
{{- else }}
{{ $stage }}_RPC: {{ ternary "on" "off" $c.rpc | quote }}
{{- if $c.port }}
{{ $stage }}_ADVERTISE: $(POD_IP):{{ $c.port }}
{{- else if eq $c.stage "asr" }}
MAIE_ASR_LIVE_TRACKS: "0"
{{- end }}
{{- end }}
{{- range $name, $file := $c.secretFiles }}
{{ $name }}: /etc/maie/secrets/{{ $name | lower }}/{{ $file.key }}
{{- end }}
{{- end -}}

{{/* The web part's own variables. Where its pods cannot trust the gateway's certificate by the mesh's CA, they call it by its name outside. */}}
{{- define "maie.webEnv" -}}
{{- $v := .Values -}}
{{- if eq $v.tls.gateway "mesh" }}
MAIE_WEB_GATEWAY: dns:{{ include "maie.fullname" . }}-gateway-headless:50051
MAIE_WEB_GATEWAY_CA_FILE: /etc/maie/tls/ca.crt
{{- else }}
MAIE_WEB_GATEWAY: https://{{ first $v.traffic.hostnames }}:443
{{- end }}
{{- if eq $v.tls.web "mesh" }}
MAIE_WEB_TLS_CERT_FILE: /etc/maie/tls/tls.crt
MAIE_WEB_TLS_KEY_FILE: /etc/maie/tls/tls.key
{{- else }}
MAIE_WEB_PLAINTEXT: behind-a-proxy
{{- end }}
MAIE_WEB_SESSION_KEY_FILE: /etc/maie/session-key/{{ $v.web.sessionKeyKey }}
{{- with $v.web.hostnames }}
MAIE_WEB_PUBLIC_URL: https://{{ first . }}
{{- end }}
{{- with $v.web.oidc }}
{{- if .issuer }}
MAIE_WEB_OIDC_ISSUER: {{ .issuer | quote }}
MAIE_WEB_OIDC_CLIENT_ID: {{ .clientId | quote }}
{{- if .clientSecret }}
MAIE_WEB_OIDC_CLIENT_SECRET_FILE: /etc/maie/oidc-client/{{ .clientSecretKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A web part needs gateways to call, which judge the tokens of its provider. Takes root and components. */}}
{{- define "maie.checkWeb" -}}
{{- $issuer := .root.Values.web.oidc.issuer -}}
{{- range $name, $c := .components -}}
{{- if and (eq $c.stage "web") (not (hasKey $.components "gateway")) -}}
{{- fail (printf "components.%s: components.gateway is not enabled, so it has nobody to call" $name) -}}
{{- end -}}
{{- if and (eq $c.stage "web") $issuer (ne (get $.components.gateway.env "MAIE_JWT_ISSUER" | default "") $issuer) -}}
{{- fail (printf "web.oidc.issuer: set MAIE_JWT_ISSUER of components.gateway.settings to %s as well, or gateways refuse its tokens" $issuer) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* How a part reaches NATS. Takes root and part. */}}
{{- define "maie.brokerEnv" -}}
MAIE_NATS_URL: {{ include "maie.natsUrl" .root | quote }}
{{- if .root.Values.broker.nkeys.enabled }}
MAIE_NATS_NKEY_FILE: /etc/maie/nkey/{{ .root.Values.broker.nkeys.key }}
{{- end }}
{{- if .root.Values.broker.tls.enabled }}
MAIE_NATS_CA_FILE: /etc/maie/nats-ca/{{ .root.Values.broker.tls.caKey }}
{{- end }}
{{- end -}}

{{/* How many units a pod of a component takes. */}}
{{- define "maie.unitsPerPod" -}}
{{- $known := .root.Files.Get "files/settings.json" | fromJson -}}
{{- $c := .component -}}
{{- $slots := get $c.env (printf "MAIE_%s_SLOTS" ($c.stage | upper | replace "-" "_")) | default (get $known.slots $c.stage) | default 1 -}}
{{- $c.scaling.unitsPerPod | default $slots | int -}}
{{- end -}}

{{- define "maie.checkScaling" -}}
{{- $c := .component -}}
{{- $s := $c.scaling -}}
{{- $where := printf "components.%s.scaling" $c.name -}}
{{- if ne $s.kind "none" -}}
{{- if gt ($s.minReplicas | int) ($s.maxReplicas | int) -}}
{{- fail (printf "%s: minReplicas is more than maxReplicas" $where) -}}
{{- end -}}
{{- if and (lt ($s.minReplicas | int) 1) (or $c.port (eq $s.kind "hpa")) -}}
{{- fail (printf "%s.minReplicas: only stages without a port, scaled by KEDA, may go to 0: who calls one that is not there gets an error" $where) -}}
{{- end -}}
{{- range $by := ternary $s.by list (eq $s.kind "keda") -}}
{{- if or (and (has $by (list "units" "lag")) (has $c.stage (list "gateway" "web"))) (and (eq $by "sessions") (ne $c.stage "gateway")) (and (eq $by "tracks") (or (not (has $c.stage (list "asr" "diarization"))) (not $c.port))) -}}
{{- fail (printf "%s.by: %s does not fit: units and lag are of stages, sessions of gateways, tracks of asr and diarization with rpc" $where $by) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $s.kind "keda") (not .root.Values.metrics.enabled) (ne (join "" $s.by) "lag") -}}
{{- fail (printf "%s: KEDA needs metrics.enabled, or by: [lag]" $where) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Pools of one stage that are scaled by units share them; a pool that is not may take the rest. */}}
{{- define "maie.checkShares" -}}
{{- $sums := dict -}}
{{- $others := dict -}}
{{- range $name, $c := . -}}
{{- if and (eq $c.scaling.kind "keda") (has "units" $c.scaling.by) -}}
{{- $_ := set $sums $c.stage (addf (get $sums $c.stage | default 0.0) $c.scaling.share) -}}
{{- else -}}
{{- $_ := set $others $c.stage $name -}}
{{- end -}}
{{- end -}}
{{- range $stage, $sum := $sums -}}
{{- if or (gt $sum 1.001) (and (lt $sum 0.999) (not (hasKey $others $stage))) -}}
{{- fail (printf "components: the scaling.share of the pools of %s add up to %v and not to 1" $stage $sum) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What every pod of the release has. Takes root. */}}
{{- define "maie.podDefaults" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "maie.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The variables of a map, in the order of their names. */}}
{{- define "maie.envList" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* A volume of a Secret, for the owner and the group of the pod. Takes name, secret, and the one key that is wanted, if it is one. */}}
{{- define "maie.secretVolume" -}}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    {{- with .only }}
    items:
      - {key: {{ . }}, path: {{ . }}}
    {{- end }}
{{- end -}}

{{/* The Secrets of files of a pod, by the name of the volume: the Secret, and where it is mounted. Takes root and component. */}}
{{- define "maie.secretMounts" -}}
{{- $v := .root.Values -}}
{{- $c := .component -}}
{{- if ne $c.stage "web" }}
{{- include "maie.brokerSecrets" (dict "root" .root "part" $c.stage) }}
{{- end }}
{{- if $c.tls }}
tls: {secret: {{ $v.tls.secretPrefix }}-{{ $c.stage }}, path: /etc/maie/tls}
{{- end }}
{{- if eq $c.stage "gateway" }}
{{- if eq $v.tls.gateway "own" }}
gateway-tls: {secret: {{ $v.tls.gatewaySecret }}, path: /etc/maie/gateway-tls}
{{- end }}
{{- with $v.encryption.masterKeySecret }}
master-key: {secret: {{ . }}, path: /etc/maie/master-key}
{{- end }}
{{- end }}
{{- if eq $c.stage "web" }}
session-key: {secret: {{ $v.web.sessionKeySecret }}, path: /etc/maie/session-key}
{{- if and $v.web.oidc.issuer $v.web.oidc.clientSecret }}
oidc-client: {secret: {{ $v.web.oidc.clientSecret }}, path: /etc/maie/oidc-client}
{{- end }}
{{- end }}
{{- range $name, $file := $c.secretFiles }}
secret-{{ $name | lower | replace "_" "-" | trunc -56 | trimPrefix "-" }}: {secret: {{ $file.secret }}, path: /etc/maie/secrets/{{ $name | lower }}}
{{- end }}
{{- end -}}

{{/* Likewise those of a part that connects to NATS. Takes root and part. */}}
{{- define "maie.brokerSecrets" -}}
{{- with .root.Values.broker }}
{{- if .nkeys.enabled }}
nkey: {secret: {{ .nkeys.secretPrefix }}-{{ $.part }}, path: /etc/maie/nkey}
{{- end }}
{{- if .tls.enabled }}
nats-ca: {secret: {{ .tls.caSecret }}, path: /etc/maie/nats-ca, only: {{ .tls.caKey }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* The mounts and the volumes of a map of Secrets. */}}
{{- define "maie.mounts" -}}
{{- range $name, $each := . }}
- name: {{ $name }}
  mountPath: {{ $each.path }}
  readOnly: true
{{- end }}
{{- end -}}

{{- define "maie.volumes" -}}
{{- range $name, $each := . }}
{{ include "maie.secretVolume" (merge (dict "name" $name) $each) }}
{{- end }}
{{- end -}}

{{/* Credentials of the object store that come from a Secret. */}}
{{- define "maie.objectsEnv" -}}
{{- with .Values.objects }}
{{- if and .url .s3.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ .s3.existingSecret }}, key: {{ .s3.accessKeyIdKey }}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ .s3.existingSecret }}, key: {{ .s3.secretAccessKeyKey }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* A probe that asks the health file: the ports speak mTLS, which no kubelet can, and most stages have none. */}}
{{- define "maie.probe" -}}
exec:
  command: [python3, -m, maie_runtime.probe, /tmp/health{{ if .alive }}, --alive{{ end }}]
periodSeconds: {{ .period }}
timeoutSeconds: 5
failureThreshold: {{ .failures }}
{{- end -}}

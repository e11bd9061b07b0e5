{{- define "aquatint.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{- define "aquatint.labels" -}}
app.kubernetes.io/name: aquatint
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What a Deployment finds its pods by: given the root and the component's name. */}}
{{- define "aquatint.selector" -}}
app.kubernetes.io/name: aquatint
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "aquatint.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "aquatint.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end -}}
{{- end }}

{{- define "aquatint.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end }}

{{/*
The settings file, with what the chart itself decides. JSON's words are TOML's, except for tables; Helm's own toToml writes
whole numbers as fractions.
*/}}
{{- define "aquatint.settings" -}}
{{- $assets := merge (dict "public_url" .Values.publicUrl) (.Values.settings.assets | default dict) -}}
{{- $drains := dict "drain" (printf "%ds" (int .Values.drainSeconds)) "drain_paid" (printf "%ds" (int .Values.drainPaidSeconds)) -}}
{{- $worker := merge $drains (.Values.settings.worker | default dict) -}}
{{- range $section, $fields := merge (dict "assets" $assets "worker" $worker) .Values.settings }}
[{{ $section }}]
{{- range $name, $value := $fields }}
{{- if kindIs "map" $value }}
{{ $name }} = { {{- range $i, $key := keys $value | sortAlpha }}{{ if $i }}, {{ end }}{{ toJson $key }} = {{ toJson (get $value $key) }}{{ end -}} }
{{- else }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{ end -}}
{{- end }}

{{/* A pod of the server or of a worker: given the root, the component, its values, arguments, sandbox workers, grace. */}}
{{- define "aquatint.pod" -}}
metadata:
  labels:
    {{- include "aquatint.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    checksum/settings: {{ include "aquatint.settings" .root | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "aquatint.serviceAccount" .root }}
  automountServiceAccountToken: false
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .root.Values.podSecurityContext | nindent 4 }}
  terminationGracePeriodSeconds: {{ .grace }}
  enableServiceLinks: false # their variables look like settings
  containers:
    - name: aquatint
      image: {{ include "aquatint.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ toJson .arguments }}
      env:
        - name: AQUATINT_CONFIG
          value: /etc/aquatint/aquatint.toml
        - name: AQUATINT_SANDBOX__WORKERS
          value: {{ .sandboxWorkers | quote }}
        {{- range $variable, $from := .root.Values.secrets }}
        - name: {{ $variable }}
          valueFrom:
            secretKeyRef:
              name: {{ $from.name }}
              key: {{ $from.key }}
        {{- end }}
      ports:
        - name: http
          containerPort: 8000
      startupProbe: # the database may take a while to come; it is waited for
        httpGet: {path: /healthz, port: http}
        periodSeconds: 3
        failureThreshold: 40
      livenessProbe: # says nothing of the database: a restart would not mend that
        httpGet: {path: /healthz, port: http}
        periodSeconds: 15
        timeoutSeconds: 5
        failureThreshold: 4
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      {{- if eq .component "server" }}
      lifecycle:
        preStop: # the balancer hears of the end before the socket closes
          exec: {command: [sleep, "5"]}
      {{- end }}
      resources:
        {{- toYaml (.values.resources | default dict) | nindent 8 }}
      securityContext:
        {{- toYaml .root.Values.containerSecurityContext | nindent 8 }}
      volumeMounts:
        - {name: settings, mountPath: /etc/aquatint, readOnly: true}
        - {name: tmp, mountPath: /tmp}
        - {name: data, mountPath: /data}
  volumes:
    - name: settings
      configMap: {name: {{ include "aquatint.name" .root }}}
    - name: tmp
      emptyDir: {sizeLimit: {{ .root.Values.tmpSize }}}
    - name: data # nothing of value: tasks are in the database, pictures in the storage
      emptyDir: {}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "aquatint.selector" . | nindent 10 }}
{{- end }}

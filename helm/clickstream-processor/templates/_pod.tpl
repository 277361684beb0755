{{/*
The pod of one destination. Takes the root, the destination's name, and what it is for: `service`; or `replay`, and what
that is asked for. A replay is one pod that ends: without probes, without what spreads replicas, and without
`extraContainers`, which would keep its Job from ending.
*/}}
{{- define "clickstream.pod" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $own := get $values.destinations (index . 1) | default dict -}}
{{- $for := index . 2 -}}
serviceAccountName: {{ include "clickstream.serviceAccountName" $root | quote }}
automountServiceAccountToken: false
{{- if eq $for "replay" }}
restartPolicy: Never
{{- end }}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "clickstream.gracePeriodSeconds" $root }}
{{- with $values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.podSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.initContainers }}
initContainers: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: clickstream
    image: {{ include "clickstream.image" $root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: {{- include (printf "clickstream.args.%s" $for) . | nindent 6 }}
    {{- if eq $for "service" }}
    ports:
      - {name: ops, containerPort: {{ include "clickstream.opsPort" $root }}, protocol: TCP}
    {{- end }}
    {{- $env := include "clickstream.env" (list $values.env $own.env) | fromJsonArray }}
    env: {{- include "clickstream.env" (list $env (list (include (printf "clickstream.variable.%s" $for) . | fromJson))) | fromJsonArray | toYaml | nindent 6 }}
    {{- with $values.envFrom }}
    envFrom: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if eq $for "service" }}
    startupProbe: {{- include "clickstream.probe" (list "/live" $values.startupProbe) | nindent 6 }}
    livenessProbe: {{- include "clickstream.probe" (list "/live" $values.livenessProbe) | nindent 6 }}
    readinessProbe: {{- include "clickstream.probe" (list "/ready" $values.readinessProbe) | nindent 6 }}
    {{- end }}
    {{- with $own.resources | default $values.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.securityContext }}
    securityContext: {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts: {{- include "clickstream.volumeMounts" $values | nindent 6 }}
      {{- if eq $for "service" }}
      - {name: replay-jobs, mountPath: {{ include "clickstream.jobFolder" . }}, readOnly: true}
      {{- end }}
  {{- if and $values.extraContainers (eq $for "service") }}
  {{- toYaml $values.extraContainers | nindent 2 }}
  {{- end }}
volumes: {{- include "clickstream.volumes" $root | nindent 2 }}
  {{- if eq $for "service" }}
  - name: replay-jobs
    configMap:
      name: {{ include "clickstream.jobsName" $root | quote }}
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if eq $for "service" }}
{{- with include "clickstream.spread" . | fromJsonArray }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "clickstream.args.service" -}}
- run
- --destination
- {{ index . 1 | quote }}
- -c
- {{ include "clickstream.configFolder" . }}/clickstream.yaml
- --ops-port
- {{ include "clickstream.opsPort" (index . 0) | quote }}
{{- end -}}

{{/* `replay --print-job` adds what it was asked for. Kubernetes looks variables up in arguments, where `$$` is a `$`. */}}
{{- define "clickstream.args.replay" -}}
{{- $args := list "replay" "--destination" (index . 1) -}}
{{- range index . 3 }}{{- $args = append $args (replace "$" "$$" .) -}}{{- end -}}
{{- toYaml $args -}}
{{- end -}}

{{/* Where `replay --print-job` finds the Jobs. */}}
{{- define "clickstream.variable.service" -}}
{{- dict "name" "CLICKSTREAM_REPLAY_JOBS" "value" (include "clickstream.jobFolder" .) | toJson -}}
{{- end -}}

{{/* No `-c`: one that a person gives is in place of this file, not laid over it. */}}
{{- define "clickstream.variable.replay" -}}
{{- dict "name" "CLICKSTREAM_CONFIG" "value" (printf "%s/clickstream.yaml" (include "clickstream.configFolder" .)) | toJson -}}
{{- end -}}

{{/* Takes the path and how it is asked. */}}
{{- define "clickstream.probe" -}}
httpGet: {path: {{ index . 0 }}, port: ops}
{{ toYaml (index . 1) }}
{{- end -}}

{{/* Variables as a JSON list, each once. Takes two lists; the second one goes before. */}}
{{- define "clickstream.env" -}}
{{- $own := index . 1 | default list -}}
{{- $names := list -}}
{{- range $own }}{{- $names = append $names .name -}}{{- end -}}
{{- $all := list -}}
{{- range index . 0 }}{{- if not (has .name $names) }}{{- $all = append $all . -}}{{- end -}}{{- end -}}
{{- concat $all $own | toJson -}}
{{- end -}}

{{/* Secrets are folders: what is mounted by subPath never changes. */}}
{{- define "clickstream.volumeMounts" -}}
- {name: config, mountPath: {{ include "clickstream.configFolder" . }}, readOnly: true}
{{- range $at, $secret := .secrets }}
- {name: secret-{{ $at }}, mountPath: {{ $secret.mountPath | quote }}, readOnly: true}
{{- end }}
{{- with .extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "clickstream.volumes" -}}
- name: config
  configMap:
    name: {{ include "clickstream.configMapName" . | quote }}
    {{- if not .Values.existingConfigMap }}
    items:
      - {key: clickstream.yaml, path: clickstream.yaml}
      {{- range $path, $_ := .Values.files }}
      - {key: {{ include "clickstream.fileKey" $path | quote }}, path: {{ $path | quote }}}
      {{- end }}
    {{- end }}
{{- range $at, $secret := .Values.secrets }}
- name: secret-{{ $at }}
  secret:
    secretName: {{ $secret.name | quote }}
    {{- with $secret.items }}
    items: {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The constraints as a JSON list, each with a selector. */}}
{{- define "clickstream.spread" -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "clickstream.destinationSelectorLabels" . | fromYaml)) -}}
{{- $all := list -}}
{{- range (index . 0).Values.topologySpreadConstraints -}}
{{- if hasKey . "labelSelector" }}{{- $all = append $all . -}}{{- else }}{{- $all = append $all (merge (dict) . $own) -}}{{- end -}}
{{- end -}}
{{- $all | toJson -}}
{{- end -}}

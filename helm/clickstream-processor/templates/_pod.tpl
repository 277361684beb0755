{{/* The pod of one destination. Takes the root and the destination's name. */}}
{{- define "clickstream.pod" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $own := get $values.destinations (index . 1) | default dict -}}
serviceAccountName: {{ include "clickstream.serviceAccountName" $root | quote }}
automountServiceAccountToken: false
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
    args: {{- include "clickstream.args" . | nindent 6 }}
    ports:
      - {name: ops, containerPort: {{ include "clickstream.opsPort" $root }}, protocol: TCP}
    {{- with include "clickstream.env" (list $values.env $own.env) | fromJsonArray }}
    env: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.envFrom }}
    envFrom: {{- toYaml . | nindent 6 }}
    {{- end }}
    startupProbe: {{- include "clickstream.probe" (list "/live" $values.startupProbe) | nindent 6 }}
    livenessProbe: {{- include "clickstream.probe" (list "/live" $values.livenessProbe) | nindent 6 }}
    readinessProbe: {{- include "clickstream.probe" (list "/ready" $values.readinessProbe) | nindent 6 }}
    {{- with $own.resources | default $values.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.securityContext }}
    securityContext: {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts: {{- include "clickstream.volumeMounts" $values | nindent 6 }}
  {{- with $values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumes: {{- include "clickstream.volumes" $root | nindent 2 }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "clickstream.spread" . | fromJsonArray }}
topologySpreadConstraints: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "clickstream.args" -}}
- run
- --destination
- {{ index . 1 | quote }}
- -c
- {{ include "clickstream.configFolder" . }}/clickstream.yaml
- --ops-port
- {{ include "clickstream.opsPort" (index . 0) | quote }}
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

{{/*
The Job that replays one destination's dead letters. Takes the root, the destination's name, its fields of `metadata` and of
`spec` that differ (each as YAML), and what the replay is asked for beyond the destination.

It is tried once. A run that failed is gone on with on purpose, with `--resume`; a second pod would begin another run. What
has changed in the file is no part of it: so an upgrade may change the file while the Job is there.
*/}}
{{- define "clickstream.job" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $own := get $root.Values.destinations $name | default dict -}}
{{- $labels := include "clickstream.replaySelectorLabels" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- index . 2 | nindent 2 }}
  namespace: {{ $root.Release.Namespace | quote }}
  labels: {{- include "clickstream.labelsWith" (list $root $labels) | nindent 4 }}
spec:
  {{- with index . 3 }}
  {{- . | nindent 2 }}
  {{- end }}
  backoffLimit: 0
  template:
    metadata:
      labels: {{- merge ($labels | fromYaml) $root.Values.podLabels $root.Values.commonLabels | toYaml | nindent 8 }}
      {{- with merge (dict) ($own.podAnnotations | default dict) $root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec: {{- include "clickstream.pod" (list $root $name "replay" (index . 4)) | nindent 6 }}
{{- end -}}

{{/* The one that `replay --print-job` prints: its log, which ends with the account, is there for a week. */}}
{{- define "clickstream.printedJob" -}}
{{- $name := printf "generateName: %q" (printf "%s-%s-" (include "clickstream.jobsName" (index . 0)) (index . 1 | replace "_" "-")) -}}
{{- include "clickstream.job" (list (index . 0) (index . 1) $name "ttlSecondsAfterFinished: 604800" list) -}}
{{- end -}}

{{/*
The name of the one in `replay`. Another destination or other arguments make another Job; the same ones never run twice
while it is there. Kubernetes has Jobs' names in labels, of 63 characters.
*/}}
{{- define "clickstream.replayName" -}}
{{- $name := include "clickstream.replayDestination" . -}}
{{- $asked := list $name .Values.replay.args | toJson | sha256sum | trunc 8 -}}
{{- printf "%s-%s" (printf "%s-%s" (include "clickstream.jobsName" .) ($name | replace "_" "-") | trunc 54 | trimSuffix "-") $asked -}}
{{- end -}}

{{/* The destination of `replay`: may be left out where there is one. */}}
{{- define "clickstream.replayDestination" -}}
{{- .Values.replay.destination | default (include "clickstream.destinations" . | fromJsonArray | first) -}}
{{- end -}}

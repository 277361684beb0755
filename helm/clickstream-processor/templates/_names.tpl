{{- define "clickstream.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "clickstream.fullname" -}}
{{- $name := include "clickstream.name" . -}}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $both | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Of what belongs to one destination. Takes the root and the destination's name; `_` is no letter of a name here. */}}
{{- define "clickstream.destinationName" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s" (include "clickstream.fullname" $root) (index . 1 | replace "_" "-") -}}
{{- end -}}

{{- define "clickstream.configMapName" -}}
{{- .Values.existingConfigMap | default (include "clickstream.fullname" .) -}}
{{- end -}}

{{/* Of the ConfigMap with the Jobs that `replay --print-job` prints, and what their names begin with. */}}
{{- define "clickstream.jobsName" -}}
{{- printf "%s-replay" (include "clickstream.fullname" .) -}}
{{- end -}}

{{- define "clickstream.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "clickstream.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "clickstream.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The labels by which all pods of the release are found. */}}
{{- define "clickstream.selectorLabels" -}}
app.kubernetes.io/name: {{ include "clickstream.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Those by which one destination's pods are found. Takes the root and the destination's name. */}}
{{- define "clickstream.destinationSelectorLabels" -}}
{{ include "clickstream.selectorLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 | quote }}
{{- end -}}

{{/*
Those of a replay. The component is no destination's, which have no dot in their names: so no Service, budget, PodMonitor or
Deployment takes a Job's pod for its own. The network policy does, for it has the same ways to go.
*/}}
{{- define "clickstream.replaySelectorLabels" -}}
{{ include "clickstream.selectorLabels" (index . 0) }}
app.kubernetes.io/component: {{ printf "%s.replay" (index . 1) | trunc 63 | quote }}
{{- end -}}

{{/* On everything. Takes the root and labels as YAML that go before `commonLabels`. */}}
{{- define "clickstream.labelsWith" -}}
{{- $root := index . 0 -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63)
  "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_" | trunc 63)
  "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- merge (index . 1 | fromYaml) $own $root.Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "clickstream.labels" -}}
{{- include "clickstream.labelsWith" (list . (include "clickstream.selectorLabels" .)) -}}
{{- end -}}

{{/* Takes the root and the destination's name. */}}
{{- define "clickstream.destinationLabels" -}}
{{- include "clickstream.labelsWith" (list (index . 0) (include "clickstream.destinationSelectorLabels" .)) -}}
{{- end -}}

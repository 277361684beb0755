{{/*
What the chart reads in the configuration file: names of destinations, targets of routes, `shutdown_timeout`, `ops`, paths
of other files, and where `${…}` stands. Not more: Helm's YAML is not the service's (`NO` is false here, a long id a
float), and nothing of what it has parsed goes into the pods but names.
*/}}

{{- define "clickstream.configFolder" -}}/etc/clickstream{{- end -}}

{{/* Where the service's pods have the Jobs of replays: a file for each destination. */}}
{{- define "clickstream.jobFolder" -}}/etc/clickstream-replay{{- end -}}

{{/* The file, as JSON; with `existingConfigMap`, or without a text that could be read, an empty one. */}}
{{- define "clickstream.file" -}}
{{- if and .Values.config (kindIs "string" .Values.config) -}}
{{- fromYaml .Values.config | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* The destinations' names, as a JSON list: those of the file, or of the values where the file is not ours. */}}
{{- define "clickstream.destinations" -}}
{{- $found := ternary (include "clickstream.file" . | fromJson).destinations .Values.destinations (not (empty .Values.config)) -}}
{{- if kindIs "map" $found -}}
{{- keys $found | sortAlpha | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{- define "clickstream.shutdownTimeout" -}}
{{- (include "clickstream.file" . | fromJson).shutdown_timeout | default "25s" | toString -}}
{{- end -}}

{{- define "clickstream.isDuration" -}}
{{- if regexMatch "^[0-9]{1,12}([.][0-9]{1,9})?(ms|s|m|h|d)$" . -}}yes{{- end -}}
{{- end -}}

{{/* `shutdown_timeout` in whole seconds, rounded up; 0 where it is no duration, which validation tells. */}}
{{- define "clickstream.shutdownSeconds" -}}
{{- $text := include "clickstream.shutdownTimeout" . -}}
{{- if include "clickstream.isDuration" $text -}}
{{- $unit := regexFind "[a-z]+$" $text -}}
{{- $seconds := get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0) $unit -}}
{{- mulf (trimSuffix $unit $text | float64) $seconds | ceil | int64 -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{- define "clickstream.gracePeriodSeconds" -}}
{{- .Values.terminationGracePeriodSeconds | default (include "clickstream.shutdownSeconds" . | int64 | add 10) | int64 -}}
{{- end -}}

{{/* `ops` of the file, as JSON. */}}
{{- define "clickstream.ops" -}}
{{- $ops := (include "clickstream.file" . | fromJson).ops -}}
{{- ternary $ops dict (kindIs "map" $ops) | toJson -}}
{{- end -}}

{{/* The service is told the same by `--ops-port`, so that probes never ask another one. */}}
{{- define "clickstream.opsPort" -}}
{{- (include "clickstream.ops" . | fromJson).port | default 8080 | int -}}
{{- end -}}

{{/* The key of a file in the ConfigMap, where no `/` may stand; validation lets no path have two dots in a row. */}}
{{- define "clickstream.fileKey" -}}
{{- . | replace "/" ".." -}}
{{- end -}}

{{/* All that is in the ConfigMap. */}}
{{- define "clickstream.configMapData" -}}
{{- $data := dict "clickstream.yaml" (.Values.config | toString) -}}
{{- range $path, $text := .Values.files }}{{- $_ := set $data (include "clickstream.fileKey" $path) $text -}}{{- end -}}
{{- toYaml $data -}}
{{- end -}}

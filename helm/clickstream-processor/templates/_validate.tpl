{{/*
What the schema cannot tell: values that do not fit one another, or not the configuration file. All faults at once, each
with its fix. Every template of a check prints the faults it finds.
*/}}
{{- define "clickstream.validate" -}}
{{- $faults := list -}}
{{- range list "source" "parsing" "destinations" "routes" "overrides" "ending" "ops" "content" "files" "variables" "mounts" "eviction" "replay" -}}
{{- $faults = append $faults (include (printf "clickstream.check.%s" .) $ | trim) -}}
{{- end -}}
{{- with $faults | compact -}}
{{- fail (printf "\n\nThese values cannot be installed:\n\n%s\n" (join "\n" .)) -}}
{{- end -}}
{{- end -}}

{{/* One fault. Takes the value's path, what is wrong with it, and what to do. */}}
{{- define "clickstream.fault" -}}
{{- printf "%s   %s\n      fix: %s\n" (index . 0) (index . 1) (index . 2) -}}
{{- end -}}

{{- define "clickstream.check.source" -}}
{{- $values := .Values -}}
{{- if and $values.config $values.existingConfigMap -}}
{{- include "clickstream.fault" (list "existingConfigMap" "is set beside `config`: only one of them can be the configuration file" "remove one") -}}
{{- else if and $values.config (not (kindIs "string" $values.config)) -}}
{{- include "clickstream.fault" (list "config" "is YAML, and Helm has read it already: `NO` became false, long ids became floats" "give the file as one text: --set-file config=clickstream.yaml, or `config: |` in a values file") -}}
{{- else if not (or $values.config $values.existingConfigMap) -}}
{{- include "clickstream.fault" (list "config" "is empty: the service needs its configuration file" "--set-file config=clickstream.yaml, or `existingConfigMap` with the name of a ConfigMap that has the key clickstream.yaml") -}}
{{- end -}}
{{- if and $values.existingConfigMap $values.files -}}
{{- include "clickstream.fault" (list "files" "would go into the chart's own ConfigMap, and `existingConfigMap` is in its place" "add them to that ConfigMap, or mount them with extraVolumes and extraVolumeMounts") -}}
{{- end -}}
{{- end -}}

{{/* What the values say about destinations that the file does not have. */}}
{{- define "clickstream.check.overrides" -}}
{{- $names := include "clickstream.destinations" . | fromJsonArray -}}
{{- if and .Values.existingConfigMap (not .Values.destinations) -}}
{{- include "clickstream.fault" (list "destinations" "is empty, and the chart cannot look into the ConfigMap" "name the file's destinations: --set-json 'destinations={\"voyado\": {}, \"rocket\": {}}'") -}}
{{- end -}}
{{- range $name := keys .Values.destinations | sortAlpha -}}
{{- if and $names (not (has $name $names)) -}}
{{- include "clickstream.fault" (list (printf "destinations.%s" $name) "the configuration file has no such destination" (printf "write one that it has: %s" (join ", " $names))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "clickstream.check.ending" -}}
{{- $grace := .Values.terminationGracePeriodSeconds -}}
{{- $text := include "clickstream.shutdownTimeout" . -}}
{{- if include "clickstream.isDuration" $text -}}
{{- $needed := include "clickstream.shutdownSeconds" . | int64 | add 3 -}}
{{- if and $grace (lt (int64 $grace) $needed) -}}
{{- include "clickstream.fault" (list "terminationGracePeriodSeconds" (printf "%d s is too short for a shutdown_timeout of %s: Kubernetes would kill the service before its last commit, and what it has sent would be sent again" (int64 $grace) $text) (printf "%d or more, or leave it empty for %s + 10 s" $needed $text)) -}}
{{- end -}}
{{- else if contains "${" $text -}}
{{- if not $grace -}}
{{- include "clickstream.fault" (list "config: shutdown_timeout" (printf "is %s, which the chart cannot look up" $text) "write the duration into the file, or set terminationGracePeriodSeconds 10 s above it") -}}
{{- end -}}
{{- else -}}
{{- include "clickstream.fault" (list "config: shutdown_timeout" (printf "%s is not a duration" $text) "a number with ms, s, m, h or d: 25s, 1.5m") -}}
{{- end -}}
{{- end -}}

{{/* The port and the address that probes ask. */}}
{{- define "clickstream.check.ops" -}}
{{- $ops := include "clickstream.ops" . | fromJson -}}
{{- $port := get $ops "port" | toString -}}
{{- if and (hasKey $ops "port") (or (not (regexMatch "^[0-9]{1,5}$" $port)) (lt (int $port) 1) (gt (int $port) 65535)) -}}
{{- include "clickstream.fault" (list "config: ops.port" (printf "%s is not a port that probes could ask" $port) "write a number from 1 to 65535 into the file, or remove the key for 8080") -}}
{{- end -}}
{{- $host := get $ops "host" | toString -}}
{{- if has $host (list "127.0.0.1" "localhost" "::1") -}}
{{- include "clickstream.fault" (list "config: ops.host" (printf "%s is the pod alone: probes and Prometheus come from outside of it" $host) "remove the key: the service listens on 0.0.0.0 then") -}}
{{- end -}}
{{- end -}}

{{/* What goes into the ConfigMap. Two dots in a row stand for `/` in its keys. */}}
{{- define "clickstream.check.content" -}}
{{- range $path := keys .Values.files | sortAlpha -}}
{{- if or (eq $path "clickstream.yaml") (not (regexMatch "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*(/[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*)*$" $path)) -}}
{{- include "clickstream.fault" (list (printf "files: %s" $path) "cannot be the path of a file beside clickstream.yaml" "letters, digits, _, - and single dots, with / between folders, from the file's own folder on: tables/products.csv") -}}
{{- end -}}
{{- end -}}
{{- $bytes := include "clickstream.configMapData" . | len -}}
{{- if gt $bytes 1000000 -}}
{{- include "clickstream.fault" (list "files" (printf "they and `config` make %d bytes, and a ConfigMap holds 1 MiB" $bytes) "put what is large on a volume: extraVolumes, extraVolumeMounts, and its path in the file") -}}
{{- end -}}
{{- end -}}

{{/* Where Secrets are mounted. */}}
{{- define "clickstream.check.mounts" -}}
{{- $folders := list (include "clickstream.configFolder" .) (include "clickstream.jobFolder" .) -}}
{{- $seen := list -}}
{{- range $at, $mount := concat .Values.secrets .Values.extraVolumeMounts -}}
{{- $path := trimSuffix "/" $mount.mountPath -}}
{{- if has $path $seen -}}
{{- include "clickstream.fault" (list "secrets" (printf "%s is mounted twice" $path) "give each its own folder") -}}
{{- else if include "clickstream.isBelow" (list (list $path) $folders) -}}
{{- include "clickstream.fault" (list "secrets" (printf "%s belongs to what the chart itself mounts, and nothing can be mounted there" $path) "mount it elsewhere, for example under /var/run/secrets, and name that in the file") -}}
{{- end -}}
{{- $seen = append $seen $path -}}
{{- end -}}
{{- $secrets := list -}}
{{- range .Values.extraVolumes }}{{- if .secret }}{{- $secrets = append $secrets .name -}}{{- end -}}{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- if and .subPath (has .name $secrets) -}}
{{- include "clickstream.fault" (list "extraVolumeMounts" (printf "%s is a Secret mounted by subPath, and would never change in the pod" .mountPath) "mount the folder: use `secrets`, with `items` for single keys") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "clickstream.check.eviction" -}}
{{- $most := .Values.podDisruptionBudget.maxUnavailable | toString -}}
{{- if and .Values.podDisruptionBudget.enabled (regexMatch "^0+%?$" $most) -}}
{{- include "clickstream.fault" (list "podDisruptionBudget.maxUnavailable" (printf "%s forbids every eviction: no node with such a pod could be drained" $most) "1 or more, or podDisruptionBudget.enabled=false") -}}
{{- end -}}
{{- end -}}

{{/* Whose letters the Job is about. */}}
{{- define "clickstream.check.replay" -}}
{{- $names := include "clickstream.destinations" . | fromJsonArray -}}
{{- $name := .Values.replay.destination -}}
{{- if and .Values.replay.enabled $names -}}
{{- if and (not $name) (gt (len $names) 1) -}}
{{- include "clickstream.fault" (list "replay.destination" "is empty, and a replay is about one destination's letters" (printf "name one: %s" (join ", " $names))) -}}
{{- else if and $name (not (has $name $names)) -}}
{{- include "clickstream.fault" (list "replay.destination" (printf "there is no destination %s" $name) (printf "write one that is there: %s" (join ", " $names))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

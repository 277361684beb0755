{{/* What the chart needs of the configuration file itself. The service's own `check --offline` looks at all of it. */}}

{{- define "clickstream.check.parsing" -}}
{{- with (include "clickstream.file" . | fromJson).Error -}}
{{- include "clickstream.fault" (list "config" (printf "is no YAML that Helm can read: %s" .) "`clickstream check --offline` shows the place; what only Helm cannot read, `existingConfigMap` can bring") -}}
{{- end -}}
{{- end -}}

{{/* The destinations' names, as names in Kubernetes. */}}
{{- define "clickstream.check.destinations" -}}
{{- $file := include "clickstream.file" . | fromJson -}}
{{- $names := include "clickstream.destinations" . | fromJsonArray -}}
{{- if and .Values.config (kindIs "string" .Values.config) (not $names) (not $file.Error) -}}
{{- include "clickstream.fault" (list "config" "has no `destinations`, so nothing would be deployed" "name at least one account in the file: `clickstream check --offline` shows what else is wrong") -}}
{{- end -}}
{{- $taken := dict -}}
{{- range $name := $names -}}
{{- $here := printf "%sdestinations.%s" (ternary "" "config: " (empty $.Values.config)) $name -}}
{{- $full := include "clickstream.destinationName" (list $ $name) -}}
{{- if has $name (list "true" "false") -}}
{{- include "clickstream.fault" (list $here "this may be a name that Helm's YAML takes for a truth value: y, n, yes, no, on, off" "put quotes round it in the file, or choose another one; a new name is a new consumer group") -}}
{{- else if not (regexMatch "^[a-z]([a-z0-9_-]*[a-z0-9])?$" $name) -}}
{{- include "clickstream.fault" (list $here "cannot be part of a name in Kubernetes" "a small letter, then small letters, digits, _ or -, no _ or - at the end") -}}
{{- else if hasKey $taken $full -}}
{{- include "clickstream.fault" (list $here (printf "would have the same Deployment as %s: %s" (get $taken $full) $full) "rename one so that they differ in more than _ and -") -}}
{{- else if gt (len $full) 63 -}}
{{- include "clickstream.fault" (list $here (printf "the Deployment's name would have more than 63 characters: %s" $full) "set a shorter fullnameOverride") -}}
{{- end -}}
{{- $_ := set $taken $full $name -}}
{{- end -}}
{{- end -}}

{{/* `run --destination` refuses one that no route leads to. What variables are part of, the chart cannot know. */}}
{{- define "clickstream.check.routes" -}}
{{- $routes := (include "clickstream.file" . | fromJson).routes -}}
{{- $led := list -}}
{{- if kindIs "map" $routes -}}
{{- range $route := $routes -}}{{- if kindIs "map" $route -}}
{{- $to := $route.to -}}
{{- range ternary $to (list $to) (kindIs "slice" $to) -}}{{- $led = append $led (toString . | splitList "." | first) -}}{{- end -}}
{{- end -}}{{- end -}}
{{- end -}}
{{- if and .Values.config (not (contains "${" (join " " $led))) -}}
{{- range $name := include "clickstream.destinations" . | fromJsonArray -}}
{{- if not (has $name (concat $led (list "true" "false"))) -}}
{{- include "clickstream.fault" (list (printf "config: destinations.%s" $name) "no route leads to it, and a service without a route does not start" (printf "add a route `to: %s.…`, or take the destination out of the file" $name)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What `${…}` names outside of comments, as a JSON list: `file:/var/run/secrets/voyado/api-key`, `VOYADO_KEY`. */}}
{{- define "clickstream.references" -}}
{{- $text := regexReplaceAll "[$][$][{]" (include "clickstream.file" . | fromJson | toRawJson) "" -}}
{{- $found := list -}}
{{- range regexFindAll "[$][{][^}]*[}]" $text -1 -}}{{- $found = append $found (. | trimPrefix "${" | trimSuffix "}") -}}{{- end -}}
{{- $found | uniq | toJson -}}
{{- end -}}

{{/* The files that the configuration file names, as a JSON list, each with the place that names it. */}}
{{- define "clickstream.paths" -}}
{{- $file := include "clickstream.file" . | fromJson -}}
{{- $paths := list -}}
{{- range include "clickstream.references" . | fromJsonArray -}}
{{- if hasPrefix "file:" . }}{{- $paths = append $paths (list (printf "${%s}" .) (trimPrefix "file:" .)) -}}{{- end -}}
{{- end -}}
{{- range ternary $file.schemas (list $file.schemas) (kindIs "slice" $file.schemas) -}}
{{- $paths = append $paths (list "schemas" .) -}}
{{- end -}}
{{- range $name, $table := ternary $file.tables dict (kindIs "map" $file.tables) -}}
{{- if kindIs "map" $table }}{{- $paths = append $paths (list (printf "tables.%s.file" $name) $table.file) -}}{{- end -}}
{{- end -}}
{{- range $name, $destination := ternary $file.destinations dict (kindIs "map" $file.destinations) -}}
{{- if kindIs "map" $destination -}}{{- if kindIs "map" $destination.http -}}
{{- $paths = append $paths (list (printf "destinations.%s.http.ca_file" $name) $destination.http.ca_file) -}}
{{- end -}}{{- end -}}
{{- end -}}
{{- $paths | toJson -}}
{{- end -}}

{{/* Files that nothing brings into the pod. What variables are part of, the chart cannot know. */}}
{{- define "clickstream.check.files" -}}
{{- $folders := list -}}
{{- range concat .Values.secrets .Values.extraVolumeMounts }}{{- $folders = append $folders (trimSuffix "/" .mountPath) -}}{{- end -}}
{{- range include "clickstream.paths" . | fromJsonArray -}}
{{- $where := printf "config: %s" (index . 0) -}}
{{- $path := index . 1 -}}
{{- if or (not (kindIs "string" $path)) (contains "${" ($path | toString)) -}}
{{- else if hasPrefix ".." (clean $path) -}}
{{- include "clickstream.fault" (list $where (printf "%s lies outside of the configuration file's folder, and nothing can be mounted there" $path) "put it beside or below the file, and add it to `files`; or give it a whole path, and mount it") -}}
{{- else if not (hasPrefix "/" $path) -}}
{{- if not (include "clickstream.isBelow" (list (keys $.Values.files) (clean $path))) -}}
{{- include "clickstream.fault" (list $where (printf "%s would lie beside the configuration file, and the chart has no such file" $path) (printf "--set-file 'files.%s=%s', of a folder each file; a Secret needs its whole path, and to be mounted with `secrets`" (replace "." "\\." $path) $path)) -}}
{{- end -}}
{{- else if not (include "clickstream.isBelow" (list (list $path) $folders)) -}}
{{- $folder := ternary $path (dir $path) (and (eq $where "config: schemas") (not (hasSuffix ".avsc" $path))) -}}
{{- include "clickstream.fault" (list $where (printf "nothing is mounted at %s" $folder) (printf "secrets: [{name: NAME-OF-YOUR-SECRET, mountPath: %s}], or extraVolumes and extraVolumeMounts for what is no secret" $folder)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether one of the paths is, or lies below, one of the folders. Takes a list of paths, and a folder or a list. */}}
{{- define "clickstream.isBelow" -}}
{{- $folders := index . 1 -}}
{{- range $path := index . 0 -}}
{{- range $folder := ternary $folders (list $folders) (kindIs "slice" $folders) -}}
{{- if or (eq $folder ".") (eq $path $folder) (hasPrefix (print $folder "/") $path) -}}yes{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Variables of `${NAME}` without a default that nothing sets; each pod reads the whole file, so each one needs all. */}}
{{- define "clickstream.check.variables" -}}
{{- if not .Values.envFrom -}}
{{- range $variable := include "clickstream.references" . | fromJsonArray -}}
{{- $known := or (has $variable (list "HOME" "HOSTNAME" "PATH")) (hasPrefix "KUBERNETES_" $variable) -}}
{{- if and (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $variable) (not $known) -}}
{{- $without := list -}}
{{- range $name := include "clickstream.destinations" $ | fromJsonArray -}}
{{- $own := get $.Values.destinations $name | default dict -}}
{{- $set := false -}}
{{- range include "clickstream.env" (list $.Values.env $own.env) | fromJsonArray }}{{- if eq .name $variable }}{{- $set = true -}}{{- end -}}{{- end -}}
{{- if not $set }}{{- $without = append $without $name -}}{{- end -}}
{{- end -}}
{{- with $without -}}
{{- include "clickstream.fault" (list (printf "config: ${%s}" $variable) (printf "nothing sets it in the pods of %s" (join ", " .)) (printf "env: [{name: %s, value: …}], or envFrom with a Secret or ConfigMap that has it" $variable)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "lkpush.name" -}}
{{- default "lkpush" .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of everything. 50 characters leave room for what is appended to it. */}}
{{- define "lkpush.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "lkpush.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "lkpush.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lkpush.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "lkpush.labels" -}}
{{ include "lkpush.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "lkpush-%s" .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "lkpush.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "lkpush.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "lkpush.secretName" -}}
{{- default (include "lkpush.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{- define "lkpush.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/*
The names of the files of the Secret that are read, sorted, as a JSON list: those for push.url, and for destinations, only
where these are in use.
*/}}
{{- define "lkpush.secretKeys" -}}
{{- $keys := list -}}
{{- range ternary .Values.existingSecretKeys (keys .Values.secrets) (not (empty .Values.existingSecret)) -}}
{{- $isOfUrl := has . (list "GRAFANA_API_KEY" "REMOTE_WRITE_BEARER_TOKEN" "REMOTE_WRITE_HEADERS") -}}
{{- $isOfDestination := hasPrefix "REMOTE_WRITE_DESTINATION_" . -}}
{{- if not (or (and $isOfUrl (not $.Values.push.url)) (and (or $isOfUrl $isOfDestination) (not $.Values.push.enabled))) -}}
{{- $keys = append $keys . -}}
{{- end -}}
{{- end -}}
{{- sortAlpha $keys | toJson -}}
{{- end -}}

{{/* The name of a Secret that holds JOURNAL_URL alone: one of yours, or one that the chart makes of journal.url. */}}
{{- define "lkpush.journalSecret" -}}
{{- if .Values.journal.existingSecret -}}
{{- .Values.journal.existingSecret -}}
{{- else if .Values.journal.url -}}
{{- printf "%s-journal" (include "lkpush.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* "true" if the journal is in PostgreSQL, where several pods share it. */}}
{{- define "lkpush.isShared" -}}
{{- or (not (empty (include "lkpush.journalSecret" .))) (has "JOURNAL_URL" (include "lkpush.secretKeys" . | fromJsonArray)) -}}
{{- end -}}

{{/* A value as text. Helm reads numbers of a file as floating-point ones, so 150000 would become 1.5e+05. */}}
{{- define "lkpush.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- printf "%d" (int64 .) -}}
{{- else -}}
{{- printf "%v" . -}}
{{- end -}}
{{- end -}}

{{/* All variables of the ConfigMap, as a JSON map. What the chart sets itself is not a setting of `config`. */}}
{{- define "lkpush.settings" -}}
{{- $name := include "lkpush.fullname" . -}}
{{- $settings := dict
  "ENVIRONMENT" .Values.environment
  "REGION" .Values.region
  "LISTEN" (printf "%s:3001" .Values.listenHost)
  "METRICS_LISTEN" (printf "%s:9464" .Values.listenHost)
  "METRICS_ALLOWED_HOSTS" (printf "%s-private" $name)
  "STATE_DIR" "/var/lib/lkpush"
  "SHUTDOWN_TIMEOUT" (printf "%ds" (int .Values.shutdownTimeoutSeconds))
-}}
{{- range $key, $value := .Values.config -}}
{{- if eq $key "METRICS_ALLOWED_HOSTS" -}}
{{- $_ := set $settings $key (printf "%s-private,%v" $name $value) -}}
{{- else -}}
{{- $_ := set $settings $key (include "lkpush.text" $value) -}}
{{- end -}}
{{- end -}}
{{- if .Values.instance -}}
{{- $_ := set $settings "INSTANCE" .Values.instance -}}
{{- else if not (or .Values.persistence.enabled (eq (include "lkpush.isShared" .) "true")) -}}
{{- $_ := set $settings "INSTANCE" $name -}}
{{- end -}}
{{- if eq (include "lkpush.isShared" .) "true" -}}
{{- $_ := set $settings "JOURNAL_NAME" (default $name .Values.journal.name) -}}
{{- end -}}
{{- if .Values.push.enabled -}}
{{- with .Values.push.url -}}
{{- $_ := set $settings "GRAFANA_PROM_REMOTE_WRITE_URL" . -}}
{{- with $.Values.push.username -}}
{{- $_ := set $settings "GRAFANA_PROM_USERNAME" (include "lkpush.text" .) -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.destinations -}}
{{- $names = append $names .name -}}
{{- $prefix := printf "REMOTE_WRITE_DESTINATION_%s_" (upper .name) -}}
{{- $_ := set $settings (print $prefix "URL") .url -}}
{{- with .username -}}{{- $_ := set $settings (print $prefix "USERNAME") (include "lkpush.text" .) -}}{{- end -}}
{{- with .message -}}{{- $_ := set $settings (print $prefix "MESSAGE") . -}}{{- end -}}
{{- with .include -}}{{- $_ := set $settings (print $prefix "INCLUDE") (join "," .) -}}{{- end -}}
{{- with .exclude -}}{{- $_ := set $settings (print $prefix "EXCLUDE") (join "," .) -}}{{- end -}}
{{- end -}}
{{- with $names -}}
{{- $_ := set $settings "REMOTE_WRITE_DESTINATIONS" (join "," .) -}}
{{- end -}}
{{- end -}}
{{- $settings | toJson -}}
{{- end -}}

{{/* Values that contradict each other stop the rendering with a sentence each. */}}
{{- define "lkpush.check" -}}
{{- $problems := list -}}
{{- $keys := include "lkpush.secretKeys" . | fromJsonArray -}}
{{- if not .Values.environment -}}
{{- $problems = append $problems "environment: required, such as prod: the label of every series" -}}
{{- end -}}
{{- if not .Values.region -}}
{{- $problems = append $problems "region: required, such as eu: the label of every series" -}}
{{- end -}}
{{- if and .Values.existingSecret .Values.secrets -}}
{{- $problems = append $problems "existingSecret and secrets are both given: give one" -}}
{{- else if and (not .Values.existingSecret) (not .Values.secrets) -}}
{{- $problems = append $problems "no Secret: give existingSecret, the name of one that holds LIVEKIT_KEYS, or secrets" -}}
{{- else if has "LIVEKIT_KEYS" $keys -}}
{{- if or (has "LIVEKIT_API_SECRET" $keys) .Values.config.LIVEKIT_API_KEY -}}
{{- $problems = append $problems "the Secret has LIVEKIT_KEYS, so leave out LIVEKIT_API_SECRET and config.LIVEKIT_API_KEY" -}}
{{- end -}}
{{- else if not (has "LIVEKIT_API_SECRET" $keys) -}}
{{- $problems = append $problems "the Secret has no LIVEKIT_KEYS: lines `key: secret` of the keys that sign webhooks" -}}
{{- else if not .Values.config.LIVEKIT_API_KEY -}}
{{- $problems = append $problems "config.LIVEKIT_API_KEY: required with LIVEKIT_API_SECRET; LIVEKIT_KEYS holds both" -}}
{{- end -}}
{{- if .Values.push.enabled -}}
{{- if not (or .Values.push.url .Values.destinations) -}}
{{- $problems = append $problems "push.url: required, or destinations, or push.enabled=false where something scrapes lkpush" -}}
{{- end -}}
{{- if and .Values.push.url .Values.push.username (not (has "GRAFANA_API_KEY" $keys)) -}}
{{- $problems = append $problems "push.username is given, but the Secret has no GRAFANA_API_KEY: its password" -}}
{{- else if and (has "GRAFANA_API_KEY" $keys) (not .Values.push.username) -}}
{{- $problems = append $problems "push.username: required with GRAFANA_API_KEY; where the receiver asks for none, leave that out of existingSecretKeys or secrets" -}}
{{- end -}}
{{- if .Values.podMonitor.enabled -}}
{{- $problems = append $problems "podMonitor.enabled and push.enabled are both true, and everything would count twice: set one to false" -}}
{{- end -}}
{{- end -}}
{{- $seen := dict -}}
{{- range .Values.destinations -}}
{{- if hasKey $seen .name -}}
{{- $problems = append $problems (printf "destinations: %s is there twice" .name) -}}
{{- end -}}
{{- $_ := set $seen .name true -}}
{{- $password := printf "REMOTE_WRITE_DESTINATION_%s_PASSWORD" (upper .name) -}}
{{- if and $.Values.push.enabled (ne (empty .username) (not (has $password $keys))) -}}
{{- $problems = append $problems (printf "destinations: %s needs both username and %s in the Secret, or neither" .name $password) -}}
{{- end -}}
{{- end -}}
{{- range $keys -}}
{{- if hasPrefix "REMOTE_WRITE_DESTINATION_" . -}}
{{- $name := regexReplaceAll "^REMOTE_WRITE_DESTINATION_([A-Z0-9]+)_.*$" . "${1}" | lower -}}
{{- if not (hasKey $seen $name) -}}
{{- $problems = append $problems (printf "the Secret has %s, but destinations has no %s" . $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- $problems = append $problems "ingress.hosts: required with ingress.enabled=true" -}}
{{- end -}}
{{- if and .Values.persistence.existingClaim (not .Values.persistence.enabled) -}}
{{- $problems = append $problems "persistence.existingClaim is given, but persistence.enabled is false" -}}
{{- end -}}
{{- $ways := list -}}
{{- range $way, $isGiven := dict "journal.existingSecret" .Values.journal.existingSecret "journal.url" .Values.journal.url "JOURNAL_URL in the Secret" (has "JOURNAL_URL" $keys) -}}
{{- if $isGiven -}}{{- $ways = append $ways $way -}}{{- end -}}
{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- $problems = append $problems (printf "the journal is given %d times (%s): give one" (len $ways) (join ", " (sortAlpha $ways))) -}}
{{- end -}}
{{- if eq (include "lkpush.isShared" .) "true" -}}
{{- if .Values.persistence.existingClaim -}}
{{- $problems = append $problems "persistence.existingClaim is one volume, and pods with a journal in PostgreSQL need one each: leave it out" -}}
{{- end -}}
{{- if not (or (has "DATABASE_URL" $keys) (hasKey .Values.config "DATABASE_URL")) -}}
{{- $problems = append $problems "the Secret has no DATABASE_URL: with a journal in PostgreSQL the rows of every pod go to one database" -}}
{{- end -}}
{{- if not .Values.push.enabled -}}
{{- $problems = append $problems "push.enabled: replicas push, because shared series are written by the leader alone; scraping would give them anew with each leader" -}}
{{- end -}}
{{- else -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- $problems = append $problems (printf "replicaCount is %d, and without a journal in PostgreSQL one process owns the state: give journal.existingSecret, journal.url or JOURNAL_URL in the Secret" (int .Values.replicaCount)) -}}
{{- end -}}
{{- if .Values.journal.name -}}
{{- $problems = append $problems "journal.name is given, but no journal in PostgreSQL: give journal.existingSecret, journal.url or JOURNAL_URL in the Secret" -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n  %s" (join "\n  " $problems)) -}}
{{- end -}}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ include "operator.tag" . | trunc 63 | quote }}
app.kubernetes.io/part-of: ecommerce-stack-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: ecommerce-stack-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "operator.image" -}}
{{ .Values.image.repository }}:{{ include "operator.tag" . }}
{{- end }}

# The four central rules in Rego: for the comparison in benches/README.md, not for a cluster.
package peer

import rego.v1

otlp := input.request.object.spec.output.otlp

signal := {"MetricPipeline": "metrics", "TracePipeline": "traces", "LogPipeline": "logs"}[input.request.kind.kind]

direct if {
	ref := otlp.endpoint.valueFrom.secretKeyRef
	ref.namespace == "dynatrace"
	ref.name == "dynakube"
}

direct if contains(otlp.endpoint.value, ".live.dynatrace.com")

direct if contains(otlp.endpoint.value, ".apps.dynatrace.com")

deny contains "spec.output.otlp.protocol has to be http" if {
	direct
	object.get(otlp, "protocol", "grpc") != "http"
}

deny contains sprintf("spec.output.otlp.path has to be %s", [wanted]) if {
	direct
	wanted := concat("/", ["v2/otlp/v1", signal])
	object.get(otlp, "path", "") != wanted
}

authorized if {
	some header in otlp.headers
	lower(header.name) == "authorization"
	header.prefix == "Api-Token"
}

deny contains "spec.output.otlp.headers need an Authorization with prefix Api-Token" if {
	direct
	not authorized
}

cumulative if {
	some name in ["istio", "prometheus", "runtime"]
	input.request.object.spec.input[name].enabled == true
}

deny contains "spec.output.otlp.temporality has to be delta" if {
	direct
	signal == "metrics"
	cumulative
	object.get(otlp, "temporality", "preserve") != "delta"
}

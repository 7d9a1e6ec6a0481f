# The same as ../monaco, whose dashboards it reads.

locals {
  monaco = "${path.module}/../monaco"
  # What ../monaco/kyma-attributes has beyond the attributes that Dynatrace starts with.
  added_attributes = [
    "k8s.workload.kind",
    "k8s.workload.name",
    "k8s.resource.name",
    "k8s.resource.group",
    "k8s.resource.kind",
    "k8s.resource.version",
  ]
}

resource "dynatrace_alerting" "kyma_telemetry" {
  name = "Kyma Telemetry"
  rules {
    rule {
      severity_level   = "CUSTOM_ALERT"
      delay_in_minutes = 0
      include_mode     = "NONE"
    }
  }
  filters {
    filter {
      custom {
        title {
          operator       = "BEGINS_WITH"
          value          = "Kyma Telemetry"
          negate         = false
          enabled        = true
          case_sensitive = true
        }
      }
    }
  }
}

resource "dynatrace_webhook_notification" "kyma_telemetry" {
  active                 = true
  name                   = "Kyma Telemetry webhook"
  profile                = dynatrace_alerting.kyma_telemetry.id
  url_contains_secret    = var.alert_webhook_is_secret
  url                    = var.alert_webhook_is_secret ? null : nonsensitive(var.alert_webhook_url)
  secret_url             = var.alert_webhook_is_secret ? var.alert_webhook_url : null
  use_oauth_2            = nonsensitive(var.alert_webhook_oauth2 != null)
  insecure               = false
  notify_event_merges    = false
  notify_closed_problems = true
  payload                = "{\"state\": \"{State}\", \"id\": \"{ProblemID}\", \"title\": \"{ProblemTitle}\", \"url\": \"{ProblemURL}\"}"

  dynamic "headers" {
    # The names are no secret, and Terraform refuses to repeat a block for what is one.
    for_each = length(nonsensitive(keys(var.alert_webhook_headers))) > 0 ? [1] : []
    content {
      dynamic "header" {
        for_each = nonsensitive(keys(var.alert_webhook_headers))
        content {
          name         = header.value
          secret_value = var.alert_webhook_headers[header.value]
        }
      }
    }
  }

  dynamic "oauth_2_credentials" {
    for_each = nonsensitive(var.alert_webhook_oauth2 != null) ? [1] : []
    content {
      access_token_url = var.alert_webhook_oauth2.access_token_url
      client_id        = var.alert_webhook_oauth2.client_id
      client_secret    = var.alert_webhook_oauth2.client_secret
    }
  }
}

resource "dynatrace_email_notification" "kyma_telemetry" {
  active                 = true
  name                   = "Kyma Telemetry e-mail"
  profile                = dynatrace_alerting.kyma_telemetry.id
  to                     = var.alert_recipients
  subject                = "{State}: {ProblemTitle}"
  body                   = "{ProblemDetailsText}\n\n{ProblemURL}"
  notify_closed_problems = true
}

# The metric is 1 when the module is ready and 0 when it is not, so the alert is on values below 1.
resource "dynatrace_metric_events" "module_not_ready" {
  enabled = true
  summary = "Kyma Telemetry module not ready"
  query_definition {
    type            = "METRIC_SELECTOR"
    metric_selector = "kyma.resource.status.state:filter(not(eq(\"state\",\"Ready\"))):splitBy(\"k8s.cluster.name\",\"state\"):min"
  }
  model_properties {
    type               = "STATIC_THRESHOLD"
    threshold          = 1
    alert_on_no_data   = false
    alert_condition    = "BELOW"
    violating_samples  = 3
    samples            = 5
    dealerting_samples = 5
  }
  event_template {
    title       = "Kyma Telemetry module not ready: {dims:state} in {dims:k8s.cluster.name}"
    description = "The Telemetry resource of cluster {dims:k8s.cluster.name} has been in the state {dims:state} for some minutes. Its conditions say why: kubectl get telemetries -A -o yaml."
    event_type  = "CUSTOM_ALERT"
    davis_merge = false
  }
}

# A condition is 1 when true, 0 when false, -1 when unknown.
resource "dynatrace_metric_events" "pipeline_unhealthy" {
  enabled = true
  summary = "Kyma Telemetry pipeline not healthy"
  query_definition {
    type            = "METRIC_SELECTOR"
    metric_selector = "kyma.resource.status.conditions:filter(not(eq(\"status\",\"True\"))):splitBy(\"k8s.cluster.name\",\"kind\",\"name\",\"type\",\"reason\"):min"
  }
  model_properties {
    type               = "STATIC_THRESHOLD"
    threshold          = 1
    alert_on_no_data   = false
    alert_condition    = "BELOW"
    violating_samples  = 3
    samples            = 5
    dealerting_samples = 5
  }
  event_template {
    title       = "Kyma Telemetry pipeline not healthy: {dims:kind} {dims:name} in {dims:k8s.cluster.name}"
    description = "In cluster {dims:k8s.cluster.name}, condition {dims:type} of {dims:kind} {dims:name} has not been True for some minutes, with the reason {dims:reason}."
    event_type  = "CUSTOM_ALERT"
    davis_merge = false
  }
}

# The only one that fires when the pipeline is gone, through which the others travel: no value is below 0.
resource "dynatrace_metric_events" "metrics_stopped" {
  enabled = true
  summary = "Kyma Telemetry metrics stopped"
  query_definition {
    type            = "METRIC_SELECTOR"
    metric_selector = "kyma.resource.status.state:splitBy(\"k8s.cluster.name\"):min"
  }
  model_properties {
    type               = "STATIC_THRESHOLD"
    threshold          = 0
    alert_on_no_data   = true
    alert_condition    = "BELOW"
    violating_samples  = 5
    samples            = 10
    dealerting_samples = 5
  }
  event_template {
    title       = "Kyma Telemetry metrics stopped in {dims:k8s.cluster.name}"
    description = "No metric of the Telemetry module has come from cluster {dims:k8s.cluster.name} for some minutes. These alerts travel through the MetricPipeline that they watch, so look there first: kubectl get metricpipelines."
    event_type  = "CUSTOM_ALERT"
    davis_merge = false
  }
}

# There is one such object in an environment. Additive: what others have put into its list stays, and only these go again.
resource "dynatrace_opentelemetry_metrics" "this" {
  scope                                      = "environment"
  mode                                       = "ADDITIVE"
  additional_attributes_to_dimension_enabled = true
  meter_name_to_dimension_enabled            = true
  additional_attributes {
    dynamic "additional_attribute" {
      for_each = local.added_attributes
      content {
        enabled       = true
        attribute_key = additional_attribute.value
      }
    }
  }
}

# For all clusters of the environment. Needs an ActiveGate: the component dynatrace/kubernetes-monitoring.
resource "dynatrace_k8s_monitoring" "this" {
  count                              = var.kubernetes_monitoring ? 1 : 0
  cloud_application_pipeline_enabled = true
  open_metrics_builtin_enabled       = true
  open_metrics_pipeline_enabled      = true
  event_processing_active            = false
}

# The Istio Service Mesh extension. Removing it here leaves it as it is in the environment.
resource "dynatrace_hub_extension_active_version" "istio" {
  count   = var.istio_extension_version == null ? 0 : 1
  name    = "com.dynatrace.extension.istio-prometheus"
  version = var.istio_extension_version
}

resource "dynatrace_json_dashboard" "kyma_telemetry" {
  contents = file("${local.monaco}/kyma/dashboard/classic.json")
}

resource "dynatrace_document" "kyma_telemetry" {
  count   = var.platform_dashboard ? 1 : 0
  type    = "dashboard"
  name    = "Kyma Telemetry"
  private = false
  content = file("${local.monaco}/kyma-document/dashboard.json")
}

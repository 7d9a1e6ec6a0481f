# The same as ../monaco, whose long lists and dashboards it reads.

locals {
  monaco     = "${path.module}/../monaco"
  allow_list = jsondecode(file("${local.monaco}/kyma/otel-metrics/allow-list.json"))
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
  url                    = var.alert_webhook_url
  insecure               = false
  notify_event_merges    = false
  notify_closed_problems = true
  payload                = "{\"state\": \"{State}\", \"id\": \"{ProblemID}\", \"title\": \"{ProblemTitle}\", \"url\": \"{ProblemURL}\"}"
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
    metric_selector = "kyma.resource.status.state:filter(not(eq(\"state\",\"Ready\"))):splitBy(\"state\"):min"
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
    title       = "Kyma Telemetry module not ready: {dims:state}"
    description = "The Telemetry resource has been in the state {dims:state} for some minutes. Its conditions say why: kubectl get telemetries -A -o yaml."
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
    metric_selector = "kyma.resource.status.conditions:filter(not(eq(\"status\",\"True\"))):splitBy(\"kind\",\"name\",\"type\",\"reason\"):min"
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
    title       = "Kyma Telemetry pipeline not healthy: {dims:kind} {dims:name}"
    description = "Condition {dims:type} of {dims:kind} {dims:name} has not been True for some minutes, with the reason {dims:reason}."
    event_type  = "CUSTOM_ALERT"
    davis_merge = false
  }
}

# There is one such object in an environment, and its list is replaced as a whole.
resource "dynatrace_opentelemetry_metrics" "this" {
  scope                                      = "environment"
  additional_attributes_to_dimension_enabled = local.allow_list.additionalAttributesToDimensionEnabled
  meter_name_to_dimension_enabled            = local.allow_list.meterNameToDimensionEnabled
  additional_attributes {
    dynamic "additional_attribute" {
      for_each = local.allow_list.additionalAttributes
      content {
        enabled       = additional_attribute.value.enabled
        attribute_key = additional_attribute.value.attributeKey
      }
    }
  }
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

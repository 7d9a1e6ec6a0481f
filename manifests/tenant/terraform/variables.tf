variable "alert_webhook_url" {
  description = "Where problems of the Telemetry module are posted."
  type        = string
  sensitive   = true

  validation {
    condition     = startswith(var.alert_webhook_url, "https://")
    error_message = "The webhook's URL begins with https://."
  }
}

variable "alert_webhook_is_secret" {
  description = "Whether the URL itself is the secret, as those of Slack and Teams are. Dynatrace then shows it to nobody."
  type        = bool
  default     = false
}

variable "alert_webhook_headers" {
  description = "Headers of the webhook, by name. Dynatrace keeps their values as secrets."
  type        = map(string)
  sensitive   = true
  default     = {}
}

variable "alert_webhook_oauth2" {
  description = "Where and as whom Dynatrace gets a token for the webhook (OAuth 2.0 client credentials)."
  type = object({
    access_token_url = string
    client_id        = string
    client_secret    = string
  })
  sensitive = true
  default   = null
}

variable "alert_recipients" {
  description = "Who gets the same problems by e-mail."
  type        = set(string)

  validation {
    condition     = length(var.alert_recipients) > 0
    error_message = "At least one address."
  }
}

variable "kubernetes_monitoring" {
  description = "Whether to turn on Kubernetes monitoring and annotated Prometheus exporters, for all clusters of the environment."
  type        = bool
  default     = false
}

variable "istio_extension_version" {
  description = "The version of the Istio Service Mesh extension that is to be active, as the Hub lists it; null for none."
  type        = string
  default     = null
}

variable "platform_dashboard" {
  description = "Whether to add the dashboard for the new Dashboards app too: SaaS only, needs a platform token or an OAuth client."
  type        = bool
  default     = false
}

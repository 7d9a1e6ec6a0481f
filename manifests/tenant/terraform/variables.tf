variable "alert_webhook_url" {
  description = "Where problems of the Telemetry module are posted. An https URL without a secret in it."
  type        = string

  validation {
    condition     = startswith(var.alert_webhook_url, "https://")
    error_message = "The webhook's URL begins with https://."
  }
}

variable "alert_recipients" {
  description = "Who gets the same problems by e-mail."
  type        = set(string)

  validation {
    condition     = length(var.alert_recipients) > 0
    error_message = "At least one address."
  }
}

variable "platform_dashboard" {
  description = "Whether to add the dashboard for the new Dashboards app too: SaaS only, needs an OAuth client."
  type        = bool
  default     = false
}

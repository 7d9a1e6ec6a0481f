# Credentials come from the environment: DYNATRACE_ENV_URL and DYNATRACE_API_TOKEN (settings.read, settings.write,
# ReadConfig, WriteConfig), and for the document DT_CLIENT_ID, DT_CLIENT_SECRET, DT_ACCOUNT_ID.
terraform {
  required_version = ">= 1.3"
  required_providers {
    dynatrace = {
      source  = "dynatrace-oss/dynatrace"
      version = "~> 1.102"
    }
  }
}

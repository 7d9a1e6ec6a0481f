# Credentials come from the environment: DYNATRACE_ENV_URL and DYNATRACE_API_TOKEN (settings.read, settings.write, ReadConfig,
# WriteConfig). The Istio extension needs extension.read, extensions.write, extensionEnvironment.read and
# extensionEnvironment.write too. The document takes DYNATRACE_PLATFORM_TOKEN, or DT_CLIENT_ID, DT_CLIENT_SECRET and
# DT_ACCOUNT_ID of an OAuth client, with document:documents:read, :write and :delete, and document:trash.documents:delete.
terraform {
  required_version = ">= 1.3"
  required_providers {
    dynatrace = {
      source  = "dynatrace-oss/dynatrace"
      version = "~> 1.102"
    }
  }
}

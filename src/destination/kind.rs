//! Whose the URL is. First match wins; only fields of `spec` are evidence.

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::address::Address;
use super::url::clean_segments;
use crate::pipeline::{Header, Output, SecretKey, Source};
use crate::settings::Settings;

/// Where a pipeline ships to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A Dynatrace OpenTelemetry Collector in the cluster.
    Collector,
    /// A Service with a Collector's name, in a namespace of which the settings say nothing: maybe somebody else's.
    PossibleCollector,
    /// An ActiveGate in the cluster.
    InClusterActiveGate,
    /// A SaaS environment's API host.
    Saas,
    /// The host of a SaaS environment's user interface, which answers 404.
    UserInterface,
    /// Dynatrace Managed, or an ActiveGate outside the cluster.
    Managed,
    /// Another host of Dynatrace, or another host with the API's path.
    Other,
    /// An endpoint out of a declared Secret.
    Secret,
    /// An endpoint that is unknown, in an output that has the shape of one for Dynatrace.
    Shape,
    /// Not Dynatrace.
    Elsewhere,
}

/// By what it is known where a pipeline ships to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub enum Recognition {
    /// By the endpoint's host.
    Host,
    /// By the path that data is posted to.
    Path,
    /// By a declared Secret that the endpoint comes from.
    Secret,
    /// By the `Authorization` header.
    Header,
    /// By nothing: it is not known to be Dynatrace.
    Nothing,
}

impl Destination {
    /// Decides where an output ships to, and says by what that is known.
    #[must_use]
    pub fn classify(output: &Output<'_>, address: &Address, settings: &Settings) -> (Self, Recognition) {
        if let Some(literal) = address.literal() {
            let path = address.posted().and_then(Result::ok).map_or("", |posted| posted.path.as_str());
            if let Some(found) = by_host(&literal.host, settings) {
                return (found, Recognition::Host);
            }
            if let Some(found) = by_path(path, &literal.host) {
                let is_host = found == Self::Other && is_below_dynatrace(&literal.host);
                return (found, if is_host { Recognition::Host } else { Recognition::Path });
            }
        }
        match output.endpoint() {
            Source::Secret(key) if is_declared_key(settings, key) => (Self::Secret, Recognition::Secret),
            _ if has_path_shape(output) => (Self::Shape, Recognition::Path),
            _ if has_header_shape(output, settings) => (Self::Shape, Recognition::Header),
            _ => (Self::Elsewhere, Recognition::Nothing),
        }
    }

    /// Decides by a host alone; `None` where the host says nothing.
    #[must_use]
    pub fn of_host(host: &str, settings: &Settings) -> Option<Self> {
        by_host(host, settings)
    }

    /// Whether it is the OTLP API itself.
    #[must_use]
    pub fn is_direct(self) -> bool {
        !matches!(self, Self::Collector | Self::PossibleCollector | Self::Elsewhere)
    }

    /// Whether it is a Collector in the cluster.
    #[must_use]
    pub fn is_collector(self) -> bool {
        matches!(self, Self::Collector | Self::PossibleCollector)
    }

    /// Whether the API's path must have the environment's id.
    #[must_use]
    pub fn needs_environment_id(self) -> bool {
        matches!(self, Self::InClusterActiveGate | Self::Managed)
    }

    /// The destination as audit annotations name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Collector => "collector",
            Self::PossibleCollector => "possible-collector",
            Self::InClusterActiveGate => "direct-activegate",
            Self::Saas => "direct-saas",
            Self::UserInterface => "direct-user-interface",
            Self::Managed => "direct-managed",
            Self::Other => "direct-other",
            Self::Secret => "direct-secret",
            Self::Shape => "direct-shape",
            Self::Elsewhere => "elsewhere",
        }
    }
}

fn by_host(host: &str, settings: &Settings) -> Option<Destination> {
    let (first, rest) = host.split_once('.').unwrap_or((host, ""));
    if is_cluster_rest(rest) {
        let services = &settings.dynatrace.collector_services;
        if services.iter().any(|service| service.eq_ignore_ascii_case(first)) {
            return Some(Destination::Collector);
        }
        if first.ends_with("-telemetry-ingest") || first == "telemetry-ingest" {
            let namespace = rest.split('.').next().unwrap_or_default();
            let is_ours = namespace.is_empty() || settings.dynatrace.secrets.iter().any(|s| s.namespace == namespace);
            return Some(if is_ours { Destination::Collector } else { Destination::PossibleCollector });
        }
        if first.ends_with("-activegate") {
            return Some(Destination::InClusterActiveGate);
        }
    }
    if matches!(rest, "live.dynatrace.com" | "sprint.dynatracelabs.com" | "dev.dynatracelabs.com") && !first.is_empty()
    {
        return Some(Destination::Saas);
    }
    if host.contains(".apps.") && is_below_dynatrace(host) {
        return Some(Destination::UserInterface);
    }
    let is_managed =
        is_below(host, "dynatrace-managed.com") || settings.dynatrace.hosts.iter().any(|glob| matches(glob, host));
    is_managed.then_some(Destination::Managed)
}

fn matches(glob: &str, host: &str) -> bool {
    WildMatch::new_case_insensitive(glob).matches(host)
}

fn by_path(path: &str, host: &str) -> Option<Destination> {
    if is_environment_api(path) {
        Some(Destination::Managed)
    } else if is_below_dynatrace(host) || is_otlp_api(path) {
        Some(Destination::Other)
    } else {
        None
    }
}

/// Whether what follows a Service's name is nothing, `<ns>`, `<ns>.svc` or `<ns>.svc.<cluster domain>`.
fn is_cluster_rest(rest: &str) -> bool {
    let mut labels = rest.split('.');
    labels.next();
    labels.next().is_none_or(|svc| svc == "svc") && !rest.starts_with('.')
}

/// Whether a host is below `dynatrace.com` or `dynatracelabs.com`.
#[must_use]
pub fn is_below_dynatrace(host: &str) -> bool {
    is_below(host, "dynatrace.com") || is_below(host, "dynatracelabs.com")
}

/// Whether a host is below a domain.
#[must_use]
pub fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
}

/// Whether a path begins `/e/<id>/api`.
fn is_environment_api(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("e") && segments.next().is_some_and(|id| !id.is_empty()) && segments.next() == Some("api")
}

/// Whether a path begins `/api/v2/otlp`, by whole segments.
fn is_otlp_api(path: &str) -> bool {
    path.strip_prefix("/api/v2/otlp").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a declared Secret's key is named that holds its URL, or its token (which is a mistake).
fn is_declared_key(settings: &Settings, key: SecretKey<'_>) -> bool {
    let secret = settings.secret(key.namespace, key.name);
    secret.is_some_and(|secret| key.key == secret.endpoint_key || key.key == secret.token_key)
}

/// Whether the path is one that only Dynatrace takes.
fn has_path_shape(output: &Output<'_>) -> bool {
    let segments = output.path.value().and_then(|path| clean_segments(path)).unwrap_or_default();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let behind_id = match segments.as_slice() {
        ["e", _, rest @ ..] => rest,
        rest => rest,
    };
    matches!(segments.as_slice(), ["v2", "otlp", "v1", _]) || matches!(behind_id, ["api", "v2", "otlp", "v1", _])
}

/// Whether an `Authorization` header is one that only Dynatrace takes.
fn has_header_shape(output: &Output<'_>, settings: &Settings) -> bool {
    output.authorizations().any(|header| is_dynatrace_header(header, settings))
}

fn is_dynatrace_header(header: &Header<'_>, settings: &Settings) -> bool {
    let is_api_token = |scheme: &str| scheme.eq_ignore_ascii_case("api-token");
    if header.scheme().is_some_and(is_api_token) {
        return true;
    }
    match header.source() {
        Source::Literal(value) => value.split_ascii_whitespace().next().is_some_and(is_api_token),
        Source::Secret(key) => settings.token_secret(key.namespace, key.name, key.key).is_some(),
        Source::Absent | Source::Malformed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Signal;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn of_output(json: &str, settings: &str) -> Destination {
        let output = crate::testing::output(json);
        let settings = crate::testing::settings(settings);
        Destination::classify(&output, &Address::of(&output, Signal::Traces, &settings), &settings).0
    }

    fn of_endpoint(endpoint: &str) -> Destination {
        of_output(&format!(r#"{{"endpoint":{{"value":"{endpoint}"}}}}"#), "{}")
    }

    #[test]
    fn accepts_each_host_as_what_it_is() {
        use Destination::{
            Collector, Elsewhere, InClusterActiveGate, Managed, Other, PossibleCollector, Saas, UserInterface,
        };
        for (endpoint, wanted) in [
            ("http://dynakube-telemetry-ingest.dynatrace:4317", Collector),
            ("telemetry-ingest", Collector),
            ("dynakube-telemetry-ingest.dynatrace.svc.cluster.local.:4317", Collector),
            ("https://x-telemetry-ingest.example.com", Elsewhere),
            ("https://dynakube-activegate.dynatrace.svc/e/abc/api", InClusterActiveGate),
            ("https://dynakube-activegate", InClusterActiveGate),
            ("http://dynakube-telemetry-ingest.dynatrace.svc.corp.internal:4317", Collector),
            ("http://dynakube-telemetry-ingest.team:4317", PossibleCollector),
            ("https://dt.corp/%65/ID/api/v2/otlp", Managed),
            ("https://abc12345.live.dynatrace.com//api", Saas),
            ("https://u:p@ABC12345.LIVE.dynatrace.com.:443/api", Saas),
            ("abc12345.live.dynatrace.com", Saas),
            ("https://abc.sprint.dynatracelabs.com", Saas),
            ("https://abc.dev.dynatracelabs.com", Saas),
            (" https://abc12345.live.dynatrace.com/api", Saas),
            ("https://abc12345.apps.dynatrace.com", UserInterface),
            ("https://abc12345.sprint.apps.dynatracelabs.com", UserInterface),
            ("https://x.dynatrace-managed.com", Managed),
            ("https://dt.corp.example/e/6f2b-uuid/api", Managed),
            ("https://[::1]:9999/e/abc/api/v2/otlp", Managed),
            ("https://a.b.live.dynatrace.com", Other),
            ("https://abc.dynatrace.com", Other),
            ("https://proxy.example/api/v2/otlp", Other),
            ("https://prometheus.example/api/v1/otlp", Elsewhere),
            ("https://proxy.example/api/v2/otlpx", Elsewhere),
            ("https://notdynatrace.com", Elsewhere),
            ("https://evil.example/?x=.live.dynatrace.com", Elsewhere),
            ("https://live.dynatrace.com@evil.example/", Elsewhere),
            ("[::1]:4317", Elsewhere),
        ] {
            assert_eq!(of_endpoint(endpoint), wanted, "{endpoint}");
        }
    }

    #[test]
    fn accepts_hosts_and_services_of_the_settings() {
        let settings = r#"{"dynatrace":{"hosts":["*.dt.corp"],"collectorServices":["otel"]}}"#;
        let of = |endpoint: &str| of_output(&format!(r#"{{"endpoint":{{"value":"{endpoint}"}}}}"#), settings);
        assert_eq!(of("https://a.DT.corp:9999"), Destination::Managed);
        assert_eq!(of("http://otel.obs.svc:4318"), Destination::Collector);
        assert_eq!(of("http://otelx.obs.svc:4318"), Destination::Elsewhere);
    }

    #[test]
    fn accepts_secrets_and_shapes_as_evidence() {
        let at_key = |name: &str, key: &str, more: &str| {
            let key = format!(r#"{{"secretKeyRef":{{"namespace":"dynatrace","name":"{name}","key":"{key}"}}}}"#);
            of_output(&format!(r#"{{"endpoint":{{"valueFrom":{key}}}{more}}}"#), "{}")
        };
        let secret = |name: &str, more: &str| at_key(name, "k", more);
        assert_eq!(at_key("dynakube", "apiurl", ""), Destination::Secret);
        assert_eq!(at_key("dynakube", "dataIngestToken", ""), Destination::Secret);
        assert_eq!(at_key("dynakube", "collectorUrl", ""), Destination::Elsewhere);
        assert_eq!(secret("other", r#","path":"e/x/api/v2/otlp/v1/logs""#), Destination::Shape);
        assert_eq!(secret("other", ""), Destination::Elsewhere);
        assert_eq!(secret("other", r#","path":"/api//v2/otlp/v1/logs/""#), Destination::Shape);
        assert_eq!(secret("other", r#","path":"otlp/v1/logs""#), Destination::Elsewhere);
        let header = |more: &str| secret("other", &format!(r#","headers":[{{"name":"authorization",{more}}}]"#));
        assert_eq!(header(r#""prefix":" api-TOKEN ","value":"x""#), Destination::Shape);
        assert_eq!(header(r#""value":"Api-Token x""#), Destination::Shape);
        assert_eq!(header(r#""value":"Api-Tokenx""#), Destination::Elsewhere);
        assert_eq!(header(r#""prefix":"Bearer","value":"x""#), Destination::Elsewhere);
    }

    #[test]
    fn rejects_what_only_looks_like_it() {
        assert!(is_below("a.example.com", "example.com"));
        for host in ["example.com", ".example.com", "aexample.com", "a.example.com.x"] {
            assert!(!is_below(host, "example.com"), "{host}");
        }
        assert!(is_environment_api("/e/id/api/v2"));
        for path in ["/x/id/api", "/e//api", "/e/id/x", "/e/id", "e/id/api", "/api"] {
            assert!(!is_environment_api(path), "{path}");
        }
    }
}

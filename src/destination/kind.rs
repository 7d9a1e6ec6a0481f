//! Whose the URL is. First match wins; only fields of `spec` are evidence.

use wildmatch::WildMatch;

use super::address::Address;
use super::url::clean_segments;
use crate::pipeline::{Header, Output, Source};
use crate::settings::Settings;

/// Where a pipeline ships to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A Dynatrace OpenTelemetry Collector in the cluster.
    Collector,
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

impl Destination {
    /// Decides where an output ships to.
    #[must_use]
    pub fn of(output: &Output<'_>, address: &Address, settings: &Settings) -> Self {
        if let Some(literal) = address.literal() {
            let path = literal.effective.as_deref().unwrap_or_default();
            if let Some(found) = by_host(&literal.host, settings).or_else(|| by_path(path)) {
                return found;
            }
            if is_below_dynatrace(&literal.host) {
                return Self::Other;
            }
        }
        match output.endpoint() {
            Source::Secret(key) if settings.secret(key.namespace, key.name).is_some() => Self::Secret,
            _ if has_shape(output, settings) => Self::Shape,
            _ => Self::Elsewhere,
        }
    }

    /// Whether it is the OTLP API itself.
    #[must_use]
    pub fn is_direct(self) -> bool {
        !matches!(self, Self::Collector | Self::Elsewhere)
    }

    /// Whether it is a Collector in the cluster.
    #[must_use]
    pub fn is_collector(self) -> bool {
        self == Self::Collector
    }

    /// Whether the API's path has the environment's id; `None` where the endpoint's own path tells.
    #[must_use]
    pub fn needs_environment_id(self) -> Option<bool> {
        match self {
            Self::InClusterActiveGate | Self::Managed => Some(true),
            Self::Shape => None,
            _ => Some(false),
        }
    }

    /// The destination as audit annotations name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Collector => "collector",
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
    let is_collector = first.ends_with("-telemetry-ingest")
        || first == "telemetry-ingest"
        || settings.dynatrace.collector_services.iter().any(|service| service.eq_ignore_ascii_case(first));
    if is_collector && (rest.is_empty() || is_cluster_rest(rest)) {
        return Some(Destination::Collector);
    }
    if first.ends_with("-activegate") && is_cluster_rest(rest) {
        return Some(Destination::InClusterActiveGate);
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

fn by_path(path: &str) -> Option<Destination> {
    if is_environment_api(path) {
        Some(Destination::Managed)
    } else if is_otlp_api(path) {
        Some(Destination::Other)
    } else {
        None
    }
}

/// Whether what follows a Service's name is `<ns>`, `<ns>.svc` or `<ns>.svc.cluster.local`.
fn is_cluster_rest(rest: &str) -> bool {
    let (namespace, suffix) = rest.split_once('.').unwrap_or((rest, ""));
    !namespace.is_empty() && matches!(suffix, "" | "svc" | "svc.cluster.local")
}

/// Whether a host is below `dynatrace.com` or `dynatracelabs.com`.
#[must_use]
pub fn is_below_dynatrace(host: &str) -> bool {
    is_below(host, "dynatrace.com") || is_below(host, "dynatracelabs.com")
}

fn is_below(host: &str, domain: &str) -> bool {
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

/// Whether the path or the `Authorization` header is one that only Dynatrace takes.
fn has_shape(output: &Output<'_>, settings: &Settings) -> bool {
    let segments = output.path.value().map(|path| clean_segments(path)).unwrap_or_default();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    matches!(segments.as_slice(), ["v2", "otlp", "v1", _] | ["api", "v2", "otlp", "v1", _])
        || output.authorizations().any(|header| is_dynatrace_header(header, settings))
}

fn is_dynatrace_header(header: &Header<'_>, settings: &Settings) -> bool {
    let is_api_token = |scheme: &str| scheme.eq_ignore_ascii_case("api-token");
    if header.scheme().is_some_and(is_api_token) {
        return true;
    }
    match header.source() {
        Source::Literal(value) => value.split_ascii_whitespace().next().is_some_and(is_api_token),
        Source::Secret(key) => settings.secret(key.namespace, key.name).is_some(),
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
        Destination::of(&output, &Address::of(&output, Signal::Traces), &settings)
    }

    fn of_endpoint(endpoint: &str) -> Destination {
        of_output(&format!(r#"{{"endpoint":{{"value":"{endpoint}"}}}}"#), "{}")
    }

    #[test]
    fn accepts_each_host_as_what_it_is() {
        use Destination::{Collector, Elsewhere, InClusterActiveGate, Managed, Other, Saas, UserInterface};
        for (endpoint, wanted) in [
            ("http://dynakube-telemetry-ingest.dynatrace:4317", Collector),
            ("telemetry-ingest", Collector),
            ("dynakube-telemetry-ingest.dynatrace.svc.cluster.local.:4317", Collector),
            ("https://x-telemetry-ingest.example.com", Elsewhere),
            ("https://dynakube-activegate.dynatrace.svc/e/abc/api", InClusterActiveGate),
            ("https://dynakube-activegate", Elsewhere),
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
        let secret = |name: &str, more: &str| {
            let key = format!(r#"{{"secretKeyRef":{{"namespace":"dynatrace","name":"{name}","key":"k"}}}}"#);
            of_output(&format!(r#"{{"endpoint":{{"valueFrom":{key}}}{more}}}"#), "{}")
        };
        assert_eq!(secret("dynakube", ""), Destination::Secret);
        assert_eq!(secret("other", ""), Destination::Elsewhere);
        assert_eq!(secret("other", r#","path":"/api//v2/otlp/v1/logs/""#), Destination::Shape);
        assert_eq!(secret("other", r#","path":"otlp/v1/logs""#), Destination::Elsewhere);
        let header = |more: &str| secret("other", &format!(r#","headers":[{{"name":"authorization",{more}}}]"#));
        assert_eq!(header(r#""prefix":" api-TOKEN ","value":"x""#), Destination::Shape);
        assert_eq!(header(r#""value":"Api-Token x""#), Destination::Shape);
        assert_eq!(header(r#""value":"Api-Tokenx""#), Destination::Elsewhere);
        assert_eq!(header(r#""prefix":"Bearer","value":"x""#), Destination::Elsewhere);
    }
}

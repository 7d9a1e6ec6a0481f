//! The effective URL of an output, and the path that the OTLP API wants there.

use crate::destination::Destination;
use crate::output::{Output, Source};
use crate::subject::Signal;
use crate::text::split_at_text;
use crate::url::{self, Url, UrlError};

/// Where the Telemetry module will post to, as far as the object tells.
#[derive(Debug, Clone)]
pub enum Address {
    /// The endpoint is missing or malformed.
    Unknown,
    /// The endpoint is in a Secret, taken to end in `/api`.
    Secret {
        /// The effective path under that assumption.
        path: Result<String, UrlError>,
    },
    /// The endpoint is in the object.
    Literal(Box<Literal>),
}

/// An endpoint that is in the object.
#[derive(Debug, Clone)]
pub struct Literal {
    /// Its host in lower case, without port; found even where the URL is invalid.
    pub host: String,
    /// Whether it begins with `http://` or `https://`, in any case.
    pub has_scheme: bool,
    /// Whether it begins with `http://`, in any case.
    pub is_plaintext: bool,
    /// Whether the output has a `path`.
    pub has_path: bool,
    /// The endpoint alone.
    pub endpoint: Result<Url, UrlError>,
    /// The path of the endpoint with `path`, as posted to over HTTP.
    pub effective: Result<String, UrlError>,
}

impl Address {
    /// The address of an output. A malformed `path` counts as none; callers look at the field first.
    #[must_use]
    pub fn of(output: &Output<'_>, signal: Signal) -> Self {
        let path = output.path.text_or_empty().unwrap_or_default();
        match &output.endpoint {
            Source::Absent | Source::Malformed => Self::Unknown,
            Source::Secret(_) => {
                let url = Url::effective("https://secret/api", path, signal.name());
                Self::Secret { path: url.map(|url| url.wire_path()) }
            }
            Source::Literal(endpoint) => Self::Literal(Box::new(Literal::of(endpoint, path, signal))),
        }
    }

    /// The path posted to over HTTP; `None` where it cannot be known.
    #[must_use]
    pub fn effective_path(&self) -> Option<Result<&str, UrlError>> {
        let path = match self {
            Self::Unknown => return None,
            Self::Secret { path } => path,
            Self::Literal(literal) => &literal.effective,
        };
        Some(path.as_deref().map_err(|error| *error))
    }

    /// The literal endpoint, if it is one.
    #[must_use]
    pub fn literal(&self) -> Option<&Literal> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Unknown | Self::Secret { .. } => None,
        }
    }
}

impl Literal {
    fn of(endpoint: &str, path: &str, signal: Signal) -> Self {
        let starts = |scheme: &str| endpoint.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
        let is_plaintext = starts("http://");
        let has_scheme = is_plaintext || starts("https://");
        // `host:4317` is how gRPC users write an endpoint; Go reads `host` as a scheme then. What is meant is clear.
        let is_bare = split_at_text(endpoint, "://").is_none();
        let meant = if is_bare { join!("https://", endpoint.trim_start_matches('/')) } else { endpoint.to_owned() };
        let parsed = Url::parse(&meant);
        let effective = match &parsed {
            Ok(url) if !path.is_empty() => url.clone().joined(path),
            _ => Url::effective(&meant, path, signal.name()),
        };
        Self {
            host: parsed.as_ref().map_or_else(|_| url::rough_host(endpoint), Url::hostname),
            has_scheme,
            is_plaintext,
            has_path: !path.is_empty(),
            effective: effective.map(|url| url.wire_path()),
            endpoint: parsed,
        }
    }
}

/// The path that the OTLP API wants, in a leading `/`; `Err` with a pattern where the environment's id is unknown.
///
/// `/api/v2/otlp/v1/<signal>`, on Managed and ActiveGate behind `/e/<id>` (Dynatrace OTLP API documentation).
///
/// # Errors
/// The pattern `/e/<id>/api/...`, where neither endpoint nor path has the id.
pub fn wanted_path(address: &Address, destination: Destination, signal: Signal) -> Result<String, String> {
    let api = join!("/api/v2/otlp/v1/", signal.name());
    let Address::Literal(literal) = address else { return Ok(api) };
    // Without a `path`, what the exporter appends must not be taken for an id.
    let id = match (&literal.effective, &literal.endpoint) {
        (Ok(path), _) if literal.has_path => environment_id(path),
        (_, Ok(endpoint)) if !literal.has_path => environment_id(&endpoint.wire_path()),
        _ => None,
    };
    match (destination.needs_environment_id(), id) {
        (Some(true), Some(id)) | (None, Some(id)) => Ok(join!("/e/", id, api)),
        (Some(true), None) => Err(join!("/e/<id>", api)),
        (Some(false), _) | (None, None) => Ok(api),
    }
}

/// What is missing behind the endpoint's path, without a leading `/`, for the effective path to be the wanted one.
///
/// `None` where nothing is missing, or where the endpoint's path leads elsewhere.
#[must_use]
pub fn missing_rest(address: &Address, destination: Destination, signal: Signal) -> Option<String> {
    let wanted = wanted_path(address, destination, signal).ok()?;
    let has = match address {
        Address::Unknown => return None,
        Address::Secret { .. } => vec!["api".to_owned()],
        Address::Literal(literal) => url::clean_segments(&literal.endpoint.as_ref().ok()?.wire_path()),
    };
    let wants: Vec<&str> = wanted.split('/').skip(1).collect();
    let (head, rest) = wants.split_at_checked(has.len())?;
    (head == has && !rest.is_empty()).then(|| rest.join("/"))
}

/// The `<id>` of a path that begins `/e/<id>`.
fn environment_id(path: &str) -> Option<String> {
    let mut segments = path.strip_prefix("/e/")?.split('/');
    segments.next().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Whether a path begins `/e/<id>/api`.
#[must_use]
pub fn is_environment_api(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("e") && segments.next().is_some_and(|id| !id.is_empty()) && segments.next() == Some("api")
}

/// Whether a path begins `/api/v2/otlp`, by whole segments.
#[must_use]
pub fn is_otlp_api(path: &str) -> bool {
    path.strip_prefix("/api/v2/otlp").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

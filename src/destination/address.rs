//! The effective URL of an output.

use super::escape::UrlError;
use super::url::{self, Url};
use crate::pipeline::{Output, Signal, Source};

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
        match output.endpoint() {
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
        let is_bare = !endpoint.contains("://");
        let meant = if is_bare { format!("https://{}", endpoint.trim_start_matches('/')) } else { endpoint.to_owned() };
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

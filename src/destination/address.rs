//! The address of an output: what its endpoint says, and where it posts to.

use super::endpoint::Literal;
use super::escape::UrlError;
use super::url::Url;
use crate::pipeline::{Output, Signal, Source};
use crate::settings::Settings;

/// Where the Telemetry module will post to, as far as the object and the settings tell.
#[derive(Debug, Clone, Default)]
pub struct Address {
    /// The endpoint, if it is in the object.
    literal: Option<Literal>,
    /// The endpoint as a URL; `None` where nobody can know its path.
    url: Option<Url>,
    /// Where data is posted to over HTTP; `None` where nobody can know that.
    posted: Option<Result<Posted, UrlError>>,
}

/// The path of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Decoded, to be compared.
    pub path: String,
    /// As it goes over the wire, to be shown.
    pub wire: String,
}

impl Address {
    /// The address of an output. A malformed `path` counts as none; callers look at the field first.
    #[must_use]
    pub fn of(output: &Output<'_>, signal: Signal, settings: &Settings) -> Self {
        let path = output.path.text_or_empty().unwrap_or_default();
        match output.endpoint() {
            Source::Absent | Source::Malformed => Self::default(),
            Source::Secret(key) => match settings.endpoint_secret(key.namespace, key.name, key.key) {
                // Which host it is nobody knows, and nobody asks.
                Some(secret) => Self::at(Ok(Url::of_path(&secret.endpoint_path)), path, signal),
                None => Self::default(),
            },
            Source::Literal(text) => Self::of_value(text, output, signal),
        }
    }

    /// The address that an output would have with this text as its endpoint.
    #[must_use]
    pub fn of_value(endpoint: &str, output: &Output<'_>, signal: Signal) -> Self {
        let path = output.path.text_or_empty().unwrap_or_default();
        let (literal, url) = Literal::of(endpoint);
        Self { literal: Some(literal), ..Self::at(url, path, signal) }
    }

    fn at(url: Result<Url, UrlError>, path: &str, signal: Signal) -> Self {
        let posted = url.clone().and_then(|url| match path {
            "" => url.appended(signal.name()).map_or_else(|| Url::effective(&url.to_string(), "", signal.name()), Ok),
            path => url.joined(path),
        });
        let posted = posted.map(|url| Posted { path: url.decoded_path(), wire: url.wire_path() });
        Self { literal: None, url: url.ok(), posted: Some(posted) }
    }

    /// The endpoint, if it is in the object.
    #[must_use]
    pub fn literal(&self) -> Option<&Literal> {
        self.literal.as_ref()
    }

    /// The endpoint, if it is in the object and a URL that the module can use.
    #[must_use]
    pub fn valid_literal(&self) -> Option<&Literal> {
        self.literal().filter(|literal| literal.problem.is_none())
    }

    /// Whether the endpoint is in the object, and no URL that the module can use.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.literal().is_some_and(|literal| literal.problem.is_some())
    }

    /// The segments of the endpoint's path, decoded and cleaned; `None` where nobody can know them.
    #[must_use]
    pub fn base(&self) -> Option<Vec<String>> {
        self.url.as_ref().map(Url::segments)
    }

    /// Where data is posted to over HTTP; `None` where nobody can know that.
    #[must_use]
    pub fn posted(&self) -> Option<Result<&Posted, UrlError>> {
        self.posted.as_ref().map(|posted| posted.as_ref().map_err(|error| *error))
    }
}

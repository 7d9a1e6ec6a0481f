//! An endpoint that is in the object, as a person wrote it.

use super::escape::UrlError;
use super::host::rough_host;
use super::url::Url;
use crate::text::{is_harmless, quote};

/// Longer endpoints reach no exporter: the module hands them over in an environment variable, and Linux takes no longer
/// one (`MAX_ARG_STRLEN`).
const MAX_BYTES: usize = 128 * 1024;

/// An endpoint that is in the object.
#[derive(Debug, Clone)]
pub struct Literal {
    /// Its host in lower case, without port; found even where the URL is invalid.
    pub host: String,
    /// Its port as written.
    pub port: Option<String>,
    /// What stands before `://`.
    pub scheme: Scheme,
    /// Whether it has a path, be it only a slash.
    pub has_path: bool,
    /// Why it is no URL that the module can use.
    pub problem: Option<Problem>,
    /// Whether nothing of it may be shown: what is before an `@` may be a password, wherever it ends.
    is_hidden: bool,
}

/// The scheme of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `https://`, in any case.
    Https,
    /// `http://`, in any case.
    Http,
    /// Another one.
    Other,
    /// None.
    Absent,
}

impl Scheme {
    fn of(text: &str) -> Self {
        let is_name = |scheme: &str| scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        match text.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => Self::Https,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => Self::Http,
            Some((scheme, _)) if is_name(scheme) && !scheme.is_empty() => Self::Other,
            _ => Self::Absent,
        }
    }
}

/// Why an endpoint is no URL that the module can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Blanks or a newline around it.
    Blank,
    /// Two schemes.
    TwoSchemes,
    /// A port that is none.
    Port,
    /// Longer than an environment variable can be.
    Length,
    /// What Go would not parse.
    Url(UrlError),
}

impl Literal {
    /// The endpoint, and the URL that is meant: without blanks around it, and `https` where there is no scheme.
    pub(super) fn of(endpoint: &str) -> (Self, Result<Url, UrlError>) {
        let mut problem = (endpoint.trim() != endpoint).then_some(Problem::Blank);
        let mut text = endpoint.trim();
        if text.len() > MAX_BYTES {
            problem = Some(Problem::Length);
            text = text.char_indices().nth(256).and_then(|(end, _)| text.get(..end)).unwrap_or_default();
        }
        let scheme = Scheme::of(text);
        let inner = text.split_once("://").map_or(text, |(_, inner)| inner);
        let has_two = scheme != Scheme::Absent && matches!(Scheme::of(inner), Scheme::Http | Scheme::Https);
        if has_two {
            problem = problem.or(Some(Problem::TwoSchemes));
            text = inner;
        }
        // `host:4317` is how gRPC users write an endpoint; Go reads `host` as a scheme then. What is meant is clear.
        let url = if scheme == Scheme::Absent {
            ["https://", text.trim_start_matches('/')].concat()
        } else {
            text.to_owned()
        };
        let parsed = Url::parse(&url);
        let port = parsed.as_ref().ok().and_then(Url::port).map(str::to_owned);
        let is_port = |port: &String| port.parse::<u16>().is_ok_and(|port| port > 0);
        let literal = Self {
            host: parsed.as_ref().map_or_else(|_| rough_host(text), Url::hostname),
            has_path: inner.contains('/'),
            problem: problem
                .or(parsed.as_ref().err().map(|error| Problem::Url(*error)))
                .or((!port.as_ref().is_none_or(is_port)).then_some(Problem::Port)),
            port,
            scheme,
            is_hidden: endpoint.contains('@'),
        };
        (literal, parsed)
    }

    /// Whether nothing of it may be shown.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// The port, as messages show it; `None` where there is none.
    #[must_use]
    pub fn shown_port(&self) -> Option<String> {
        self.port.as_ref().map(|port| if self.is_hidden { self.shown(port) } else { port.clone() })
    }

    /// The host, as messages show it.
    #[must_use]
    pub fn shown_host(&self) -> String {
        self.shown(&self.host)
    }

    /// An endpoint for its own sake, whatever becomes of it.
    #[must_use]
    pub fn read(endpoint: &str) -> Self {
        Self::of(endpoint).0
    }

    /// The host where it is the name of one and nothing else, so that it can be written into the settings; `None` where nothing
    /// of the endpoint may be shown.
    #[must_use]
    pub fn shown_name(&self) -> Option<String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_shown = !self.is_hidden && !self.host.is_empty() && is_harmless(&self.host);
        (is_shown && self.host.bytes().all(is_name)).then(|| self.host.clone())
    }

    /// A text made of the endpoint, as messages show it.
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        if self.is_hidden { "(hidden: the endpoint has a user part)".to_owned() } else { quote(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn literal(endpoint: &str) -> Literal {
        Literal::of(endpoint).0
    }

    #[test]
    fn accepts_as_many_bytes_as_an_environment_variable_takes() {
        let of = |length: usize| literal(&format!("https://h/{}", "a".repeat(length - "https://h/".len()))).problem;
        assert_eq!([of(131_072), of(131_073)], [None, Some(Problem::Length)]);
    }

    #[test]
    fn rejects_schemes_that_are_none() {
        for (endpoint, scheme) in [
            ("HTTPS://h", Scheme::Https),
            ("http://h", Scheme::Http),
            ("a+b-c.1://h", Scheme::Other),
            ("://h", Scheme::Absent),
            ("a b://h", Scheme::Absent),
            ("h:443", Scheme::Absent),
        ] {
            assert_eq!(literal(endpoint).scheme, scheme, "{endpoint}");
        }
        assert_eq!(literal("https://http://h").problem, Some(Problem::TwoSchemes));
    }

    #[test]
    fn rejects_ports_that_are_none() {
        let of = |endpoint: &str| (literal(endpoint).problem, literal(endpoint).port);
        assert_eq!(of("https://h:0"), (Some(Problem::Port), Some("0".to_owned())));
        assert_eq!(of("https://h:65536").0, Some(Problem::Port));
        assert_eq!(of("https://h:1"), (None, Some("1".to_owned())));
        assert_eq!(of(" https://h").0, Some(Problem::Blank));
    }

    #[test]
    fn hides_what_may_be_a_password() {
        let hidden = literal("https://u:p@h:8443");
        assert!(hidden.is_hidden());
        assert!(hidden.shown_port().unwrap().starts_with("(hidden"));
        let shown = literal("https://h:8443");
        assert!(!shown.is_hidden());
        assert_eq!((shown.shown_host(), shown.shown_port()), ("`h`".to_owned(), Some("8443".to_owned())));
    }
}

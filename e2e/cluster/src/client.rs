//! A client of the API server for what `kubectl` does not show: whole answers, with their warnings.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// What the API server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub code: u16,
    /// The object, or a `Status`; null where the body is no JSON.
    pub body: Value,
    /// The texts of its `Warning` headers.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Whether the request was served.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The message of a `Status`.
    #[must_use]
    pub fn message(&self) -> &str {
        self.body.get("message").and_then(Value::as_str).unwrap_or_default()
    }
}

/// An administrator's client.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.url)
    }
}

impl Client {
    pub(crate) fn new(url: String, authority: &str, token: String) -> anyhow::Result<Self> {
        let root = Certificate::from_pem(authority.as_bytes())?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::from(vec![root]))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Ok(Self { agent: config.into(), url, token })
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request with or without a body; a path begins with a slash.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        self.send_text(method, path, &body.map(Value::to_string).unwrap_or_default())
    }

    /// Sends a request with this body, whatever it is.
    pub(crate) fn send_text(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header(
                "Content-Type",
                if method == "PATCH" { "application/merge-patch+json" } else { "application/json" },
            );
        let mut response = self.agent.run(request.body(body)?).with_context(|| format!("{method} {path}"))?;
        let headers = response.headers().get_all("Warning");
        let warnings = headers.iter().map(|value| warning(&String::from_utf8_lossy(value.as_bytes()))).collect();
        let body = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
        let body = serde_json::from_str(&body).unwrap_or_default();
        Ok(Answer { code: response.status().as_u16(), body, warnings })
    }

    /// Reads a page that is no JSON.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub(crate) fn text(&self, path: &str) -> anyhow::Result<String> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let mut response = request.header("Authorization", format!("Bearer {}", self.token)).call()?;
        Ok(response.body_mut().with_config().limit(64 << 20).read_to_string()?)
    }

    /// Reads what has to be there.
    ///
    /// # Errors
    /// Where it is not.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.send("GET", path, None)?;
        anyhow::ensure!(answer.is_success(), "GET {path}: {} {}", answer.code, answer.message());
        Ok(answer.body)
    }
}

/// The text of a header `299 - "text"`, as RFC 7234 quotes it.
fn warning(header: &str) -> String {
    let quoted = header.split_once('"').map_or(header, |(_, rest)| rest);
    let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn reads_the_text_of_a_warning() {
        assert_eq!(warning(r#"299 - "a \"quoted\" \\ text""#), r#"a "quoted" \ text"#);
    }
}

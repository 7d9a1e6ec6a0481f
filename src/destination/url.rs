//! URLs as the Telemetry module reads them, which is as Go's `net/url` and `path` packages do.
//!
//! The module parses `endpoint` and `path`, joins and cleans them, and posts to what comes out; a request reaches
//! Dynatrace only if that result is right, so the policy has to compute the same one. Rust's `url` crate follows the
//! WHATWG standard, which differs in just the cases that matter (missing schemes, `host:port`, `..`, encoded slashes,
//! control characters) and brings Unicode tables four times the size of this policy. Hence these pages of our own.

use std::fmt;

use super::escape::{Part, UrlError, escape, should_escape, unescape};
use super::host::{parse_host, plain_host};

/// A URL taken apart as `net/url.URL` does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    opaque: String,
    user: Option<String>,
    host: String,
    /// Decoded; not always UTF-8.
    path: Vec<u8>,
    /// As written, where that is not the default encoding of `path`.
    raw_path: String,
    omit_host: bool,
    force_query: bool,
    query: String,
    fragment: String,
}

impl Url {
    /// A URL of which only the path is known, which has nothing in it that needs encoding.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        Self { scheme: "https".to_owned(), host: "unknown".to_owned(), path: path.into(), ..Self::default() }
    }

    /// Parses as `net/url.Parse` does.
    ///
    /// # Errors
    /// What Go would refuse, by kind.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err(UrlError::ControlCharacter);
        }
        let mut url = Self::default();
        if text == "*" {
            url.path = b"*".to_vec();
        } else {
            url.parse_hierarchy(text)?;
        }
        if !fragment.is_empty() {
            unescape(fragment, Part::Fragment)?;
            fragment.clone_into(&mut url.fragment);
        }
        Ok(url)
    }

    fn parse_hierarchy(&mut self, text: &str) -> Result<(), UrlError> {
        let (scheme, rest) = split_scheme(text)?;
        self.scheme = scheme.to_ascii_lowercase();
        let rest = match rest.split_once('?') {
            Some((rest, "")) => {
                self.force_query = true;
                rest
            }
            Some((rest, query)) => {
                query.clone_into(&mut self.query);
                rest
            }
            None => rest,
        };
        if !rest.starts_with('/') {
            if !self.scheme.is_empty() {
                rest.clone_into(&mut self.opaque);
                return Ok(());
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err(UrlError::Scheme);
            }
        }
        let is_triple = self.scheme.is_empty() && rest.starts_with("///");
        let path = match rest.strip_prefix("//") {
            Some(after) if !is_triple => {
                let end = after.find('/').unwrap_or(after.len());
                let (authority, path) = after.split_at_checked(end).unwrap_or((after, ""));
                self.parse_authority(authority)?;
                path
            }
            _ => {
                self.omit_host = !self.scheme.is_empty() && rest.starts_with('/');
                rest
            }
        };
        self.set_path(path)
    }

    fn parse_authority(&mut self, authority: &str) -> Result<(), UrlError> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host = parse_host(&self.scheme, host)?;
        if let Some(user) = user {
            if !user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b)) {
                return Err(UrlError::UserInfo);
            }
            self.user = Some(normal_user(user)?);
        }
        Ok(())
    }

    fn set_path(&mut self, path: &str) -> Result<(), UrlError> {
        self.path = unescape(path, Part::Path)?;
        if escape(&self.path, Part::Path) != path {
            path.clone_into(&mut self.raw_path);
        }
        Ok(())
    }

    /// What the Telemetry module posts to (`resolveEndpointURL`, and `composeSignalURL` of the `otlphttp` exporter).
    ///
    /// With a `path`, it is joined to the endpoint's, cleaned, and brings its own query. Without, `/v1/<signal>` is
    /// put behind the endpoint's text, whatever that ends in.
    ///
    /// # Errors
    /// Where Go cannot parse one of them: the module reports `EndpointInvalid` and sends nothing.
    pub fn effective(endpoint: &str, path: &str, signal: &str) -> Result<Self, UrlError> {
        if path.is_empty() {
            let slash = if endpoint.ends_with('/') { "" } else { "/" };
            return Self::parse(&[endpoint, slash, "v1/", signal].concat());
        }
        Self::parse(endpoint)?.joined(path)
    }

    /// The URL behind which the exporter puts `/v1/<signal>`. `None` where that has to be parsed anew, because it goes
    /// behind a query or fragment, or would become the host.
    #[must_use]
    pub fn appended(&self, signal: &str) -> Option<Self> {
        let is_plain = self.query.is_empty() && !self.force_query && self.fragment.is_empty() && !self.host.is_empty();
        if !is_plain || !self.raw_path.is_empty() {
            return None;
        }
        let slash = if self.path.ends_with(b"/") { "" } else { "/" };
        let mut url = self.clone();
        url.path.extend([slash, "v1/", signal].concat().bytes());
        Some(url)
    }

    /// The URL with a `path` joined to its own.
    ///
    /// # Errors
    /// Where Go cannot parse the path.
    pub fn joined(mut self, path: &str) -> Result<Self, UrlError> {
        let path = Self::parse(path)?;
        self.path = join(&self.path, &path.path);
        self.query = path.query;
        Ok(self)
    }

    /// The host in lower case, without port, brackets and a trailing dot.
    #[must_use]
    pub fn hostname(&self) -> String {
        plain_host(&self.host)
    }

    /// The port as written; `None` where there is none.
    #[must_use]
    pub fn port(&self) -> Option<&str> {
        let after_host = self.host.rsplit_once(']').map_or(self.host.as_str(), |(_, rest)| rest);
        after_host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.is_empty())
    }

    /// The path as it goes over the wire, as `net/url.URL.EscapedPath` gives it, with its leading slash.
    #[must_use]
    pub fn wire_path(&self) -> String {
        let path = self.escaped_path();
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() { ["/", &path].concat() } else { path }
    }

    /// The path decoded, with its leading slash: what a server compares.
    #[must_use]
    pub fn decoded_path(&self) -> String {
        let path = String::from_utf8_lossy(&self.path);
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            ["/", &path].concat()
        } else {
            path.into_owned()
        }
    }

    /// The segments of the path, decoded and cleaned as the module cleans them when it joins.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        segments(&join(b"/", &self.path))
    }

    fn escaped_path(&self) -> String {
        let is_valid = self.raw_path.bytes().all(|b| b"!$&'()*+,;=:@[]%".contains(&b) || !should_escape(b, Part::Path));
        if !self.raw_path.is_empty() && is_valid && unescape(&self.raw_path, Part::Path).as_ref() == Ok(&self.path) {
            return self.raw_path.clone();
        }
        if self.path == b"*" { "*".to_owned() } else { escape(&self.path, Part::Path) }
    }
}

impl fmt::Display for Url {
    /// Writes the URL as `net/url.URL.String` does. Never show it to anybody: it holds user part and query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if (!self.scheme.is_empty() && !self.omit_host && !self.path.is_empty()) || has_authority {
                f.write_str("//")?;
            }
            if let Some(user) = &self.user {
                write!(f, "{user}@")?;
            }
            f.write_str(&escape(self.host.as_bytes(), Part::Host))?;
            let path = self.wire_path();
            let is_bare = self.scheme.is_empty() && !has_authority;
            if is_bare && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
                f.write_str("./")?;
            }
            f.write_str(&path)?;
        } else {
            f.write_str(&self.opaque)?;
        }
        if self.force_query || !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        if !self.fragment.is_empty() {
            let decoded = unescape(&self.fragment, Part::Fragment).unwrap_or_default();
            write!(f, "#{}", fragment_text(&self.fragment, &decoded))?;
        }
        Ok(())
    }
}

// The user part and the query may hold a token.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Url(..)")
    }
}

/// Splits a leading `scheme:` off, or gives an empty scheme (`net/url.getScheme`).
fn split_scheme(text: &str) -> Result<(&str, &str), UrlError> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err(UrlError::Scheme),
            b':' => return text.split_once(':').ok_or(UrlError::Scheme),
            _ => break,
        }
    }
    Ok(("", text))
}

/// `user[:password]`, decoded and encoded again as `net/url.Userinfo.String` writes it.
fn normal_user(user: &str) -> Result<String, UrlError> {
    let encode = |text| unescape(text, Part::User).map(|bytes| escape(&bytes, Part::User));
    match user.split_once(':') {
        Some((name, password)) => Ok(format!("{}:{}", encode(name)?, encode(password)?)),
        None => encode(user),
    }
}

fn fragment_text(raw: &str, decoded: &[u8]) -> String {
    let is_valid = raw.bytes().all(|b| b"!$&'()*+,;=:@[]%".contains(&b) || !should_escape(b, Part::Fragment));
    if is_valid { raw.to_owned() } else { escape(decoded, Part::Fragment) }
}

/// `path.Join(base, path)`: joined with a slash, then cleaned of empty, `.` and `..` segments.
fn join(base: &[u8], path: &[u8]) -> Vec<u8> {
    if base.is_empty() && path.is_empty() {
        return Vec::new();
    }
    let is_rooted = base.first().or(path.first()) == Some(&b'/');
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in base.split(|b| *b == b'/').chain(path.split(|b| *b == b'/')) {
        match segment {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if is_rooted => {}
            _ => kept.push(segment),
        }
    }
    let joined = kept.join(&b'/');
    match (is_rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// The segments of a `path` field, decoded and cleaned as the module cleans it when it joins; `None` where Go cannot parse
/// it, or where it climbs (`..`), so that nothing can be said without the endpoint.
#[must_use]
pub fn clean_segments(path: &str) -> Option<Vec<String>> {
    let url = Url::parse(path).ok()?;
    if url.path.split(|byte| *byte == b'/').any(|segment| segment == b"..") {
        return None;
    }
    Some(segments(&join(b"/", &url.path)))
}

fn segments(path: &[u8]) -> Vec<String> {
    let path = String::from_utf8_lossy(path);
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::host::rough_host;
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn effective(endpoint: &str, path: &str) -> String {
        Url::effective(endpoint, path, "metrics").map_or_else(|error| error.to_string(), |url| url.to_string())
    }

    #[test]
    fn accepts_the_module_s_own_joins() {
        const SAAS: &str = "https://abc12345.live.dynatrace.com";
        for (endpoint, path, wanted) in [
            ("/api", "v2/otlp/v1/metrics", "/api/v2/otlp/v1/metrics"),
            ("/api/", "/v2/otlp/v1/metrics/", "/api/v2/otlp/v1/metrics"),
            ("", "v2/otlp/v1/metrics", "/v2/otlp/v1/metrics"),
            ("", "api/v2/otlp/v1/metrics", "/api/v2/otlp/v1/metrics"),
            ("/api", "api/v2/otlp/v1/metrics", "/api/api/v2/otlp/v1/metrics"),
            ("/api/v2/otlp", "", "/api/v2/otlp/v1/metrics"),
            ("/api/v2/otlp/", "", "/api/v2/otlp/v1/metrics"),
            ("/api?x=1", "a/../b?y=2", "/api/b?y=2"),
            ("/api?x=1", "", "/api?x=1/v1/metrics"),
            ("/api", "a%2Fb", "/api/a/b"),
            ("/a%2Fb", "", "/a%2Fb/v1/metrics"),
        ] {
            assert_eq!(effective(&format!("{SAAS}{endpoint}"), path), format!("{SAAS}{wanted}"));
        }
    }

    #[test]
    fn accepts_odd_hosts_as_go_does() {
        assert_eq!(effective("HTTPS://U:p@[::1]:9999/e/x", "api"), "https://U:p@[::1]:9999/e/x/api");
        assert_eq!(effective("host:4317", "v1"), "host:4317");
        assert_eq!(effective("//h/a", "b"), "//h/a/b");
        assert_eq!(effective("host/a", "b"), "host/a/b");
        let url = Url::parse("https://USER:pw@ABC.Live.Dynatrace.com.:443/x").unwrap();
        assert_eq!((url.hostname().as_str(), url.port()), ("abc.live.dynatrace.com", Some("443")));
        let url = Url::parse("http://[fe80::1%25eth0]:4317").unwrap();
        assert_eq!((url.hostname().as_str(), url.port()), ("fe80::1%eth0", Some("4317")));
    }

    #[test]
    fn rejects_what_go_rejects() {
        for (text, error) in [
            ("https://h/a\n", UrlError::ControlCharacter),
            ("1.2.3.4:4317", UrlError::Scheme),
            (":x", UrlError::Scheme),
            ("https://h:port/", UrlError::Host),
            ("https://h:443:443/", UrlError::Host),
            ("https://::1/", UrlError::Host),
            ("https://[name]/", UrlError::Host),
            ("https://[1.2.3.4]/", UrlError::Host),
            ("https://[::1", UrlError::Host),
            ("https://a b/", UrlError::Host),
            ("https://a%2eb/", UrlError::Escape),
            ("https://h/%zz", UrlError::Escape),
            ("https://a b@h/", UrlError::UserInfo),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn finds_a_host_even_in_what_go_rejects() {
        assert_eq!(rough_host(" https://u@Abc.Live.dynatrace.com:x/api\n"), "abc.live.dynatrace.com");
        assert_eq!(rough_host("[::1]:4317"), "::1");
    }

    #[test]
    fn accepts_a_path_alone() {
        let url = Url::of_path("a");
        assert_eq!((url.to_string().as_str(), url.wire_path().as_str()), ("https://unknown/a", "/a"));
    }

    #[test]
    fn rejects_to_show_content_in_debug_output() {
        assert_eq!(format!("{:?}", Url::parse("https://u:secret@h/?q=secret").unwrap()), "Url(..)");
    }
}

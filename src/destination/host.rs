//! The host of a URL, as Go 1.26 parses it, and as much of one as can be had where Go does not.

use std::net::Ipv6Addr;

use super::escape::{Part, UrlError, unescape};

/// `net/url.parseHost` of Go 1.26, which refuses a second colon (over http and https) and brackets around anything but an
/// IPv6 address.
pub(super) fn parse_host(scheme: &str, host: &str) -> Result<String, UrlError> {
    let bytes = match host.rfind('[') {
        Some(0) => parse_literal(host)?,
        Some(_) => return Err(UrlError::Host),
        None => {
            let (first, last) = (host.find(':'), host.rfind(':'));
            let is_strict = matches!(scheme, "http" | "https");
            let colon = if is_strict { first } else { last };
            check_port(colon.and_then(|colon| host.get(colon..)).unwrap_or_default())?;
            unescape(host, Part::Host)?
        }
    };
    // Go keeps bytes; a host that is not UTF-8 names no service and no Dynatrace environment.
    String::from_utf8(bytes).map_err(|_| UrlError::Host)
}

/// `[address]`, `[address%25zone]`, each with a port or without.
fn parse_literal(host: &str) -> Result<Vec<u8>, UrlError> {
    let (inner, port) = host.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')).ok_or(UrlError::Host)?;
    check_port(port)?;
    let mut name = match inner.split_once("%25") {
        Some((address, zone)) => {
            let mut bytes = unescape(address, Part::Host)?;
            bytes.extend(unescape(&format!("%25{zone}"), Part::Zone)?);
            bytes
        }
        None => unescape(inner, Part::Host)?,
    };
    let text = std::str::from_utf8(&name).map_err(|_| UrlError::Host)?;
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    if address.parse::<Ipv6Addr>().is_err() || zone == Some("") {
        return Err(UrlError::Host);
    }
    name.insert(0, b'[');
    name.push(b']');
    name.extend(unescape(port, Part::Host)?);
    Ok(name)
}

fn check_port(port: &str) -> Result<(), UrlError> {
    let digits = if port.is_empty() { Some("") } else { port.strip_prefix(':') };
    digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).map(|_| ()).ok_or(UrlError::Host)
}

/// The host of an endpoint that Go does not parse: a wrong URL to Dynatrace is still meant for Dynatrace.
pub(super) fn rough_host(endpoint: &str) -> String {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest).trim();
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // More than one colon is no host and port; what is before the first is the name.
    let host = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
    plain_host(host).chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

pub(super) fn plain_host(host: &str) -> String {
    let bare = match host.strip_prefix('[').and_then(|inner| inner.rsplit_once(']')) {
        Some((inner, _)) => inner,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_blanks_and_control_characters_in_what_is_left_of_a_host() {
        assert_eq!(rough_host("https://a b\u{7}c\u{a0}[/x"), "abc[");
    }
}

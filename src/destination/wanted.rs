//! The path that the OTLP API wants, and what is missing to it.

use super::address::Address;
use super::kind::Destination;
use crate::pipeline::Signal;

/// The path of the API, without the signal.
const API: [&str; 3] = ["api", "v2", "otlp"];

/// The path that the OTLP API wants, in a leading `/`; with `<id>` where the environment's id is not known.
///
/// `/api/v2/otlp/v1/<signal>`, on Managed and ActiveGate behind `/e/<id>` (Dynatrace OTLP API documentation).
#[must_use]
pub fn wanted_path(address: &Address, destination: Destination, signal: Signal) -> String {
    let api = ["/api/v2/otlp/v1/", signal.name()].concat();
    let posted = address.posted().and_then(Result::ok).and_then(|posted| environment_id(&posted.path));
    let base = address.base().unwrap_or_default();
    let id = match base.as_slice() {
        // Without a `path`, what the exporter appends must not be taken for an id.
        [first, id, ..] if first == "e" => Some(id.as_str()),
        _ => posted.filter(|id| *id != "v1"),
    };
    // The path is shown to people, and of an endpoint with an `@` nothing may be.
    match id.filter(|_| address.literal().is_none_or(|literal| !literal.is_hidden())) {
        Some(id) => ["/e/", id, &api].concat(),
        None if destination.needs_environment_id() => ["/e/<id>", &api].concat(),
        None => api,
    }
}

/// Whether a path, decoded, is one that the API takes for this signal. `/e/<id>` in front is taken everywhere, and demanded
/// where the destination needs it.
#[must_use]
pub fn is_wanted(path: &str, destination: Destination, signal: Signal) -> bool {
    let api = |path: &str| path.strip_prefix("/api/v2/otlp/v1/") == Some(signal.name());
    match environment_id(path).and_then(|id| path.get(3 + id.len()..)) {
        Some(rest) => api(rest),
        None => !destination.needs_environment_id() && api(path),
    }
}

/// Whether some endpoint could complete a `path` to one that the API takes: the path is an end of a wanted one.
#[must_use]
pub fn is_end_of_wanted(segments: &[String], signal: Signal) -> bool {
    // The second is the environment's id, whatever it is.
    let wanted = ["e", "", "api", "v2", "otlp", "v1", signal.name()];
    let ends = |(segment, wanted): (&String, &&str)| wanted.is_empty() || segment == wanted;
    segments.len() <= wanted.len() && segments.iter().rev().zip(wanted.iter().rev()).all(ends)
}

/// What is missing behind the endpoint's path, without a leading `/`, for the effective path to be the wanted one.
///
/// `None` where nothing is missing, or where the endpoint's path leads elsewhere or is not known. Nothing is missing behind
/// `/api/v2/otlp` either: the exporter appends the rest.
#[must_use]
pub fn missing_rest(address: &Address, destination: Destination, signal: Signal) -> Option<String> {
    let base = address.base()?;
    let base: Vec<&str> = base.iter().map(String::as_str).collect();
    let behind_id = match base.as_slice() {
        ["e", _, rest @ ..] => rest,
        _ if destination.needs_environment_id() => return None,
        rest => rest,
    };
    let wanted = [&API[..], &["v1", signal.name()]].concat();
    let rest = wanted.strip_prefix(behind_id)?;
    (behind_id != API && !rest.is_empty()).then(|| rest.join("/"))
}

/// The `<id>` of a path that begins `/e/<id>`.
fn environment_id(path: &str) -> Option<&str> {
    path.strip_prefix("/e/")?.split('/').next().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{output, settings};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn wanted(endpoint: &str, path: &str) -> String {
        let output = output(&format!(r#"{{"endpoint":{{"value":"{endpoint}"}},"path":"{path}"}}"#));
        let settings = settings("{}");
        wanted_path(&Address::of(&output, Signal::Traces, &settings), Destination::Managed, Signal::Traces)
    }

    #[test]
    fn accepts_the_id_that_the_endpoint_or_the_path_has() {
        for (endpoint, path, expected) in [
            ("https://dt.corp/e/abc/api", "v2", "/e/abc/api/v2/otlp/v1/traces"),
            ("https://dt.corp", "e/abc/api", "/e/abc/api/v2/otlp/v1/traces"),
            // The path leads out of the environment, whose id is still in the endpoint.
            ("https://dt.corp/e/abc/api", "../../../v1", "/e/abc/api/v2/otlp/v1/traces"),
            // What the exporter appends is no id.
            ("https://dt.corp/e", "", "/e/<id>/api/v2/otlp/v1/traces"),
            ("https://dt.corp", "", "/e/<id>/api/v2/otlp/v1/traces"),
            // Nothing of an endpoint with an `@` is shown.
            ("https://u@dt.corp/e/abc/api", "v2", "/e/<id>/api/v2/otlp/v1/traces"),
        ] {
            assert_eq!(wanted(endpoint, path), expected, "{endpoint} {path}");
        }
    }
}

//! The path that the OTLP API wants, and what is missing to it.

use super::address::Address;
use super::kind::Destination;
use super::url;
use crate::pipeline::Signal;

/// The path that the OTLP API wants, in a leading `/`; `Err` with a pattern where the environment's id is unknown.
///
/// `/api/v2/otlp/v1/<signal>`, on Managed and ActiveGate behind `/e/<id>` (Dynatrace OTLP API documentation).
///
/// # Errors
/// The pattern `/e/<id>/api/...`, where neither endpoint nor path has the id.
pub fn wanted_path(address: &Address, destination: Destination, signal: Signal) -> Result<String, String> {
    let api = format!("/api/v2/otlp/v1/{}", signal.name());
    let Address::Literal(literal) = address else { return Ok(api) };
    // Without a `path`, what the exporter appends must not be taken for an id.
    let id = match (&literal.effective, &literal.endpoint) {
        (Ok(path), _) if literal.has_path => environment_id(path),
        (_, Ok(endpoint)) if !literal.has_path => environment_id(&endpoint.wire_path()),
        _ => None,
    };
    match (destination.needs_environment_id(), id) {
        (Some(true), Some(id)) | (None, Some(id)) => Ok(format!("/e/{id}{api}")),
        (Some(true), None) => Err(format!("/e/<id>{api}")),
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

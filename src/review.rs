//! The one pure call: a request, settings and what was looked up in, a verdict out.
//!
//! Nothing here reads a clock, logs, or knows a host. Whether a request is let through unseen is decided in
//! [`review`] and nowhere else, each time with the reason beside it.

mod error;
mod judged;
mod ratchet;
mod request;
#[cfg(test)]
mod tests;
mod verdict;

pub use error::ReviewError;
pub use request::{Operation, Request};
pub use verdict::{About, Decision, Verdict, Withheld};

use crate::lookup::Seen;
use crate::pipeline::{GROUP, Object, Signal};
use crate::rule::Subject;
use crate::settings::Settings;
use judged::Judged;
use ratchet::Stored;

/// Reviews an admission request.
///
/// With [`Seen::NOTHING`] the verdict names the Secrets to look at, if any; a second review is then given what was seen. What was
/// seen adds findings and changes no repair.
///
/// # Errors
/// Why the request cannot be decided: it must be rejected then, because nobody has looked at it.
pub fn review(request: &Request<'_>, settings: &Settings, seen: &Seen) -> Result<Verdict, ReviewError> {
    let Some(signal) = Signal::of_kind(request.kind).filter(|_| request.group == GROUP) else {
        // Not ours; a policy with wider rules than ours may send anything.
        return Ok(Verdict::default());
    };
    if request.operation == Operation::Other || request.is_subresource {
        // Nothing of `spec` is stored; and the Telemetry module cannot be removed while pipelines are left.
        return Ok(Verdict::default());
    }
    let object = request.object.ok_or(ReviewError::NoObject)?;
    let old = request.old_object.filter(|_| request.operation == Operation::Update);
    if old.is_some_and(Object::is_deleted) {
        // Controllers take their finalizers off by an UPDATE; blocking that blocks the deletion. (In the new object the
        // mark may be the user's own text: the API server wipes it only after mutating admission.)
        return Ok(Verdict::default());
    }
    let Some(subject) = Subject::read(signal, object, settings, seen) else {
        // No OTLP output (a Fluent Bit LogPipeline, or none at all or no object, on which the schema check has the word).
        return Ok(Verdict::default());
    };
    let old = old.and_then(|old| Subject::read(signal, old, settings, seen));
    Ok(match old {
        None => Judged::of(subject).verdict(),
        Some(old) if ratchet::is_unchanged(&old, &subject) => {
            // It was there before, and somebody only adds a label: nothing is repaired, and nobody looks.
            let mut judged = Judged::of(subject);
            judged.warn_only();
            judged.verdict()
        }
        Some(old) => {
            let mut judged = Judged::of(subject);
            Stored::of(old).soften(&mut judged);
            judged.verdict()
        }
    })
}

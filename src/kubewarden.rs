//! Kubewarden's side: the host's payload in, the SDK's response out, around the pure review.

mod guest;
mod host;
mod object;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use guest::{review, validate, validate_settings};
pub use host::Host;
pub use request::{Payload, PayloadError};
pub use response::{answer, answer_review};

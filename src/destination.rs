//! Where a pipeline ships to: the URL that the Telemetry module will post to, and whose that is.

mod address;
mod endpoint;
mod escape;
mod host;
mod kind;
#[cfg(test)]
mod table;
pub mod url;
mod wanted;

pub use address::{Address, Posted};
pub use endpoint::{Literal, Problem, Scheme};
pub use escape::UrlError;
pub use kind::{Destination, Recognition, is_below, is_below_dynatrace};
pub use url::clean_segments;
pub use wanted::{is_end_of_wanted, is_wanted, missing_rest, wanted_path};

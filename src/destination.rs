//! Where a pipeline ships to: the URL that the Telemetry module will post to, and whose that is.

mod address;
mod escape;
mod kind;
pub mod url;
mod wanted;

pub use address::{Address, Literal};
pub use escape::UrlError;
pub use kind::{Destination, is_below_dynatrace};
pub use wanted::{missing_rest, wanted_path};

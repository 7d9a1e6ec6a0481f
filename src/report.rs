//! A verdict as those outside see it: as data ([`Report`]), and as the texts that the cluster shows ([`render`]).
//!
//! The texts are made of the data and of nothing else, in one place, so that whoever has the data can make them again. Nobody
//! reads a text back.

mod data;
mod render;

pub use data::{Answer, Endpoint, Finding, Lookup, LookupOutcome, Repair, Report, page};
pub use render::{annotations, message, warnings};

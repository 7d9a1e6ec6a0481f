//! What the policy costs, counted.

pub mod counter;
pub mod requests;

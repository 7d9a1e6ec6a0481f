//! What the chores share with the tests.

pub mod report;
pub mod sections;

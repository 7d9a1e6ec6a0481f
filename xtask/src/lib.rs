//! What the chores share with the tests.

pub mod examples;
pub mod pages;
pub mod report;
pub mod sections;

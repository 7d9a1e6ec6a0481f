//! How the command ends.

use std::process::{ExitCode, Termination};

/// The exit codes, as `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Nothing to report, or all of it repaired.
    Clean = 0,
    /// Findings.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Something could not be checked.
    Failure = 3,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

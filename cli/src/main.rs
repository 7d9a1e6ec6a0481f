//! `kyma-dynatrace`: the verdict of the cluster, on plain manifests.

use clap::{CommandFactory, Parser, Subcommand};

mod command;
mod exit;
mod input;
mod policy;
mod report;

use exit::Exit;

/// Checks that Kyma telemetry pipelines for Dynatrace arrive there, before they are applied.
///
/// The checks are those of the kyma-dynatrace-policy, run in the same WebAssembly module and engine as in the cluster.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  clean, or all repaired with --fix
  1  findings
  2  the command line is wrong
  3  something could not be checked: an unreadable file, broken YAML, a trap of the module";

#[derive(Subcommand)]
enum Command {
    /// Check manifests in files, folders or on standard input
    Check(command::check::Args),
    /// Print the page of a rule
    Explain(command::explain::Args),
    /// List the rules
    Rules,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

fn main() -> Exit {
    // clap itself ends with 2 where the command line is wrong.
    let result = match Args::parse().command {
        Command::Check(args) => command::check::run(&args),
        Command::Explain(args) => command::explain::run(&args),
        Command::Rules => command::explain::list(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "kyma-dynatrace", &mut script);
            report::write_out(&String::from_utf8_lossy(&script))
        }
    };
    result.unwrap_or_else(|error| {
        anstream::eprintln!("error: {error:#}");
        Exit::Failure
    })
}

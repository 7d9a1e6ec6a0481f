//! The project's chores. `cargo xtask` is not for users: they have the Makefile.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod annotate;
mod answers;
mod artifacthub;
mod demo;
mod generate;
mod kwctl;
mod metadata;
mod mutants;
mod replay;
mod rules_table;
mod settings;
mod shown;

#[derive(Parser)]
#[command(about = "The project's chores")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Write the metadata into the module, as `kwctl annotate` does.
    Annotate {
        /// The metadata, in YAML.
        #[arg(long, default_value = "policy-metadata.yml")]
        metadata: PathBuf,
        /// The README, which becomes the policy's usage text.
        #[arg(long, default_value = "README.md")]
        readme: PathBuf,
        /// Where the annotated module goes.
        #[arg(long, short, default_value = "annotated-policy.wasm")]
        output: PathBuf,
        /// The module.
        wasm: PathBuf,
    },
    /// Run the policy on example pipelines and print the verdicts.
    Demo {
        /// The annotated module.
        #[arg(long, default_value = "annotated-policy.wasm")]
        policy: PathBuf,
        /// The folder of pipelines.
        #[arg(default_value = "examples")]
        examples: PathBuf,
    },
    /// Write what is made from code and metadata (tables, schema, form, Artifact Hub package), or check it.
    Generate {
        /// Fail where a file is not what it is made from.
        #[arg(long)]
        check: bool,
    },
    /// Write what README shows of the policy and of the command, or check it.
    Shown {
        /// The annotated module.
        #[arg(long, default_value = "annotated-policy.wasm")]
        policy: PathBuf,
        /// The command.
        #[arg(long, default_value = "target/debug/kyma-dynatrace")]
        command: PathBuf,
        /// Fail where README or the picture shows something else.
        #[arg(long)]
        check: bool,
    },
    /// Write the examples that the page in the browser offers.
    Examples {
        /// Where the JSON goes.
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Stand in for kwctl where there is none, to try `e2e/e2e.bats`.
    Kwctl {
        /// What kwctl is asked.
        #[command(subcommand)]
        command: kwctl::Kwctl,
    },
    /// Fail where the AdmissionResponse on standard input says something else than the expected one.
    SameAnswer {
        /// The AdmissionRequest that is answered.
        request: PathBuf,
        /// The expected response.
        expected: PathBuf,
    },
    /// Compile a module ahead of time, for the command.
    Precompile {
        /// The triple of the machines that the command is for.
        #[arg(long, default_value = env!("TARGET"))]
        target: String,
        /// Where the result goes.
        #[arg(long, short)]
        output: PathBuf,
        /// The annotated module.
        wasm: PathBuf,
    },
    /// Say what became of the mutants, and fail where one survives that may not.
    Mutants {
        /// The mutants that may survive.
        #[arg(long, default_value = "mutants.toml")]
        accepted: PathBuf,
        /// Only some mutants were tried.
        #[arg(long)]
        some: bool,
        /// What `cargo mutants` has written.
        outcomes: PathBuf,
    },
    /// Fail where a module imports anything but waPC functions.
    Imports {
        /// The module.
        wasm: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().chore {
        Chore::Annotate { metadata, readme, output, wasm } => annotate::run(&metadata, &readme, &output, &wasm),
        Chore::Demo { policy, examples } => demo::run(&policy, &examples),
        Chore::Generate { check } => generate::run(check),
        Chore::Shown { policy, command, check } => shown::run(&policy, &command, check),
        Chore::Examples { output } => write_examples(&output),
        Chore::Kwctl { command } => kwctl::run(&command),
        Chore::Precompile { target, output, wasm } => annotate::precompile(&wasm, &target, &output),
        Chore::SameAnswer { request, expected } => answers::run(&request, &expected),
        Chore::Mutants { accepted, some, outcomes } => mutants::run(&outcomes, &accepted, !some),
        Chore::Imports { wasm } => annotate::check_imports(&wasm),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write_examples(output: &std::path::Path) -> anyhow::Result<()> {
    std::fs::write(output, serde_json::to_string(&xtask::examples::all()?)?)?;
    Ok(())
}

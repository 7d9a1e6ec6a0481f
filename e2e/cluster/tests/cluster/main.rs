//! The policy behind a real API server: what people see, what is stored, and whose it is.
//!
//! `CLUSTER` names the kubeconfig of a cluster with Kubewarden and the Telemetry module, `POLICY_MODULE` the module that
//! Kubewarden loads; without them a control plane is started. `SHOW_KUBECTL=1` prints what kubectl prints for each example.
//!
//! One control plane for all tests, which run one after the other: webhooks count for the whole server. Each check is a
//! function of the cluster that gives its counts or its complaints, so that `broken` can put broken clusters to it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

mod broken;
mod command;
mod lifecycle;
mod lookups;
mod order;
mod ownership;
mod policies;
mod server;
mod setup;
mod stored;
mod verdicts;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use cluster::Cluster;
use libtest_mimic::{Arguments, Failed, Trial};

/// A check: what it counted, or what is wrong.
type Check = fn(&mut Cluster) -> anyhow::Result<String>;

/// What needs a cluster that answers as we like. The manifests are among it: in a cluster with controllers they change as soon
/// as they are applied.
const NEED_OWN: [&str; 7] = [
    "lookups::",
    "setup::",
    "order::",
    "server::",
    "broken::",
    "lifecycle::the_policy_server_is_gone",
    "verdicts::examples_for_older_modules",
];

/// The cluster, started by the first test that needs one.
type Shared = Arc<Mutex<Option<Cluster>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    // Without definitions there is nothing to test, which has been said by then; in CI it is a failure.
    let shared: Shared = Arc::default();
    let groups: [&[(&str, Check)]; 9] = [
        setup::CHECKS,
        verdicts::CHECKS,
        order::CHECKS,
        lifecycle::CHECKS,
        lookups::CHECKS,
        ownership::CHECKS,
        command::CHECKS,
        server::CHECKS,
        broken::CHECKS,
    ];
    let is_possible = Cluster::is_possible();
    let trials = groups.into_iter().flatten().map(|(name, check)| trial(name, *check, &shared, is_possible)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Ends the control plane, before the process does.
    drop(shared.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit_code()
}

fn trial(name: &'static str, check: Check, shared: &Shared, is_possible: bool) -> Trial {
    let shared = Arc::clone(shared);
    let is_ignored = !is_possible || Cluster::is_given() && NEED_OWN.iter().any(|start| name.starts_with(start));
    Trial::test(name, move || {
        let mut slot = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Cluster::start().map_err(|error| Failed::from(format!("{error:#}")))?;
        }
        let cluster = slot.as_mut().ok_or("there is no cluster")?;
        let counted = check(cluster).map_err(|error| Failed::from(format!("{error:#}")))?;
        eprintln!("  {name}: {counted}");
        Ok(())
    })
    .with_ignored_flag(is_ignored)
}

/// An error with all complaints; none where there is nothing to complain about.
fn settle(complaints: Vec<String>) -> anyhow::Result<()> {
    anyhow::ensure!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    Ok(())
}

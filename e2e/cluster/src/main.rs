//! `cluster serve` starts a real API server with both policies of the manifests, for `kubectl` by hand; `cluster bench`
//! measures on one what they add to a create.

#![allow(clippy::indexing_slicing, reason = "a benchmark that panics has failed")]

mod bench;

use std::io::Read as _;

use anyhow::Context as _;
use cluster::Cluster;
use e2e::tree::policies;

fn main() -> anyhow::Result<()> {
    let chore = std::env::args().nth(1).unwrap_or_default();
    anyhow::ensure!(["bench", "serve"].contains(&chore.as_str()), "`bench` or `serve` is expected");
    let mut cluster = Cluster::start()?.context("there are no CustomResourceDefinitions: name a folder with CRDS")?;
    cluster.deploy(&[policies("policy/repair"), policies("policy/validate")].concat())?;
    if chore == "bench" {
        return bench::run(&mut cluster);
    }
    println!("kube-apiserver {} with both policies; in another shell:", cluster.version()?);
    println!("  export KUBECONFIG={}", cluster.kubectl().config().display());
    println!("  kubectl apply -f examples/01-traces-direct.yaml");
    println!("It ends with this command: Ctrl-D, or Ctrl-C.");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

//! etcd and kube-apiserver on loopback.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::client::Client;
use crate::kubectl::Kubectl;
use crate::process::{Process, variable};

/// Services get their addresses here: on loopback, so that a local process can listen at one.
const SERVICES: &str = "127.10.0.0/16";

/// How long the API server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// A port may be taken by somebody else between its choice and its use.
const ATTEMPTS: usize = 3;

/// A running control plane; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    // The API server first: fields are dropped in order.
    _apiserver: Process,
    _etcd: Process,
}

/// The folder with `etcd` and `kube-apiserver`: that of `KUBEBUILDER_ASSETS`, as setup-envtest names it, or where
/// `make cluster-test` has built them.
///
/// # Errors
/// Where one is missing. The text says what to do.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let folder = variable("KUBEBUILDER_ASSETS").unwrap_or_else(|| e2e::root().join("target/cluster/bin"));
    for program in ["etcd", "kube-apiserver"] {
        if !folder.join(program).is_file() {
            bail!("{program} is not in {}: run `make cluster-test`, or set KUBEBUILDER_ASSETS", folder.display());
        }
    }
    Ok(folder)
}

impl ControlPlane {
    /// A new folder below `target/cluster` for what a cluster writes.
    pub(crate) fn folder() -> anyhow::Result<TempDir> {
        let parent = e2e::root().join("target/cluster");
        std::fs::create_dir_all(&parent)?;
        Ok(tempfile::Builder::new().prefix("run-").tempdir_in(parent)?)
    }

    /// Starts one, with its data in a folder; who may do everything there is an administrator.
    ///
    /// # Errors
    /// Where a program does not start, or is not ready in time.
    pub(crate) fn start(authority: &Authority, folder: &Path) -> anyhow::Result<(Self, Client, Kubectl)> {
        let binaries = binaries()?;
        let mut last = None;
        for attempt in 1..=ATTEMPTS {
            let path = folder.join(format!("attempt-{attempt}"));
            std::fs::create_dir(&path)?;
            match Self::attempt(&binaries, &path, authority) {
                Ok(started) => return Ok(started),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no attempt")?)
    }

    fn attempt(binaries: &Path, path: &Path, authority: &Authority) -> anyhow::Result<(Self, Client, Kubectl)> {
        let [client_port, peer_port, port] = free_ports()?;
        let etcd_url = format!("http://127.0.0.1:{client_port}");
        let arguments = etcd_arguments(path, &etcd_url, peer_port);
        let mut etcd = Process::start(&binaries.join("etcd"), &arguments, &path.join("etcd.log"))?;
        let token = token();
        let arguments = apiserver_arguments(path, &etcd_url, port, &token, authority)?;
        let log = path.join("kube-apiserver.log");
        let mut apiserver = Process::start(&binaries.join("kube-apiserver"), &arguments, &log)?;
        let url = format!("https://127.0.0.1:{port}");
        let client = Client::new(url.clone(), &authority.pem, token.clone())?;
        wait_until_ready(&client, &mut etcd, &mut apiserver)?;
        let kubectl = Kubectl::new(path, &url, &authority.pem, &token)?;
        Ok((Self { _apiserver: apiserver, _etcd: etcd }, client, kubectl))
    }
}

fn etcd_arguments(path: &Path, url: &str, peer_port: u16) -> Vec<String> {
    let peer_url = format!("http://127.0.0.1:{peer_port}");
    vec![
        format!("--data-dir={}", path.join("etcd").display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls={peer_url}"),
        format!("--initial-advertise-peer-urls={peer_url}"),
        format!("--initial-cluster=default={peer_url}"),
        // The data are of no use after the run.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn apiserver_arguments(
    path: &Path,
    etcd: &str,
    port: u16,
    token: &str,
    authority: &Authority,
) -> anyhow::Result<Vec<String>> {
    let tokens = path.join("tokens.csv");
    std::fs::write(&tokens, format!("{token},admin,admin,system:masters\n"))?;
    let identity = authority.sign(&["localhost", "127.0.0.1"], path)?;
    let accounts = authority.sign(&["service-accounts"], path)?;
    Ok(vec![
        format!("--etcd-servers={etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", identity.certificate.display()),
        format!("--tls-private-key-file={}", identity.key.display()),
        format!("--cert-dir={}", path.display()),
        format!("--service-account-key-file={}", accounts.certificate.display()),
        format!("--service-account-signing-key-file={}", accounts.key.display()),
        "--service-account-issuer=https://localhost".to_owned(),
        format!("--token-auth-file={}", tokens.display()),
        "--authorization-mode=RBAC".to_owned(),
        // There is no controller that would make service accounts.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        format!("--service-cluster-ip-range={SERVICES}"),
    ])
}

fn wait_until_ready(client: &Client, etcd: &mut Process, apiserver: &mut Process) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        for (name, process) in [("etcd", &mut *etcd), ("kube-apiserver", &mut *apiserver)] {
            if let Some(ended) = process.ended()? {
                bail!("{name} {ended}");
            }
        }
        // Until it listens, nothing answers.
        if client.send("GET", "/readyz", None).is_ok_and(|answer| answer.is_success()) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            bail!("kube-apiserver is not ready after {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Ports that nobody listens at, all different.
pub(crate) fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    // All are held until all are known.
    let listeners: Vec<TcpListener> = (0..N).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// A word that nobody guesses: only who can read this process's files gets at its API server.
fn token() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}

//! etcd and kube-apiserver on loopback.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::client::Client;
use crate::kubectl::Kubectl;
use crate::process::Process;

/// Services get their addresses here: on loopback, so that a local process can listen at one.
const SERVICES: &str = "127.10.0.0/16";

/// How long the API server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(120);

/// A port may be taken by somebody else between its choice and its use.
const ATTEMPTS: usize = 3;

/// A running control plane; it ends when this is dropped. Its data go with it.
#[derive(Debug)]
pub struct ControlPlane {
    // The API server first: fields are dropped in order.
    _apiserver: Process,
    _etcd: Process,
    /// An administrator's client.
    pub client: Client,
    /// `kubectl` as administrator.
    pub kubectl: Kubectl,
    /// Removed with it.
    pub(crate) folder: TempDir,
}

/// The folder with `etcd` and `kube-apiserver`: that of `KUBEBUILDER_ASSETS`, as setup-envtest names it, or where
/// `make cluster-test` has built them.
///
/// # Errors
/// Where one is missing. The text says what to do.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| e2e::root().join("target/cluster/bin"));
    for program in ["etcd", "kube-apiserver"] {
        if !folder.join(program).is_file() {
            bail!("{program} is not in {}: run `make cluster-test`, or set KUBEBUILDER_ASSETS", folder.display());
        }
    }
    Ok(folder)
}

impl ControlPlane {
    /// Starts one, with its data in a folder of its own below `target/cluster`.
    ///
    /// # Errors
    /// Where a program does not start, or is not ready in time.
    pub(crate) fn start(authority: &Authority) -> anyhow::Result<Self> {
        let binaries = binaries()?;
        std::fs::create_dir_all(e2e::root().join("target/cluster"))?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let folder = tempfile::Builder::new().prefix("run-").tempdir_in(e2e::root().join("target/cluster"))?;
            match Self::attempt(&binaries, folder, authority) {
                Ok(started) => return Ok(started),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no attempt")?)
    }

    fn attempt(binaries: &Path, folder: TempDir, authority: &Authority) -> anyhow::Result<Self> {
        let path = folder.path();
        let [client_port, peer_port, port] = free_ports()?;
        let etcd_url = format!("http://127.0.0.1:{client_port}");
        let peer_url = format!("http://127.0.0.1:{peer_port}");
        let etcd = [
            format!("--data-dir={}", path.join("etcd").display()),
            format!("--listen-client-urls={etcd_url}"),
            format!("--advertise-client-urls={etcd_url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        let mut etcd = Process::start(&binaries.join("etcd"), &etcd, &path.join("etcd.log"))?;

        let token = token();
        let tokens = path.join("tokens.csv");
        std::fs::write(&tokens, format!("{token},admin,admin,system:masters\n"))?;
        let identity = authority.sign(&["localhost", "127.0.0.1"], path)?;
        let accounts = authority.sign(&["service-accounts"], path)?;
        let apiserver = [
            format!("--etcd-servers={etcd_url}"),
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
        ];
        let log = path.join("kube-apiserver.log");
        let mut apiserver = Process::start(&binaries.join("kube-apiserver"), &apiserver, &log)?;

        let url = format!("https://127.0.0.1:{port}");
        let client = Client::new(url.clone(), &authority.pem, token.clone())?;
        wait_until_ready(&client, &mut etcd, &mut apiserver)?;
        let kubectl = Kubectl::new(path, &url, &authority.pem, &token)?;
        Ok(Self { _apiserver: apiserver, _etcd: etcd, client, kubectl, folder })
    }

    /// The version of Kubernetes, for example `v1.36.3`.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub fn version(&self) -> anyhow::Result<String> {
        let version = self.client.get("/version")?;
        Ok(version.get("gitVersion").and_then(|version| version.as_str()).unwrap_or_default().to_owned())
    }
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

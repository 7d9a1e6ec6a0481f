//! What answers for the policies: the server of these tests, or the real policy-server that `POLICY_SERVER` names.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use kyma_dynatrace_engine::Policy;
use serde_json::{Map, Value, json};

use crate::certificates::Identity;
use crate::lookups::{self, Account};
use crate::process::{Process, variable};
use crate::review::Served;
use crate::server::{Answers, Server};
use crate::webhooks::unique_name;

/// How long a policy-server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct PolicyServer {
    /// The program, where a real one is named.
    program: Option<PathBuf>,
    address: SocketAddr,
    identity: Identity,
    folder: PathBuf,
    policies: Vec<Value>,
    /// With whose rights policies look into the cluster.
    account: Option<Account>,
    running: Option<Running>,
}

enum Running {
    Ours(#[expect(dead_code, reason = "serves until it is dropped")] Server),
    Real(#[expect(dead_code, reason = "serves until it is dropped")] Process),
}

impl PolicyServer {
    /// One that serves no policy yet.
    pub(crate) fn new(address: SocketAddr, identity: Identity, folder: &Path) -> Self {
        let program = variable("POLICY_SERVER");
        Self {
            program,
            address,
            identity,
            folder: folder.to_owned(),
            policies: Vec::new(),
            account: None,
            running: None,
        }
    }

    /// Whether it is a real one, which has to start again for other policies.
    pub(crate) fn is_real(&self) -> bool {
        self.program.is_some()
    }

    /// Serves these ClusterAdmissionPolicies, with their mode, settings and `mutating`.
    pub(crate) fn serve(&mut self, policies: &[Value], answers: &Answers) -> anyhow::Result<()> {
        if !self.is_real() {
            let account = self.account.as_ref();
            let served = policies.iter().map(|policy| Ok((unique_name(policy), served(policy, account)?)));
            answers.lock().policies = served.collect::<anyhow::Result<_>>()?;
        }
        if self.policies != policies && self.is_real() {
            self.running = None;
        }
        policies.clone_into(&mut self.policies);
        if self.running.is_none() {
            self.running = Some(self.start(answers)?);
        }
        Ok(())
    }

    /// Policies look into the cluster with the rights of this account from now on.
    pub(crate) fn look_up_as(&mut self, account: Account) {
        self.account = Some(account);
        // A real one starts again with it, and ours serves its policies again.
        self.policies.clear();
        self.running = None;
    }

    /// Nobody listens any more.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    fn start(&self, answers: &Answers) -> anyhow::Result<Running> {
        let Some(program) = &self.program else {
            return Ok(Running::Ours(Server::start(self.address, &self.identity, answers.clone())?));
        };
        let [readiness] = crate::control_plane::free_ports()?;
        let file = self.folder.join("policies.yml");
        std::fs::write(&file, configuration(&self.policies).to_string())?;
        let arguments = [
            format!("--policies={}", file.display()),
            format!("--addr={}", self.address.ip()),
            format!("--port={}", self.address.port()),
            format!("--readiness-probe-port={readiness}"),
            format!("--cert-file={}", self.identity.certificate.display()),
            format!("--key-file={}", self.identity.key.display()),
            format!("--policies-download-dir={}", self.folder.join("policies").display()),
            format!("--sigstore-cache-dir={}", self.folder.join("sigstore").display()),
            "--ignore-kubernetes-connection-failure".to_owned(),
        ];
        let log = self.folder.join("policy-server.log");
        let mut process = match &self.account {
            Some(account) => {
                let config = format!("KUBECONFIG={}", account.config.display());
                let command = [vec![config, program.display().to_string()], arguments.to_vec()].concat();
                Process::start(Path::new("env"), &command, &log)?
            }
            None => Process::start(program, &arguments, &log)?,
        };
        let start = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            if let Some(ended) = process.ended()? {
                bail!("{} {ended}", program.display());
            }
            if start.elapsed() > PATIENCE {
                bail!("{} does not listen after {} s", program.display(), PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Running::Real(process))
    }
}

fn served(policy: &Value, account: Option<&Account>) -> anyhow::Result<Served> {
    let answerer = lookups::answerer(policy, account);
    let spec = policy.get("spec").cloned().unwrap_or_default();
    let settings = spec.get("settings").cloned().unwrap_or(json!({}));
    let is_mutating = spec.get("mutating") == Some(&Value::Bool(true));
    let is_monitoring = spec.get("mode").is_some_and(|mode| mode == "monitor");
    let policy = Policy::new(e2e::module(), settings, is_mutating).context("settings")?.answered_by(answerer);
    Ok(Served { policy: Arc::new(policy), is_monitoring })
}

/// The file that the Kubewarden controller writes for policy-server.
fn configuration(policies: &[Value]) -> Value {
    let module = format!("file://{}", e2e::root().join("annotated-policy.wasm").display());
    let entry = |policy: &Value| {
        let field = |name: &str, default: Value| policy.pointer(&format!("/spec/{name}")).cloned().unwrap_or(default);
        json!({"module": module, "policyMode": field("mode", "protect".into()),
            "allowedToMutate": field("mutating", false.into()), "settings": field("settings", json!({})),
            "contextAwareResources": field("contextAwareResources", json!([])), "hostCapabilities": ["*"]})
    };
    policies.iter().map(|policy| (unique_name(policy), entry(policy))).collect::<Map<_, _>>().into()
}

//! A cluster with the pipelines' kinds, the Telemetry module's webhooks, and policies in front of them: a control plane of
//! our own with webhooks of our own, or one that is there, with Kubewarden and the Telemetry module in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::client::Client;
use crate::control_plane::ControlPlane;
use crate::kubectl::Kubectl;
use crate::lookups::Account;
use crate::policy_server::PolicyServer;
use crate::process::variable;
use crate::server::{Answers, Server};
use crate::webhooks::{self, KUBEWARDEN, KYMA, POLICY_SERVICE, Service, TELEMETRY_SERVICE};

/// Addresses of services, in the range that the API server gives out.
const POLICY_ADDRESS: &str = "127.10.0.10";
const TELEMETRY_ADDRESS: &str = "127.10.0.11";

/// How long a change of webhooks may take until the API server goes by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster that is ready for pipelines.
pub struct Cluster {
    // What ends first comes first.
    own: Option<Own>,
    client: Client,
    kubectl: Kubectl,
    folder: TempDir,
    deployed: Vec<Value>,
    definitions: Vec<Value>,
}

/// What runs only for us, and answers as we like.
struct Own {
    _plane: ControlPlane,
    authority: Authority,
    answers: Answers,
    policy_server: PolicyServer,
    policy_port: u16,
    telemetry: Server,
}

impl Own {
    fn service<'a>(&'a self, namespace: &'a str, name: &'a str, port: u16) -> Service<'a> {
        Service { namespace, name, port, authority: &self.authority.pem }
    }
}

impl Cluster {
    /// Takes the cluster of the kubeconfig that `CLUSTER` names, or starts one with the CustomResourceDefinitions that
    /// `CRDS` names, or those beside the project; `None`, said loudly, where there are none.
    ///
    /// # Errors
    /// Where something does not start, or a definition is not taken.
    pub fn start() -> anyhow::Result<Option<Self>> {
        if let Some(config) = variable("CLUSTER") {
            return Self::given(&config).map(Some);
        }
        let folder = variable("CRDS").or_else(|| Some(e2e::shared()?.join("crds")));
        folder.map(|folder| Self::start_with(&folder)).transpose()
    }

    /// Whether one can be started or taken; if not, that is said loudly.
    #[must_use]
    pub fn is_possible() -> bool {
        Self::is_given() || variable("CRDS").is_some() || e2e::shared().is_some()
    }

    /// Whether there is a cluster in `CLUSTER`, so that none is started.
    #[must_use]
    pub fn is_given() -> bool {
        variable("CLUSTER").is_some()
    }

    fn given(config: &Path) -> anyhow::Result<Self> {
        let folder = ControlPlane::folder()?;
        let kubectl = Kubectl::with_config(config, folder.path());
        let client = kubectl.client()?;
        let list = kubectl.get(&["crd"])?;
        let definitions = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Self { own: None, client, kubectl, folder, deployed: Vec::new(), definitions })
    }

    /// Starts one with the CustomResourceDefinitions in a folder; of two for one kind the last by file name counts.
    ///
    /// # Errors
    /// Where something does not start, or a definition is not taken.
    pub fn start_with(definitions: &Path) -> anyhow::Result<Self> {
        let definitions = read_definitions(definitions)?;
        let authority = Authority::new()?;
        let folder = ControlPlane::folder()?;
        let path = folder.path();
        let (plane, client, kubectl) = ControlPlane::start(&authority, path)?;
        let answers = Answers::default();
        // For the API server, which asks for the service's name, and for these tests, which ask for the address.
        let sign = |service: &str, namespace: &str, address: &str| {
            authority.sign(&[&format!("{service}.{namespace}.svc"), address], path)
        };
        let telemetry = sign(TELEMETRY_SERVICE, KYMA, TELEMETRY_ADDRESS)?;
        let telemetry = Server::start(address(TELEMETRY_ADDRESS, 0)?, &telemetry, answers.clone())?;
        let identity = sign(POLICY_SERVICE, KUBEWARDEN, POLICY_ADDRESS)?;
        // Chosen once: the service keeps it while the server behind it comes and goes.
        let policy_port = std::net::TcpListener::bind(address(POLICY_ADDRESS, 0)?)?.local_addr()?.port();
        let policy_server = PolicyServer::new(address(POLICY_ADDRESS, policy_port)?, identity, path);
        let own = Own { _plane: plane, authority, answers, policy_server, policy_port, telemetry };
        let cluster = Self { own: Some(own), client, kubectl, folder, deployed: Vec::new(), definitions };
        cluster.prepare()?;
        Ok(cluster)
    }

    fn own(&self) -> anyhow::Result<&Own> {
        self.own.as_ref().context("this needs a cluster of its own")
    }

    /// Namespaces, services, definitions and the Telemetry module's webhooks.
    fn prepare(&self) -> anyhow::Result<()> {
        let own = self.own()?;
        let mut objects: Vec<Value> = [KUBEWARDEN, KYMA, "istio-system"]
            .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
            .into();
        let telemetry_port = own.telemetry.address().port();
        for (namespace, name, address, port) in [
            (KUBEWARDEN, POLICY_SERVICE, POLICY_ADDRESS, own.policy_port),
            (KYMA, TELEMETRY_SERVICE, TELEMETRY_ADDRESS, telemetry_port),
        ] {
            objects.push(
                json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                "spec": {"clusterIP": address, "ports": [{"port": port}]}}),
            );
        }
        let service = own.service(KYMA, TELEMETRY_SERVICE, telemetry_port);
        for mut definition in self.definitions.iter().cloned() {
            let name = definition.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(spec) = definition.get_mut("spec").and_then(Value::as_object_mut) {
                // Nobody else's conversion runs here.
                spec.remove("conversion");
                if ["metricpipelines", "logpipelines"].iter().any(|kind| name.starts_with(kind)) {
                    spec.insert("conversion".to_owned(), webhooks::conversion(&service));
                }
            }
            objects.push(definition);
        }
        objects.push(webhooks::of_telemetry(&service));
        self.apply(&objects)?;
        self.kubectl().must(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], "")?;
        self.await_webhooks(&BTreeSet::new())
    }

    /// Applies objects server-side.
    fn apply(&self, objects: &[Value]) -> anyhow::Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.kubectl().must(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &list.to_string())?;
        Ok(())
    }

    /// The server's administrator.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `kubectl` as administrator.
    #[must_use]
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// The version of Kubernetes, for example `v1.36.3`.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub fn version(&self) -> anyhow::Result<String> {
        Ok(text(&self.client.get("/version")?, "/gitVersion"))
    }

    /// The CustomResourceDefinitions, as they were found.
    #[must_use]
    pub fn definitions(&self) -> &[Value] {
        &self.definitions
    }

    /// Where a run may write.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether the real policy-server answers.
    #[must_use]
    pub fn has_real_policy_server(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.policy_server.is_real())
    }

    /// Lets policies look into the cluster with the rights of a service account.
    ///
    /// # Errors
    /// Where there is no such account, or somebody else's policy server.
    pub fn look_up_as(&mut self, namespace: &str, name: &str) -> anyhow::Result<()> {
        let client = self.kubectl.client_of(namespace, name)?;
        let config = self.folder.path().join("policy-server.kubeconfig");
        self.kubectl.config_of(namespace, name, &config)?;
        let own = self.own.as_mut().context("this needs a cluster of its own")?;
        own.policy_server.look_up_as(Account { client, config });
        Ok(())
    }

    /// Deploys these policies in the place of those before, and waits until the API server goes by them.
    ///
    /// # Errors
    /// Where settings are not accepted, or the API server does not take the webhooks.
    pub fn deploy(&mut self, policies: &[Value]) -> anyhow::Result<()> {
        let Some(own) = &mut self.own else { return self.hand_over(policies) };
        own.policy_server.serve(policies, &own.answers)?;
        let service = own.service(KUBEWARDEN, POLICY_SERVICE, own.policy_port);
        let configurations: Vec<Value> = policies.iter().map(|policy| webhooks::of_policy(policy, &service)).collect();
        if configurations == self.deployed {
            return Ok(());
        }
        self.configure(configurations)
    }

    /// Hands policies to Kubewarden's controller, with the module that `POLICY_MODULE` names, and waits until it has
    /// deployed them.
    fn hand_over(&mut self, policies: &[Value]) -> anyhow::Result<()> {
        if policies == self.deployed {
            return Ok(());
        }
        let name = |policy: &Value| text(policy, "/metadata/name");
        for old in self.deployed.iter().filter(|old| !policies.iter().any(|policy| name(policy) == name(old))) {
            self.kubectl.must(&["delete", "clusteradmissionpolicy", &name(old), "--wait"], "")?;
        }
        let module = variable("POLICY_MODULE").context("POLICY_MODULE names the module that Kubewarden loads")?;
        let mut handed = policies.to_owned();
        for spec in handed.iter_mut().filter_map(|policy| policy.pointer_mut("/spec")?.as_object_mut()) {
            spec.insert("module".to_owned(), module.to_string_lossy().into());
        }
        if !handed.is_empty() {
            self.apply(&handed)?;
        }
        policies.clone_into(&mut self.deployed);
        // The controller writes the policy server's configuration, and restarts it; then it makes the webhook.
        let server = format!("deployment/{POLICY_SERVICE}");
        for policy in policies {
            let policy = format!("clusteradmissionpolicy/{}", name(policy));
            for condition in ["PolicyServerConfigurationUpToDate", "PolicyUniquelyReachable", "PolicyActive"] {
                self.kubectl.must(&["wait", &policy, &format!("--for=condition={condition}"), "--timeout=300s"], "")?;
            }
            self.kubectl.must(&["rollout", "status", &server, "-n", KUBEWARDEN, "--timeout=300s"], "")?;
        }
        self.await_webhooks(&policies.iter().map(webhooks::webhook_name).collect())
    }

    /// Puts webhook configurations in the place of those before.
    ///
    /// # Errors
    /// Where the API server does not take them.
    pub fn configure(&mut self, configurations: Vec<Value>) -> anyhow::Result<()> {
        for old in self.deployed.iter().filter(|old| !configurations.contains(old)) {
            let (kind, name) = (text(old, "/kind"), text(old, "/metadata/name"));
            self.kubectl().must(&["delete", &kind, &name], "")?;
        }
        if !configurations.is_empty() {
            self.apply(&configurations)?;
        }
        self.deployed = configurations;
        let names = self.deployed.iter().map(|webhook| text(webhook, "/webhooks/0/name")).collect();
        self.await_webhooks(&names)
    }

    /// The webhook configurations of the policies, as they were sent.
    #[must_use]
    pub fn configurations(&self) -> Vec<Value> {
        self.deployed.clone()
    }

    /// Ends what answers for the policies; their webhooks stay.
    pub fn stop_policy_server(&mut self) {
        if let Some(own) = &mut self.own {
            own.policy_server.stop();
        }
    }

    /// What the webhooks were asked since this was last called: path and request. A real policy-server is not listened to.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.own.as_ref().map(|own| std::mem::take(&mut own.answers.lock().calls)).unwrap_or_default()
    }

    /// Makes the Telemetry module's webhook do something more than it should, or nothing more again.
    ///
    /// # Errors
    /// Where the fault is no JSON patch.
    pub fn break_module(&self, fault: Option<Value>) -> anyhow::Result<()> {
        self.own()?.answers.lock().fault = fault.map(serde_json::from_value).transpose()?;
        Ok(())
    }

    /// Sends pipelines until exactly these webhooks of policies are called for them.
    fn await_webhooks(&self, expected: &BTreeSet<String>) -> anyhow::Result<()> {
        let probe = json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline",
            "metadata": {"name": "probe"}, "spec": {"output": {"otlp": {"endpoint": {"value": "http://elsewhere:4317"}}}}});
        let start = Instant::now();
        loop {
            let before = self.counts()?;
            self.create(&probe)?;
            let after = self.counts()?;
            let rose = |name: &&String| after.get(*name) > before.get(*name);
            let called: BTreeSet<String> = after.keys().filter(rose).cloned().collect();
            let (of_policies, others): (BTreeSet<String>, BTreeSet<String>) =
                called.into_iter().partition(|name| name.ends_with(".kubewarden.admission"));
            if of_policies == *expected && !others.is_empty() {
                drop(self.calls());
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("the API server calls {of_policies:?} and {others:?}, expected {expected:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How often the API server has called each webhook, by its own account.
    fn counts(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let metrics = self.client().text("/metrics")?;
        let mut counts = BTreeMap::new();
        for line in metrics.lines().filter(|line| line.starts_with("apiserver_admission_webhook_request_total{")) {
            let name = line.split("name=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            let count: f64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
            // Counters of requests are whole numbers far below 2^53.
            *counts.entry(name.to_owned()).or_default() += count as u64;
        }
        Ok(counts)
    }

    /// Sends a body to the policy server as the API server would send a review.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub fn ask_policy_server(&self, policy: &str, body: &str) -> anyhow::Result<crate::Answer> {
        let own = self.own()?;
        let url = format!("https://{POLICY_ADDRESS}:{}", own.policy_port);
        Client::new(url, &own.authority.pem, String::new())?.send_text("POST", &format!("/validate/{policy}"), body)
    }

    /// Creates a pipeline as a dry run, strictly, as kubectl does: the answer has what would be stored, or why not.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub fn create(&self, object: &Value) -> anyhow::Result<crate::Answer> {
        let path = format!("{}?dryRun=All&fieldValidation=Strict", collection(object));
        self.client().send("POST", &path, Some(object))
    }
}

/// The path of an object's collection, for cluster-scoped objects of a group.
fn collection(object: &Value) -> String {
    format!("/apis/{}/{}s", text(object, "/apiVersion"), text(object, "/kind").to_lowercase())
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn address(ip: &str, port: u16) -> anyhow::Result<SocketAddr> {
    Ok(SocketAddr::new(ip.parse()?, port))
}

/// The definitions in a folder.
fn read_definitions(folder: &Path) -> anyhow::Result<Vec<Value>> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let mut definitions = BTreeMap::new();
    for file in files {
        let yaml = std::fs::read_to_string(&file)?;
        let definition: Value = yaml_serde::from_str(&yaml).with_context(|| file.display().to_string())?;
        definitions.insert(text(&definition, "/metadata/name"), definition);
    }
    ensure!(!definitions.is_empty(), "no CustomResourceDefinition in {}", folder.display());
    Ok(definitions.into_values().collect())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}

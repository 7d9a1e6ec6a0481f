//! Real `kubectl`, with a configuration and a cache of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::Client;

/// The account of these tests in a cluster that is there.
const ADMINISTRATOR: &str = "kyma-dynatrace-cluster-test";

/// `kubectl` for one API server.
#[derive(Debug, Clone)]
pub struct Kubectl {
    config: PathBuf,
    home: PathBuf,
}

/// What `kubectl` printed, and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Output {
    /// The lines of standard error that are warnings, without `Warning: `.
    #[must_use]
    pub fn warnings(&self) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix("Warning: ")).collect()
    }
}

impl Kubectl {
    pub(crate) fn new(folder: &Path, server: &str, authority: &str, token: &str) -> anyhow::Result<Self> {
        let authority_file = folder.join("authority.pem");
        std::fs::write(&authority_file, authority)?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority": authority_file}}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        });
        let path = folder.join("kubeconfig.json");
        std::fs::write(&path, config.to_string())?;
        Ok(Self { config: path, home: folder.to_owned() })
    }

    /// With a configuration that is there.
    pub(crate) fn with_config(config: &Path, home: &Path) -> Self {
        Self { config: config.to_owned(), home: home.to_owned() }
    }

    /// A client for the same server, as an administrator of its own.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let names = ["create", "--dry-run=client", "-o", "json"];
        let account = self.must(&[&names[..], &["serviceaccount", ADMINISTRATOR, "-n", "default"]].concat(), "")?;
        self.must(&["apply", "-f", "-"], &account.stdout)?;
        let subject = format!("--serviceaccount=default:{ADMINISTRATOR}");
        let role = ["clusterrolebinding", ADMINISTRATOR, "--clusterrole=cluster-admin", &subject];
        let binding = self.must(&[&names[..], &role].concat(), "")?;
        self.must(&["apply", "-f", "-"], &binding.stdout)?;
        self.client_of("default", ADMINISTRATOR)
    }

    /// A client for the same server, as a service account.
    pub(crate) fn client_of(&self, namespace: &str, account: &str) -> anyhow::Result<Client> {
        let token = self.token(namespace, account)?;
        let config = self.must(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"], "")?;
        let config: Value = serde_json::from_str(&config.stdout)?;
        let cluster = |field: &str| config.pointer(&format!("/clusters/0/cluster/{field}")).and_then(Value::as_str);
        let url = cluster("server").context("the kubeconfig has no server")?;
        let authority = STANDARD.decode(cluster("certificate-authority-data").context("it has no authority")?)?;
        Client::new(url.to_owned(), &String::from_utf8(authority)?, token)
    }

    /// A kubeconfig for a service account, in this file.
    pub(crate) fn config_of(&self, namespace: &str, account: &str, file: &Path) -> anyhow::Result<()> {
        let token = self.token(namespace, account)?;
        let config = self.must(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"], "")?;
        let mut config: Value = serde_json::from_str(&config.stdout)?;
        *config.pointer_mut("/users/0/user").context("the kubeconfig has no user")? = json!({"token": token});
        std::fs::write(file, config.to_string())?;
        Ok(())
    }

    fn token(&self, namespace: &str, account: &str) -> anyhow::Result<String> {
        let token = self.must(&["create", "token", account, "-n", namespace, "--duration=24h"], "")?;
        Ok(token.stdout.trim().to_owned())
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Runs it.
    ///
    /// # Errors
    /// Where it cannot be run; not where it fails.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.pipe(arguments, "")
    }

    /// Runs it with something on standard input.
    ///
    /// # Errors
    /// Where it cannot be run; not where it fails.
    pub fn pipe(&self, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl cannot be run")?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may end before it has read all, which its exit code tells.
            let _ = stdin.write_all(input.as_bytes());
        }
        Ok(child.wait_with_output()?.into())
    }

    /// Runs it where it has to succeed.
    ///
    /// # Errors
    /// Where it does not.
    pub fn must(&self, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
        let output = self.pipe(arguments, input)?;
        anyhow::ensure!(output.code == 0, "kubectl {}: {}{}", arguments.join(" "), output.stdout, output.stderr);
        Ok(output)
    }

    /// An object as stored, of `kubectl get <arguments> -o json`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn get(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.must(&[&["get", "-o", "json"], arguments].concat(), "")?;
        Ok(serde_json::from_str(&output.stdout)?)
    }

    /// A command that talks to the server as administrator, without an argument yet.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new("kubectl");
        // Its cache and preferences are below HOME.
        command.env("KUBECONFIG", &self.config).env("HOME", &self.home);
        command
    }
}

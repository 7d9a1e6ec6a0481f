//! Lookups of the policies, as policy-server makes them: with the rights of a service account, as far as the policy's
//! `contextAwareResources` allow it, and told in policy-server's words.

use std::path::PathBuf;
use std::sync::Arc;

use kyma_dynatrace_admission::{Answerer, HostCall, NO_RESOURCE};
use serde_json::{Value, json};

use crate::client::Client;

/// A service account with which policies look.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Sends requests as this account.
    pub(crate) client: Client,
    /// The same for a program: a kubeconfig.
    pub(crate) config: PathBuf,
}

/// Who answers this policy's lookups.
pub(crate) fn answerer(policy: &Value, account: Option<&Account>) -> Answerer {
    let resources = policy.pointer("/spec/contextAwareResources").and_then(Value::as_array);
    let is_granted = resources.is_some_and(|list| list.contains(&json!({"apiVersion": "v1", "kind": "Secret"})));
    let client = account.map(|account| account.client.clone());
    Arc::new(move |call| match &client {
        _ if !is_granted => Err(NO_RESOURCE.to_owned()),
        None => Err("Callback evaluation failure: kube::Client was not initialized properly".to_owned()),
        Some(client) => get(client, call).map_err(|text| format!("Callback evaluation failure: {text}")),
    })
}

fn get(client: &Client, call: &HostCall<'_>) -> Result<Vec<u8>, String> {
    let request: Value = serde_json::from_slice(call.payload).map_err(|error| error.to_string())?;
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (text("namespace"), text("name"));
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    let answer = client.send("GET", &path, None).map_err(|error| error.to_string())?;
    match answer.code {
        200 => Ok(answer.body.to_string().into_bytes()),
        404 => Err(format!("Cannot find v1/Secret named '{name}' inside of namespace 'Some(\"{namespace}\")'")),
        code => {
            let message = answer.message();
            Err(format!(
                "ApiError: {message}: (Status {{ status: Some(Failure), code: {code}, message: {message:?} }})"
            ))
        }
    }
}

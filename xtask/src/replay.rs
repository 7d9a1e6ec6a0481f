//! Recordings of host calls, replayed as kwctl replays them: one after the other, and each only for the request that was
//! recorded.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use kyma_dynatrace_admission::{Answerer, HostCall, NO_CAPABILITY, NO_RESOURCE};
use serde::Deserialize;

/// What a user of kwctl allows a policy to ask.
pub(crate) struct Allowed {
    /// Whether it may read what its metadata lists.
    pub(crate) is_context_aware: bool,
    /// The host capabilities, with `*` as the last part.
    pub(crate) capabilities: Vec<String>,
}

/// A recorded host call.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type")]
enum Recorded {
    Exchange { request: String, response: Response },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type")]
enum Response {
    Success { payload: String },
    Error { message: String },
}

/// The requests that are recorded for this policy.
#[derive(Debug, PartialEq, Eq, Deserialize)]
enum Request {
    KubernetesGetResource(GetResource),
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct GetResource {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
    disable_cache: bool,
    field_masks: Option<BTreeSet<String>>,
}

/// The exchanges that are left.
#[derive(Clone, Default)]
pub(crate) struct Replay(Arc<Mutex<VecDeque<Recorded>>>);

impl Replay {
    /// Reads a recording.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok(Self(Arc::new(Mutex::new(yaml_serde::from_str(&text)?))))
    }

    /// Whether some have not been replayed.
    pub(crate) fn is_left(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Somebody who answers with what was recorded, as far as it is allowed.
    pub(crate) fn answerer(&self, allowed: Allowed) -> Answerer {
        let replay = self.clone();
        Arc::new(move |call| {
            if !allowed.grants(call) {
                return Err(NO_CAPABILITY.to_owned());
            }
            if !allowed.is_context_aware {
                return Err(NO_RESOURCE.to_owned());
            }
            replay.next(call).map_err(|text| format!("Callback evaluation failure: {text}"))
        })
    }

    fn next(&self, call: &HostCall<'_>) -> Result<Vec<u8>, String> {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(Recorded::Exchange { request, response }) = next else {
            return Err("Replay error: the list of recorded responses is empty".to_owned());
        };
        let expected: Option<Request> = yaml_serde::from_str(&request).ok();
        let got = serde_json::from_slice(call.payload).ok().map(Request::KubernetesGetResource);
        if expected.is_none() || expected != got {
            return Err(format!("Replay error: unexpected request. Was expecting {expected:?}, got {got:?} instead"));
        }
        match response {
            Response::Success { payload } => Ok(payload.into_bytes()),
            Response::Error { message } => Err(message),
        }
    }
}

impl Allowed {
    fn grants(&self, call: &HostCall<'_>) -> bool {
        let name = [call.namespace, "/", call.operation].concat();
        self.capabilities.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => *pattern == name,
        })
    }
}

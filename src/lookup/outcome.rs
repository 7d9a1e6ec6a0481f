//! What came of a lookup.

use super::value::Value;

/// What came of looking at one Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is there, with those of the keys that were asked for.
    Found(Vec<(String, Value)>),
    /// There is no such Secret.
    Missing,
    /// Kubewarden or the cluster does not allow the lookup.
    Refused(Refusal),
    /// Anything else: nobody knows what is there.
    Failed,
}

/// Who does not allow a lookup, and so what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Kubewarden: the policy's `contextAwareResources` do not list Secrets.
    Resource,
    /// Kubewarden: the policy server does not grant the host capability.
    Capability,
    /// The cluster: the policy server's service account has no right to get this Secret.
    Rights,
}

//! An admission request that can be decided upon.

use crate::pipeline::Object;

/// An admission request, as far as the policy looks at it.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// API group of the object, for example `telemetry.kyma-project.io`.
    pub group: &'a str,
    /// Kind of the object, for example `MetricPipeline`.
    pub kind: &'a str,
    /// Whether a subresource (`status`, `scale`) is written rather than the object.
    pub is_subresource: bool,
    /// The object as submitted; `None` where it is missing or no object.
    pub object: Option<&'a Object<'a>>,
    /// The object as it is stored, on UPDATE and DELETE.
    pub old_object: Option<&'a Object<'a>>,
}

/// The operation of an admission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A changed object.
    Update,
    /// DELETE or CONNECT: nothing is stored that could be wrong.
    Other,
}

//! A pipeline's object, as far as the policy reads it.

use serde::Deserialize;

use super::field::{Field, Members, Text};
use super::input::Inputs;
use super::output::Output;

/// The parts of an object that the policy reads. Wherever one has another shape, there is none: the schema check that
/// follows admission reports wrong types well, and the policy must only not stumble over them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Object<'a> {
    #[serde(borrow)]
    metadata: Field<Metadata<'a>>,
    #[serde(borrow)]
    spec: Field<Spec<'a>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    deletion_timestamp: Field<Text<'a>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Spec<'a> {
    input: Field<Inputs>,
    #[serde(borrow)]
    output: Field<Outputs<'a>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Outputs<'a> {
    #[serde(borrow)]
    otlp: Field<Output<'a>>,
}

impl Members for Object<'_> {}
impl Members for Metadata<'_> {}
impl Members for Spec<'_> {}
impl Members for Outputs<'_> {}

impl<'a> Object<'a> {
    /// Whether `metadata.deletionTimestamp` is set: the object is on its way out.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        let timestamp = self.metadata.value().and_then(|metadata| metadata.deletion_timestamp.value());
        timestamp.is_some_and(|timestamp| !timestamp.is_empty())
    }

    /// `spec.input`.
    #[must_use]
    pub fn inputs(&self) -> Option<&Inputs> {
        self.spec.value()?.input.value()
    }

    /// `spec.output.otlp`; `None` where there is no such output.
    #[must_use]
    pub fn output(&self) -> Option<&Output<'a>> {
        self.spec.value()?.output.value()?.otlp.value()
    }
}

//! The inputs of a MetricPipeline.

use serde::{Deserialize, Serialize};

use super::field::{Field, JsonType, Malformed, Members};

/// An input of a MetricPipeline that can be switched on and produces cumulative metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[allow(missing_docs, reason = "a description of its own would be another schema")]
pub enum Input {
    // `spec.input.istio`.
    Istio,
    // `spec.input.prometheus`.
    Prometheus,
    // `spec.input.runtime`.
    Runtime,
}

impl Input {
    /// All inputs, in the order in which messages name them.
    pub const ALL: [Self; 3] = [Self::Istio, Self::Prometheus, Self::Runtime];

    /// The field's name under `spec.input`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Istio => "istio",
            Self::Prometheus => "prometheus",
            Self::Runtime => "runtime",
        }
    }
}

/// `spec.input`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Inputs {
    istio: Field<Switch>,
    prometheus: Field<Switch>,
    runtime: Field<Switch>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Switch {
    enabled: Field<bool>,
}

impl Members for Inputs {}
impl Members for Switch {}

impl Inputs {
    fn switch(&self, input: Input) -> Option<&Switch> {
        match input {
            Input::Istio => self.istio.value(),
            Input::Prometheus => self.prometheus.value(),
            Input::Runtime => self.runtime.value(),
        }
    }

    /// Inputs that are there with `enabled: true`; `istio: {}` is off (`IsIstioInputEnabled` in the module).
    #[must_use]
    pub fn enabled(&self) -> Vec<Input> {
        let is_enabled = |input: &Input| self.switch(*input).is_some_and(|switch| switch.enabled == Field::Is(true));
        Input::ALL.into_iter().filter(is_enabled).collect()
    }

    /// Notes what is of the wrong type. Of the inputs that is `enabled` alone: the schema check has the rest.
    pub(super) fn note(&self, noted: &mut Vec<Malformed>) {
        for input in Input::ALL {
            if let Some(switch) = self.switch(input) {
                switch.enabled.note(JsonType::Boolean, || format!("spec.input.{}.enabled", input.name()), noted);
            }
        }
    }
}

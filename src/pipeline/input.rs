//! The inputs of a MetricPipeline.

use serde::{Deserialize, Serialize};

use super::field::{Field, JsonType, Malformed, Members};
use super::path::FieldPath;

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

/// The name of the OTLP input, which takes what applications push.
pub const OTLP_INPUT: &str = "otlp";

/// `spec.input`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Inputs {
    istio: Field<Switch>,
    prometheus: Field<Switch>,
    runtime: Field<Runtime>,
    otlp: Field<Otlp>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Switch {
    enabled: Field<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Runtime {
    enabled: Field<bool>,
    resources: Field<Resources>,
}

/// The resources that produce cumulative metrics, each on unless it is switched off. The others produce gauges
/// (Telemetry module, docs/user/collecting-metrics/runtime-metrics.md).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Resources {
    pod: Field<Switch>,
    container: Field<Switch>,
    node: Field<Switch>,
}

/// `otlp`, on unless it is switched off: by `enabled` in v1beta1, by `disabled` in v1alpha1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Otlp {
    enabled: Field<bool>,
    disabled: Field<bool>,
}

impl Members for Inputs {}
impl Members for Switch {}
impl Members for Runtime {}
impl Members for Resources {}
impl Members for Otlp {}

impl Inputs {
    /// `spec.input.<name>.enabled`.
    fn enabled_field(&self, input: Input) -> Option<&Field<bool>> {
        match input {
            Input::Istio => self.istio.value().map(|switch| &switch.enabled),
            Input::Prometheus => self.prometheus.value().map(|switch| &switch.enabled),
            Input::Runtime => self.runtime.value().map(|runtime| &runtime.enabled),
        }
    }

    /// What is on and produces cumulative metrics, each with the input that it belongs to. `istio: {}` is off
    /// (`IsIstioInputEnabled` in the module).
    #[must_use]
    pub fn cumulative(&self) -> Vec<(Input, &'static str)> {
        let is_on = |input: &Input| self.enabled_field(*input) == Some(&Field::Is(true));
        let on = Input::ALL.into_iter().filter(is_on);
        on.flat_map(|input| match input {
            Input::Runtime => self.runtime_sources(),
            Input::Istio | Input::Prometheus => vec![(input, input.name())],
        })
        .collect()
    }

    fn runtime_sources(&self) -> Vec<(Input, &'static str)> {
        let is_off = |switch: &Field<Switch>| switch.value().is_some_and(|switch| switch.enabled == Field::Is(false));
        let none = Resources::default();
        let Resources { pod, container, node } =
            self.runtime.value().and_then(|runtime| runtime.resources.value()).unwrap_or(&none);
        let sources = [("runtime.pod", pod), ("runtime.container", container), ("runtime.node", node)];
        sources.into_iter().filter(|(_, switch)| !is_off(switch)).map(|(name, _)| (Input::Runtime, name)).collect()
    }

    /// Whether the OTLP input is switched off, so that no application's metrics are taken.
    #[must_use]
    pub fn is_otlp_off(&self) -> bool {
        let is_off = |otlp: &Otlp| otlp.enabled == Field::Is(false) || otlp.disabled == Field::Is(true);
        self.otlp.value().is_some_and(is_off)
    }

    /// Notes what is of the wrong type. Of the inputs that is `enabled` alone: the schema check has the rest.
    pub(super) fn note(&self, noted: &mut Vec<Malformed>) {
        for input in Input::ALL {
            if let Some(enabled) = self.enabled_field(input) {
                enabled.note(
                    JsonType::Boolean,
                    || FieldPath::new("spec.input").join(input.name()).join("enabled"),
                    noted,
                );
            }
        }
    }
}

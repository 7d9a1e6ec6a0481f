//! The pipeline under review: everything that rules and repairs look at, in one place.

use crate::address::Address;
use crate::destination::Destination;
use crate::json::Node;
use crate::output::{Field, Output, Place, Reader};
use crate::settings::{Input, Settings};

/// API group of the pipelines.
pub const GROUP: &str = "telemetry.kyma-project.io";

/// What a pipeline carries, known from its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// MetricPipeline.
    Metrics,
    /// TracePipeline.
    Traces,
    /// LogPipeline.
    Logs,
}

impl Signal {
    /// The signal of a kind; `None` for another kind.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind {
            "MetricPipeline" => Some(Self::Metrics),
            "TracePipeline" => Some(Self::Traces),
            "LogPipeline" => Some(Self::Logs),
            _ => None,
        }
    }

    /// The signal in OTLP URLs: `metrics`, `traces` or `logs`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }

    /// The kind of the pipeline.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Metrics => "MetricPipeline",
            Self::Traces => "TracePipeline",
            Self::Logs => "LogPipeline",
        }
    }
}

/// The pipeline under review.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// What it carries.
    pub signal: Signal,
    /// Its output; repairs change it, so that rules see the repaired state.
    pub output: Output<'a>,
    /// The inputs of [`Input::ALL`] that are enabled.
    pub enabled_inputs: Vec<Input>,
    /// Where it ships to.
    pub destination: Destination,
    /// The address as the output stands now.
    address: Address,
    /// The settings in force.
    pub settings: &'a Settings,
}

impl<'a> Subject<'a> {
    /// Reads a pipeline; `None` where it has no OTLP output.
    #[must_use]
    pub fn read(signal: Signal, otlp: Node<'a>, input: Option<Node<'a>>, settings: &'a Settings) -> Option<Self> {
        let mut output = Output::read(otlp, signal)?;
        let mut reader = Reader::default();
        let enabled_inputs = match signal {
            Signal::Metrics => enabled_inputs(input, &mut reader),
            Signal::Traces | Signal::Logs => Vec::new(),
        };
        output.malformed.extend(reader.malformed);
        let address = Address::of(&output, signal);
        let destination = Destination::of(&output, &address, settings);
        Some(Self { signal, output, enabled_inputs, destination, address, settings })
    }

    /// The address as the output stands now.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Repairs the path, and with it the address.
    pub(crate) fn set_path(&mut self, path: String) {
        self.output.path = Field::Is(path.into());
        self.address = Address::of(&self.output, self.signal);
    }

    /// The enabled inputs that produce cumulative metrics.
    #[must_use]
    pub fn cumulative_inputs(&self) -> Vec<Input> {
        let is_cumulative = |input: &Input| self.settings.cumulative_inputs.contains(input);
        self.enabled_inputs.iter().copied().filter(is_cumulative).collect()
    }
}

/// Inputs that are there with `enabled: true`; `istio: {}` is off (`IsIstioInputEnabled` in the module).
fn enabled_inputs(input: Option<Node<'_>>, reader: &mut Reader) -> Vec<Input> {
    let Some(members) = input.and_then(Node::members) else { return Vec::new() };
    Input::ALL
        .into_iter()
        .filter(|input| {
            let inner = members.get(input.name()).and_then(Node::members);
            inner.is_some_and(|inner| {
                reader.flag((&inner, &Place::Member(&Place::At("spec.input"), input.name())), "enabled")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_inputs_only_when_enabled_says_true() {
        let input = r#"{"istio":{"enabled":true},"prometheus":{},"runtime":{"enabled":"yes"},"otlp":{"enabled":true}}"#;
        let settings = Settings::default();
        let subject = Subject::read(Signal::Metrics, parse("{}"), Some(parse(input)), &settings).unwrap();
        assert_eq!(subject.enabled_inputs, [Input::Istio]);
        let malformed: Vec<_> = subject.output.malformed.iter().map(|m| m.field.as_str()).collect();
        assert_eq!(malformed, ["spec.input.runtime.enabled"]);
    }

    #[test]
    fn ignores_inputs_of_other_kinds_and_shapes() {
        let settings = Settings::default();
        let input = parse(r#"{"istio":{"enabled":true}}"#);
        let subject = Subject::read(Signal::Traces, parse("{}"), Some(input), &settings).unwrap();
        assert!(subject.enabled_inputs.is_empty());
        for input in ["[]", "3", r#"{"istio":true}"#] {
            let subject = Subject::read(Signal::Metrics, parse("{}"), Some(parse(input)), &settings).unwrap();
            assert!(subject.enabled_inputs.is_empty() && subject.output.malformed.is_empty());
        }
    }
}

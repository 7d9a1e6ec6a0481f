//! The pipeline under review: everything that rules and repairs look at, in one place.

use std::borrow::Cow;

use crate::destination::{Address, Destination};
use crate::pipeline::{Field, Input, Malformed, Object, Output, Signal};
use crate::settings::Settings;

/// The pipeline under review.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// What it carries.
    pub signal: Signal,
    /// The object, as submitted.
    object: &'a Object<'a>,
    /// Its output; repairs change it, so that rules see the repaired state.
    pub output: Cow<'a, Output<'a>>,
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
    pub fn read(signal: Signal, object: &'a Object<'a>, settings: &'a Settings) -> Option<Self> {
        let output = object.output()?;
        let enabled_inputs = match signal {
            Signal::Metrics => object.inputs().map(crate::pipeline::Inputs::enabled).unwrap_or_default(),
            Signal::Traces | Signal::Logs => Vec::new(),
        };
        let address = Address::of(output, signal);
        let destination = Destination::of(output, &address, settings);
        let output = Cow::Borrowed(output);
        Some(Self { signal, object, output, enabled_inputs, destination, address, settings })
    }

    /// The address as the output stands now.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Repairs the path, and with it the address.
    pub(crate) fn set_path(&mut self, path: String) {
        self.output.to_mut().path = Field::Is(path.into());
        self.address = Address::of(&self.output, self.signal);
    }

    /// Everything of the wrong type, in a fixed order.
    #[must_use]
    pub fn malformed(&self) -> Vec<Malformed> {
        self.output.malformed(self.object.inputs(), self.signal)
    }

    /// The enabled inputs that produce cumulative metrics.
    #[must_use]
    pub fn cumulative_inputs(&self) -> Vec<Input> {
        let is_cumulative = |input: &Input| self.settings.metrics.cumulative_inputs.contains(input);
        self.enabled_inputs.iter().copied().filter(is_cumulative).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn object(input: &str) -> Object<'static> {
        crate::testing::object(&format!(r#"{{"spec":{{"input":{input},"output":{{"otlp":{{}}}}}}}}"#))
    }

    #[test]
    fn accepts_inputs_only_when_enabled_says_true() {
        let input = r#"{"istio":{"enabled":true},"prometheus":{},"runtime":{"enabled":"yes"},"otlp":{"enabled":true}}"#;
        let (settings, object) = (Settings::default(), object(input));
        let subject = Subject::read(Signal::Metrics, &object, &settings).unwrap();
        assert_eq!(subject.enabled_inputs, [Input::Istio]);
        let malformed: Vec<_> = subject.malformed().into_iter().map(|malformed| malformed.field).collect();
        assert_eq!(malformed, ["spec.input.runtime.enabled"]);
    }

    #[test]
    fn ignores_inputs_of_other_kinds_and_shapes() {
        let (settings, on) = (Settings::default(), object(r#"{"istio":{"enabled":true}}"#));
        assert!(Subject::read(Signal::Traces, &on, &settings).unwrap().enabled_inputs.is_empty());
        for input in ["[]", "3", r#"{"istio":true}"#] {
            let object = object(input);
            let subject = Subject::read(Signal::Metrics, &object, &settings).unwrap();
            assert!(subject.enabled_inputs.is_empty() && subject.malformed().is_empty());
        }
    }
}

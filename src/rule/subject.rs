//! The pipeline under review: everything that rules and repairs look at, in one place.

use std::borrow::Cow;

use super::evidence::Evidence;
use crate::destination::{Address, Destination, Recognition};
use crate::lookup::{Lookup, Seen};
use crate::pipeline::{Field, FieldPath, HEADERS, Header, Input, Malformed, Object, Output, SecretKey, Signal, Source};
use crate::settings::{Level, RuleId, Settings};

/// A field of a pipeline, whatever an update moves.
#[derive(PartialEq, Eq)]
pub struct Place<'p> {
    /// The name of the header in lower case; `None` for a field of no header.
    header: Option<Option<String>>,
    /// The field's path, below its header if it has one.
    field: &'p str,
}

/// The pipeline under review.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// What it carries.
    pub signal: Signal,
    /// The object, as submitted.
    object: &'a Object<'a>,
    /// Its output; repairs change it, so that rules see the repaired state.
    pub output: Cow<'a, Output<'a>>,
    /// What is on and produces cumulative metrics, with the input that it belongs to.
    sources_on: Vec<(Input, &'static str)>,
    /// Where it ships to.
    pub destination: Destination,
    /// By what that is known.
    pub recognition: Recognition,
    /// The address as the output stands now.
    address: Address,
    /// The settings in force.
    pub settings: &'a Settings,
    /// What was looked up.
    pub seen: &'a Seen,
}

impl<'a> Subject<'a> {
    /// Reads a pipeline; `None` where it has no OTLP output.
    #[must_use]
    pub fn read(signal: Signal, object: &'a Object<'a>, settings: &'a Settings, seen: &'a Seen) -> Option<Self> {
        let output = object.output()?;
        let sources_on = match signal {
            Signal::Metrics => object.inputs().map(crate::pipeline::Inputs::cumulative).unwrap_or_default(),
            Signal::Traces | Signal::Logs => Vec::new(),
        };
        let address = Address::of(output, signal, settings);
        let (destination, recognition) = Destination::classify(output, &address, settings);
        let output = Cow::Borrowed(output);
        Some(Self { signal, object, output, sources_on, destination, recognition, address, settings, seen })
    }

    /// The address as the output stands now.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Repairs the path, and with it the address.
    pub(crate) fn set_path(&mut self, path: String) {
        self.output.to_mut().path = Field::Is(path.into());
        self.address = Address::of(&self.output, self.signal, self.settings);
    }

    /// The key of a declared Secret out of which the endpoint comes.
    #[must_use]
    pub fn endpoint_key(&self) -> Option<SecretKey<'_>> {
        declared(self.output.endpoint(), self.settings)
    }

    /// The key of a declared Secret out of which the `Authorization` header that is sent takes its value.
    #[must_use]
    pub fn token_key(&self) -> Option<SecretKey<'_>> {
        declared(self.output.authorization()?.source(), self.settings)
    }

    /// The declared Secrets that the pipeline refers to, as it stands now: one lookup for each.
    #[must_use]
    pub fn lookups(&self) -> Vec<Lookup> {
        let mut lookups: Vec<Lookup> = Vec::new();
        for key in [self.endpoint_key(), self.token_key()].into_iter().flatten() {
            let is_same = |lookup: &&mut Lookup| lookup.namespace == key.namespace && lookup.name == key.name;
            match lookups.iter_mut().find(is_same) {
                Some(lookup) if lookup.keys.iter().any(|other| other == key.key) => {}
                Some(lookup) => lookup.keys.push(key.key.to_owned()),
                None => lookups.push(Lookup {
                    namespace: key.namespace.to_owned(),
                    name: key.name.to_owned(),
                    keys: vec![key.key.to_owned()],
                }),
            }
        }
        lookups
    }

    /// Whether a rule, whose own level is deny, rejects what it finds.
    #[must_use]
    pub fn denies(&self, id: RuleId) -> bool {
        self.settings.level(id).is_none_or(|level| level == Level::Deny)
    }

    /// Everything of the wrong type, in a fixed order.
    #[must_use]
    pub fn malformed(&self) -> Vec<Malformed> {
        self.output.malformed(self.object.inputs(), self.signal)
    }

    /// Whether the OTLP input is switched off.
    #[must_use]
    pub fn is_otlp_input_off(&self) -> bool {
        self.object.inputs().is_some_and(crate::pipeline::Inputs::is_otlp_off)
    }

    /// The inputs that are on and can produce cumulative metrics, as far as the settings count them.
    #[must_use]
    pub fn cumulative_inputs(&self) -> Vec<Input> {
        let mut inputs: Vec<Input> = self.counted_sources().map(|(input, _)| input).collect();
        inputs.dedup();
        inputs
    }

    /// What is on and produces cumulative metrics, as far as the settings count it: inputs, and resources of `runtime`.
    #[must_use]
    pub fn cumulative_sources(&self) -> Vec<&'static str> {
        self.counted_sources().map(|(_, source)| source).collect()
    }

    fn counted_sources(&self) -> impl Iterator<Item = (Input, &'static str)> {
        let counted = &self.settings.metrics.cumulative_inputs;
        self.sources_on.iter().copied().filter(|(input, _)| counted.contains(input))
    }

    /// All that brings metrics, whatever the settings count: what is on, and whether the OTLP input is off.
    #[must_use]
    pub fn sources(&self) -> (&[(Input, &'static str)], bool) {
        (&self.sources_on, self.is_otlp_input_off())
    }

    /// The host that data is sent to and what of its URL is wrong, as evidence: who mends another part of the URL is not blamed
    /// for this one again. The key of the Secret that the endpoint comes from, where nobody can know it.
    #[must_use]
    pub fn at_host(&self, wrong: &str) -> Evidence {
        match self.address.literal() {
            Some(literal) => Evidence::of(&(&literal.host, wrong)),
            None => Evidence::of(&self.output.endpoint()),
        }
    }

    /// The path that data is posted to, as evidence: who mends the host is not blamed for the path again. Endpoint and path as
    /// they are written, where nobody can know it.
    #[must_use]
    pub fn effective_path(&self) -> Evidence {
        match self.address.posted() {
            Some(Ok(posted)) => Evidence::of(&posted.wire),
            _ => Evidence::of(&(self.output.endpoint(), self.output.path.text_or_empty())),
        }
    }

    /// A field, told so that an update that moves it is not mistaken for another: a header by its name, whatever its index. Of two
    /// headers of one name, the evidence tells which is meant.
    #[must_use]
    pub fn place<'p>(&self, field: &'p FieldPath) -> Place<'p> {
        let Some((index, below)) = field.in_element_of(&HEADERS) else {
            return Place { header: None, field: field.as_str() };
        };
        let header = self.output.headers().find(|header| header.index == index);
        let name = |header: &Header<'_>| header.name.value().map(|name| name.to_ascii_lowercase());
        Place { header: Some(header.and_then(name)), field: below }
    }
}

fn declared<'s>(source: Source<'s>, settings: &Settings) -> Option<SecretKey<'s>> {
    match source {
        Source::Secret(key) if !key.key.is_empty() => settings.secret(key.namespace, key.name).map(|_| key),
        _ => None,
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
        let subject = Subject::read(Signal::Metrics, &object, &settings, Seen::NOTHING).unwrap();
        assert_eq!(subject.cumulative_inputs(), [Input::Istio]);
        let malformed: Vec<_> = subject.malformed().into_iter().map(|malformed| malformed.field).collect();
        assert_eq!(malformed, [FieldPath::new("spec.input.runtime.enabled")]);
    }

    #[test]
    fn accepts_runtime_metrics_that_are_gauges() {
        let off = r#"{"enabled":false}"#;
        let runtime = |resources: &str| {
            let input = format!(r#"{{"runtime":{{"enabled":true,"resources":{{{resources}}}}}}}"#);
            let (settings, object) = (Settings::default(), object(&input));
            Subject::read(Signal::Metrics, &object, &settings, Seen::NOTHING).unwrap().cumulative_inputs()
        };
        assert_eq!(runtime(&format!(r#""pod":{off},"container":{off},"node":{off}"#)), []);
        assert_eq!(runtime(&format!(r#""pod":{off},"container":{off},"volume":{off}"#)), [Input::Runtime]);
    }

    #[test]
    fn ignores_inputs_of_other_kinds_and_shapes() {
        let (settings, on) = (Settings::default(), object(r#"{"istio":{"enabled":true}}"#));
        assert!(Subject::read(Signal::Traces, &on, &settings, Seen::NOTHING).unwrap().cumulative_inputs().is_empty());
        for input in ["[]", "3", r#"{"istio":true}"#] {
            let object = object(input);
            let subject = Subject::read(Signal::Metrics, &object, &settings, Seen::NOTHING).unwrap();
            assert!(subject.cumulative_inputs().is_empty() && subject.malformed().is_empty());
        }
    }

    #[test]
    fn accepts_one_lookup_for_each_declared_secret() {
        let of = |endpoint: &str, token: &str| {
            let reference = |place: &str| {
                let [namespace, name, key] = place.split('/').collect::<Vec<_>>().try_into().unwrap();
                format!(r#"{{"secretKeyRef":{{"namespace":"{namespace}","name":"{name}","key":"{key}"}}}}"#)
            };
            let (endpoint, token) = (reference(endpoint), reference(token));
            let otlp = format!(
                r#""endpoint":{{"valueFrom":{endpoint}}},"headers":[{{"name":"Authorization","valueFrom":{token}}}]"#
            );
            let settings = r#"{"dynatrace":{"secrets":[{"namespace":"n","name":"a"},{"namespace":"n","name":"b"}]}}"#;
            let subject = crate::testing::subject(Signal::Traces, &otlp, "{}", settings);
            subject.lookups().iter().map(|one| format!("{}: {}", one.secret(), one.keys.join(","))).collect::<Vec<_>>()
        };
        assert_eq!(of("n/a/url", "n/a/token"), ["n/a: url,token"]);
        assert_eq!(of("n/a/same", "n/a/same"), ["n/a: same"]);
        assert_eq!(of("n/a/url", "n/b/token"), ["n/a: url", "n/b: token"]);
        assert_eq!(of("n/a/", "n/other/token"), [""; 0]);
    }
}

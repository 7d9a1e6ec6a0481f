//! The settings: read once, strictly, and valid ever after.
//!
//! A misspelt key that is silently ignored is a policy that does not do what its owner believes. So unknown keys,
//! unknown rule ids, bad globs and empty names are refused at every level, all of them at once. The settings are never
//! echoed whole: somebody may have put a token there.

use wildmatch::WildMatch;

use crate::json::Node;
use crate::rule::Rule;
use crate::rules::position;

mod reader;

use reader::Reader;
pub(crate) use reader::with_article;

/// Valid settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether what is missing is filled in or reported.
    pub mode: Mode,
    /// Secrets that hold a Dynatrace API URL and an ingest token.
    pub secrets: Vec<DeclaredSecret>,
    /// Globs of hosts that are Managed clusters or ActiveGates, in lower case.
    pub hosts: Vec<WildMatch>,
    /// Names of Services in front of a Dynatrace Collector, in lower case.
    pub collector_services: Vec<String>,
    /// Which `Authorization` headers get a missing prefix.
    pub inject_prefix_for: InjectPrefixFor,
    /// Inputs of a MetricPipeline that produce cumulative metrics.
    pub cumulative_inputs: Vec<Input>,
    /// Whether `temporality: delta` is set for the user.
    pub delta_conversion: DeltaConversion,
    /// Severity of each rule of [`RULES`], by position; `None` is the rule's own.
    severities: Vec<Option<Level>>,
}

/// What to do with a pipeline that lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fill it in, and tell.
    Repair,
    /// Refuse it.
    Validate,
}

/// A Secret that holds a Dynatrace API URL ending in `/api` and an ingest token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSecret {
    /// Namespace of the Secret.
    pub namespace: String,
    /// Name of the Secret.
    pub name: String,
    /// Key of the API URL.
    pub endpoint_key: String,
    /// Key of the ingest token.
    pub token_key: String,
}

/// Which `Authorization` headers without a prefix get `Api-Token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectPrefixFor {
    /// Those that take their value from any Secret.
    AnySecret,
    /// Those that take it from a declared one, whose content is known to be the bare token.
    DeclaredSecrets,
}

/// An input of a MetricPipeline that can be switched on and produces cumulative metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `spec.input.istio`.
    Istio,
    /// `spec.input.prometheus`.
    Prometheus,
    /// `spec.input.runtime`.
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

/// Whether the policy sets `temporality: delta` on direct MetricPipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaConversion {
    /// Never: the user decides.
    Off,
    /// Where the submitted output has the field, so that the cluster's CRD is known to have it.
    Auto,
    /// Always.
    Always,
}

/// What a finding of a rule does, as `rules.<id>` sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The request is rejected.
    Deny,
    /// The user is warned.
    Warn,
    /// Nothing: the rule and its repair are not applied.
    Off,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Repair,
            secrets: vec![DeclaredSecret {
                namespace: "dynatrace".to_owned(),
                name: "dynakube".to_owned(),
                endpoint_key: "apiurl".to_owned(),
                token_key: "dataIngestToken".to_owned(),
            }],
            hosts: Vec::new(),
            collector_services: Vec::new(),
            inject_prefix_for: InjectPrefixFor::AnySecret,
            cumulative_inputs: Input::ALL.to_vec(),
            delta_conversion: DeltaConversion::Off,
            severities: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads settings; absent and null mean all defaults, at every level.
    ///
    /// # Errors
    /// Every error, each with its path and, where a name is unknown, the nearest known one.
    pub fn read(node: Option<Node<'_>>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut reader = Reader::default();
        if let Some(node) = node.filter(|node| !node.is_null()) {
            reader.settings(&mut settings, node);
        }
        if reader.errors.is_empty() { Ok(settings) } else { Err(reader.errors) }
    }

    /// The level that `rules.<id>` sets for a rule, if any.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> Option<Level> {
        // Most settings say nothing of the rules, and need not know where the rule stands.
        if self.severities.is_empty() { None } else { self.severities.get(position(rule)).copied().flatten() }
    }

    /// The declared Secret of this namespace and name.
    #[must_use]
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&DeclaredSecret> {
        self.secrets.iter().find(|secret| secret.namespace == namespace && secret.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn errors(text: &str) -> Vec<String> {
        Settings::read(Some(parse(text))).err().unwrap_or_default()
    }

    #[test]
    fn accepts_nothing_as_all_defaults() {
        for text in ["null", "{}", r#"{"dynatrace":null,"metrics":{},"rules":{}}"#] {
            let settings = Settings::read(Some(parse(text))).unwrap();
            assert_eq!(settings.mode, Mode::Repair);
            assert_eq!(settings.secret("dynatrace", "dynakube").unwrap().token_key, "dataIngestToken");
            assert_eq!(settings.cumulative_inputs, Input::ALL);
            assert_eq!(settings.delta_conversion, DeltaConversion::Off);
        }
        assert!(Settings::read(None).is_ok());
    }

    #[test]
    fn accepts_every_setting() {
        let settings = Settings::read(Some(parse(
            r#"{"mode":"validate","dynatrace":{"secrets":[{"namespace":"obs","name":"dt"}],"hosts":["*.Corp.example"],
            "collectorServices":["otel"],"injectPrefixFor":"declaredSecrets"},
            "metrics":{"cumulativeInputs":["istio"],"deltaConversion":"auto"},"rules":{"inline-token":"warn"}}"#,
        )))
        .unwrap();
        assert_eq!(settings.mode, Mode::Validate);
        assert_eq!(settings.secret("obs", "dt").unwrap().endpoint_key, "apiurl");
        assert!(settings.secret("dynatrace", "dynakube").is_none());
        assert!(settings.hosts.iter().any(|glob| glob.matches("dt.corp.example")));
        assert_eq!(settings.collector_services, ["otel"]);
        assert_eq!(settings.inject_prefix_for, InjectPrefixFor::DeclaredSecrets);
        assert_eq!(settings.cumulative_inputs, [Input::Istio]);
        assert_eq!(settings.level(&crate::rules::inline_token::RULE), Some(Level::Warn));
        assert_eq!(settings.level(&crate::rules::ui_host::RULE), None);
    }

    #[test]
    fn accepts_an_unquoted_yaml_off_which_is_false() {
        let settings =
            Settings::read(Some(parse(r#"{"metrics":{"deltaConversion":false},"rules":{"inline-token":false}}"#)))
                .unwrap();
        assert_eq!(settings.delta_conversion, DeltaConversion::Off);
        assert_eq!(errors(r#"{"mode":false}"#), ["`mode` must be one of `repair`, `validate`, not a boolean"]);
    }

    #[test]
    fn rejects_all_errors_at_once_with_path_and_nearest_name() {
        assert_eq!(
            errors(
                r#"{"mod":"x","mode":"repiar","dynatrace":{"secrets":[{"name":"","nmae":3},7],"hosts":["https://h","*","ok.example"],
                "collectorServices":["a.b",3],"zzz":1},"metrics":{"cumulativeInputs":["isto"],"deltaConversion":1},
                "rules":{"inlin-token":"deny","ui-host":"nope"}}"#
            ),
            [
                "unknown field `mod`, did you mean `mode`?",
                "`mode` is `repiar`, want one of `repair`, `validate`, did you mean `repair`?",
                "unknown field `zzz` in `dynatrace`",
                "unknown field `nmae` in `dynatrace.secrets[0]`, did you mean `name`?",
                "`dynatrace.secrets[0].namespace` is missing",
                "`dynatrace.secrets[0].name` is empty",
                "`dynatrace.secrets[1]` must be an object, not a number",
                "`dynatrace.hosts[0]` is `https://h`: want a host name with `*` and `?`, without scheme, port or path",
                "`dynatrace.hosts[1]` is `*`: it matches every host",
                "`dynatrace.collectorServices[0]` is `a.b`: want the name of a Service, without namespace or port",
                "`dynatrace.collectorServices[1]` must be a string, not a number",
                "`metrics.cumulativeInputs[0]` is `isto`, want one of `istio`, `prometheus`, `runtime`, did you mean `istio`?",
                "`metrics.deltaConversion` must be one of `off`, `auto`, `always`, not a number",
                "unknown field `inlin-token` in `rules`, did you mean `inline-token`?",
                "`rules.ui-host` is `nope`, want one of `deny`, `warn`, `off`",
            ]
        );
    }

    #[test]
    fn rejects_settings_of_another_shape_without_echo() {
        assert_eq!(errors("[1]"), ["the settings must be an object, not an array"]);
        assert_eq!(errors("\"secret\""), ["the settings must be an object, not a string"]);
        let token = format!("dt0c01.{}.{}", "A1".repeat(12), "b2".repeat(32));
        assert!(!errors(&format!(r#"{{"{token}":1,"mode":"{token}"}}"#)).join("\n").contains("dt0c01"));
    }
}

//! The four central rules in the two languages that users would reach for instead.

use kube_cel::{AdmissionRequest, CompiledVapExpression, VapError, VapEvaluator, VapExpression};
use regorus::{Engine, Value as Rego};
use serde_json::Value;

/// `policy.yaml`, compiled.
pub struct Cel {
    conditions: Vec<Result<CompiledVapExpression, VapError>>,
    validations: Vec<Result<CompiledVapExpression, VapError>>,
}

impl Cel {
    /// Compiles the ValidatingAdmissionPolicy.
    ///
    /// # Errors
    /// Where an expression does not compile.
    pub fn load() -> Result<Self, String> {
        let policy: Value =
            yaml_serde::from_str(include_str!("../peers/policy.yaml")).map_err(|error| error.to_string())?;
        let compiled = |pointer: &str| {
            let expressions: Vec<VapExpression> = policy
                .pointer(pointer)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|entry| {
                    Some(VapExpression {
                        expression: entry.get("expression")?.as_str()?.to_owned(),
                        message: entry.get("message").and_then(Value::as_str).map(str::to_owned),
                        message_expression: None,
                    })
                })
                .collect();
            VapEvaluator::builder().build().compile_expressions(&expressions)
        };
        let cel = Self { conditions: compiled("/spec/matchConditions"), validations: compiled("/spec/validations") };
        let errors = cel.conditions.iter().chain(&cel.validations).filter_map(|result| result.as_ref().err());
        match errors.map(ToString::to_string).next() {
            Some(error) => Err(error),
            None => Ok(cel),
        }
    }

    /// What the policy says of a host's payload: messages, none where it accepts.
    #[must_use]
    pub fn review(&self, payload: &[u8]) -> Vec<String> {
        let mut payload: Value = serde_json::from_slice(payload).unwrap_or_default();
        let object = payload.pointer_mut("/request/object").map(Value::take).unwrap_or_default();
        let request = AdmissionRequest { operation: "CREATE".to_owned(), ..AdmissionRequest::default() };
        let evaluator = VapEvaluator::builder().object(object).request(request).build();
        if !evaluator.evaluate_compiled(&self.conditions).iter().all(|result| result.passed) {
            return Vec::new();
        }
        let failed = evaluator.evaluate_compiled(&self.validations).into_iter().filter(|result| !result.passed);
        failed.map(|result| result.message.unwrap_or_default()).collect()
    }
}

/// `policy.rego`, parsed.
pub struct RegoPolicy(Engine);

impl RegoPolicy {
    /// Parses the policy.
    ///
    /// # Errors
    /// Where it is no Rego.
    pub fn load() -> Result<Self, String> {
        let mut engine = Engine::new();
        let text = include_str!("../peers/policy.rego").to_owned();
        engine.add_policy("policy.rego".to_owned(), text).map_err(|error| error.to_string())?;
        Ok(Self(engine))
    }

    /// What the policy says of a host's payload: messages, none where it accepts.
    #[must_use]
    pub fn review(&self, payload: &[u8]) -> Vec<String> {
        let mut engine = self.0.clone();
        let Ok(input) =
            std::str::from_utf8(payload).map_err(|_| ()).and_then(|text| Rego::from_json_str(text).map_err(|_| ()))
        else {
            return vec!["the payload is not JSON".to_owned()];
        };
        engine.set_input(input);
        match engine.eval_rule("data.peer.deny".to_owned()) {
            Ok(value) => value
                .as_set()
                .map(|set| set.iter().filter_map(|text| text.as_string().ok().map(|text| text.to_string())).collect())
                .unwrap_or_default(),
            Err(error) => vec![error.to_string()],
        }
    }
}

//! The module's two functions, on bytes.

use kyma_dynatrace_policy::text::holds_token;
use kyma_dynatrace_policy::validate_settings;
use serde_json::{Value, json};

use crate::answer::{answer_to, create};

/// `validate`: any bytes get an answer.
pub fn validate(data: &[u8]) {
    answer_to(data);
}

/// `validate_settings`: any bytes get an answer, and what is valid is taken by `validate`.
pub fn settings(data: &[u8]) {
    let bytes = validate_settings(data).unwrap();
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    let message = answer["message"].as_str().unwrap_or_default();
    assert_eq!(answer["valid"].as_bool().unwrap(), message.is_empty(), "invalid settings are told why");
    assert!(!holds_token(message), "a token is told");
    if message.is_empty() {
        let settings: Value = serde_json::from_slice(data).unwrap();
        let pipeline = json!({"apiVersion": "telemetry.kyma-project.io/v1beta1", "kind": "TracePipeline",
            "spec": {"output": {"otlp": {"endpoint": {"value": "https://abc12345.live.dynatrace.com/api"}}}}});
        let answer = answer_to(&create(&pipeline, &settings));
        let message = answer["message"].as_str().unwrap_or_default();
        assert!(!message.contains("cannot review"), "valid settings are refused: {message}");
    }
}

//! Whether two AdmissionResponses say the same of a request: what `e2e.bats` compares.
//!
//! A patch is compared by what comes out of it: independent operations come in another order where JSON maps are sorted,
//! as in kwctl.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Compares the answer on standard input with the expected one.
///
/// # Errors
/// Where they differ. The text says where.
pub(crate) fn run(request: &Path, expected: &Path) -> anyhow::Result<()> {
    let read = |path: &Path| -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&fs::read_to_string(path).with_context(|| path.display().to_string())?)?)
    };
    let mut actual = String::new();
    std::io::stdin().read_to_string(&mut actual)?;
    let actual = serde_json::from_str(&actual).context("the answer is no JSON")?;
    compare(&read(request)?, &read(expected)?, &actual)
}

fn compare(request: &Value, expected: &Value, actual: &Value) -> anyhow::Result<()> {
    let object = request.get("object").cloned().unwrap_or_default();
    let (expected, actual) = (said(&object, expected)?, said(&object, actual)?);
    let difference = json_patch::diff(&expected, &actual);
    ensure!(difference.0.is_empty(), "the answer differs: {}", serde_json::to_string_pretty(&difference)?);
    Ok(())
}

/// What an answer says: its verdict and texts, and the object as it is with the patch.
fn said(object: &Value, answer: &Value) -> anyhow::Result<Value> {
    let status = |name: &str| answer.pointer(&format!("/status/{name}")).cloned().unwrap_or_default();
    let field = |name: &str| answer.get(name).cloned().unwrap_or_default();
    let mut said = Map::from_iter([
        ("message".to_owned(), status("message")),
        ("code".to_owned(), status("code")),
        ("object".to_owned(), patched(object, &field("patch"))?),
    ]);
    for name in ["uid", "allowed", "auditAnnotations", "warnings"] {
        said.insert(name.to_owned(), field(name));
    }
    said.retain(|_, value| !value.is_null() && *value != json!({}) && *value != json!([]));
    Ok(said.into())
}

/// An object with a patch, which is in plain JSON or in base64.
fn patched(object: &Value, patch: &Value) -> anyhow::Result<Value> {
    let patch: json_patch::Patch = match patch {
        Value::Null => return Ok(Value::Null),
        Value::String(text) => serde_json::from_slice(&STANDARD.decode(text)?)?,
        other => serde_json::from_value(other.clone())?,
    };
    let mut object = object.clone();
    if json_patch::patch(&mut object, &patch).is_err() {
        bail!("the patch does not fit the object");
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

    use super::*;

    fn answer(operations: &[Value]) -> Value {
        json!({"uid": "u", "allowed": true, "patch": operations, "warnings": ["w"], "auditAnnotations": {"a": "b"}})
    }

    fn operations() -> Vec<Value> {
        vec![
            json!({"op": "add", "path": "/spec/path", "value": "p"}),
            json!({"op": "add", "path": "/spec/protocol", "value": "http"}),
            json!({"op": "add", "path": "/spec/headers/0/prefix", "value": "Api-Token"}),
        ]
    }

    fn request() -> Value {
        json!({"object": {"spec": {"headers": [{"name": "Authorization"}]}}})
    }

    #[test]
    fn accepts_operations_in_any_order_and_in_base64() {
        let expected = answer(&operations());
        let mut operations = operations();
        for _ in 0..operations.len() {
            operations.rotate_left(1);
            let mut actual = answer(&operations);
            compare(&request(), &expected, &actual).unwrap();
            operations.reverse();
            actual["patch"] = STANDARD.encode(json!(operations).to_string()).into();
            compare(&request(), &expected, &actual).unwrap();
        }
    }

    #[test]
    fn finds_one_value_that_is_another() {
        let expected = answer(&operations());
        for (pointer, value) in [
            ("/patch/0/value", json!("q")),
            ("/patch/1/path", json!("/spec/protocols")),
            ("/warnings/0", json!("v")),
            ("/auditAnnotations/a", json!("c")),
            ("/allowed", json!(false)),
            ("/uid", json!("v")),
        ] {
            let mut actual = expected.clone();
            *actual.pointer_mut(pointer).unwrap() = value;
            assert!(compare(&request(), &expected, &actual).is_err(), "{pointer}");
        }
        let mut actual = expected.clone();
        actual["status"] = json!({"message": "m"});
        assert!(compare(&request(), &expected, &actual).is_err(), "a message too many");
        actual = answer(&[]);
        assert!(compare(&request(), &expected, &actual).is_err(), "no patch");
    }
}

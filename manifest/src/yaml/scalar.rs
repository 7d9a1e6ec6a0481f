//! What a scalar means to `kubectl`: YAML 1.1, as Go's `yaml.v2` resolves it.
//!
//! Source: `resolve.go` of go.yaml.in/yaml/v2 2.4 and `yaml.go` of sigs.k8s.io/yaml 1.6, which make JSON of a manifest. The
//! table in `manifest/tests/yaml` holds what real kubectl makes of the same texts.

use serde_json::{Number, Value};

/// The value of a scalar without quotes and without a tag.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return true.into(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return false.into(),
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'.') => go_float(text),
        // Go asks for YAML's form of a float first, because it reads more than that; Rust does not. A date is no number.
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let plain = text.replace('_', "");
            go_int(&plain).or_else(|| go_float(&plain))
        }
        _ => None,
    };
    number.map_or_else(|| text.into(), Value::Number)
}

/// Whether a text without quotes means infinity or not-a-number, which JSON has no word for.
pub(super) fn is_beyond_json(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    [".inf", ".Inf", ".INF"].contains(&unsigned) || [".nan", ".NaN", ".NAN"].contains(&text)
}

/// A key's text: JSON has no other keys. `None` for what Go has no text for.
pub(super) fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) if number.is_i64() => Some(number.to_string()),
        // Go writes a key with the digits of 32 bits.
        Value::Number(number) => number.as_f64().filter(|_| number.is_f64()).map(|float| (float as f32).to_string()),
        _ => None,
    }
}

/// `strconv.ParseInt(text, 0, 64)`, and what it does not know: `0b` with a sign behind it is not taken by either.
fn go_int(text: &str) -> Option<Number> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", text.get(1..)?),
        b'+' => ("", text.get(1..)?),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        // Octal, as C writes it.
        Some(start) if start.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    match i64::from_str_radix(&format!("{sign}{digits}"), radix) {
        Ok(number) => Some(number.into()),
        // The API server holds what does not fit into 64 bits with a sign as a float.
        Err(_) if text.starts_with(['+', '-']) => None,
        Err(_) => u64::from_str_radix(digits, radix).ok().and_then(|number| json_float(number as f64)),
    }
}

/// `strconv.ParseFloat`, as JSON writes the result: without a point where nothing stands behind it.
fn go_float(text: &str) -> Option<Number> {
    json_float(text.parse().ok().filter(|float: &f64| float.is_finite())?)
}

/// A float as Go writes it into JSON: a whole one as its digits, which is read back as an integer where it fits.
fn json_float(float: f64) -> Option<Number> {
    let is_whole = float.fract() == 0.0 && float.abs() < 1e21;
    let number = if is_whole { serde_json::from_str(&(float + 0.0).to_string()).ok() } else { None };
    number.or_else(|| Number::from_f64(float))
}

//! Reads settings with serde, and words what serde has to say: with the path, every error, and no value that could be
//! a credential.

use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::error::{SettingsError, SettingsErrors};
use super::nearest::nearest;
use super::rule_id::RuleId;
use super::types::Settings;
use crate::text::{quote, quote_up_to};

/// More errors are not told at once.
const MAX_ERRORS: usize = 20;

/// A text that is right in every list of the settings: it stands in for an element that has been told of.
const FILLER: &str = "istio";

impl Settings {
    /// Reads settings. Null, wherever it stands, means the default.
    ///
    /// # Errors
    /// Every error, with its path and the known names.
    pub fn read(mut value: Value) -> Result<Self, SettingsErrors> {
        if value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Self::default());
        }
        let mut errors = shape_errors(&mut value);
        accept_unquoted_off(&mut value);
        drop_nulls(&mut value);
        // An error ends serde's reading. What it was about is taken out, and the rest is read again.
        while errors.len() < MAX_ERRORS {
            match serde_path_to_error::deserialize::<_, Self>(&value) {
                Ok(settings) => {
                    errors.extend(settings.errors());
                    if errors.is_empty() {
                        return Ok(settings);
                    }
                    break;
                }
                Err(error) => {
                    let text = error.inner().to_string();
                    errors.push(worded(error.path(), &text));
                    if !remove(&mut value, error.path(), &text) {
                        break;
                    }
                }
            }
        }
        errors.sort_by_key(SettingsError::to_string);
        errors.truncate(MAX_ERRORS);
        Err(SettingsErrors(errors))
    }
}

/// A derived struct would take an array for an object, field by field.
fn shape_errors(value: &mut Value) -> Vec<SettingsError> {
    let mut errors = Vec::new();
    for (pointer, name) in
        [("", "the settings"), ("/dynatrace", "`dynatrace`"), ("/metrics", "`metrics`"), ("/rules", "`rules`")]
    {
        let Some(part) = value.pointer_mut(pointer) else { continue };
        if !part.is_object() && !part.is_null() {
            errors.push(no_object(name.to_owned(), part));
            *part = Value::Object(serde_json::Map::new());
        }
    }
    let secrets = value.pointer_mut("/dynatrace/secrets").and_then(Value::as_array_mut);
    for (index, secret) in secrets.into_iter().flatten().enumerate() {
        if !secret.is_object() {
            errors.push(no_object(format!("`dynatrace.secrets[{index}]`"), secret));
            // In its place is one that nobody finds fault with: this fault has been told.
            *secret = serde_json::json!({"namespace": FILLER, "name": FILLER});
        }
    }
    errors
}

fn no_object(place: String, found: &Value) -> SettingsError {
    SettingsError::WrongType { place, expected: "an object".to_owned(), found: kind(found) }
}

/// An unquoted `off` is `false` for everybody who reads YAML 1.1, `kubectl` among them.
fn accept_unquoted_off(value: &mut Value) {
    let accept = |value: &mut Value| {
        if *value == Value::Bool(false) {
            *value = "off".into();
        }
    };
    if let Some(conversion) = value.pointer_mut("/metrics/deltaConversion") {
        accept(conversion);
    }
    let rules = value.pointer_mut("/rules").and_then(Value::as_object_mut);
    rules.into_iter().flat_map(serde_json::Map::values_mut).for_each(accept);
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}

/// serde's words, which quote what was found, in ours, which quote no more than a name.
fn worded(path: &Path, text: &str) -> SettingsError {
    let mut names = text.split('`').skip(1).step_by(2);
    let segments: Vec<&Segment> = path.iter().collect();
    let place = place(&segments);
    if text.starts_with("unknown field") {
        let (name, known) = (names.next().unwrap_or_default(), names.collect::<Vec<_>>());
        let parent = match segments.split_last() {
            Some((_, parents @ [_, ..])) => format!(" in {}", self::place(parents)),
            _ => String::new(),
        };
        let (nearest, known) = (nearest(name, &known), one_of(&known));
        return SettingsError::UnknownField { name: quote(name), parent, known, nearest };
    }
    if let ("unknown rule", Some(Segment::Map { key })) = (text, segments.last()) {
        // To list all rules helps nobody.
        let known: Vec<&str> = RuleId::ALL.iter().map(|id| id.name()).collect();
        return SettingsError::UnknownRule { name: quote(key), nearest: nearest(key, &known) };
    }
    if text.starts_with("unknown variant") {
        let (name, known) = (names.next().unwrap_or_default(), names.collect::<Vec<_>>());
        let (nearest, known) = (nearest(name, &known), one_of(&known));
        return SettingsError::UnknownWord { place, name: quote(name), known, nearest };
    }
    if text.starts_with("missing field") {
        let name = names.next().unwrap_or_default();
        return SettingsError::Missing { place, name: name.to_owned() };
    }
    wrong_type(place, text)
}

/// "invalid type: string "...", expected a sequence" in our words: neither the value nor serde's names of types.
fn wrong_type(place: String, text: &str) -> SettingsError {
    let expected = text.rsplit_once(", expected ").map_or("another type", |(_, expected)| expected);
    let expected = match expected {
        "a sequence" => "a list",
        "string or map" | "variant identifier" => "a string",
        expected if expected.starts_with("enum") => "a string",
        expected => expected,
    };
    let found = text.split_once(": ").map_or("", |(_, found)| found).split([' ', ',']).next().unwrap_or_default();
    let found = match found {
        "string" => "a string",
        "boolean" => "a boolean",
        "integer" | "floating" => "a number",
        "sequence" => "a list",
        "map" => "an object",
        _ => "something else",
    };
    SettingsError::WrongType { place, expected: expected.to_owned(), found }
}

/// The path of a value in backticks. A key of `rules` may be anything, so it is shown as other texts of users are.
fn place(segments: &[&Segment]) -> String {
    let mut place = String::new();
    for segment in segments {
        match segment {
            Segment::Seq { index } => place.push_str(&format!("[{index}]")),
            Segment::Map { key } if place.is_empty() => place.push_str(key),
            Segment::Map { key } => place.push_str(&format!(".{key}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    quote_up_to(80, &place)
}

fn one_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.len() > 1 { format!("one of {}", names.join(", ")) } else { names.concat() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Takes out what an error was about; `false` where it is not found.
fn remove(value: &mut Value, path: &Path, text: &str) -> bool {
    let mut place = value;
    let segments: Vec<&Segment> = path.iter().collect();
    let Some((last, parents)) = segments.split_last() else { return false };
    for segment in parents {
        let next = match segment {
            Segment::Seq { index } => place.get_mut(index),
            Segment::Map { key } => place.get_mut(key),
            Segment::Enum { .. } | Segment::Unknown => return false,
        };
        let Some(next) = next else { return false };
        place = next;
    }
    match last {
        // A missing field is put there: an element taken out would change the others' numbers.
        Segment::Seq { index } => match place.get_mut(index) {
            Some(Value::Object(members)) if text.starts_with("missing field") => {
                let name = text.split('`').nth(1).unwrap_or_default();
                members.insert(name.to_owned(), FILLER.into()).is_none()
            }
            Some(element) => {
                *element = FILLER.into();
                true
            }
            None => false,
        },
        Segment::Map { key } => place.as_object_mut().is_some_and(|members| members.remove(key).is_some()),
        Segment::Enum { .. } | Segment::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::{MAX_ERRORS, one_of};
    use crate::pipeline::Input;
    use serde_json::Value;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(text: &str) -> Result<Settings, SettingsErrors> {
        Settings::read(serde_json::from_str::<Value>(text).unwrap())
    }

    fn errors(text: &str) -> Vec<String> {
        read(text).err().map_or_else(Vec::new, |errors| errors.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn accepts_nothing_as_all_defaults() {
        for text in ["null", "{}", r#"{"dynatrace":null,"metrics":{},"rules":{}}"#, r#"{"dynatrace":{"hosts":null}}"#] {
            assert_eq!(read(text).unwrap(), Settings::default(), "{text}");
        }
        let settings = Settings::default();
        assert_eq!(settings.secret("dynatrace", "dynakube").unwrap().token_key, "dataIngestToken");
        assert_eq!(settings.metrics.cumulative_inputs, Input::ALL);
    }

    #[test]
    fn accepts_every_setting() {
        let settings = read(
            &r#"{"mode":"validate","dynatrace":{"secrets":[{"namespace":"obs","name":"dt"}],"hosts":["*.Corp.example"],
            "collectorServices":["otel"],"injectPrefixFor":"declaredSecrets"},
            "metrics":{"cumulativeInputs":["istio"],"deltaConversion":"auto"},"rules":{"ID":"warn"}}"#
                .replace("ID", RuleId::InlineToken.name()),
        )
        .unwrap();
        assert_eq!(settings.mode, Mode::Validate);
        assert_eq!(settings.secret("obs", "dt").unwrap().endpoint_key, "apiurl");
        assert!(settings.secret("dynatrace", "dynakube").is_none());
        assert_eq!(settings.dynatrace.inject_prefix_for, InjectPrefixFor::DeclaredSecrets);
        assert_eq!(settings.metrics.cumulative_inputs, [Input::Istio]);
        assert_eq!(settings.level(RuleId::InlineToken), Some(Level::Warn));
        assert_eq!(settings.level(RuleId::UiHost), None);
    }

    #[test]
    fn accepts_an_unquoted_yaml_off_which_is_false() {
        let settings =
            read(&format!(r#"{{"metrics":{{"deltaConversion":false}},"rules":{{"{}":false}}}}"#, RuleId::InlineToken))
                .unwrap();
        assert_eq!(settings.metrics.delta_conversion, DeltaConversion::Off);
        assert_eq!(settings.level(RuleId::InlineToken), Some(Level::Off));
        assert_eq!(errors(r#"{"mode":false}"#), ["`mode` must be a string, not a boolean"]);
        assert_eq!(errors(r#"{"metrics":[]}"#), ["`metrics` must be an object, not a list"]);
        assert_eq!(errors(r#"{"dynatrace":{"hosts":{}}}"#), ["`dynatrace.hosts` must be a list, not an object"]);
    }

    #[test]
    fn rejects_all_errors_at_once_with_path_and_nearest_name() {
        let id = RuleId::UiHost.name();
        let near = id.replace('i', "");
        assert_eq!(
            errors(
                &r#"{"mod":"x","mode":"repiar","dynatrace":{"secrets":[{"name":"","nmae":3},7],"hosts":["https://h","*","ok.example"],
                "collectorServices":["a.b",3],"zzz":1},"metrics":{"cumulativeInputs":["isto"],"deltaConversion":1},
                "rules":{"lIDx":"deny","ID":"nope"}}"#.replace("lIDx", &near).replace("ID", id)
            ),
            [
                "`dynatrace.collectorServices[0]` is `a.b`: expected the name of a Service, without namespace or port",
                "`dynatrace.collectorServices[1]` must be a string, not a number",
                "`dynatrace.hosts[0]` is `https://h`: expected a host name with `*` and `?`, without scheme, port, path or a trailing dot",
                "`dynatrace.hosts[1]` is `*`: it matches every host",
                "`dynatrace.secrets[0].name` is empty",
                "`dynatrace.secrets[0]` has no `namespace`",
                "`dynatrace.secrets[1]` must be an object, not a number",
                "`metrics.cumulativeInputs[0]` is `isto`, expected one of `istio`, `prometheus`, `runtime`; did you mean `istio`?",
                "`metrics.deltaConversion` must be a string, not a number",
                "`mode` is `repiar`, expected one of `repair`, `validate`; did you mean `repair`?",
                &format!("`rules.{id}` is `nope`, expected one of `deny`, `warn`, `off`"),
                "unknown field `mod`, expected one of `mode`, `denialsAsWarnings`, `lookUpSecrets`, `dynatrace`, `metrics`, `rules`; did you mean `mode`?",
                "unknown field `nmae` in `dynatrace.secrets[0]`, expected one of `namespace`, `name`, `endpointKey`, `tokenKey`, `endpointPath`, `tokenScheme`; did you mean `name`?",
                "unknown field `zzz` in `dynatrace`, expected one of `secrets`, `hosts`, `collectorServices`, `injectPrefixFor`",
                &format!("unknown rule `{near}` in `rules`; did you mean `{id}`?"),
            ]
        );
    }

    #[test]
    fn rejects_settings_of_another_shape_without_echo() {
        assert_eq!(errors("[1]"), ["the settings must be an object, not a list"]);
        assert_eq!(errors("\"secret\""), ["the settings must be an object, not a string"]);
        let (token, id) = (crate::testing::token(), RuleId::UiHost);
        for text in [
            format!(r#"{{"{token}":1,"mode":"{token}"}}"#),
            format!(r#"{{"dynatrace":{{"secrets":"{token}","hosts":["{token}"]}},"rules":{{"{token}":"{token}"}}}}"#),
            format!(r#"{{"metrics":{{"cumulativeInputs":"{token}"}},"rules":{{"{id}":"{token}"}}}}"#),
        ] {
            let errors = errors(&text);
            assert!(!errors.is_empty() && !errors.join("\n").contains("dt0c01"), "{errors:?}");
        }
    }

    #[test]
    fn rejects_every_wrong_type_in_words_of_ours() {
        for (text, expected) in [
            (r#"{"lookUpSecrets":"x"}"#, "`lookUpSecrets` must be a boolean, not a string"),
            (r#"{"lookUpSecrets":1.5}"#, "`lookUpSecrets` must be a boolean, not a number"),
            (r#"{"lookUpSecrets":[]}"#, "`lookUpSecrets` must be a boolean, not a list"),
            (r#"{"lookUpSecrets":{}}"#, "`lookUpSecrets` must be a boolean, not an object"),
            (r#"{"dynatrace":{"hosts":true}}"#, "`dynatrace.hosts` must be a list, not a boolean"),
            (r#"{"dynatrace":{"hosts":[[]]}}"#, "`dynatrace.hosts[0]` must be a string, not a list"),
            (r#"{"dynatrace":{"hosts":[{}]}}"#, "`dynatrace.hosts[0]` must be a string, not an object"),
            (r#"{"mode":1}"#, "`mode` must be a string, not a number"),
            (r#"{"mode":[]}"#, "`mode` must be a string, not a list"),
            (r#"{"metrics":{"cumulativeInputs":[7]}}"#, "`metrics.cumulativeInputs[0]` must be a string, not a number"),
        ] {
            assert_eq!(errors(text), [expected], "{text}");
        }
        let id = RuleId::UiHost;
        let of_number = errors(&format!(r#"{{"rules":{{"{id}":7}}}}"#));
        assert_eq!(of_number, [format!("`rules.{id}` must be a string, not a number")]);
        // The value of a rule is no key, though it may be the same word.
        let of_itself = errors(&format!(r#"{{"rules":{{"{id}":"{id}"}}}}"#));
        assert_eq!(of_itself, [format!("`rules.{id}` is `{id}`, expected one of `deny`, `warn`, `off`")]);
        assert_eq!((one_of(&["a"]), one_of(&["a", "b"])), ("`a`".to_owned(), "one of `a`, `b`".to_owned()));
    }

    #[test]
    fn rejects_with_a_bounded_number_of_errors() {
        let of = |count: usize| errors(&format!(r#"{{"dynatrace":{{"hosts":[{}1]}}}}"#, "1,".repeat(count - 1))).len();
        assert_eq!([of(1), of(MAX_ERRORS), of(MAX_ERRORS + 1), of(500)], [1, MAX_ERRORS, MAX_ERRORS, MAX_ERRORS]);
    }
}

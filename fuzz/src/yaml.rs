//! Manifests: reading, places, repairs.

use std::collections::BTreeMap;

use kyma_dynatrace_manifest::document::{Document, Object, split};
use kyma_dynatrace_manifest::fix::{self, Repair};
use kyma_dynatrace_manifest::places::Places;
use kyma_dynatrace_manifest::yaml;
use kyma_dynatrace_policy::pipeline::FieldPath;
use serde_json::{Value, json};

use crate::answer::{answer_to, create};

/// Reading: any text ends in a value or an error, and places are in the text. JSON is read as JSON.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for document in split(text) {
        assert_eq!(text.get(document.offset..document.offset + document.text.len()), Some(document.text));
        let Ok(found) = document.objects() else { continue };
        let places = Places::of(document.text);
        for (object, places) in found.objects.iter().zip(places.iter().cycle()) {
            for field in ["spec", "spec.output.otlp.headers[0].name", "metadata.name"] {
                let span = places.span(&object.path_in_document(&FieldPath::new(field)));
                assert!(document.text.get(span.clone()).is_some(), "{span:?} is no place in the text");
            }
        }
    }
    if let Ok(value) = serde_json::from_slice::<Value>(data)
        && is_plain(&value)
        && is_shallow(&value, 100)
    {
        let text = value.to_string();
        assert_eq!(yaml::read(&text).map(|reading| reading.value), Ok(value), "{text}");
    }
}

/// Whether a value is one that YAML has too: whole numbers, printable characters, no `<<`.
fn is_plain(value: &Value) -> bool {
    let is_text = |text: &str| text.chars().all(|c| (' '..='~').contains(&c) || ('\u{a1}'..='\u{d7ff}').contains(&c));
    match value {
        Value::String(text) => is_text(text),
        Value::Number(number) => number.is_i64(),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => {
            members.iter().all(|(key, value)| is_text(key) && key != "<<" && key.len() < 1000 && is_plain(value))
        }
        _ => true,
    }
}

fn is_shallow(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| is_shallow(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|value| is_shallow(value, depth - 1)),
        _ => true,
    }
}

/// Repairs: what is written is what the policy's answer says, and everything else is as it was.
pub fn fix(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for document in split(text) {
        let Ok(found) = document.objects() else { continue };
        let mut asked = Vec::new();
        for object in found.objects.iter().filter(|object| object.is_pipeline()) {
            let answer = answer_to(&create(&object.value, &json!({"metrics": {"deltaConversion": "auto"}})));
            let mutated = &answer["mutated_object"];
            if mutated.is_object() {
                asked.push((object, json_patch::diff(&object.value, mutated), mutated.clone()));
            }
        }
        let repairs: Vec<_> = asked.iter().map(|(object, patch, _)| Repair { object, patch }).collect();
        let repaired = fix::apply(&document, &repairs);
        let made = asked.iter().zip(&repaired.objects).filter(|(_, result)| result.is_ok());
        let wanted: BTreeMap<_, _> = made.map(|((object, _, mutated), _)| (object.item, mutated)).collect();
        is_repaired(&document, &found.objects, &wanted, &repaired.text);
    }
}

fn is_repaired(document: &Document<'_>, before: &[Object], wanted: &BTreeMap<Option<usize>, &Value>, repaired: &str) {
    let after = Document { text: repaired, ..*document }.objects().unwrap().objects;
    assert_eq!(after.len(), before.len());
    for (old, new) in before.iter().zip(&after) {
        let expected = wanted.get(&old.item).copied().unwrap_or(&old.value);
        assert_eq!(&new.value, expected, "{repaired}");
    }
    // A repair adds, or fills in what was empty: no other word is lost.
    let words = |text: &str| text.split_whitespace().filter(|word| word.starts_with('#')).count();
    assert!(words(repaired) >= words(document.text), "a comment is lost: {repaired}");
}

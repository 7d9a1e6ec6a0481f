//! The object under repair: the submitted text, taken apart only along the way to what is missing.
//!
//! A `Value` of the object would read and write every number in it, and a double with many digits does not always come
//! back as it was; a host that compares would then patch a field that nobody wanted changed.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::pipeline::{FieldPath, Step};
use crate::rule::Json;

/// A part of the object.
pub(super) enum Part<'a> {
    /// As submitted.
    Text(&'a RawValue),
    /// An object, with its members in their order.
    Object(Vec<(String, Part<'a>)>),
    /// An array.
    Array(Vec<Part<'a>>),
    /// What a repair puts in.
    New(Json),
}

impl<'a> Part<'a> {
    /// The `request.object` of a payload, with its way to the output open, in one pass. `None` where there is no such
    /// way, or where the text on the way cannot be read.
    pub(super) fn of_payload(payload: &'a str) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(payload);
        let whole = Way(&WAY).deserialize(&mut deserializer).ok()?;
        whole.into_member("request")?.into_member("object")
    }

    fn into_member(self, name: &str) -> Option<Self> {
        match self {
            Self::Object(members) => members.into_iter().find(|(key, _)| key == name).map(|(_, part)| part),
            _ => None,
        }
    }

    /// Puts a value at the place of a field. `None` where there is no such place.
    pub(super) fn put(&mut self, field: &FieldPath, value: Json) -> Option<()> {
        let mut place = self;
        let mut steps = field.steps().peekable();
        // The object itself is never replaced.
        steps.peek()?;
        for step in steps {
            place = place.enter(&step)?;
        }
        *place = Self::New(value);
        Some(())
    }

    /// The part that a step leads to. What is not there is put there.
    fn enter(&mut self, step: &Step<'_>) -> Option<&mut Self> {
        self.open()?;
        match (self, step) {
            (Self::Object(members), Step::Key(name)) => match members.iter().position(|(key, _)| key == name) {
                Some(index) => members.get_mut(index).map(|(_, part)| part),
                None => {
                    members.push((name.clone().into_owned(), Self::Object(Vec::new())));
                    members.last_mut().map(|(_, part)| part)
                }
            },
            (Self::Array(elements), Step::End) => {
                elements.push(Self::Object(Vec::new()));
                elements.last_mut()
            }
            (Self::Array(elements), Step::Index(index)) => elements.get_mut(*index),
            _ => None,
        }
    }

    /// Takes a text apart, one level deep.
    fn open(&mut self) -> Option<()> {
        if let Self::Text(text) = self {
            *self = if text.get().starts_with('[') {
                let elements: Vec<&RawValue> = serde_json::from_str(text.get()).ok()?;
                Self::Array(elements.into_iter().map(Self::Text).collect())
            } else {
                Way(&[""]).deserialize(&mut serde_json::Deserializer::from_str(text.get())).ok()?
            };
        }
        Some(())
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(key, part)| (key, part))),
            Self::Array(elements) => elements.serialize(serializer),
            Self::New(value) => value.serialize(serializer),
        }
    }
}

/// The way from the payload to the output.
const WAY: [&str; 5] = ["request", "object", "spec", "output", "otlp"];

/// How many names of the way are in the object itself. What is beside the others is skipped.
const INSIDE: usize = 3;

/// Reads an object, and takes it apart along these names; the rest stays text.
struct Way<'w>(&'w [&'w str]);

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = Part<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let part = match self.0 {
                [name, rest @ ..] if key == *name && !rest.is_empty() => map.next_value_seed(Way(rest))?,
                [name] if key == *name => map.next_value_seed(Way(&[]))?,
                names if names.len() > INSIDE => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => Part::Text(map.next_value()?),
            };
            members.push((key, part));
        }
        Ok(Part::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn repaired(object: &str, puts: &[(&str, Value)]) -> Option<String> {
        let payload = format!(r#"{{"settings":{{}},"request":{{"uid":"u","object":{object}}}}}"#);
        let mut object = Part::of_payload(&payload)?;
        for (pointer, value) in puts {
            object.put(&FieldPath::from_pointer(pointer), Json::new(value))?;
        }
        serde_json::to_string(&object).ok()
    }

    #[test]
    fn repairs_in_place_and_leaves_every_other_text() {
        let object = r#"{"z":1e400,"spec":{"n":12345678901234567890123.10,"output":{"o":[ 1.10 ],"otlp":{"a":"\u00e9","path":"","headers":[ {"name":"A"} ]}}},"kind":"K"}"#;
        let puts = [
            ("/spec/output/otlp/protocol", "http".into()),
            ("/spec/output/otlp/path", "p".into()),
            ("/spec/output/otlp/headers/-", serde_json::json!({"name": "B"})),
            ("/spec/output/otlp/headers/0/prefix", "P".into()),
        ];
        assert_eq!(
            repaired(object, &puts).unwrap(),
            r#"{"z":1e400,"spec":{"n":12345678901234567890123.10,"output":{"o":[ 1.10 ],"otlp":{"a":"\u00e9","path":"p","headers":[{"name":"A","prefix":"P"},{"name":"B"}],"protocol":"http"}}},"kind":"K"}"#
        );
    }

    #[test]
    fn rejects_places_that_are_none() {
        let object = r#"{"spec":{"output":{"otlp":{"path":"p","headers":[]}}}}"#;
        for pointer in ["", "/spec/output/otlp/path/x", "/spec/output/otlp/headers/0", "/spec/output/otlp/headers/x"] {
            assert_eq!(repaired(object, &[(pointer, 1.into())]), None, "{pointer}");
        }
        for object in ["3", r#"{"spec":[]}"#, r#"{"spec":{"output":{"otlp":3}}}"#] {
            assert_eq!(repaired(object, &[]), None, "{object}");
        }
    }
}

//! A field of a pipeline: absent, of the wrong type, or there.
//!
//! A derived struct would refuse a whole request for one number in the place of a string. Here such a field is a
//! finding with its path, and the rest of the pipeline is read all the same.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::path::FieldPath;

/// Path of the output in the object.
pub const OTLP: FieldPath = FieldPath::new("spec.output.otlp");

/// A field of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// Not there, or null: the API server prunes nulls from fields that are not nullable.
    #[default]
    Absent,
    /// There, with the wrong type: nothing can be said about it but that.
    Malformed(JsonType),
    /// There.
    Is(T),
}

impl<T> Field<T> {
    /// The value, if it is there and readable.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// Whether the field is there with the wrong type.
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::Malformed(_))
    }

    /// Whether the field is not there, or null.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Notes the field if it is of the wrong type. The path is made only then.
    pub(super) fn note(&self, expected: JsonType, path: impl FnOnce() -> FieldPath, noted: &mut Vec<Malformed>) {
        if let Self::Malformed(found) = self {
            noted.push(Malformed { field: path(), found: *found, expected });
        }
    }
}

/// A field of the wrong type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The field's path.
    pub field: FieldPath,
    /// The type that it has. Never the value.
    pub found: JsonType,
    /// The type that it should have.
    pub expected: JsonType,
}

/// The types of JSON, in the words of its specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum JsonType {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl JsonType {
    /// The type with its article, as messages write it.
    #[must_use]
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// A text of a pipeline. It may hold a token, so Debug output does not show it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Text<'a>(Cow<'a, str>);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Text<'a> {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl Field<Text<'_>> {
    /// The text; empty where it is absent. `None` where the field is malformed.
    #[must_use]
    pub fn text_or_empty(&self) -> Option<&str> {
        match self {
            Self::Absent => Some(""),
            Self::Malformed(_) => None,
            Self::Is(text) => Some(text),
        }
    }

    /// Whether the text is exactly this.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.value().is_some_and(|value| &**value == text)
    }
}

/// What a field's value can be made from: one JSON type each. What is not overridden is the wrong type, and skipped.
pub(super) trait Shape<'de>: Sized {
    fn of_boolean(_: bool) -> Option<Self> {
        None
    }

    fn of_text(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn of_array<A: SeqAccess<'de>>(mut array: A) -> Result<Option<Self>, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de: 'a, 'a> Shape<'de> for Text<'a> {
    fn of_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
}

impl Shape<'_> for bool {
    fn of_boolean(value: bool) -> Option<Self> {
        Some(value)
    }
}

/// A derived struct that stands for an object. (Derived structs would take arrays too.)
pub(crate) trait Members {}

impl<'de, T: Deserialize<'de> + Members> Shape<'de> for T {
    fn of_object<A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
}

impl<'de, T: Shape<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

/// The value, or the type that it has instead.
fn field<T>(value: Option<T>, found: JsonType) -> Field<T> {
    value.map_or(Field::Malformed(found), Field::Is)
}

impl<'de, T: Shape<'de>> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(field(T::of_boolean(value), JsonType::Boolean))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Field::Malformed(JsonType::Number))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Field::Malformed(JsonType::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Field::Malformed(JsonType::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(field(T::of_text(Cow::Owned(text.to_owned())), JsonType::String))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(field(T::of_text(Cow::Borrowed(text)), JsonType::String))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Self::Value, A::Error> {
        T::of_array(array).map(|value| field(value, JsonType::Array))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::of_object(object).map(|value| field(value, JsonType::Object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn text(json: &str) -> Field<Text<'_>> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn rejects_to_show_a_text() {
        assert_eq!(format!("{:?}", text(r#""geheim""#)), "Is(Text(..))");
    }

    #[test]
    fn rejects_every_other_type_with_its_name_and_reads_on_behind_it() {
        for (json, expected) in [
            ("null", Field::Absent),
            ("true", Field::Malformed(JsonType::Boolean)),
            ("-1", Field::Malformed(JsonType::Number)),
            ("1", Field::Malformed(JsonType::Number)),
            ("1.5", Field::Malformed(JsonType::Number)),
            (r#"[1,[2],{"a":3}]"#, Field::Malformed(JsonType::Array)),
            (r#"{"a":{"b":[1]},"c":2}"#, Field::Malformed(JsonType::Object)),
        ] {
            assert!(text(json) == expected, "{json}");
            // What is wrong is read to its end: the next one is found.
            let both = format!("[{json},true]");
            let both: (Field<Text<'_>>, Field<bool>) = serde_json::from_str(&both).unwrap();
            assert!(both.0 == expected && both.1 == Field::Is(true), "{json}");
        }
        let boolean = |json: &str| -> Field<bool> { serde_json::from_str(json).unwrap() };
        assert!(boolean(r#""true""#) == Field::Malformed(JsonType::String) && boolean("null") == Field::Absent);
    }
}

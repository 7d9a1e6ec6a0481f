//! A lens over JSON text that borrows everything and copies nothing it is not asked for.
//!
//! The policy looks at some twenty fields of an object that may hold a thousand. A [`Node`] is the text of one
//! JSON value; its members are found when asked for. Because a node is a slice of the original text, a repair knows
//! where in the document it belongs, and [`crate::splice`] can leave every other byte alone. Numbers are never read,
//! so no number is ever rounded.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The text of one JSON value, a slice of the document it was read from.
#[derive(Clone, Copy)]
pub struct Node<'a>(&'a str);

// A node is a piece of the request and may hold a token: Debug output names its type only.
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl<'a> Node<'a> {
    /// The JSON type, in the words of the JSON specification.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ => "number",
        }
    }

    /// `null` counts as absent: the API server prunes nulls from fields that are not nullable.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The text itself, for [`crate::splice`].
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// The string, or `None` where this is not a (readable) string.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        if !self.0.starts_with('"') {
            return None;
        }
        serde_json::from_str::<Text<'a>>(self.0).ok().map(|text| text.0)
    }

    /// The boolean, or `None` where this is not one.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The members of an object in their order, or `None` where this is not a (readable) object.
    #[must_use]
    pub fn members(self) -> Option<Members<'a>> {
        if !self.0.starts_with('{') {
            return None;
        }
        serde_json::from_str(self.0).ok()
    }

    /// The elements of an array, or `None` where this is not one.
    #[must_use]
    pub fn items(self) -> Option<Vec<Node<'a>>> {
        if !self.0.starts_with('[') {
            return None;
        }
        serde_json::from_str(self.0).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'a RawValue>::deserialize(deserializer).map(|raw| Node(raw.get()))
    }
}

/// The members of one JSON object, in the order of the text.
#[derive(Debug)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Members<'a> {
    /// The member of this name, `None` where it is absent or null. The last of several wins, as in Go and `serde_json`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        self.nullable(name).filter(|node| !node.is_null())
    }

    /// The member of this name, null or not: what a repair has to replace.
    #[must_use]
    pub fn nullable(&self, name: &str) -> Option<Node<'a>> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, node)| *node)
    }

    /// All members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Node<'a>)> {
        self.0.iter().map(|(key, node)| (key.as_ref(), *node))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, node)) = map.next_entry::<Text<'de>, Node<'de>>()? {
                    members.push((key.0, node));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A string, borrowed where it has no escapes. (`serde` copies a plain `Cow<str>` always.)
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A field that ought to be an object of shape `T`, read without ever failing on its type.
///
/// `serde`'s derived structs stop the whole reading at the first surprise, and take an array for an object. The
/// schema check that follows admission reports wrong types well; the policy must only not stumble over them.
#[derive(Debug, Default)]
pub(crate) enum Shape<T> {
    /// Not there, or null.
    #[default]
    Absent,
    /// An object.
    Object(T),
    /// Something else.
    Other,
}

impl<T> Shape<T> {
    /// The object, if it is one.
    pub(crate) fn object(self) -> Option<T> {
        match self {
            Self::Object(object) => Some(object),
            Self::Absent | Self::Other => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shape<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(std::marker::PhantomData))
    }
}

struct ShapeVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ShapeVisitor<T> {
    type Value = Shape<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Shape::Object)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Shape::Absent)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Shape::Other)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Shape::Other)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Shape::Other)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Shape::Other)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Shape::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Shape::Other)
    }
}

#[cfg(test)]
pub(crate) fn parse(text: &str) -> Node<'_> {
    serde_json::from_str(text).expect("test JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_members_in_order_and_takes_the_last_of_two() {
        let members = parse(r#"{"b":1,"a":{"x":[]},"b":"two","c":null}"#).members().unwrap();
        let keys: Vec<_> = members.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b", "a", "b", "c"]);
        assert_eq!(members.get("b").unwrap().text().unwrap(), "two");
        assert!(members.get("c").is_none());
        assert!(members.nullable("c").unwrap().is_null());
    }

    #[test]
    fn accepts_escaped_keys_and_values() {
        let members = parse(r#"{"p\u0061th":"a\"b"}"#).members().unwrap();
        assert_eq!(members.get("path").unwrap().text().unwrap(), "a\"b");
    }

    #[test]
    fn accepts_numbers_no_machine_type_can_hold() {
        let members = parse(r#"{"big":1e400,"long":123456789012345678901234567890}"#).members().unwrap();
        assert_eq!(members.get("big").unwrap().raw(), "1e400");
    }

    #[test]
    fn rejects_the_wrong_type_quietly() {
        assert!(parse("[1]").members().is_none());
        assert!(parse("{}").items().is_none());
        assert!(parse("3").text().is_none());
        assert!(parse(r#""true""#).boolean().is_none());
        assert_eq!(parse(r#""\ud800""#).text(), None, "a lone surrogate is no text");
    }

    #[test]
    fn rejects_to_show_content_in_debug_output() {
        assert_eq!(format!("{:?}", parse(r#""secret""#)), "string");
    }
}

//! Where a value comes from: a literal, or a key of a Secret.

use serde::Deserialize;

use super::field::{Field, JsonType, Malformed, Members, Text};
use super::path::FieldPath;
use crate::text::quote;

/// `ValueType` of the Telemetry module: `value` or `valueFrom`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ValueSource<'a> {
    /// `value`.
    #[serde(borrow)]
    pub value: Field<Text<'a>>,
    /// `valueFrom`.
    #[serde(borrow)]
    pub value_from: Field<ValueFrom<'a>>,
}

/// `valueFrom`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ValueFrom<'a> {
    #[serde(borrow)]
    secret_key_ref: Field<SecretKeyRef<'a>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
struct SecretKeyRef<'a> {
    #[serde(borrow)]
    namespace: Field<Text<'a>>,
    #[serde(borrow)]
    name: Field<Text<'a>>,
    #[serde(borrow)]
    key: Field<Text<'a>>,
}

impl Members for ValueSource<'_> {}
impl Members for ValueFrom<'_> {}
impl Members for SecretKeyRef<'_> {}

/// Where a value comes from, read: the literal wins over the Secret, as in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source<'s> {
    /// Neither a literal nor a Secret is named.
    Absent,
    /// Of the wrong type somewhere.
    Malformed,
    /// A literal that is not empty.
    Literal(&'s str),
    /// A key of a Secret.
    Secret(SecretKey<'s>),
}

/// `secretKeyRef`. Parts that are missing are empty; the schema check refuses those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretKey<'s> {
    /// Namespace of the Secret.
    pub namespace: &'s str,
    /// Name of the Secret.
    pub name: &'s str,
    /// Key in the Secret.
    pub key: &'s str,
}

impl SecretKey<'_> {
    /// The Secret, to be shown: `` `namespace/name` ``.
    #[must_use]
    pub fn secret(&self) -> String {
        quote(&[self.namespace, "/", self.name].concat())
    }

    /// The key and its Secret, to be shown.
    #[must_use]
    pub fn place(&self) -> String {
        ["key ", &quote(self.key), " of the Secret ", &self.secret()].concat()
    }
}

impl<'a> ValueSource<'a> {
    /// The value from a key of a Secret.
    #[must_use]
    pub fn of_secret(namespace: String, name: String, key: String) -> Self {
        let text = |text: String| Field::Is(Text::from(text));
        let reference = SecretKeyRef { namespace: text(namespace), name: text(name), key: text(key) };
        Self { value: Field::Absent, value_from: Field::Is(ValueFrom { secret_key_ref: Field::Is(reference) }) }
    }

    /// Where the value comes from.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        match &self.value {
            Field::Malformed(_) => return Source::Malformed,
            Field::Is(text) if !text.is_empty() => return Source::Literal(text),
            Field::Absent | Field::Is(_) => {}
        }
        let from = match &self.value_from {
            Field::Absent => return Source::Absent,
            Field::Malformed(_) => return Source::Malformed,
            Field::Is(from) => from,
        };
        match &from.secret_key_ref {
            Field::Absent => Source::Absent,
            Field::Malformed(_) => Source::Malformed,
            Field::Is(key) => key.read().map_or(Source::Malformed, Source::Secret),
        }
    }

    /// Notes what is of the wrong type; `path` is where the value stands.
    pub(super) fn note(&self, path: &dyn Fn() -> FieldPath, noted: &mut Vec<Malformed>) {
        self.value.note(JsonType::String, || path().join("value"), noted);
        if matches!(self.source(), Source::Literal(_)) {
            return;
        }
        self.value_from.note(JsonType::Object, || path().join("valueFrom"), noted);
        let Field::Is(from) = &self.value_from else { return };
        let path = || path().join("valueFrom.secretKeyRef");
        from.secret_key_ref.note(JsonType::Object, path, noted);
        let Field::Is(key) = &from.secret_key_ref else { return };
        for (name, part) in [("namespace", &key.namespace), ("name", &key.name), ("key", &key.key)] {
            part.note(JsonType::String, || path().join(name), noted);
        }
    }
}

impl SecretKeyRef<'_> {
    /// `None` where a part is malformed.
    fn read(&self) -> Option<SecretKey<'_>> {
        Some(SecretKey {
            namespace: self.namespace.text_or_empty()?,
            name: self.name.text_or_empty()?,
            key: self.key.text_or_empty()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_a_key_to_be_shown() {
        let key = SecretKey { namespace: "n", name: "a", key: "k" };
        assert_eq!((key.secret().as_str(), key.place().as_str()), ("`n/a`", "key `k` of the Secret `n/a`"));
    }
}

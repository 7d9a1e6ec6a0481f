//! The headers of an output.
//!
//! Most headers are in order and none of the policy's business: they are counted and hashed (so that an update that
//! changes one is seen), and forgotten. Kept are the `Authorization` headers and those with something wrong in them,
//! and of those no more than anybody can be told of, so that memory stays bounded whatever a request holds.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde::de::SeqAccess;

use super::field::{Field, JsonType, Malformed, Members, Shape, Text};
use super::path::FieldPath;
use super::source::{Source, ValueSource};
use crate::text::holds_token;

/// Path of the headers in the object.
pub const HEADERS: FieldPath = FieldPath::new("spec.output.otlp.headers");

/// How many headers are kept.
const KEPT: usize = 100;

/// `headers`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// The `Authorization` headers, and those with something wrong in them, in their order.
    pub kept: Vec<Header<'a>>,
    /// How many headers there are in all.
    pub count: usize,
    /// How many headers with something wrong in them are not kept.
    pub more: usize,
    /// Stands for the headers that are in order.
    digest: u64,
}

/// One header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Header<'a> {
    /// Its position in `headers`.
    pub index: usize,
    /// The type of an element that is no object.
    wrong: Option<JsonType>,
    /// `name`.
    pub name: Field<Text<'a>>,
    /// `prefix`.
    pub prefix: Field<Text<'a>>,
    /// `value` or `valueFrom`.
    pub value: ValueSource<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(borrow)]
    name: Field<Text<'a>>,
    #[serde(borrow)]
    prefix: Field<Text<'a>>,
    #[serde(borrow)]
    value: Field<Text<'a>>,
    #[serde(borrow)]
    value_from: Field<super::source::ValueFrom<'a>>,
}

impl Members for Raw<'_> {}

impl<'a> Header<'a> {
    fn read(element: Field<Raw<'a>>) -> Self {
        match element {
            Field::Is(Raw { name, prefix, value, value_from }) => {
                Self { name, prefix, value: ValueSource { value, value_from }, ..Self::default() }
            }
            Field::Malformed(found) => Self::wrong(found),
            Field::Absent => Self::wrong(JsonType::Null),
        }
    }

    fn wrong(found: JsonType) -> Self {
        let malformed = || Field::Malformed(found);
        let value = ValueSource { value: malformed(), value_from: Field::Absent };
        Self { index: 0, wrong: Some(found), name: malformed(), prefix: malformed(), value }
    }

    /// An `Authorization` header whose value is in a Secret.
    #[must_use]
    pub fn authorization(prefix: &str, namespace: &str, name: &str, key: &str) -> Self {
        Self {
            name: Field::Is("Authorization".into()),
            prefix: Field::Is(prefix.to_owned().into()),
            value: ValueSource::of_secret(namespace.to_owned(), name.to_owned(), key.to_owned()),
            ..Self::default()
        }
    }

    /// Whether this is the `Authorization` header; names compare without case.
    #[must_use]
    pub fn is_authorization(&self) -> bool {
        self.name.value().is_some_and(|name| name.eq_ignore_ascii_case("authorization"))
    }

    /// The prefix without blanks around it, as the module uses it. `None` where it is malformed.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.prefix.text_or_empty().map(str::trim)
    }

    /// Where its value comes from.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        self.value.source()
    }

    /// The path of one of the header's fields, or of the header itself.
    #[must_use]
    pub fn field(&self, name: &'static str) -> FieldPath {
        HEADERS.index(self.index).join(name)
    }

    /// Whether a rule has something to say about it, whatever its name.
    fn has_fault(&self) -> bool {
        let holds = |text: &Field<Text<'_>>| text.value().is_some_and(|text| holds_token(text));
        let is_faulty = match self.source() {
            Source::Absent | Source::Malformed => true,
            Source::Literal(text) => holds_token(text),
            Source::Secret(_) => false,
        };
        is_faulty || self.name.is_malformed() || self.prefix.is_malformed() || holds(&self.name) || holds(&self.prefix)
    }

    /// Notes what is of the wrong type.
    pub(super) fn note(&self, noted: &mut Vec<Malformed>) {
        if let Some(found) = self.wrong {
            noted.push(Malformed { field: self.field(""), found, expected: JsonType::Object });
            return;
        }
        self.name.note(JsonType::String, || self.field("name"), noted);
        self.prefix.note(JsonType::String, || self.field("prefix"), noted);
        self.value.note(&|| self.field(""), noted);
    }
}

impl<'a> Headers<'a> {
    /// Puts a header behind the others.
    pub fn push(&mut self, mut header: Header<'a>) {
        header.index = self.count;
        self.count += 1;
        let is_authorization = header.is_authorization();
        if !is_authorization && !header.has_fault() {
            let mut hasher = DefaultHasher::new();
            (self.digest, header).hash(&mut hasher);
            self.digest = hasher.finish();
        } else if self.kept.len() < KEPT {
            self.kept.push(header);
        } else {
            self.more += 1;
            // The module sends the last `Authorization`, so that one is never forgotten.
            if is_authorization && let Some(last) = self.kept.last_mut() {
                *last = header;
            }
        }
    }

    /// The `Authorization` headers, in order.
    pub fn authorizations(&self) -> impl DoubleEndedIterator<Item = &Header<'a>> {
        self.kept.iter().filter(|header| header.is_authorization())
    }
}

impl<'de: 'a, 'a> Shape<'de> for Headers<'a> {
    fn of_array<A: SeqAccess<'de>>(mut array: A) -> Result<Option<Self>, A::Error> {
        let mut headers = Self::default();
        while let Some(element) = array.next_element::<Field<Raw<'a>>>()? {
            headers.push(Header::read(element));
        }
        Ok(Some(headers))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{output, token};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rejects_each_fault_by_itself() {
        let has_fault = |header: &str| {
            let output = output(&format!(r#"{{"headers":[{header}]}}"#));
            output.headers.value().is_some_and(|headers| headers.kept.len() == 1)
        };
        let token = token();
        assert!(!has_fault(r#"{"name":"X","prefix":"p","value":"v"}"#));
        for header in [
            r#"{"name":"X"}"#.to_owned(),
            r#"{"name":1,"value":"v"}"#.to_owned(),
            r#"{"name":"X","prefix":1,"value":"v"}"#.to_owned(),
            format!(r#"{{"name":"{token}","value":"v"}}"#),
            format!(r#"{{"name":"X","prefix":"{token}","value":"v"}}"#),
            format!(r#"{{"name":"X","value":"{token}"}}"#),
        ] {
            assert!(has_fault(&header), "{header}");
        }
    }
}

//! The headers of an output.
//!
//! Most headers are in order and none of the policy's business: they are counted and hashed (so that an update that
//! changes one is seen), and forgotten. Kept are the `Authorization` headers and those with something wrong in them,
//! and of those no more of each kind than anybody can be told of, so that memory stays bounded whatever a request holds, and so
//! that no number of headers of one kind hides those of another.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde::de::SeqAccess;

use super::field::{Field, JsonType, Malformed, Members, Shape, Text};
use super::path::FieldPath;
use super::source::{Source, ValueSource};
use crate::text::holds_token;

/// Path of the headers in the object.
pub const HEADERS: FieldPath = FieldPath::new("spec.output.otlp.headers");

/// How many headers of each kind are kept.
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
    /// Stands for the headers that there was no place for.
    pub more_digest: u64,
    /// Stands for the headers that are in order.
    digest: u64,
}

/// Why a header is kept.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Authorization,
    Malformed,
    Empty,
    Token,
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

    /// Why a rule has something to say about it; `None` for a header that is in order and not an `Authorization`.
    fn kind(&self) -> Option<Kind> {
        let holds = |text: &Field<Text<'_>>| text.value().is_some_and(|text| holds_token(text));
        let is_authorization = self.is_authorization();
        match self.source() {
            Source::Malformed => Some(Kind::Malformed),
            _ if self.name.is_malformed() || self.prefix.is_malformed() => Some(Kind::Malformed),
            _ if holds(&self.name) || holds(&self.prefix) => Some(Kind::Token),
            Source::Literal(text) if is_authorization || holds_token(text) => Some(Kind::Token),
            Source::Absent => Some(Kind::Empty),
            _ => is_authorization.then_some(Kind::Authorization),
        }
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
    /// Puts a header behind the others, that a rule adds.
    pub fn add(&mut self, mut header: Header<'a>) {
        header.index = self.count;
        self.count += 1;
        self.kept.push(header);
    }

    /// The `Authorization` headers, in order.
    pub fn authorizations(&self) -> impl DoubleEndedIterator<Item = &Header<'a>> {
        self.kept.iter().filter(|header| header.is_authorization())
    }

    /// Counts a header that there is no place for.
    fn forget(&mut self, header: &Header<'a>) {
        self.more_digest = digest(self.more_digest, header);
        self.more += usize::from(!matches!(header.kind(), Some(Kind::Authorization) | None));
    }
}

/// Headers while they are read.
#[derive(Default)]
struct Reader<'a> {
    headers: Headers<'a>,
    /// How many of each kind are kept.
    kinds: [usize; 4],
    /// Where the last `Authorization` is kept, if there was no place left for it.
    last: Option<usize>,
}

impl<'a> Reader<'a> {
    fn push(&mut self, mut header: Header<'a>) {
        header.index = self.headers.count;
        self.headers.count += 1;
        // Nearly every pipeline has an `Authorization`, and the rules look at it anyway.
        let is_kept = header.is_authorization() && *self.kept(Kind::Authorization) < KEPT;
        let kind = if is_kept { Some(Kind::Authorization) } else { header.kind() };
        let Some(kind) = kind else {
            self.headers.digest = digest(self.headers.digest, &header);
            return;
        };
        let kept = self.kept(kind);
        if *kept < KEPT {
            *kept += 1;
            self.headers.kept.push(header);
        } else if header.is_authorization() {
            // The module sends the last `Authorization`, so that one is never forgotten.
            let before = self.last.map(|last| self.headers.kept.remove(last));
            self.last = Some(self.headers.kept.len());
            self.headers.kept.push(header);
            if let Some(before) = before {
                self.headers.forget(&before);
            }
        } else {
            self.headers.forget(&header);
        }
    }

    /// How many of a kind are kept.
    fn kept(&mut self, kind: Kind) -> &mut usize {
        let [authorization, malformed, empty, token] = &mut self.kinds;
        match kind {
            Kind::Authorization => authorization,
            Kind::Malformed => malformed,
            Kind::Empty => empty,
            Kind::Token => token,
        }
    }
}

fn digest(before: u64, header: &Header<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (before, header).hash(&mut hasher);
    hasher.finish()
}

impl<'de: 'a, 'a> Shape<'de> for Headers<'a> {
    fn of_array<A: SeqAccess<'de>>(mut array: A) -> Result<Option<Self>, A::Error> {
        let mut reader = Reader::default();
        while let Some(element) = array.next_element::<Field<Raw<'a>>>()? {
            reader.push(Header::read(element));
        }
        Ok(Some(reader.headers))
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
        assert!(has_fault(r#"{"name":"authorization","valueFrom":{"secretKeyRef":{"name":"a"}}}"#), "always looked at");
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

    #[test]
    fn keeps_a_token_behind_any_number_of_other_headers() {
        let secret = r#"{"name":"Authorization","valueFrom":{"secretKeyRef":{"name":"a"}}},"#.repeat(150);
        let empty = r#"{"name":"Q"},"#.repeat(150);
        let last = r#"{"name":"Authorization","prefix":"last","valueFrom":{"secretKeyRef":{"name":"a"}}}"#;
        let output = output(&format!(r#"{{"headers":[{secret}{empty}{{"name":"X","value":"{}"}},{last}]}}"#, token()));
        let headers = output.headers.value().unwrap();
        assert_eq!((headers.count, headers.kept.len(), headers.more), (302, 202, 50));
        assert!(headers.kept.iter().any(|header| header.index == 300));
        assert_eq!(output.authorization().unwrap().scheme(), Some("last"));
    }

    #[test]
    fn tells_lists_apart_by_what_is_not_kept() {
        let of = |end: &str| {
            let list = format!(r#"{{"name":"X","value":"{}"}},"#, token()).repeat(150);
            output(&format!(r#"{{"headers":[{list}{{"name":"X","value":"{}{end}"}}]}}"#, token()))
        };
        let (one, other) = (of(""), of("2"));
        assert!(one.headers != other.headers && one.headers == of("").headers);
    }
}

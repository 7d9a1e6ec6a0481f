//! Where a field stands in an object: one type for the form that people read and the one that patches use.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The path of a field from the object's root, kept as people read it: `spec.output.otlp.headers[0].prefix`.
///
/// A name that would be mistaken for something else stands in brackets and quotes: `metadata.annotations['a.b/c']`. The place
/// behind an array's last element is `[-]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct FieldPath(Cow<'static, str>);

/// A step from a value to one inside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'p> {
    /// To the member of an object.
    Key(Cow<'p, str>),
    /// To the element of an array, from 0.
    Index(usize),
    /// Behind the last element of an array.
    End,
}

impl FieldPath {
    /// The object itself.
    pub const ROOT: Self = Self(Cow::Borrowed(""));

    /// A path that the code names, written as [`FieldPath`] writes it.
    #[must_use]
    pub const fn new(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// The path of a JSON pointer (RFC 6901). A number in it is an index: in a pipeline no member has a number for a name.
    #[must_use]
    pub fn from_pointer(pointer: &str) -> Self {
        let names = pointer.split('/').skip(1);
        names.fold(Self::ROOT, |path, name| match name.parse() {
            Ok(index) => path.index(index),
            Err(_) if name == "-" => path.end(),
            Err(_) => path.member(&name.replace("~1", "/").replace("~0", "~")),
        })
    }

    /// The member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let is_plain = !name.is_empty() && !name.contains(['.', '[', ']', '\'']);
        let dot = if self.0.is_empty() { "" } else { "." };
        Self(Cow::Owned(if is_plain {
            [&self.0, dot, name].concat()
        } else {
            [&self.0, "['", &name.replace('\'', "''"), "']"].concat()
        }))
    }

    /// The path with another behind it that the code names, written as [`FieldPath`] writes it.
    #[must_use]
    pub fn join(&self, rest: &'static str) -> Self {
        match (self.0.is_empty(), rest.is_empty()) {
            (true, _) => Self::new(rest),
            (_, true) => self.clone(),
            _ => Self(Cow::Owned([&self.0, ".", rest].concat())),
        }
    }

    /// One step further.
    #[must_use]
    pub fn step(&self, step: &Step<'_>) -> Self {
        match step {
            Step::Key(name) => self.member(name),
            Step::Index(index) => self.index(*index),
            Step::End => self.end(),
        }
    }

    /// The element at this index.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(Cow::Owned([&self.0, "[", &index.to_string(), "]"].concat()))
    }

    /// Behind the last element.
    #[must_use]
    pub fn end(&self) -> Self {
        Self(Cow::Owned([&self.0, "[-]"].concat()))
    }

    /// The path of the value that the field is in, and the last step; `None` for the object itself.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, Step<'_>)> {
        let mut steps: Vec<Step<'_>> = self.steps().collect();
        let last = steps.pop()?;
        Some((steps.iter().fold(Self::ROOT, |path, step| path.step(step)), last))
    }

    /// The index of the list's element that the field is, or is in, and the path from there as people read it.
    #[must_use]
    pub fn in_element_of(&self, list: &Self) -> Option<(usize, &str)> {
        let (index, below) = self.0.strip_prefix(&*list.0)?.strip_prefix('[')?.split_once(']')?;
        Some((index.parse().ok()?, behind(below)))
    }

    /// The path as people read it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The steps from the root.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (step, behind) = next_step(rest)?;
            rest = behind;
            Some(step)
        })
    }

    /// The path as a JSON pointer (RFC 6901); `-` is behind an array's last element.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = String::with_capacity(self.0.len() + 1);
        for step in self.steps() {
            pointer.push('/');
            match step {
                Step::Key(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
                Step::End => pointer.push('-'),
            }
        }
        pointer
    }
}

/// The first step of a path, and the rest. What is not written as [`FieldPath`] writes it is taken for a name.
fn next_step(path: &str) -> Option<(Step<'_>, &str)> {
    if path.is_empty() {
        return None;
    }
    if let Some(quoted) = path.strip_prefix("['") {
        let end = closing_quote(quoted);
        let name = quoted.get(..end).unwrap_or(quoted);
        let name = if name.contains('\'') { Cow::Owned(name.replace("''", "'")) } else { Cow::Borrowed(name) };
        return Some((Step::Key(name), behind(quoted.get(end..).unwrap_or_default().trim_start_matches("']"))));
    }
    if let Some((inner, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
        let step = match inner {
            "-" => Step::End,
            _ => inner.parse().map_or(Step::Key(Cow::Borrowed(inner)), Step::Index),
        };
        return Some((step, behind(rest)));
    }
    // A bracket that opens the path and is never closed belongs to a name.
    let end = path.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '[')).map_or(path.len(), |(at, _)| at);
    let (name, rest) = path.split_at_checked(end)?;
    Some((Step::Key(Cow::Borrowed(name)), behind(rest)))
}

/// What stands behind the dot.
fn behind(rest: &str) -> &str {
    rest.strip_prefix('.').unwrap_or(rest)
}

/// Where the quote that ends a name stands; two of them stand for one in the name.
fn closing_quote(text: &str) -> usize {
    let mut quotes = text.match_indices('\'').map(|(at, _)| at).peekable();
    while let Some(at) = quotes.next() {
        if quotes.next_if_eq(&(at + 1)).is_none() {
            return at;
        }
    }
    text.len()
}

/// A path that something else has written, as [`FieldPath`] or the API server writes it.
impl From<String> for FieldPath {
    fn from(path: String) -> Self {
        Self(Cow::Owned(path))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn reads_as_people_write_it_and_points_as_patches_do() {
        let headers = FieldPath::new("spec.output.otlp.headers");
        let prefix = headers.index(10).member("prefix");
        assert_eq!(prefix.to_string(), "spec.output.otlp.headers[10].prefix");
        assert_eq!(prefix.pointer(), "/spec/output/otlp/headers/10/prefix");
        assert_eq!(headers.end().pointer(), "/spec/output/otlp/headers/-");
        assert_eq!(FieldPath::from_pointer("/spec/output/otlp/headers/-"), headers.end());
        assert_eq!((FieldPath::ROOT.pointer().as_str(), FieldPath::ROOT.steps().count()), ("", 0));
        assert_eq!(FieldPath::ROOT.member("spec").as_str(), "spec");
        assert_eq!(prefix.in_element_of(&headers), Some((10, "prefix")));
        assert_eq!(headers.index(3).in_element_of(&headers), Some((3, "")));
        for other in [&headers, &headers.end(), &FieldPath::new("spec.output.otlp.headersX[1]"), &FieldPath::ROOT] {
            assert_eq!(other.in_element_of(&headers), None, "{other}");
        }
    }

    #[test]
    fn keeps_every_name_apart_from_what_is_written_around_it() {
        for name in ["a", "a.b/c~d", "", "0", "-", "[", "]", "['x']", "it's", "''", "'", "ä", "a[0]"] {
            let path = FieldPath::new("metadata").member(name).index(0);
            let steps = [Step::Key("metadata".into()), Step::Key(name.into()), Step::Index(0)];
            assert_eq!(path.steps().collect::<Vec<_>>(), steps, "{path}");
            let last = FieldPath::ROOT.member(name);
            assert_eq!(last.steps().collect::<Vec<_>>(), [Step::Key(name.into())], "{last}");
        }
        let odd = FieldPath::new("metadata").member("a.b/c~d");
        assert_eq!((odd.as_str(), odd.pointer().as_str()), ("metadata['a.b/c~d']", "/metadata/a.b~1c~0d"));
        assert_eq!(FieldPath::from_pointer(&odd.pointer()), odd);
    }

    #[test]
    fn takes_a_name_for_what_is_written_in_no_form() {
        for (text, steps) in [("[x]", 1), ("a..b", 2), ("['x", 1), ("a[", 2), ("[", 1), (".", 1)] {
            assert_eq!(FieldPath(Cow::Borrowed(text)).steps().count(), steps, "{text}");
        }
    }
}

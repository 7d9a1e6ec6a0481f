//! YAML documents of an input, and the pipelines in them.
//!
//! A document is kept as a slice of the input with its place in it, so that findings have a line and repairs change
//! nothing outside of it. It is parsed for its values first; only where there is something to point at or to repair is
//! it parsed a second time, for the places of things.

use kyma_dynatrace_policy::pipeline::{FieldPath, GROUP, Signal};
use serde_json::Value;

use crate::error::{YamlError, YamlErrorKind};
use crate::yaml::{self, Reading};

/// Larger documents are not parsed: that takes some thirty times their size, and the API server itself takes 3 MiB at most. (A
/// list of a large cluster's definitions is longer than any object.)
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// One document of a YAML stream.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its text, without the `---` in front.
    pub text: &'a str,
    /// Where the text begins in the input.
    pub offset: usize,
    /// The line on which the text begins, from 1.
    pub line: usize,
}

/// What is in a document.
#[derive(Debug, Default)]
pub struct Objects {
    /// Its objects.
    pub objects: Vec<Object>,
    /// Keys that are there twice, with the line of the second in the input.
    pub duplicates: Vec<(String, usize)>,
}

/// An object in a document: the document itself, or an item of a `List`.
#[derive(Debug)]
pub struct Object {
    /// Index in the list's `items`; `None` where the document is the object.
    pub item: Option<usize>,
    /// The object.
    pub value: Value,
}

/// Splits a YAML stream at its document markers.
///
/// A line that begins with `---` or `...` is a marker wherever it stands, also inside of what looks like a block scalar (YAML
/// 1.2, section 9.1), so that lines are all that has to be looked at.
pub fn split(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let is_marker = ["---", "..."].iter().any(|marker| {
            line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        });
        if is_marker {
            documents.extend(document(text, start, offset, start_line));
            // What follows `--- ` on its line belongs to the document.
            let has_content =
                line.get(3..).is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('#'));
            start = if has_content { offset + 3 } else { offset + line.len() };
            start_line = if has_content { index + 1 } else { index + 2 };
        }
        offset += line.len();
    }
    documents.extend(document(text, start, text.len(), start_line));
    documents
}

fn document(text: &str, start: usize, end: usize, line: usize) -> Option<Document<'_>> {
    let slice = text.get(start..end)?;
    // Comments, and the directives in front of a first marker, are no document.
    let is_content =
        |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%');
    let has_content = slice.lines().any(is_content);
    has_content.then_some(Document { text: slice, offset: start, line })
}

impl Document<'_> {
    /// The line of the input, from 1, on which a byte of the document's text stands.
    pub fn line_at(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or_default();
        self.line + before.matches('\n').count()
    }

    /// The bytes of a line of the input in the document's text, without the blanks around it.
    pub fn line_span(&self, line: usize) -> std::ops::Range<usize> {
        let mut start = 0;
        for (index, text) in self.text.split_inclusive('\n').enumerate() {
            if self.line + index == line {
                let start = start + text.len() - text.trim_start().len();
                return start..start + text.trim().len();
            }
            start += text.len();
        }
        0..0
    }

    /// The objects in the document.
    ///
    /// # Errors
    /// What is wrong with the YAML, and its line in the input if known.
    pub fn objects(&self) -> Result<Objects, YamlError> {
        if self.text.len() > MAX_BYTES {
            return Err(YamlErrorKind::TooLarge(MAX_BYTES >> 20).at(self.line));
        }
        let in_input = |error: YamlError| YamlError { line: error.line.map(|line| self.line + line - 1), ..error };
        let Reading { value, duplicates } = yaml::read(self.text).map_err(in_input)?;
        let duplicates = duplicates.into_iter().map(|(key, line)| (key, self.line + line - 1)).collect();
        let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        let objects = match value.get("items").and_then(Value::as_array) {
            Some(items) if is_list => {
                let items = items.iter().enumerate();
                items.map(|(index, item)| Object { item: Some(index), value: item.clone() }).collect()
            }
            _ => vec![Object { item: None, value }],
        };
        Ok(Objects { objects, duplicates })
    }
}

impl Object {
    /// Whether it is one of the pipelines that the policy reviews.
    pub fn is_pipeline(&self) -> bool {
        let text = |name: &str| self.value.get(name).and_then(Value::as_str).unwrap_or_default();
        text("apiVersion").split('/').next() == Some(GROUP) && Signal::of_kind(text("kind")).is_some()
    }

    /// Kind and name, for people.
    pub fn title(&self) -> String {
        let text = |pointer: &str| self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        format!("{}/{}", text("/kind"), text("/metadata/name"))
    }

    /// Whether a header's value or a login stands in the object itself.
    pub fn has_literal_credential(&self) -> bool {
        // A number is a literal too, though the API server does not take it.
        let is_literal = |value: &Value| !value.is_null() && value.as_str() != Some("");
        let headers = self.value.pointer("/spec/output/otlp/headers").and_then(Value::as_array);
        let login = self.value.pointer("/spec/output/otlp/authentication");
        headers.into_iter().flatten().filter_map(|header| header.get("value")).any(is_literal)
            || login.is_some_and(|login| has_member(login, "value"))
    }

    /// The path of a field of the object in its document.
    #[must_use]
    pub fn path_in_document(&self, field: &FieldPath) -> FieldPath {
        match self.item {
            Some(item) => field.steps().fold(FieldPath::new("items").index(item), |path, step| path.step(&step)),
            None => field.clone(),
        }
    }
}

fn has_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| key == name || has_member(value, name)),
        Value::Array(items) => items.iter().any(|item| has_member(item, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

    use super::*;

    fn texts(text: &str) -> Vec<(&str, usize)> {
        split(text).iter().map(|document| (document.text, document.line)).collect()
    }

    #[test]
    fn splits_at_markers_and_drops_what_is_empty() {
        assert_eq!(
            texts("a: 1\n---\n# only a comment\n---\n\n--- # next\nb: 2\n...\n---\nc: 3"),
            [("a: 1\n", 1), ("b: 2\n", 7), ("c: 3", 10)]
        );
        assert_eq!(texts("---\r\na: 1\r\n---\r\nb: 2\r\n"), [("a: 1\r\n", 2), ("b: 2\r\n", 4)]);
        assert_eq!(texts("--- {a: 1}\n"), [(" {a: 1}\n", 1)]);
        assert_eq!(texts("a: |\n  ----\n  --- x\n"), [("a: |\n  ----\n  --- x\n", 1)]);
        assert_eq!(texts("# nothing\n---\n"), []);
    }

    #[test]
    fn finds_objects_in_lists_and_merges_keys() {
        let text = "kind: List\nitems:\n- &a {kind: A, x: 1}\n- {<<: *a, kind: B}\n";
        let objects = split(text).first().unwrap().objects().unwrap().objects;
        let kinds: Vec<_> = objects.iter().map(|object| object.value["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["A", "B"]);
        assert_eq!(objects.last().unwrap().value["x"], 1);
    }

    #[test]
    fn rejects_broken_yaml_with_its_line_in_the_input() {
        let documents = split("a: 1\n---\nb: [1\n");
        let error = documents.last().unwrap().objects().err().unwrap();
        assert!(matches!(error.kind, YamlErrorKind::Syntax(_)), "{error}");
        let line = error.line;
        let last = documents.last().unwrap();
        let alone = yaml::read(last.text).unwrap_err().line.unwrap();
        assert_eq!((line, last.line), (Some(last.line + alone - 1), 3));
        assert!(line.is_some_and(|line| line >= 3), "{line:?}");
    }

    fn only(text: &str) -> Object {
        let found = split(text).first().unwrap().objects().unwrap();
        found.objects.into_iter().next().unwrap()
    }

    #[test]
    fn finds_pipelines_by_group_and_kind() {
        let is_pipeline =
            |group: &str, kind: &str| only(&format!("apiVersion: {group}/v1beta1\nkind: {kind}\n")).is_pipeline();
        assert!(is_pipeline(GROUP, "TracePipeline"));
        assert!(!is_pipeline("example.com", "TracePipeline") && !is_pipeline(GROUP, "Telemetry"));
        // What has items, and is no list, is an object.
        assert_eq!(only("kind: Other\nitems: [{kind: A}]\n").value["kind"], "Other");
        assert_eq!(only("kind: OtherList\nitems: [{kind: A}]\n").value["kind"], "A");
    }

    #[test]
    fn finds_credentials_that_stand_in_the_object() {
        let has = |otlp: &str| only(&format!("spec: {{output: {{otlp: {{{otlp}}}}}}}\n")).has_literal_credential();
        for otlp in [
            "headers: [{name: A, value: b}]",
            "headers: [{name: A}, {value: 1}]",
            "authentication: {basic: {user: {value: a}}}",
            "authentication: {oauth2: [{x: {value: a}}]}",
        ] {
            assert!(has(otlp), "{otlp}");
        }
        for otlp in [
            "headers: [{name: A, value: ''}, {value: }]",
            "headers: [{valueFrom: {}}]",
            "authentication: {basic: {user: {valueFrom: {}}}}",
            "path: value",
        ] {
            assert!(!has(otlp), "{otlp}");
        }
    }

    #[test]
    fn tells_keys_that_are_there_twice_by_their_lines_in_the_input() {
        let text = "a: 1\n---\nb:\n  c: 1\n  d: 2\n  c: 3\n";
        let documents = split(text);
        let second = documents.last().unwrap();
        assert_eq!(second.objects().unwrap().duplicates, [("c".to_owned(), 6)]);
        assert_eq!((second.text.get(second.line_span(6)), second.line_span(7)), (Some("c: 3"), 0..0));
    }

    #[test]
    fn rejects_a_document_that_is_too_large_unread() {
        let text = "[".repeat(MAX_BYTES + 1);
        let error = split(&text).first().unwrap().objects().err().unwrap();
        assert_eq!((error.to_string().as_str(), error.line), ("a document larger than 16 MiB", Some(1)));
    }
}

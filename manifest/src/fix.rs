//! Writes the policy's repairs into YAML, and changes nothing else.
//!
//! [`places`](crate::places) finds the place of a repair. Into a block mapping or sequence the repair goes as lines behind its
//! last one, into a flow one behind its last member (in quotes, where the document is JSON); an empty value is replaced.
//! Whatever else is there is copied byte for byte, and the result is read again: it is taken only if it says what the
//! policy's patch says. A document that cannot be patched like that is left alone.

use std::collections::BTreeMap;
use std::ops::Range;

use json_patch::{AddOperation, Patch, PatchOperation};
use kyma_dynatrace_policy::pipeline::{FieldPath, Step};
use serde_json::{Value, json};
use similar::TextDiff;

use crate::document::{Document, Object};
use crate::error::FixError;
use crate::places::{Found, Kind, Places};

/// How often a document is read to find out which of its repairs can be made. Ten that cannot, among a thousand, take some
/// hundred and fifty.
const MAX_ATTEMPTS: usize = 200;

/// An object of a document, and the policy's patch for it.
#[derive(Debug, Clone, Copy)]
pub struct Repair<'a> {
    /// The object.
    pub object: &'a Object,
    /// The patch: members and elements that are added or replaced.
    pub patch: &'a Patch,
}

/// What became of repairs.
#[derive(Debug)]
pub struct Repaired {
    /// The document's text with those that could be made.
    pub text: String,
    /// For each of them the object as it is then, or why it cannot be repaired safely.
    pub objects: Vec<Result<Value, FixError>>,
}

/// A repair that fits its object.
struct Planned<'a> {
    /// Which one it is of those that were asked for.
    index: usize,
    object: &'a Object,
    operations: Vec<PatchOperation>,
    wanted: Value,
}

/// What is put in the place of some bytes.
#[derive(PartialEq)]
struct Edit {
    span: Range<usize>,
    text: String,
}

/// Puts repairs into a document's text, those that can be made.
pub fn apply(document: &Document<'_>, repairs: &[Repair<'_>]) -> Repaired {
    let (lines, crlf) = (document.text.matches('\n').count(), document.text.matches("\r\n").count());
    if crlf != 0 && crlf != lines {
        let objects = repairs.iter().map(|_| Err(FixError::MixedLineEndings)).collect();
        return Repaired { text: document.text.to_owned(), objects };
    }
    let mut objects: Vec<Result<Value, FixError>> = Vec::new();
    let mut planned = Vec::new();
    for (index, repair) in repairs.iter().enumerate() {
        let plan = plan(index, *repair);
        objects.push(plan.as_ref().map(|plan| plan.wanted.clone()).map_err(|error| *error));
        planned.extend(plan);
    }
    let mut work = Work { text: document.text.to_owned(), attempts: MAX_ATTEMPTS, failed: Vec::new() };
    work.together(document, &planned);
    for (index, why) in work.failed {
        if let Some(object) = objects.get_mut(index) {
            *object = Err(why);
        }
    }
    Repaired { text: work.text, objects }
}

fn plan<'a>(index: usize, Repair { object, patch }: Repair<'a>) -> Result<Planned<'a>, FixError> {
    // What the API server's defaults filled in is replaced there and added here.
    let exists = |path: &str| object.value.pointer(path).is_some();
    let operation = |operation: &PatchOperation| match operation {
        PatchOperation::Replace(replace) if !exists(replace.path.as_str()) => {
            PatchOperation::Add(AddOperation { path: replace.path.clone(), value: replace.value.clone() })
        }
        other => other.clone(),
    };
    let operations: Vec<PatchOperation> = patch.0.iter().map(operation).collect();
    let mut wanted = object.value.clone();
    json_patch::patch(&mut wanted, &operations).map_err(|_| FixError::PatchDoesNotFit)?;
    Ok(Planned { index, object, operations, wanted })
}

/// A text on its way to be repaired.
struct Work {
    text: String,
    /// How often it may still be read.
    attempts: usize,
    /// Which repairs cannot be made, and why.
    failed: Vec<(usize, FixError)>,
}

impl Work {
    /// Makes repairs all at once, since each attempt reads the whole document; in two halves where that fails, so that one
    /// that cannot be made does not keep the others from it.
    fn together(&mut self, document: &Document<'_>, planned: &[Planned<'_>]) {
        if planned.is_empty() {
            return;
        }
        let before = Document { text: &self.text, ..*document };
        let result = match self.attempts.checked_sub(1) {
            Some(left) => {
                self.attempts = left;
                attempt(&before, planned)
            }
            None => Err(FixError::TooManyAttempts),
        };
        match (result, planned) {
            (Ok(after), _) => self.text = after,
            (Err(why), [only]) => self.failed.push((only.index, why)),
            (Err(_), _) => {
                let (first, second) = planned.split_at(planned.len() / 2);
                self.together(document, first);
                self.together(document, second);
            }
        }
    }
}

fn attempt(document: &Document<'_>, planned: &[Planned<'_>]) -> Result<String, FixError> {
    let is_crlf = document.text.contains("\r\n");
    let mut text = document.text.replace("\r\n", "\n");
    let most = planned.iter().map(|plan| plan.operations.len()).max().unwrap_or_default();
    // An operation may be about what the one before it has put there, so that places are looked up again.
    for turn in 0..most {
        let site = Site::of(&text)?;
        let turns = planned.iter().filter_map(|plan| Some((plan.object, plan.operations.get(turn)?)));
        let edits = turns.map(|(object, operation)| site.edit(object, operation)).collect::<Result<_, _>>()?;
        text = edited(&text, edits)?;
    }
    let text = if is_crlf { text.replace('\n', "\r\n") } else { text };
    check(document, &text, planned)?;
    Ok(text)
}

/// A text with edits of different places; what several objects have of one anchor is edited once.
fn edited(text: &str, mut edits: Vec<Edit>) -> Result<String, FixError> {
    edits.sort_by_key(|edit| edit.span.start);
    edits.dedup();
    let mut result = String::new();
    let mut copied = 0;
    let mut last = None;
    for Edit { span, text: new } in edits {
        let between = text.get(copied..span.start).filter(|_| last != Some(span.start));
        result.push_str(between.ok_or(FixError::SamePlace)?);
        result.push_str(&new);
        copied = span.end;
        last = Some(span.start);
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    Ok(result)
}

/// The text that repairs are put into.
struct Site<'a> {
    text: &'a str,
    places: Places<'a>,
    is_json: bool,
}

impl<'a> Site<'a> {
    fn of(text: &'a str) -> Result<Self, FixError> {
        let places = Places::of(text).ok_or(FixError::PlaceNotFound)?;
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        Ok(Self { text, places, is_json })
    }

    /// One operation of a patch; they are `add` and `replace` of a member or an element.
    fn edit(&self, object: &Object, operation: &PatchOperation) -> Result<Edit, FixError> {
        let (pointer, value) = match operation {
            PatchOperation::Add(add) => (add.path.as_str(), &add.value),
            PatchOperation::Replace(replace) => (replace.path.as_str(), &replace.value),
            _ => return Err(FixError::PatchRemoves),
        };
        let field = FieldPath::from_pointer(pointer);
        let found = self.places.find(&object.path_in_document(&field));
        if found.node.is_some() {
            return self.replace(&found, value, object);
        }
        let Some((parent, last)) = field.split_last() else { return Err(FixError::PatchReplacesAll) };
        let parent = object.path_in_document(&parent);
        match last {
            Step::Key(key) => self.insert(&parent, Some(&key), value),
            Step::Index(_) | Step::End => self.insert(&parent, None, value),
        }
    }

    /// Puts a value into the place of an empty one, or of the temporality.
    fn replace(&self, found: &Found<'_>, value: &Value, object: &Object) -> Result<Edit, FixError> {
        let word = self.word(value);
        if let Some(node) = found.node.filter(|node| !node.is_empty()) {
            if !may_replace(self.text.get(node.span.clone()).unwrap_or_default(), &word, object) {
                return Err(FixError::ChangesOtherLines);
            }
            return Ok(Edit { span: node.span.clone(), text: word });
        }
        // Nothing stands behind the key, not even `null`.
        let end = found.key.as_ref().ok_or(FixError::EmptyPlace)?.end;
        let colon = self.text.get(end..).and_then(|rest| rest.find(':')).ok_or(FixError::NoColon)?;
        Ok(inserted(end + colon + 1, format!(" {word}")))
    }

    /// Adds a member to a mapping, or an element to a sequence.
    fn insert(&self, parent: &FieldPath, key: Option<&str>, value: &Value) -> Result<Edit, FixError> {
        let node = self.places.find(parent).node.filter(|node| !node.is_empty()).ok_or(FixError::EmptyPlace)?;
        let last = node.end_of_last(self.text);
        match (node.kind, key) {
            (Kind::Alias(_), _) => Err(FixError::Alias),
            (Kind::FlowMapping | Kind::FlowSequence, _) => {
                let member = match key {
                    Some(key) => format!("{}: {}", self.word(&Value::from(key)), self.word(value)),
                    None => self.word(value),
                };
                // Behind the last one, or behind the bracket.
                let (at, comma) = last.map_or((node.span.start + 1, ""), |end| (end, ", "));
                Ok(inserted(at, format!("{comma}{member}")))
            }
            (Kind::BlockMapping, Some(key)) => self.insert_lines(node.span.start, last, &json!({key: value})),
            (Kind::BlockSequence, None) => self.insert_lines(node.span.start, last, &json!([value])),
            _ => Err(FixError::AnotherShape),
        }
    }

    /// Puts the members of a mapping, or the elements of a sequence, behind the last one of a block that begins at `start`:
    /// at the same indentation, and in front of comments that follow.
    fn insert_lines(&self, start: usize, last: Option<usize>, members: &Value) -> Result<Edit, FixError> {
        let line_start = self.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let indent = " ".repeat(start - line_start);
        // What stands behind the last member on its line, a comment, stays there.
        let end = last.ok_or(FixError::EmptyPlace)?;
        let end =
            self.text.get(end..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |newline| end + newline);
        let lines = yaml_serde::to_string(members).map_err(|_| FixError::UnknownForm)?;
        Ok(inserted(end, lines.trim_end().lines().map(|line| format!("\n{indent}{line}")).collect()))
    }

    /// A value for a place in flow style or behind a key: JSON in a JSON document, else with as few quotes as may be.
    fn word(&self, value: &Value) -> String {
        if self.is_json { value.to_string() } else { flow(value) }
    }
}

fn inserted(at: usize, text: String) -> Edit {
    Edit { span: at..at, text }
}

/// A value in flow style. JSON is YAML; plain words need no quotes.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Whether a text can stand without quotes in any place and mean itself.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-./_".contains(&b))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str())
}

/// Whether the new text says what it should.
fn check(document: &Document<'_>, text: &str, planned: &[Planned<'_>]) -> Result<(), FixError> {
    let changed = Document { text, ..*document };
    let objects = changed.objects().map_err(|_| FixError::ResultNotYaml)?.objects;
    let wanted: BTreeMap<_, _> = planned.iter().map(|plan| (plan.object.item, &plan.wanted)).collect();
    let says_it = document.objects().is_ok_and(|before| {
        let before = before.objects;
        before.len() == objects.len()
            && before.iter().zip(&objects).all(|(old, new)| **wanted.get(&old.item).unwrap_or(&&old.value) == new.value)
    });
    if !says_it {
        return Err(FixError::ResultDiffers);
    }
    Ok(())
}

/// Whether a text may give way to another: what it loses by that is empty, or the temporality.
fn may_replace(old: &str, new: &str, object: &Object) -> bool {
    let same = |(a, b): &(char, char)| a == b;
    let head: usize = old.chars().zip(new.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let rest = (old.get(head..).unwrap_or_default(), new.get(head..).unwrap_or_default());
    let tail: usize = rest.0.chars().rev().zip(rest.1.chars().rev()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let lost = rest.0.get(..rest.0.len() - tail).unwrap_or_default();
    let temporality = object.value.pointer("/spec/output/otlp/temporality").and_then(Value::as_str).unwrap_or_default();
    ["\"\"", "''", "null", "Null", "NULL", "~", temporality].iter().any(|value| value.contains(lost))
}

/// The changed lines of an input, as `diff -U0` shows them: the lines around them are not ours to show, a neighbour's
/// document may be a Secret.
pub fn diff(name: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(0)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_words_without_quotes_only_where_they_mean_themselves() {
        for text in ["http", "Api-Token", "v2/otlp/v1/traces", "a_b.c"] {
            assert_eq!(flow(&Value::from(text)), text);
        }
        for text in ["yes", "On", "NULL", "1a", "", "-a", "a b", "a: b", "a#", "ä", "a,b", "{a}"] {
            assert_eq!(flow(&Value::from(text)), format!("\"{text}\""));
        }
        assert_eq!(flow(&json!({"a": ["b", "c d", 1], "e": {}})), r#"{a: [b, "c d", 1], e: {}}"#);
    }

    #[test]
    fn replaces_only_what_is_empty_or_the_temporality() {
        let object = Object { item: None, value: json!({"spec": {"output": {"otlp": {"temporality": "preserve"}}}}) };
        for old in ["''", "\"\"", "null", "~", "preserve"] {
            assert!(may_replace(old, "delta", &object), "{old}");
        }
        assert!(may_replace("\"preserve\"", "\"delta\"", &object));
        for (old, new) in [("grpc", "http"), ("\" \"", "\"Api-Token\""), ("\"preserve\"", "delta")] {
            assert!(!may_replace(old, new, &object), "{old}");
        }
    }

    #[test]
    fn shows_changed_lines_and_none_beside_them() {
        assert_eq!(diff("f", "a\nb\nc\n", "a\nx\nc\n"), "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-b\n+x\n");
    }
}

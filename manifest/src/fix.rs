//! Writes the policy's repairs into YAML, and changes nothing else.
//!
//! [`places`](crate::places) finds the place of a repair. Into a block mapping or sequence the repair goes as lines behind its
//! last one, into a flow one behind its last member (in quotes, where the document is JSON); an empty value is replaced.
//! Either way the result is read again. It is taken only if it says what the policy's patch says, and if every line that
//! was there is still there, but for those that a repair is on. A document that cannot be patched like that is left alone.

use json_patch::{AddOperation, PatchOperation};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::document::{Document, Object};
use crate::places::{Found, Kind, Places, Step};

/// The document's text with a patch for one of its objects applied, and the object as it is then.
///
/// # Errors
/// A sentence that says why the document cannot be patched safely.
pub fn apply(document: &Document<'_>, object: &Object, patch: &json_patch::Patch) -> Result<(String, Value), String> {
    // What the API server's defaults filled in is replaced there and added here.
    let exists = |path: &str| object.value.pointer(path).is_some();
    let operation = |operation: &PatchOperation| match operation {
        PatchOperation::Replace(replace) if !exists(replace.path.as_str()) => {
            PatchOperation::Add(AddOperation { path: replace.path.clone(), value: replace.value.clone() })
        }
        other => other.clone(),
    };
    let patch: Vec<PatchOperation> = patch.0.iter().map(operation).collect();
    let mut wanted = object.value.clone();
    json_patch::patch(&mut wanted, &patch).map_err(|_| "the policy's patch does not fit".to_owned())?;
    let (lines, crlf) = (document.text.matches('\n').count(), document.text.matches("\r\n").count());
    if crlf != 0 && crlf != lines {
        return Err("its line endings are mixed".to_owned());
    }
    let mut text = document.text.replace("\r\n", "\n");
    for operation in &patch {
        text = apply_one(&text, object, operation)?;
    }
    let text = if crlf > 0 { text.replace('\n', "\r\n") } else { text };
    check(document, object, &text, &wanted)?;
    Ok((text, wanted))
}

/// One operation of the patch; they are `add` and `replace` of a member or an element.
fn apply_one(text: &str, object: &Object, operation: &PatchOperation) -> Result<String, String> {
    let (pointer, value) = match operation {
        PatchOperation::Add(add) => (add.path.as_str(), &add.value),
        PatchOperation::Replace(replace) => (replace.path.as_str(), &replace.value),
        _ => return Err("the policy's patch takes something away".to_owned()),
    };
    let places = Places::of(text).ok_or("the place of a repair cannot be found in the YAML")?;
    let mut route = object.root();
    route.extend(pointer.split('/').skip(1).map(step));
    let found = places.find(&route);
    if found.node.is_some() {
        return replace(&places, &found, value);
    }
    let Some(last) = route.pop() else { return Err("the policy's patch replaces everything".to_owned()) };
    match last {
        Step::Key(key) => insert(&places, &route, Some(&key), value),
        Step::Index(_) => insert(&places, &route, None, value),
    }
}

fn step(part: &str) -> Step {
    match part.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(part.replace("~1", "/").replace("~0", "~")),
    }
}

/// Puts a value into the place of an empty one.
fn replace(places: &Places<'_>, found: &Found<'_>, value: &Value) -> Result<String, String> {
    let mut text = places.text().to_owned();
    let word = word(places.text(), value);
    if let Some(node) = found.node.filter(|node| !node.is_empty()) {
        text.replace_range(node.span.clone(), &word);
        return Ok(text);
    }
    // Nothing stands behind the key, not even `null`.
    let end = found.key.as_ref().ok_or("its place is empty")?.end;
    let colon = text.get(end..).and_then(|rest| rest.find(':')).ok_or("its key has no colon")?;
    text.insert_str(end + colon + 1, &format!(" {word}"));
    Ok(text)
}

/// A value for a place in flow style or behind a key: JSON in a JSON document, else with as few quotes as may be.
fn word(source: &str, value: &Value) -> String {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(source).is_ok();
    if is_json { value.to_string() } else { flow(value) }
}

/// Adds a member to a mapping, or an element to a sequence.
fn insert(places: &Places<'_>, route: &[Step], key: Option<&str>, value: &Value) -> Result<String, String> {
    let source = places.text();
    let node = places.find(route).node.filter(|node| !node.is_empty()).ok_or("its place is empty")?;
    let last = node.end_of_last(source);
    match (node.kind, key) {
        (Kind::Alias(_), _) => Err("an alias stands there, and its anchor serves other places too".to_owned()),
        (Kind::FlowMapping | Kind::FlowSequence, _) => {
            let word = |value: &Value| word(source, value);
            let member = match key {
                Some(key) => format!("{}: {}", word(&Value::from(key)), word(value)),
                None => word(value),
            };
            // Behind the last one, or behind the bracket.
            let (at, comma) = last.map_or((node.span.start + 1, ""), |end| (end, ", "));
            let mut text = source.to_owned();
            text.insert_str(at, &format!("{comma}{member}"));
            Ok(text)
        }
        (Kind::BlockMapping, Some(key)) => insert_lines(source, node.span.start, last, &json!({key: value})),
        (Kind::BlockSequence, None) => insert_lines(source, node.span.start, last, &json!([value])),
        _ => Err("its place has another shape".to_owned()),
    }
}

/// Puts the members of a mapping, or the elements of a sequence, behind the last one of a block that begins at `start`: at
/// the same indentation, and in front of comments that follow.
fn insert_lines(source: &str, start: usize, last: Option<usize>, members: &Value) -> Result<String, String> {
    let line_start = source.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let indent = " ".repeat(start - line_start);
    // What stands behind the last member on its line, a comment, stays there.
    let end = last.ok_or("its place is empty")?;
    let end = source.get(end..).and_then(|rest| rest.find('\n')).map_or(source.len(), |newline| end + newline);
    let lines = yaml_serde::to_string(members).map_err(cannot)?;
    let lines: String = lines.trim_end().lines().map(|line| format!("\n{indent}{line}")).collect();
    let mut text = source.to_owned();
    text.insert_str(end, &lines);
    Ok(text)
}

/// The libraries' own words may quote the file; what can be done about it is the same for all of them.
fn cannot(_: impl std::error::Error) -> String {
    "the YAML is of a form that cannot be patched".to_owned()
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

/// Whether the new text says what it should, and still has every line that no repair is on.
fn check(document: &Document<'_>, object: &Object, text: &str, wanted: &Value) -> Result<(), String> {
    let changed = Document { text, ..*document };
    let objects = changed.objects().map_err(|_| "the result would not be valid YAML".to_owned())?.objects;
    let others_are_same = document.objects().is_ok_and(|before| {
        let before = before.objects;
        before.len() == objects.len()
            && before.iter().zip(&objects).all(|(old, new)| old.item == object.item || old.value == new.value)
    });
    let is_wanted = objects.iter().any(|new| new.item == object.item && new.value == *wanted);
    if !is_wanted || !others_are_same {
        return Err("the result would say something else".to_owned());
    }
    let diff = TextDiff::from_lines(document.text, text);
    let lines = |tag| diff.iter_all_changes().filter(move |change| change.tag() == tag).map(|change| change.value());
    let is_kept = lines(ChangeTag::Delete).all(|old| lines(ChangeTag::Insert).any(|new| says_more(old, new, object)));
    if is_kept { Ok(()) } else { Err("the result would change other lines".to_owned()) }
}

/// Whether a line is another with something put in, or with a new value in the place of one that may be replaced: an empty
/// one, or the temporality.
fn says_more(old: &str, new: &str, object: &Object) -> bool {
    let (old, new) = (old.trim_end(), new.trim_end());
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
    fn shows_changed_lines_and_none_beside_them() {
        assert_eq!(diff("f", "a\nb\nc\n", "a\nx\nc\n"), "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-b\n+x\n");
    }
}

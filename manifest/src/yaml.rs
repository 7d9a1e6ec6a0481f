//! YAML as `kubectl` reads it before it sends a manifest: one document, made into JSON.
//!
//! `granit-parser` finds the structure; what a scalar means, which key wins, and what is merged is decided as Go's `yaml.v2`
//! does, on which kubectl stands. A key that is there twice is noted: the last one wins in silence there.

mod scalar;

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

use crate::error::{YamlError, YamlErrorKind};

/// Deeper nesting is refused: nothing that the API server knows comes near it.
const MAX_DEPTH: usize = 128;

/// Bytes that anchors and aliases may stand for: more come of them only where somebody wants to fill the memory.
const MAX_COPIED: usize = 64 << 20;

/// Bytes that a value takes beside its text, or thereabouts.
const VALUE: usize = 32;

/// Keys that are there twice are told up to this number: who has more has another problem.
const MAX_DUPLICATES: usize = 20;

/// What a document says.
#[derive(Debug, Default)]
pub struct Reading {
    /// Its value, as JSON.
    pub value: Value,
    /// Keys that are there twice, with the line of the second, from 1; the first 20.
    pub duplicates: Vec<(String, usize)>,
}

/// Reads one document.
///
/// # Errors
/// Where it is no YAML, or none that JSON can say.
pub fn read(text: &str) -> Result<Reading, YamlError> {
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, anchors: HashMap::new(), size: 0, copied: 0, duplicates: Vec::new() };
    let mut value = Value::Null;
    let mut documents = 0;
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            Event::StreamEnd => break,
            _ if documents > 0 => {
                return Err(YamlErrorKind::SecondDocument.at(span.start.line()));
            }
            event => {
                documents += 1;
                value = reader.node(event, span, 0)?;
            }
        }
    }
    Ok(Reading { value, duplicates: reader.duplicates })
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    /// What an alias stands for, with its size in bytes.
    anchors: HashMap<usize, (Value, usize)>,
    /// Bytes of all values so far, or thereabouts.
    size: usize,
    /// Those of them that were copied.
    copied: usize,
    duplicates: Vec<(String, usize)>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        let next = self.parser.next().transpose();
        next.map_err(|error| YamlErrorKind::Syntax(error.info().to_owned()).at(error.marker().line()))
    }

    /// The next event, which has to be there.
    fn expect(&mut self, span: Span) -> Result<(Event<'a>, Span), YamlError> {
        self.next()?.ok_or_else(|| YamlErrorKind::EndsTooSoon.at(span.start.line()))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Value, YamlError> {
        let line = span.start.line();
        if depth > MAX_DEPTH {
            return Err(YamlErrorKind::TooDeep(MAX_DEPTH).at(line));
        }
        let before = self.size;
        self.size += VALUE;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.size += text.len();
                (scalar_value(&text, style, tag.as_deref(), line)?, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(span, depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(span, depth)?, anchor),
            Event::Alias(id) => {
                let Some(&(_, size)) = self.anchors.get(&id) else {
                    return Err(YamlErrorKind::Circle.at(line));
                };
                self.copy(size, line)?;
                self.size += size;
                return Ok(self.anchors.get(&id).map(|(value, _)| value.clone()).unwrap_or_default());
            }
            _ => return Err(YamlErrorKind::MissingValue.at(line)),
        };
        if anchor > 0 {
            let size = self.size - before;
            self.copy(size, line)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(value)
    }

    /// Makes room for a copy, before it is made.
    fn copy(&mut self, size: usize, line: usize) -> Result<(), YamlError> {
        self.copied += size;
        if self.copied > MAX_COPIED {
            return Err(YamlErrorKind::AliasesTooLarge(MAX_COPIED >> 20).at(line));
        }
        Ok(())
    }

    fn sequence(&mut self, span: Span, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.expect(span)?;
            if event == Event::SequenceEnd {
                return Ok(items.into());
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, span: Span, depth: usize) -> Result<Value, YamlError> {
        let mut members = Map::new();
        // Keys of this mapping itself: what was merged in may be said again.
        let mut own: HashSet<String> = HashSet::new();
        loop {
            let (event, key_span) = self.expect(span)?;
            let line = key_span.start.line();
            if event == Event::MappingEnd {
                return Ok(members.into());
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, key_span, depth + 1)?;
            let (event, span) = self.expect(key_span)?;
            let value = self.node(event, span, depth + 1)?;
            if is_merge {
                merge(&mut members, value, line)?;
                continue;
            }
            let key = scalar::key(&key).ok_or_else(|| YamlErrorKind::KeyNotAString.at(line))?;
            if !own.insert(key.clone()) && self.duplicates.len() < MAX_DUPLICATES {
                self.duplicates.push((key.clone(), line));
            }
            members.insert(key, value);
        }
    }
}

/// Takes over the members of a mapping, or of several, of which the first counts.
fn merge(members: &mut Map<String, Value>, value: Value, line: usize) -> Result<(), YamlError> {
    match value {
        Value::Object(merged) => {
            members.extend(merged);
            Ok(())
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            items.into_iter().rev().try_for_each(|item| merge(members, item, line))
        }
        _ => Err(YamlErrorKind::NotMergeable.at(line)),
    }
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Result<Value, YamlError> {
    let kind = tag.filter(|tag| tag.handle() == "tag:yaml.org,2002:").map(|tag| tag.suffix());
    let is_plain = style == ScalarStyle::Plain && tag.is_none();
    if is_plain && scalar::is_beyond_json(text) {
        return Err(YamlErrorKind::NumberBeyondJson.at(line));
    }
    let unfit = || YamlErrorKind::UnfitTag.at(line);
    let resolved = || scalar::resolve(text);
    match kind {
        None if is_plain => Ok(resolved()),
        Some("int") => Some(resolved()).filter(Value::is_i64).ok_or_else(unfit),
        Some("float") => Some(resolved()).filter(Value::is_number).ok_or_else(unfit),
        Some("bool") => Some(resolved()).filter(Value::is_boolean).ok_or_else(unfit),
        Some("binary") => {
            let bytes = STANDARD.decode(text.split_whitespace().collect::<String>()).map_err(|_| unfit())?;
            Ok(String::from_utf8_lossy(&bytes).into())
        }
        Some("null") => Some(resolved()).filter(Value::is_null).ok_or_else(unfit),
        _ => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that panics is a test that fails"
    )]

    use std::io::Write as _;
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use serde_json::json;

    use super::*;

    /// What no manifest has: an escape that YAML 1.1 did not know yet, a key that is infinite, a tab in the place of blanks.
    const KNOWN: [&str; 3] = [r#""\/""#, ".inf: a", "\ta: 1"];

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/yaml")
    }

    /// The texts of the table, each as the value of a field.
    fn manifests() -> Vec<(String, String)> {
        let text = std::fs::read_to_string(folder().join("snippets.txt")).unwrap();
        let snippets = text.strip_suffix('\n').unwrap().split("\n===\n");
        let manifest = |snippet: &str| {
            let head = "apiVersion: example.com/v1\nkind: Snippet\nmetadata: {name: x}\nvalue:\n";
            snippet.lines().fold(head.to_owned(), |text, line| text + "  " + line + "\n")
        };
        snippets.map(|snippet| (snippet.to_owned(), manifest(snippet))).collect()
    }

    /// What real kubectl sends for a manifest; null where it refuses it.
    fn of_kubectl(manifest: &str) -> Value {
        let mut child = Command::new("kubectl")
            .args(["label", "--local", "-o", "json", "-f", "-", "a=b"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        object.get("value").map_or(Value::Null, |value| json!([value]))
    }

    /// `YAML_TABLE=1` asks real kubectl again, and writes down its answers.
    #[test]
    fn reads_what_kubectl_reads() {
        let path = folder().join("expected.jsonl");
        if std::env::var_os("YAML_TABLE").is_some() {
            let answers = manifests().into_iter().map(|(snippet, manifest)| json!([snippet, of_kubectl(&manifest)]));
            let lines: String = answers.map(|answer| format!("{answer}\n")).collect();
            std::fs::write(&path, lines).unwrap();
        }
        let expected: Vec<Value> =
            std::fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let manifests = manifests();
        assert_eq!(expected.len(), manifests.len(), "run `make yaml-table`");
        let mut differences = Vec::new();
        for ((snippet, manifest), expected) in manifests.iter().zip(&expected) {
            assert_eq!(expected[0], json!(snippet), "run `make yaml-table`");
            let ours = match read(manifest) {
                Ok(reading) => reading.value.get("value").map_or(Value::Null, |value| json!([value])),
                Err(_) => Value::Null,
            };
            if ours != expected[1] && !KNOWN.contains(&snippet.as_str()) {
                differences.push(format!("{snippet}\n  is {ours}, for kubectl {}", expected[1]));
            }
        }
        println!("{} texts read as kubectl does", expected.len() - differences.len());
        assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    }

    #[test]
    fn notes_a_key_that_is_there_twice_with_its_line() {
        let reading = read("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n").unwrap();
        assert_eq!(reading.value, json!({"a": 2, "b": {"c": 3, "d": 2}}));
        assert_eq!(reading.duplicates, [("c".to_owned(), 5), ("a".to_owned(), 6)]);
        assert_eq!(read("b: {<<: {x: 1}, x: 2}").unwrap().duplicates, [], "merged keys may be said again");
    }

    #[test]
    fn refuses_what_would_fill_the_memory() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let alias = format!("*a{}", level - 1);
            laughs += &format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", "));
        }
        assert_eq!(read(&laughs).unwrap_err().kind, YamlErrorKind::AliasesTooLarge(64));
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(
            read(&("a: ".to_owned() + &"[".repeat(200) + &"]".repeat(200))).unwrap_err().kind
                == YamlErrorKind::TooDeep(128)
        );
        assert!(read("a: &a [*a]").is_err());
        // Few values, but long ones; and one value in many anchors.
        let long = "x".repeat(1 << 20);
        let texts = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 100].join(", "));
        assert_eq!(read(&texts).unwrap_err().kind, YamlErrorKind::AliasesTooLarge(64));
        let nested: String = (0..100).map(|level| format!("&a{level} [")).collect();
        let nested = format!("a: {nested}{long}{}", "]".repeat(100));
        assert_eq!(read(&nested).unwrap_err().kind, YamlErrorKind::AliasesTooLarge(64));
    }

    #[test]
    fn reads_what_is_large_but_says_no_more_than_its_text() {
        let items: String = (0..1_100_000).map(|_| "- 1\n").collect();
        assert_eq!(read(&items).unwrap().value.as_array().unwrap().len(), 1_100_000);
        let members: String = (0..200_000).map(|member| format!("k{member}: 1\n")).collect();
        assert_eq!(read(&members).unwrap().value.as_object().unwrap().len(), 200_000);
        let twice = "a: 1\n".repeat(1000);
        assert_eq!(read(&twice).unwrap().duplicates.len(), MAX_DUPLICATES);
    }

    #[test]
    fn rejects_a_second_document_and_what_is_too_deep() {
        assert_eq!(read("a: 1\n---\nb: 2\n").unwrap_err(), YamlErrorKind::SecondDocument.at(3));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let deepest = (1..200).take_while(|depth| read(&nested(*depth)).is_ok()).last();
        assert_eq!(deepest, Some(MAX_DEPTH + 1));
    }
}

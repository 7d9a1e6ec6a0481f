//! Where in a document's text its values stand.
//!
//! `granit-parser` gives each event its bytes. They are kept as a tree of places, without the values: a value is what
//! [`yaml`](crate::yaml) says it is.

use std::ops::Range;

use granit_parser::{Event, Parser, Span, StrInput, StructureStyle};
use kyma_dynatrace_policy::pipeline::{FieldPath, Step};

/// Deeper nesting has no places; [`yaml`](crate::yaml) refuses it before.
const MAX_DEPTH: usize = 128;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    /// What stands at the anchor with this number.
    Alias(usize),
    FlowMapping,
    FlowSequence,
    BlockMapping,
    BlockSequence,
}

/// A value's place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Its bytes, without anchor and tag. They are empty where nothing is written, as behind `key:`.
    pub(crate) span: Range<usize>,
    /// The number of its anchor, 0 for none.
    anchor: usize,
    /// Members or elements.
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    /// Nothing for an element.
    key: Option<Key>,
    node: Node,
}

#[derive(Debug)]
struct Key {
    text: String,
    span: Range<usize>,
}

/// The places of a document.
#[derive(Debug)]
pub struct Places<'a> {
    text: &'a str,
    root: Node,
}

/// How far a route leads.
pub(crate) struct Found<'a> {
    /// The value at its end; nothing where the path leads to nothing.
    pub(crate) node: Option<&'a Node>,
    /// The last key on it that is there.
    pub(crate) key: Option<Range<usize>>,
}

impl<'a> Places<'a> {
    /// The places in the text of one document; nothing where it is no YAML.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        let mut builder = Builder { text, parser: Parser::new_from_str(text) };
        loop {
            match builder.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (event, span) => return Some(Self { text, root: builder.node(&event, span, 0)? }),
            }
        }
    }

    /// Follows a path as far as it leads, through aliases too.
    pub(crate) fn find(&self, field: &FieldPath) -> Found<'_> {
        let mut key = None;
        let mut node = &self.root;
        for step in field.steps() {
            if let Kind::Alias(anchor) = node.kind
                && let Some(anchored) = self.root.anchored(anchor)
            {
                node = anchored;
            }
            let child = match step {
                // The last one counts, as for kubectl.
                Step::Key(name) => {
                    node.children.iter().rev().find(|child| child.key.as_ref().is_some_and(|key| key.text == name))
                }
                Step::Index(index) => node.children.get(index).filter(|child| child.key.is_none()),
                Step::End => None,
            };
            let Some(child) = child else { return Found { node: None, key } };
            if let Some(found) = &child.key {
                key = Some(found.span.clone());
            }
            node = &child.node;
        }
        Found { node: Some(node), key }
    }

    /// The bytes to point at for a field: its value, or the key of the deepest field on its path that is there.
    #[must_use]
    pub fn span(&self, field: &FieldPath) -> Range<usize> {
        let Found { node, key } = self.find(field);
        // A whole block would underline half of the file; its key says as much.
        let is_one_line = |span: &Range<usize>| {
            let text = self.text.get(span.clone()).unwrap_or_default();
            !text.is_empty() && !text.contains('\n')
        };
        node.map(|node| node.span.clone()).filter(is_one_line).or(key).unwrap_or(0..0)
    }
}

impl Node {
    /// The node at an anchor, among this one and those in it.
    fn anchored(&self, anchor: usize) -> Option<&Self> {
        if self.anchor == anchor {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.node.anchored(anchor))
    }

    /// Whether nothing is written there.
    pub(crate) fn is_empty(&self) -> bool {
        self.span.is_empty()
    }

    /// Where the last member or element ends, its colon included where no value follows; nothing where there is none.
    pub(crate) fn end_of_last(&self, text: &str) -> Option<usize> {
        self.children.last().map(|child| child.end(text))
    }
}

impl Child {
    fn end(&self, text: &str) -> usize {
        if !self.node.is_empty() {
            return self.node.span.end;
        }
        let end = self.key.as_ref().map_or(self.node.span.end, |key| key.span.end);
        let rest = text.get(end..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        // `{a}` has no colon.
        if self.key.is_some() && rest.trim_start().starts_with(':') { end + blanks + 1 } else { end }
    }
}

struct Builder<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        let (event, span): (Event<'a>, Span) = self.parser.next()?.ok()?;
        Some((event, span.byte_range()?))
    }

    fn node(&mut self, event: &Event<'a>, span: Range<usize>, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (kind, anchor) = match *event {
            Event::Scalar(_, _, anchor, _) => return Some(self.scalar(span, anchor)),
            Event::Alias(anchor) => {
                return Some(Node { kind: Kind::Alias(anchor), span, anchor: 0, children: Vec::new() });
            }
            Event::MappingStart(StructureStyle::Flow, anchor, _) => (Kind::FlowMapping, anchor),
            Event::MappingStart(_, anchor, _) => (Kind::BlockMapping, anchor),
            Event::SequenceStart(StructureStyle::Flow, anchor, _) => (Kind::FlowSequence, anchor),
            Event::SequenceStart(_, anchor, _) => (Kind::BlockSequence, anchor),
            _ => return None,
        };
        let mut children: Vec<Child> = Vec::new();
        let end = loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::SequenceEnd) {
                break span.end;
            }
            children.push(self.child(kind, &event, span, depth + 1)?);
        };
        let (start, end) = match kind {
            Kind::FlowMapping | Kind::FlowSequence => (span.start, end),
            // A block ends with its last value; the parser notices at the next one.
            _ => (self.start(kind, span.start), children.last().map_or(end, |child| child.end(self.text))),
        };
        Some(Node { kind, span: start..end, anchor, children })
    }

    fn child(&mut self, kind: Kind, event: &Event<'a>, span: Range<usize>, depth: usize) -> Option<Child> {
        if !matches!(kind, Kind::FlowMapping | Kind::BlockMapping) {
            return Some(Child { key: None, node: self.node(event, span, depth)? });
        }
        let text = if let Event::Scalar(text, ..) = event { text.to_string() } else { String::new() };
        let key = self.node(event, span, depth)?;
        let (event, span) = self.next()?;
        let node = self.node(&event, span, depth)?;
        Some(Child { key: Some(Key { text, span: key.span }), node })
    }

    /// A scalar, without the blank lines behind a block scalar.
    fn scalar(&self, span: Range<usize>, anchor: usize) -> Node {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let span = span.start..span.start + written.trim_end().len();
        Node { kind: Kind::Scalar, span, anchor, children: Vec::new() }
    }

    /// The first byte of a block: that of its first key or dash. The parser gives what follows the dash where a sequence is
    /// not indented below its key.
    fn start(&self, kind: Kind, start: usize) -> usize {
        let is_dash = self.text.get(start..).is_some_and(|rest| {
            rest.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        });
        if kind == Kind::BlockMapping || is_dash {
            return start;
        }
        let line = self.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let before = self.text.get(line..start).unwrap_or_default();
        line + before.len() - before.trim_start().len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;

    /// A path as `a.0.b`.
    fn path_of(path: &str) -> FieldPath {
        FieldPath::from_pointer(&format!("/{}", path.replace('.', "/")))
    }

    #[test]
    fn points_at_a_value_or_at_the_deepest_key_that_is_there() {
        let text = "ö: &x !!map\n  b: {c: 1, \"d\": [1, 2,], e: }\n  f:\n  # no\n  g: |\n    text\n\n  k:\n  - a: 1\n\n    # no\n  - &y\n    z: \"q\"   # no\n  -\n  h: *y\nb:\n- - p\n  - q: r\n";
        let places = Places::of(text).unwrap();
        for (path, expected) in [
            ("ö", "ö"),
            ("ö.b", "{c: 1, \"d\": [1, 2,], e: }"),
            ("ö.b.c", "1"),
            ("ö.b.d.1", "2"),
            ("ö.b.d.2", "\"d\""),
            ("ö.b.e", "e"),
            ("ö.b.no.deeper", "b"),
            ("ö.f", "f"),
            ("ö.g", "text"),
            ("ö.h", "*y"),
            ("ö.h.z", "\"q\""),
            ("ö.h.no", "h"),
            ("ö.k", "k"),
            ("ö.k.0", "a: 1"),
            ("ö.k.1.z", "\"q\""),
            ("ö.k.2", "k"),
            ("b.0.0", "p"),
            ("b.0.1.q", "r"),
            ("none", ""),
        ] {
            assert_eq!(text.get(places.span(&path_of(path))), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_block_reaches_from_its_first_key_or_dash_to_its_last_value() {
        let text = "a:\n- b: 1\n- c: # no\n    d: |\n      x\n      # yes\n\n# no\ne:\n    - f: {g: [],\n      }\n    -   h:\n\n# no\ni:\n- - k\n";
        let places = Places::of(text).unwrap();
        for (path, expected) in [
            ("a", "- b: 1\n- c: # no\n    d: |\n      x\n      # yes"),
            ("a.1", "c: # no\n    d: |\n      x\n      # yes"),
            ("e", "- f: {g: [],\n      }\n    -   h:"),
            ("e.0", "f: {g: [],\n      }"),
            ("e.1", "h:"),
            ("i.0", "- k"),
        ] {
            let found = places.find(&path_of(path));
            assert_eq!(text.get(found.node.unwrap().span.clone()), Some(expected), "{path}");
        }
    }

    #[test]
    fn there_are_none_in_what_is_no_yaml_or_too_deep() {
        assert!(Places::of("a: [1").is_none());
        assert!(Places::of(&"[".repeat(100_000)).is_none());
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(Places::of(&deep).is_none());
    }

    #[test]
    fn goes_as_deep_as_the_reader() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!([MAX_DEPTH + 1, MAX_DEPTH + 2].map(|depth| Places::of(&nested(depth)).is_some()), [true, false]);
    }
}

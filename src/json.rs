//! A lens over JSON text that borrows everything and copies nothing it is not asked for.
//!
//! The policy looks at some twenty fields of an object that may hold a thousand. A [`Node`] is the text of one
//! JSON value; its members are found when asked for. Because a node is a slice of the original text, a repair knows
//! where in the document it belongs, and [`crate::splice`] can leave every other byte alone. Numbers are never read,
//! so no number is ever rounded.

use std::borrow::Cow;
use std::fmt;

use crate::scan::{Scan, Scanner, plain_length};

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
    /// A document with one value in it.
    ///
    /// # Errors
    /// Where the text is not JSON.
    pub fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut scanner = Scanner::new(text);
        let node = Self::read(&mut scanner)?;
        scanner.end().map(|()| node)
    }

    /// The next value of a scanner.
    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Scan<Self> {
        scanner.value().map(Self)
    }

    /// The value that a scanner has passed over since a mark.
    pub(crate) fn since(scanner: &Scanner<'a>, mark: usize) -> Self {
        Self(scanner.since(mark))
    }

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

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
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
        Scanner::new(self.0).string().ok()
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
        let mut members = Vec::with_capacity(8);
        let mut scanner = Scanner::new(self.0);
        let read = scanner.object(&mut |scanner, key| {
            members.push((key, Node::read(scanner)?));
            Ok(())
        });
        read.ok().map(|()| Members(members))
    }

    /// The elements of an array, or `None` where this is not one.
    #[must_use]
    pub fn items(self) -> Option<Vec<Node<'a>>> {
        if !self.0.starts_with('[') {
            return None;
        }
        Scanner::new(self.0).array().ok().map(|items| items.into_iter().map(Node).collect())
    }
}

/// The members of one JSON object, in the order of the text.
#[derive(Debug)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Node<'a>)>);

impl<'a> Members<'a> {
    /// The member of this name, `None` where it is absent or null. The last of several wins, as in Go and in
    /// `serde_json::Value`.
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

/// A text as a JSON string, with its quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    write_text(&mut json, text);
    json
}

/// Writes a text as a JSON string.
pub(crate) fn write_text(json: &mut String, text: &str) {
    json.push('"');
    let mut rest = text;
    while let Some((plain, special, after)) = split_special(rest) {
        json.push_str(plain);
        match special {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            _ => json.extend([
                '\\',
                'u',
                '0',
                '0',
                crate::text::hex_digit(special >> 4),
                crate::text::hex_digit(special),
            ]),
        }
        rest = after;
    }
    json.push_str(rest);
    json.push('"');
}

/// The text before the first byte that JSON escapes, that byte, and the text behind it.
fn split_special(text: &str) -> Option<(&str, u8, &str)> {
    let length = plain_length(text.as_bytes());
    let special = *text.as_bytes().get(length)?;
    Some((text.get(..length)?, special, text.get(length + 1..)?))
}

#[cfg(test)]
pub(crate) fn parse(text: &str) -> Node<'_> {
    Node::parse(text).expect("test JSON")
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
    fn accepts_any_text_as_a_json_string() {
        for text in ["", "plain", "\"a\\b\"", "a\nb\r\tc\u{1}\u{1f}\u{7f}", "é€😀", "x\u{2028}`<>&"] {
            assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
        }
    }

    #[test]
    fn rejects_to_show_content_in_debug_output() {
        assert_eq!(format!("{:?}", parse(r#""secret""#)), "string");
    }
}

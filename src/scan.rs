//! A scanner over JSON text (RFC 8259): where a value ends, and what the members of an object are.
//!
//! `serde_json` can do this too, and does in every other crate here. In the module it brings number parsing, number
//! printing and an error type that nobody reads, and it takes three times the instructions (see
//! `docs/decisions/0007-own-scanner.md`). A property test holds the two against each other.

use std::borrow::Cow;

/// What scanning gives; the error is a sentence without a piece of the text.
pub(crate) type Scan<T> = Result<T, &'static str>;

/// The error of everything that is not JSON.
pub(crate) const NOT_JSON: &str = "it is not valid JSON";

/// What a scanner hands members or elements to. It has to read the value, with any method that does.
pub(crate) type Each<'f, 'a> = &'f mut dyn FnMut(&mut Scanner<'a>, Cow<'a, str>) -> Scan<()>;

/// A place in a JSON text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The beginning of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// The text of the next value.
    pub(crate) fn value(&mut self) -> Scan<&'a str> {
        let start = self.mark();
        self.skip()?;
        Ok(self.since(start))
    }

    /// Where the next value begins, for [`Scanner::since`]; white space before it is passed over.
    pub(crate) fn mark(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The text that was passed over since.
    pub(crate) fn since(&self, mark: usize) -> &'a str {
        self.text.get(mark..self.at).unwrap_or_default()
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Scan<()> {
        if self.peek().is_none() { Ok(()) } else { Err(NOT_JSON) }
    }

    /// Hands the members of the next value, an object, to `each`.
    pub(crate) fn object(&mut self, each: Each<'_, 'a>) -> Scan<()> {
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            each(self, key)?;
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    /// The texts of the elements of the next value, an array.
    pub(crate) fn array(&mut self) -> Scan<Vec<&'a str>> {
        let mut elements = Vec::new();
        self.expect(b'[')?;
        if self.take(b']') {
            return Ok(elements);
        }
        loop {
            elements.push(self.value()?);
            if self.take(b']') {
                return Ok(elements);
            }
            self.expect(b',')?;
        }
    }

    /// The next value, a string, without its escapes.
    pub(crate) fn string(&mut self) -> Scan<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        let has_escapes = self.skip_string()?;
        let raw = self.text.get(start..self.at - 1).ok_or(NOT_JSON)?;
        if has_escapes { unescape(raw).map(Cow::Owned).ok_or(NOT_JSON) } else { Ok(Cow::Borrowed(raw)) }
    }

    /// Passes over one value. Not recursive: the text may nest as deep as it likes.
    pub(crate) fn skip(&mut self) -> Scan<()> {
        let mut open = Vec::new();
        loop {
            match self.peek().ok_or(NOT_JSON)? {
                b'"' => {
                    self.at += 1;
                    self.skip_string()?;
                }
                b'{' => {
                    self.at += 1;
                    if !self.take(b'}') {
                        open.push(b'}');
                        self.skip_key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if !self.take(b']') {
                        open.push(b']');
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            // A value ended here, and with it all that it was the last of.
            loop {
                let Some(&close) = open.last() else { return Ok(()) };
                if !self.take(close) {
                    break;
                }
                open.pop();
            }
            self.expect(b',')?;
            if open.last() == Some(&b'}') {
                self.skip_key()?;
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over this byte, if it is the next that is no white space.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Scan<()> {
        if self.take(byte) { Ok(()) } else { Err(NOT_JSON) }
    }

    fn word(&mut self, word: &str) -> Scan<()> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += word.len();
        if rest.starts_with(word.as_bytes()) { Ok(()) } else { Err(NOT_JSON) }
    }

    fn skip_key(&mut self) -> Scan<()> {
        self.expect(b'"')?;
        self.skip_string()?;
        self.expect(b':')
    }

    /// Passes over the rest of a string, behind its first quote; says whether it has escapes.
    fn skip_string(&mut self) -> Scan<bool> {
        let mut has_escapes = false;
        loop {
            self.at += plain_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
            let byte = self.byte();
            self.at += 1;
            match byte {
                Some(b'"') => return Ok(has_escapes),
                Some(b'\\') => {
                    has_escapes = true;
                    let escape = self.byte();
                    self.at += 1;
                    match escape {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u') => {
                            let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(NOT_JSON)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(NOT_JSON);
                            }
                            self.at += 4;
                        }
                        _ => return Err(NOT_JSON),
                    }
                }
                _ => return Err(NOT_JSON),
            }
        }
    }

    fn number(&mut self) -> Scan<()> {
        self.at += usize::from(self.byte() == Some(b'-'));
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Scan<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NOT_JSON) }
    }
}

/// How many bytes come before a quote, a backslash or a control character. Eight at a time: most of a request is text.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let is_below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & (ONES * 0x80);
    let (words, _) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let is_quote = is_below(word ^ (ONES * u64::from(b'"')), 1);
        let is_backslash = is_below(word ^ (ONES * u64::from(b'\\')), 1);
        // The lowest byte that is marked is one; a borrow can only mark wrongly above it.
        let found = is_below(word, 0x20) | is_quote | is_backslash;
        if found != 0 {
            return length + (found.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = bytes.get(length..).unwrap_or_default();
    length + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// A string's content without its escapes; `None` where half of a surrogate pair is missing.
fn unescape(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = escaped.chars();
        text.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (first, after) = hex_unit(chars.as_str())?;
                chars = after.chars();
                match char::from_u32(first) {
                    Some(plain) => plain,
                    None => {
                        let (second, after) = hex_unit(after.strip_prefix("\\u")?)?;
                        chars = after.chars();
                        char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?.ok()?
                    }
                }
            }
            itself => itself,
        });
        rest = chars.as_str();
    }
    text.push_str(rest);
    Some(text)
}

fn hex_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    Some((digits.bytes().fold(0, |unit, digit| unit << 4 | u32::from(crate::text::hex(digit))), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn whole(text: &str) -> Scan<&str> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end().map(|()| value)
    }

    #[test]
    fn accepts_what_serde_json_accepts_and_nothing_else() {
        for text in [
            "",
            " ",
            "{}",
            " [ ] ",
            "[1,2]",
            "[1,]",
            "[,1]",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":}",
            "1",
            "-1",
            "01",
            "-",
            "1.",
            "1.5",
            ".5",
            "1e5",
            "1e",
            "1E+5",
            "1e-",
            "-0",
            "1e400",
            "true",
            "tru",
            "nul",
            "null",
            "nulll",
            "\"a\"",
            "\"a",
            "\"\\\"",
            "\"\\n\"",
            "\"\\x\"",
            "\"\\u00e9\"",
            "\"\\u00g9\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "[[[]]]",
            "[[]",
            "]",
            "{\"a\":[{\"b\":{}},{}]}",
            "{\"a\":1 \"b\":2}",
            "{}{}",
            "[}",
            "{]",
            "\u{feff}{}",
            "\"\\ud800\"",
            "[\"é\"]",
            "\"12345678\\\"\"",
        ] {
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(text);
            assert_eq!(whole(text).ok(), theirs.ok().map(serde_json::value::RawValue::get), "{text}");
        }
    }

    #[test]
    fn accepts_any_depth() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(whole(&deep), Ok(deep.as_str()));
        assert!(whole(deep.get(1..).unwrap()).is_err());
    }

    #[test]
    fn accepts_strings_as_serde_json_reads_them() {
        for text in [
            r#""""#,
            r#""plain""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u0041\u00e9\u20ac""#,
            r#""\ud83d\ude00!""#,
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\n""#,
            r#""\ude00""#,
            r#""\ud83d\ud83d""#,
            "\"é€😀\"",
            r#""a long one \t with more""#,
        ] {
            let ours = Scanner::new(text).string().ok();
            assert_eq!(ours.as_deref(), serde_json::from_str::<String>(text).ok().as_deref(), "{text}");
        }
    }

    #[test]
    fn finds_the_end_of_plain_text_at_every_place() {
        for length in 0..20 {
            for stop in ["\"", "\\", "\n", "\u{1f}", ""] {
                let text = format!("{}{stop}\u{7f}é\"", "x".repeat(length));
                let expected = if stop.is_empty() { length + 3 } else { length };
                assert_eq!(plain_length(text.as_bytes()), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn hands_out_members_and_elements() {
        let mut seen = Vec::new();
        let mut scanner = Scanner::new(r#" { "a" : 1 , "b\u0063" : [ 1 , {} ] } "#);
        scanner
            .object(&mut |scanner, key| {
                seen.push((key.into_owned(), scanner.value()?.to_owned()));
                Ok(())
            })
            .unwrap();
        assert_eq!(scanner.end(), Ok(()));
        assert_eq!(seen, [("a".to_owned(), "1".to_owned()), ("bc".to_owned(), "[ 1 , {} ]".to_owned())]);
        assert_eq!(Scanner::new("[ 1 , {} ]").array(), Ok(vec!["1", "{}"]));
        assert_eq!(Scanner::new("[]").array(), Ok(vec![]));
        assert!(Scanner::new("[1").array().is_err() && Scanner::new("{").array().is_err());
    }
}

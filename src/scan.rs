//! A scanner over JSON text (RFC 8259): where a value ends, and what the members of an object are.
//!
//! `serde_json` can do this too, and does in every other crate here. In the module it brings number parsing, number
//! printing and an error type that nobody reads (see `docs/decisions/0007-own-scanner.md`). A property test holds the
//! two against each other.

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
        self.at = skip_space(self.text.as_bytes(), self.at);
        self.text.as_bytes().get(self.at).copied()
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
        let (end, has_escapes) = skip_string(self.text.as_bytes(), start).ok_or(NOT_JSON)?;
        self.at = end;
        let raw = self.text.get(start..end - 1).ok_or(NOT_JSON)?;
        if has_escapes { unescape(raw).map(Cow::Owned).ok_or(NOT_JSON) } else { Ok(Cow::Borrowed(raw)) }
    }

    /// Passes over one value.
    pub(crate) fn skip(&mut self) -> Scan<()> {
        self.at = skip_value(self.text.as_bytes(), self.at).ok_or(NOT_JSON)?;
        Ok(())
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
}

/// Where the value ends that begins here, white space before it included. Not recursive: the text may nest as deep as
/// it likes. What most requests spend their time in, so positions are locals and steps are inlined.
fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut open = Vec::new();
    loop {
        at = skip_space(bytes, at);
        match *bytes.get(at)? {
            b'"' => at = skip_string(bytes, at + 1)?.0,
            begin @ (b'{' | b'[') => {
                // In ASCII, a closing bracket is two behind its opening one.
                let close = begin + 2;
                at = skip_space(bytes, at + 1);
                if *bytes.get(at)? != close {
                    open.push(close);
                    if close == b'}' {
                        at = skip_key(bytes, at)?;
                    }
                    continue;
                }
                at += 1;
            }
            b't' => at = skip_word(bytes, at, b"true")?,
            b'f' => at = skip_word(bytes, at, b"false")?,
            b'n' => at = skip_word(bytes, at, b"null")?,
            _ => at = skip_number(bytes, at)?,
        }
        // A value ended here, and with it all that it was the last of.
        loop {
            let Some(&close) = open.last() else { return Some(at) };
            at = skip_space(bytes, at);
            let byte = *bytes.get(at)?;
            at += 1;
            if byte == close {
                open.pop();
            } else if byte == b',' {
                if close == b'}' {
                    at = skip_key(bytes, at)?;
                }
                break;
            } else {
                return None;
            }
        }
    }
}

#[inline(always)]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Behind a key and its colon.
fn skip_key(bytes: &[u8], at: usize) -> Option<usize> {
    let at = skip_space(bytes, at);
    let at = skip_space(bytes, skip_string(bytes, skip_word(bytes, at, b"\"")?)?.0);
    skip_word(bytes, at, b":")
}

#[inline(always)]
fn skip_word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// Behind a string, from behind its first quote; and whether it has escapes.
fn skip_string(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut has_escapes = false;
    loop {
        at += plain_length(bytes.get(at..)?);
        match *bytes.get(at)? {
            b'"' => return Some((at + 1, has_escapes)),
            b'\\' => {
                has_escapes = true;
                at = skip_escape(bytes, at + 1)?;
            }
            _ => return None,
        }
    }
}

fn skip_escape(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => bytes.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit).then_some(at + 5),
        _ => None,
    }
}

fn skip_number(bytes: &[u8], mut at: usize) -> Option<usize> {
    at += usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { skip_digits(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = skip_digits(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = skip_digits(bytes, at)?;
    }
    Some(at)
}

/// One digit or more.
fn skip_digits(bytes: &[u8], at: usize) -> Option<usize> {
    let count = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(at + count)
}

/// How many bytes come before a quote, a backslash or a control character. Eight at a time: most of a request is text.
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, _) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // Flipping one bit puts the quote (0x22) right behind the control characters; subtracting then borrows from the
        // high bit of just these bytes, and of those beyond ASCII, which are masked. A borrow that goes on into the next
        // byte can only mark wrongly above a byte that is marked rightly, and the lowest counts.
        let control_or_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
        let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
        let found = (control_or_quote | backslash) & !word & (ONES * 0x80);
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

    /// Valid, broken and odd.
    const TEXTS: &[&str] = &[
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
    ];

    #[test]
    fn accepts_what_serde_json_accepts_and_nothing_else() {
        for text in TEXTS {
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

//! A value of a Secret, which can be looked at and never be shown.

use std::fmt;

/// A value of a Secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Vec<u8>);

impl Value {
    /// The value of these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The value as text; `None` where it is none.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether it stands for a value that nobody has filled in: `<your token>`, `{{ token }}`, `changeme`.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        const WORDS: [&str; 8] = ["changeme", "change-me", "placeholder", "todo", "tbd", "example", "dummy", "unset"];
        let Some(text) = self.text() else { return false };
        let is_word = WORDS.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
        is_word || text.contains(['<', '>', '{', '}']) || text.contains("ENVIRONMENTID")
    }

    /// Whether there is a blank, a newline or another control character in it, at its ends or inside.
    #[must_use]
    pub fn has_blank(&self) -> bool {
        self.text().is_some_and(|text| text.contains(|c: char| c.is_whitespace() || c.is_control()))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a Secret's value)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn value(text: &str) -> Value {
        Value::new(text.as_bytes().to_vec())
    }

    #[test]
    fn rejects_to_show_itself() {
        assert_eq!(format!("{:?}", value("geheim")), "(a Secret's value)");
    }

    #[test]
    fn accepts_values_and_rejects_what_stands_for_one() {
        for text in
            ["<token>", "{{ .Values.token }}", "Changeme", " todo ", "https://ENVIRONMENTID.live.dynatrace.com/api"]
        {
            assert!(value(text).is_placeholder(), "{text}");
        }
        for text in ["https://abc12345.live.dynatrace.com/api", "dt0c01.A.B", "", "example.com"] {
            assert!(!value(text).is_placeholder(), "{text}");
        }
        for text in [" a", "a\n", "a b", "a\u{a0}", "\u{0}"] {
            assert!(value(text).has_blank(), "{text:?}");
        }
        assert!(!value("a").has_blank() && !Value::new(vec![0xff, 0x20]).has_blank());
    }
}

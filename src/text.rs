//! What may be shown of a user's text, and how.
//!
//! Everything the policy says is read by more people than may read the object: it lands in terminals, CI logs, audit
//! logs and reports. So user values pass through [`quote`], which hides whatever could be a credential.

use percent_encoding::percent_decode_str;

/// Longest user value that is shown, in characters.
const MAX_VALUE: usize = 40;

/// A user's value in backticks: one line, at most [`MAX_VALUE`] characters, and hidden if it could hold a credential.
#[must_use]
pub fn quote(value: &str) -> String {
    quote_up_to(MAX_VALUE, value)
}

/// The same with another limit, for what is no use cut short.
#[must_use]
pub fn quote_up_to(max: usize, value: &str) -> String {
    if may_hold_credential(value) {
        return "(hidden: it may hold a token)".to_owned();
    }
    // Nothing to cut or to mask: most values.
    if value.len() <= max && value.bytes().all(|b| (b' '..0x7f).contains(&b) && b != b'`') {
        return ["`", value, "`"].concat();
    }
    let mut quoted = String::with_capacity(value.len().min(max) + 4);
    quoted.push('`');
    for (count, c) in value.chars().enumerate() {
        if count == max {
            quoted.push('…');
            break;
        }
        quoted.push(if c.is_control() || c == '`' { '?' } else { c });
    }
    quoted.push('`');
    quoted
}

/// Whether nothing in a text could be a credential, so that the name or host that it is may be told whole.
#[must_use]
pub fn is_harmless(name: &str) -> bool {
    !may_hold_credential(name)
}

/// The scheme word of an `Authorization` header in backticks.
///
/// A prefix may hold the token itself, in a format nobody can recognise, so only a short word of letters is shown. That holds
/// no token, whatever [`quote`] takes it for: `Api-Token` is such a word.
#[must_use]
pub fn quote_scheme(prefix: &str) -> String {
    let word = prefix.trim();
    if word.len() <= 12 && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') {
        format!("`{word}`")
    } else {
        "(hidden: it is not a plain scheme word)".to_owned()
    }
}

/// `text` cut to `max` characters, with an ellipsis in the place of the rest.
#[must_use]
pub fn clip(mut text: String, max: usize) -> String {
    // No more bytes than that, no more characters.
    if text.len() <= max {
        return text;
    }
    if let Some((cut, _)) = text.char_indices().nth(max) {
        let keep = text.char_indices().nth(max.saturating_sub(1)).map_or(cut, |(index, _)| index);
        text.truncate(keep);
        text.push('…');
    }
    text
}

/// Whether the text holds a Dynatrace token or an `api-token=` query: the finding `inline-token`.
///
/// A token is `dt0`, a letter, two digits, `.`, 8 to 32 letters or digits, `.`, 64 letters or digits, in any case
/// (Dynatrace documentation, "Access tokens", token format; platform tokens and OAuth clients have shorter public parts). Looks at the text and at its percent-decoded form.
#[must_use]
pub fn holds_token(text: &str) -> bool {
    in_any_form(text, |bytes| token_parts(bytes, true) || finds_ignoring_case(bytes, b"api-token="))
}

/// Whether the text could hold a credential or a piece of one: too little for a finding, enough not to show it.
fn may_hold_credential(text: &str) -> bool {
    in_any_form(text, |bytes| token_parts(bytes, false) || finds_ignoring_case(bytes, b"api-token"))
}

fn in_any_form(text: &str, test: impl Fn(&[u8]) -> bool) -> bool {
    test(text.as_bytes()) || (text.contains('%') && test(&percent_decode_str(text).collect::<Vec<u8>>()))
}

/// Finds `dt0<letter><2 digits>.`, and, if asked for the whole, the public part, a dot and the secret part behind it.
///
/// Looks at dots only, and at what is before them: there are few.
fn token_parts(bytes: &[u8], whole: bool) -> bool {
    let dots = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(place, _)| place);
    dots.into_iter().any(|dot| {
        let head = bytes.get(..dot).and_then(<[u8]>::last_chunk::<6>);
        let Some([d, t, zero, letter, tens, ones]) = head else { return false };
        let is_head = d.eq_ignore_ascii_case(&b'd')
            && t.eq_ignore_ascii_case(&b't')
            && *zero == b'0'
            && letter.is_ascii_alphabetic()
            && tens.is_ascii_digit()
            && ones.is_ascii_digit();
        is_head && (!whole || has_token_tail(bytes.get(dot + 1..).unwrap_or_default()))
    })
}

fn has_token_tail(tail: &[u8]) -> bool {
    let word = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let public = word(tail);
    let secret = tail.get(public + 1..).map_or(0, word);
    (8..=32).contains(&public) && tail.get(public) == Some(&b'.') && secret >= 64
}

fn finds_ignoring_case(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.contains(&b'-') && haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::token;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_ordinary_values_as_they_are() {
        assert_eq!(quote("v2/otlp/v1/metrics"), "`v2/otlp/v1/metrics`");
        assert_eq!(quote("a\nb`c"), "`a?b?c`");
        assert_eq!(quote(&"x".repeat(50)), format!("`{}…`", "x".repeat(40)));
        assert_eq!(quote_scheme("Bearer "), "`Bearer`");
        assert_eq!(quote_scheme("Api-Key"), "`Api-Key`");
        assert_eq!(quote_scheme("Api-Token"), "`Api-Token`");
        assert!(quote_scheme("Token1").starts_with("(hidden"));
        assert_eq!(quote("``"), "`??`");
        assert_eq!(quote(&"x".repeat(40)), format!("`{}`", "x".repeat(40)));
        // Like the head of a token but for one place.
        for text in ["xt0c01.a", "dx0c01.a", "dtxc01.a", "dt0101.a", "dt0cx1.a", "dt0c0x.a", "t0c01.a"] {
            assert_eq!(quote(text), format!("`{text}`"));
        }
    }

    #[test]
    fn rejects_to_show_tokens_in_any_form() {
        let token = token();
        for text in [
            token.clone(),
            format!("v2/{}/x", token.to_uppercase()),
            token.replace('.', "%2e"),
            token.get(..20).unwrap().to_owned(),
            "v1?API-Token=abc".to_owned(),
        ] {
            assert_eq!(quote(&text), "(hidden: it may hold a token)");
        }
        assert!(quote_scheme("Api-Token abcdefghijklmnopqrstu").starts_with("(hidden"));
        assert!(quote_scheme("abcdefghijklmnopqrstu").starts_with("(hidden"));
    }

    #[test]
    fn accepts_token_shapes_only_when_whole() {
        assert!(holds_token(&token()));
        assert!(holds_token(&format!("https://u:{}@h/", token().to_lowercase())));
        assert!(holds_token(&token().replace('.', "%2E")));
        assert!(holds_token("v2/otlp?api-token=x"));
        assert!(!holds_token(token().get(..90).unwrap()));
        assert!(holds_token(&format!("dt0s16.{}.{}", "A1".repeat(4), "b2".repeat(32))));
        assert!(!holds_token(&format!("dt0c01.{}.{}", "A1".repeat(17), "b2".repeat(32))));
        assert!(!holds_token("dt0c01.short.short"));
        assert!(!holds_token("api-tokens"));
    }

    #[test]
    fn clips_at_characters_not_bytes() {
        assert_eq!(clip("äöü".into(), 3), "äöü");
        assert_eq!(clip("äöüx".into(), 3), "äö…");
    }
}

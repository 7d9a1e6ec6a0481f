//! How Go encodes and decodes the parts of a URL (`net/url`), and why it would not.

use std::fmt;

use percent_encoding::percent_encode_byte;

/// Why Go would not parse a text as a URL. It carries no piece of the text, which may hold a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlError {
    /// A byte below 0x20, or 0x7f: often a newline at the end of a value.
    ControlCharacter,
    /// A colon where a scheme should stand before it.
    Scheme,
    /// Brackets, port or characters that no host has.
    Host,
    /// `user:password@` with characters it cannot have.
    UserInfo,
    /// `%` without two hexadecimal digits.
    Escape,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlCharacter => "it has a control character or newline",
            Self::Scheme => "it has no valid scheme",
            Self::Host => "its host or port is invalid",
            Self::UserInfo => "its user part is invalid",
            Self::Escape => "it has a `%` without two hex digits",
        })
    }
}

/// The parts of a URL that encode differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

pub(super) fn unescape(text: &str, part: Part) -> Result<Vec<u8>, UrlError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        if first == b'%' {
            let [high, low, tail @ ..] = rest else { return Err(UrlError::Escape) };
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(UrlError::Escape) };
            let value = high << 4 | low;
            let is_percent = value == b'%';
            // RFC 3986 and 6874: a host may encode bytes beyond ASCII, and `%25` before an IPv6 zone.
            let is_refused = match part {
                Part::Host => value < 0x80 && !is_percent,
                Part::Zone => !is_percent && value != b' ' && should_escape(value, Part::Host),
                Part::Path | Part::User | Part::Fragment => false,
            };
            if is_refused {
                return Err(UrlError::Escape);
            }
            decoded.push(value);
            bytes = tail;
        } else {
            if matches!(part, Part::Host | Part::Zone) && first < 0x80 && should_escape(first, part) {
                return Err(UrlError::Host);
            }
            decoded.push(first);
            bytes = rest;
        }
    }
    Ok(decoded)
}

pub(super) fn escape(bytes: &[u8], part: Part) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if should_escape(byte, part) {
            text.push_str(percent_encode_byte(byte));
        } else {
            text.push(char::from(byte));
        }
    }
    text
}

/// `net/url.shouldEscape`.
pub(super) fn should_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    match part {
        Part::Host | Part::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Path => !b"$&+,/:;=@".contains(&byte),
        Part::User => !b"$&+,;=".contains(&byte),
        Part::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
    }
}

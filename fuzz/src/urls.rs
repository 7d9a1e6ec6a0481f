//! URLs: what holds for every row of the table that Go has made holds for any endpoint and path.

use kyma_dynatrace_policy::destination::url::Url;

/// An endpoint and a path, with a newline between them.
pub fn urls(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (endpoint, path) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(url) = Url::parse(endpoint) {
        stable(&url);
    }
    if let Ok(url) = Url::effective(endpoint, path, "metrics") {
        stable(&url);
    }
}

/// What is sent is printable ASCII without blanks. What Go writes of a URL with a host, it reads as the same. (Without a host, or
/// with an IPv6 zone, it may not: of `x:` and the path `>` it makes `x://%3E`, which it refuses.)
fn stable(url: &Url) {
    let text = url.to_string();
    let wire = url.wire_path();
    assert!(wire.bytes().all(|byte| (b'!'..=b'~').contains(&byte)), "{wire:?} is sent");
    if url.hostname().is_empty() || url.hostname().contains('%') {
        return;
    }
    let Ok(again) = Url::parse(&text) else { panic!("{text:?} is written, and is no URL") };
    assert_eq!(again.to_string(), text);
    assert_eq!((again.hostname(), again.wire_path()), (url.hostname(), wire), "{text:?}");
}

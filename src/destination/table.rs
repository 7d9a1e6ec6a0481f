//! Our URLs against Go's: the table in `e2e/urls/table.jsonl` is what a Go program made (`make url-table`).

use serde::Deserialize;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::url::Url;

#[derive(Debug, Deserialize)]
struct Row {
    endpoint: String,
    path: String,
    url: String,
    wire: String,
    host: String,
}

#[test]
fn urls_are_joined_as_go_joins_them() {
    let rows = include_str!("../../e2e/urls/table.jsonl").lines();
    let rows: Vec<Row> = rows.map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut differences = Vec::new();
    for row in &rows {
        let (url, wire, host) = match Url::effective(&row.endpoint, &row.path, "metrics") {
            Ok(url) => (url.to_string(), url.wire_path(), url.hostname()),
            Err(_) => Default::default(),
        };
        if (&url, &wire, &host) != (&row.url, &row.wire, &row.host) {
            differences.push(format!("{row:?}\n  ours: {url:?} {wire:?} {host:?}"));
        }
        // What is appended to a parsed URL is what would be parsed anew.
        let appended = Url::parse(&row.endpoint).ok().and_then(|url| url.appended("metrics"));
        if row.path.is_empty() && appended.as_ref().is_some_and(|appended| appended.to_string() != row.url) {
            differences.push(format!(
                "{row:?}\n  ours: {}",
                appended.map_or_else(String::new, |appended| appended.to_string())
            ));
        }
    }
    assert!(rows.len() >= 1000);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

//! Our URLs against Go's: the table in `urls/table.jsonl` is what a Go program made (`make url-table`).

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

use kyma_dynatrace_policy::destination::url::Url;
use serde::Deserialize;

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
    let rows: Vec<Row> =
        include_str!("../urls/table.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut differences = Vec::new();
    for row in &rows {
        let (url, wire, host) = match Url::effective(&row.endpoint, &row.path, "metrics") {
            Ok(url) => (url.to_string(), url.wire_path(), url.hostname()),
            Err(_) => Default::default(),
        };
        if (&url, &wire, &host) != (&row.url, &row.wire, &row.host) {
            differences.push(format!("{row:?}\n  ours: {url:?} {wire:?} {host:?}"));
        }
    }
    println!("{} pairs of endpoint and path", rows.len());
    assert!(rows.len() >= 1000);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

//! Real pipelines, of Dynatrace's users and of others.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics is a test that fails")]

use std::fs;

use e2e::{policy, shared};
use kyma_dynatrace_engine::admission_request;
use serde_json::{Value, json};

/// Files of the corpus with their class.
fn corpus() -> Vec<(String, String, Value)> {
    let Some(shared) = shared() else { return Vec::new() };
    let folder = shared.join("corpus");
    let index = fs::read_to_string(folder.join("index.tsv")).unwrap();
    let rows = index.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>());
    rows.map(|row| {
        let (file, class) = (row.first().unwrap(), row.get(4).unwrap());
        let object = yaml_serde::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        ((*file).to_owned(), (*class).to_owned(), object)
    })
    .collect()
}

#[test]
fn pipelines_of_others_are_never_touched() {
    for mode in ["repair", "validate"] {
        let policy = policy(&json!({"mode": mode}));
        let mut count = 0;
        for (file, _, object) in corpus().iter().filter(|(_, class, _)| class == "other") {
            let response = policy.admit(&admission_request(object, None));
            let text = serde_json::to_string(&response).unwrap();
            let untouched = r#"{"uid":"00000000-0000-0000-0000-000000000000","allowed":true}"#;
            assert_eq!(text, untouched, "{file} in mode {mode}");
            count += 1;
        }
        println!("{count} pipelines of others accepted untouched in mode {mode}");
    }
}

//! Holds the counted figures to their goals, and to what was counted last: instructions, bytes and pages, no time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fmt::Write as _;

use benches::counter::Cost;
use benches::figures::{self, Figures};
#[cfg(feature = "peers")]
use benches::peers::{Cel, RegoPolicy};
use benches::requests;

/// How much more a request may take than was written down before somebody has to look.
const MARGIN: f64 = 1.02;

#[test]
fn every_goal_is_reached() {
    let missed = Figures::count().unwrap().missed();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_floor_that_does_not_do_its_work_is_no_floor() {
    let request = requests::all().remove(0);
    let cost = |answer: &str| Cost { instructions: 1, pages: 1, answer: answer.as_bytes().to_vec(), asked: 0 };
    let accepted = cost(r#"{"accepted":true}"#);
    assert!(figures::assert_work(&request, &accepted, &accepted).is_ok());
    for answer in
        ["invalid type: map, expected unit", r#"{"accepted":false}"#, r#"{"accepted":true,"mutated_object":{}}"#]
    {
        assert!(figures::assert_work(&request, &accepted, &cost(answer)).is_err(), "{answer}");
    }
    let asking = Cost { asked: 1, ..accepted.clone() };
    assert!(figures::assert_work(&request, &asking, &accepted).is_err(), "a lookup that nobody asked for");
    let rejected = cost(r#"{"accepted":false,"message":"1 problem:\n- x"}"#);
    assert!(figures::assert_work(&request, &rejected, &accepted).is_err(), "ours is not what the row is named after");
}

#[test]
fn nothing_takes_more_than_was_written_down() {
    let recorded = std::fs::read_to_string(benches::root().join("benches/counted.tsv")).unwrap();
    let figures = Figures::count().unwrap();
    let mut worse = String::new();
    let mut hold = |name: &str, now: u64| {
        let row = recorded.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
        let before: u64 = row.unwrap_or_else(|| panic!("`{name}` is not written down")).parse().unwrap();
        if benches::figures::share(now, before) > MARGIN {
            writeln!(worse, "{name}: {now}, was {before}").unwrap();
        }
    };
    hold("bytes", figures.bytes.0 as u64);
    hold("settings", figures.settings.1);
    for row in &figures.rows {
        hold(row.request.name, row.ours.instructions);
    }
    assert!(worse.is_empty(), "more than before; if it is worth it, `make bench` writes it down:\n{worse}");
}

#[cfg(feature = "peers")]
#[test]
fn peers_and_policy_agree_about_the_requests() {
    let (cel, rego) = (Cel::load().unwrap(), RegoPolicy::load().unwrap());
    for request in benches::requests::all() {
        let ours = kyma_dynatrace_policy::validate(&request.payload).unwrap();
        let ours: serde_json::Value = serde_json::from_slice(&ours).unwrap();
        // Peers cannot repair: what we repair, they refuse.
        let is_in_order = ours["accepted"] == true && ours["mutated_object"].is_null();
        let (cel, rego) = (cel.review(&request.payload), rego.review(&request.payload));
        assert_eq!((cel.is_empty(), rego.is_empty()), (is_in_order, is_in_order), "{}: {cel:?} {rego:?}", request.name);
        assert_eq!(cel.len(), rego.len(), "{}: {cel:?} {rego:?}", request.name);
    }
}

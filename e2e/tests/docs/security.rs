//! What the security model claims names the tests that show it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use e2e::root;
use serde_json::Value;

use crate::read;

/// Whether a file has a test of that name. Those behind a cluster are in a list there, those in a browser have a title; the
/// others have their mark, in `proptest!` too.
fn is_test(file: &str, name: &str) -> bool {
    let code = fs::read_to_string(root().join(file)).unwrap_or_default();
    let marked = |rest: &str| {
        let head = rest.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with(['#', '/']));
        head.is_some_and(|line| line.starts_with(&format!("fn {name}(")))
    };
    let has_title = file.ends_with(".mjs") && code.contains(&format!("\ntest(\"{name}\", "));
    has_title
        || code.contains(&format!("(\"{name}\", ")) && file.ends_with(".rs")
        || code.split("#[test]").skip(1).any(marked)
}

/// How many claims a page makes, in lists, and what is wrong with the tests that it names behind them. The links to their files
/// are at its end.
fn claims(text: &str) -> (usize, Vec<String>) {
    let files: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("[`")?.split_once("`]: "))
        .filter_map(|(name, url)| Some((name, url.split_once("/blob/main/")?.1)))
        .collect();
    let mut problems = Vec::new();
    let items: Vec<&str> = text.split("\n- **").skip(1).map(|item| item.split("\n\n").next().unwrap()).collect();
    for item in &items {
        let names: Vec<&str> =
            item.split("[`").skip(1).filter_map(|rest| rest.split_once("`]")).map(|(name, _)| name).collect();
        if names.is_empty() {
            problems.push(format!("no test: {item}"));
        }
        let is_missing = |name: &&str| files.get(name).is_none_or(|file| !is_test(file, name));
        problems.extend(names.into_iter().filter(is_missing).map(|name| format!("no test `{name}`")));
    }
    (items.len(), problems)
}

#[test]
fn every_claim_about_security_names_its_tests() {
    let text = read("docs/security.md");
    let (count, problems) = claims(&text);
    assert_eq!(problems, [""; 0]);
    assert!(count >= 20, "{count}");
    println!("security: {count} claims with their tests");
    // And what is wrong is found: a name that nobody has, one that is no test, a claim without any.
    for (from, to) in [
        ("[`no_token_is_ever_told`]", "[`no_token_is_told`]"),
        ("[`no_token_is_ever_told`]", "[`with_mode`]"),
        ("[`lifecycle::the_policy_server_is_gone`]", "[`lifecycle::policy_server_gone`]"),
        ("e2e/tests/properties.rs", "e2e/tests/property.rs"),
        ("([`imports_nothing_but_wapc`])", "(seen)"),
    ] {
        assert!(text.contains(from), "{from}");
        assert_ne!(claims(&text.replace(from, to)).1, [""; 0], "{to}");
    }
}

/// The page says why each crate is in the module, and names no other.
#[test]
fn every_crate_in_the_module_has_its_reason() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let policy = packages.iter().find(|package| package["name"] == "kyma-dynatrace-policy").unwrap();
    let dependencies = policy["dependencies"].as_array().unwrap().iter();
    // What makes a module of the crate is a feature, on by default.
    let features = &policy["features"];
    assert_eq!(features["default"], serde_json::json!(["wapc"]));
    let is_in = |dependency: &&Value| {
        let name = format!("dep:{}", dependency["name"].as_str().unwrap());
        dependency["optional"] == false || features["wapc"].as_array().unwrap().iter().any(|other| *other == *name)
    };
    let in_module = dependencies.filter(|dependency| dependency["kind"].is_null()).filter(is_in);
    let expected: BTreeSet<&str> = in_module.map(|dependency| dependency["name"].as_str().unwrap()).collect();
    let text = read("docs/security.md");
    let table = text.split("| crate | why |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let listed: BTreeSet<&str> = rows.flat_map(|(names, _)| names.split("`, `")).collect();
    assert_eq!(listed, expected);
}

//! The environment's values: each in one place, each written everywhere, and none left out.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use crate::problem::{self, Problem};
use e2e::tree::{ENV, ENV_FILE, Object, Tree};

const ENVIRONMENT: &str = "environment/replacements/environment.yaml";
/// Stands in the files where a value is to be filled in.
const PLACEHOLDER: &str = "unset";
/// Names that happen to be the same word as a value, and are not that value.
const HOMONYMS: [(&str, &str); 1] = [("dynatrace", "metadata.name")];

/// Every string in a value, with the path of its field.
fn strings<'a>(value: &'a Value, path: String, found: &mut Vec<(String, &'a str)>) {
    let dot = if path.is_empty() { "" } else { "." };
    match value {
        Value::String(text) => found.push((path, text)),
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| strings(member, format!("{path}{dot}{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| strings(item, format!("{path}[{index}]"), found));
        }
        _ => {}
    }
}

/// Whether a text has a word: `dynatrace` in `http://a.dynatrace.svc`, not in `dynatrace.com/v1`.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || "-_/".contains(c));
    text.match_indices(word).any(|(start, _)| {
        let (before, rest) = text.split_at(start);
        let after = rest.strip_prefix(word).unwrap_or_default();
        let is_group = after.starts_with(".com") || after.starts_with(".io");
        !is_part(before.chars().next_back()) && !is_part(after.chars().next()) && !is_group
    })
}

/// Placeholders that a rendering still has.
pub(crate) fn check_placeholders(objects: &[Object]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for object in objects {
        let mut found = Vec::new();
        strings(&object.value, String::new(), &mut found);
        for (field, text) in found.into_iter().filter(|(_, text)| has_word(text, PLACEHOLDER)) {
            problems.push(Problem::new(&object.file, field, format!("`{text}` was not filled in")));
        }
    }
    problems
}

fn environment(tree: &Tree) -> BTreeMap<String, String> {
    let object: Value = yaml_serde::from_str(&tree.read(ENVIRONMENT)).unwrap();
    serde_json::from_value(object["data"].clone()).unwrap()
}

/// Values of the environment that another file repeats.
pub(crate) fn check_repeated(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    // What tells kustomize where to look is no manifest.
    let is_manifest = |file: &&String| {
        file.ends_with(".yaml") && !file.ends_with("kustomization.yaml") && !file.starts_with("environment/")
    };
    for file in tree.files().iter().filter(is_manifest) {
        for document in yaml_serde::Deserializer::from_str(&tree.read(file)) {
            let document = Value::deserialize(document).unwrap();
            let mut found = Vec::new();
            strings(&document, String::new(), &mut found);
            for (key, value) in environment(tree) {
                let repeats = |(field, text): &&(String, &str)| {
                    let is_homonym = HOMONYMS.contains(&(value.as_str(), field.as_str()));
                    !is_homonym && has_word(text, &value)
                };
                problems.extend(
                    found
                        .iter()
                        .filter(repeats)
                        .map(|(field, _)| Problem::new(file, field, format!("repeats `{key}`"))),
                );
            }
        }
    }
    problems
}

#[test]
fn each_value_is_in_one_place() {
    let tree = Tree::copy("one-place");
    assert!(environment(&tree).len() >= 6);
    let problems = check_repeated(&tree);
    assert!(problems.is_empty(), "{}", problem::list(&problems));
    // The long ones must not stand in a page or a comment either.
    for file in tree.files().iter().filter(|file| *file != ENVIRONMENT) {
        for (key, value) in environment(&tree).iter().filter(|(_, value)| value.contains(['/', ':'])) {
            assert!(!tree.read(file).contains(value.as_str()), "{file} repeats `{key}`");
        }
    }
}

#[test]
fn each_value_is_written_everywhere() {
    let tree = Tree::copy("values");
    let old = environment(&tree);
    let text = tree.read(ENVIRONMENT);
    let version = env!("CARGO_PKG_VERSION");
    let changed = |key: &str| format!("other-{}", key.to_lowercase());
    let replaced = old.iter().fold(text, |text, (key, value)| {
        text.replace(&format!("  {key}: {value}\n"), &format!("  {key}: {}\n", changed(key)))
    });
    std::fs::write(tree.path(ENVIRONMENT), replaced).unwrap();
    let new = environment(&tree);
    assert!(old.keys().eq(new.keys()) && old.iter().all(|(key, value)| new[key] != *value), "{version}");
    let mut seen = std::collections::BTreeSet::new();
    for target in tree.targets() {
        for object in tree.render(&target).unwrap() {
            let mut found = Vec::new();
            strings(&object.value, String::new(), &mut found);
            for (field, text) in found {
                seen.extend(new.iter().filter(|(_, value)| has_word(text, value)).map(|(key, _)| key.clone()));
                let stale = old.iter().filter(|(_, value)| has_word(text, value));
                let stale = stale.filter(|(_, value)| !HOMONYMS.contains(&(value.as_str(), field.as_str())));
                let stale: Vec<_> = stale.filter(|(key, _)| key.as_str() != "tracedNamespace").collect();
                assert!(stale.is_empty(), "{} {}: {field}: {text} is still of {stale:?}", target.name, object.file);
            }
        }
    }
    assert!(seen.iter().eq(new.keys()), "used are only {seen:?}");
}

#[test]
fn what_is_not_filled_in_fails_with_its_name() {
    let tree = Tree::copy("unfilled");
    let overlay = || tree.kustomize(&tree.path("overlays/collector"));
    assert!(overlay().is_ok());
    for line in ENV.lines() {
        let key = line.split('=').next().unwrap();
        std::fs::write(tree.path(ENV_FILE), ENV.replace(&format!("{line}\n"), "")).unwrap();
        let error = overlay().unwrap_err();
        assert!(error.contains(&format!("data.{key}")), "{error}");
        assert!(!error.contains("second"), "no value is shown: {error}");
    }
    // As it is copied, without a line filled in.
    std::fs::copy(tree.path(&format!("{ENV_FILE}.example")), tree.path(ENV_FILE)).unwrap();
    assert!(overlay().unwrap_err().contains("data.apiurl"));
    std::fs::remove_file(tree.path(ENV_FILE)).unwrap();
    assert!(overlay().unwrap_err().contains("dynatrace.env"));
}

/// `check-env.sh` says what is wrong with the user's file, by the line's name, and prints no value.
#[test]
fn the_users_file_is_checked_before_anything_is_applied() {
    let tree = Tree::copy("check-env");
    let check = |text: &str| {
        std::fs::write(tree.path(ENV_FILE), text).unwrap();
        let output = std::process::Command::new("sh").arg(tree.path("dynatrace/check-env.sh")).output().unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for value in ["first", "second", "abc12345"] {
            assert!(!printed.contains(value), "{printed}");
        }
        (output.status.success(), printed)
    };
    let (is_right, printed) = check(ENV);
    assert!(is_right, "{printed}");
    let cases = [
        ("apiToken=first", "#apiToken=first", "apiToken is missing"),
        ("apiToken=first", "apiToken=", "apiToken is empty"),
        ("apiToken=first", "apiToken=first\napiToken=first", "apiToken is there more than once"),
        ("dataIngestToken=second", "dataIngestToken=second ", "dataIngestToken has a blank"),
        ("dataIngestToken=second", "dataIngestToken=second\r", "dataIngestToken has a blank"),
        ("dataIngestToken=second", "dataIngestToken=\"second\"", "dataIngestToken is quoted"),
        ("https://abc12345.live", "https://abc12345.apps", "the address bar's URL"),
        ("https://abc12345", "http://abc12345", "apiurl does not begin with https://"),
        (".com/api", ".com", "apiurl does not end in /api"),
        ("abc12345", "<environment id>", "apiurl is still the example"),
        ("https://abc12345.live.dynatrace.com/api", "", "apiurl is empty"),
    ];
    for (from, to, expected) in cases {
        assert!(ENV.contains(from), "{from}");
        let (is_right, printed) = check(&ENV.replace(from, to));
        let lines: Vec<&str> = printed.lines().collect();
        assert!(!is_right && lines.len() == 1 && lines[0].contains(expected), "{expected}: {printed}");
    }
    std::fs::remove_file(tree.path(ENV_FILE)).unwrap();
    let script = tree.path("dynatrace/check-env.sh");
    let output = std::process::Command::new("sh").arg(script).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("the file is missing"));
}

#[test]
fn tokens_are_in_the_secret_alone() {
    let tree = Tree::copy("tokens");
    for target in tree.targets() {
        for object in tree.render(&target).unwrap().iter().filter(|object| object.kind() != "Secret") {
            let text = object.value.to_string();
            assert!(!text.contains("second") && !text.contains("c2Vjb25k"), "{}: {}", target.name, object.file);
        }
    }
    let ignored = std::fs::read_to_string(e2e::root().join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == format!("/manifests/{ENV_FILE}")), "git would take the tokens");
}

#[test]
fn words_are_found_as_words() {
    for text in ["dynatrace", "http://a.dynatrace.svc:1", "namespace: \"dynatrace\"}"] {
        assert!(has_word(text, "dynatrace"), "{text}");
    }
    for text in ["dynatrace.com/v1", "kyma-dynatrace", "dynatrace-x", "../../dynatrace"] {
        assert!(!has_word(text, "dynatrace"), "{text}");
    }
}

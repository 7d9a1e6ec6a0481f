//! README and book: every link leads somewhere, every page is in the summary, every YAML block is validated and every
//! command is one that exists.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

mod commands;
mod security;
mod versions;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use commands::{check_command, validate_yaml};
use e2e::root;

/// Pages outside of the book that have links and blocks too.
const OTHERS: [&str; 9] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "benches/README.md",
    "manifests/README.md",
    "manifests/tenant/README.md",
];

fn book(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            book(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = OTHERS.iter().map(|page| root().join(page)).collect();
    book(&root().join("docs"), &mut pages);
    pages
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in prose(&text).split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            if link.starts_with("http") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                assert!(anchors(&text).contains(anchor), "{}: {link}: no such heading", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

/// A page that includes a file of another folder shows its links in its own: they have to be addresses there.
#[test]
fn what_a_page_includes_has_no_link_of_its_own_folder() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let included = text.split("{{#include ").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(file, _)| file);
        for file in included.filter(|file| file.starts_with("../")) {
            let (path, part) = file.split_once(':').unwrap_or((file, ""));
            let text = fs::read_to_string(page.parent().unwrap().join(path)).unwrap();
            let begin = text.find(&format!("ANCHOR: {part} ")).filter(|_| !part.is_empty()).unwrap_or(0);
            let end = text.find(&format!("ANCHOR_END: {part} ")).filter(|_| !part.is_empty()).unwrap_or(text.len());
            assert!(part.is_empty() || (begin > 0 && end > begin), "{file}");
            let links = prose(text.get(begin..end).unwrap());
            let relative = links.split("](").skip(1).find(|link| !link.starts_with("http") && !link.starts_with('#'));
            assert_eq!(relative.and_then(|link| link.split(')').next()), None, "{file}");
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn the_summary_has_every_page_once() {
    let text = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let links: Vec<&str> =
        text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link).collect();
    let mut found = Vec::new();
    book(&root().join("docs"), &mut found);
    let mut found: Vec<String> = found
        .iter()
        .map(|page| page.strip_prefix(root().join("docs")).unwrap().to_string_lossy().into_owned())
        .filter(|page| page != "SUMMARY.md")
        .collect();
    let mut listed: Vec<String> = links.into_iter().map(str::to_owned).collect();
    found.sort();
    listed.sort();
    assert_eq!(listed, found);
}

/// A fenced block: the page, the language, the text without its indentation.
fn blocks() -> Vec<(PathBuf, String, String)> {
    let mut blocks = Vec::new();
    // The rules' pages have a test of their own, which runs every example.
    for page in pages().into_iter().filter(|page| !page.parent().unwrap().ends_with("docs/rules")) {
        let text = fs::read_to_string(&page).unwrap();
        let mut open: Option<(String, Vec<&str>)> = None;
        for line in text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => open = Some((language.to_owned(), Vec::new())),
                (Some((language, lines)), Some(_)) => {
                    let indent =
                        lines.iter().map(|line: &&str| line.len() - line.trim_start().len()).min().unwrap_or(0);
                    let lines: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
                    blocks.push((page.clone(), language.clone(), lines.join("\n")));
                    open = None;
                }
                (Some((_, lines)), None) => lines.push(line),
                (None, None) => {}
            }
        }
    }
    blocks
}

#[test]
fn every_block_is_executed_or_validated() {
    let (mut validated, mut executed) = (0, 0);
    for (page, language, text) in blocks() {
        let place = format!("{}:\n{text}", page.display());
        match language.as_str() {
            "yaml" => {
                validate_yaml(&text, &place);
                validated += 1;
            }
            "sh" => {
                // A command over several lines is one.
                let joined = text.replace("\\\n", " ");
                executed += joined.lines().filter(|line| check_command(line, &place)).count();
            }
            // What is printed: `make test-shown` makes it again, and the cluster tests hold kubectl to it.
            "console" => assert!(text.starts_with("$ kubectl apply"), "{place}"),
            other => panic!("a block of `{other}`: {place}"),
        }
    }
    assert!(validated >= 10 && executed >= 8, "{validated} {executed}");
    let _ = writeln!(
        std::io::stderr(),
        "docs: {validated} YAML blocks validated, {executed} commands executed or checked, besides the rules' examples"
    );
}

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// Where a page lets a policy protect before it has let it watch.
fn protects_first(text: &str) -> Option<&str> {
    let is_watching = |line: &str| line.contains("overlays/policy-monitor") || line.trim() == "mode: monitor";
    let is_protecting = |line: &str| {
        let protecting = ["overlays/policy", "manifests/policy/repair", "manifests/policy/validate"];
        let is_applied = line.contains("apply ") && protecting.iter().any(|folder| line.trim().ends_with(folder));
        is_applied || line.trim() == "mode: protect"
    };
    text.lines().find(|line| is_watching(line) || is_protecting(line)).filter(|line| !is_watching(line))
}

/// Kubewarden lets no policy go back from `protect` to `monitor`.
#[test]
fn no_page_leads_to_protect_first() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        assert_eq!(protects_first(&text), None, "{}", page.display());
    }
    for page in ["README.md", "docs/quick-start.md", "docs/rollout.md", "manifests/README.md"] {
        let text = read(page);
        let first = text.lines().find(|line| line.starts_with("kubectl apply")).unwrap_or_default();
        assert!(first.ends_with("manifests/overlays/policy-monitor"), "{page}: {first}");
        // The same page, broken.
        let broken = text.replacen("overlays/policy-monitor", "overlays/policy", 1);
        assert!(protects_first(&broken).is_some(), "{page}");
    }
    assert!(protects_first("spec:\n  mode: protect\n  mode: monitor\n").is_some());
}

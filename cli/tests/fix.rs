//! `--fix` on YAML as people write it: only repaired lines change, and the next `check` is clean.
//!
//! Each `styles/*.yaml` is repaired in a copy and compared with what stands beside it in `styles/fixed/`, which `BLESS=1`
//! rewrites. Files from 90 on cannot be repaired safely, and stay as they are.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn styles() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/styles");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn check(args: &[&str], file: &Path) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let settings = root.join("cli/tests/settings.yaml");
    Command::new(env!("CARGO_BIN_EXE_kyma-dynatrace"))
        .arg("check")
        .arg("--policy")
        .arg(root.join("annotated-policy.wasm"))
        .arg("--settings")
        .arg(settings)
        .args(args)
        .arg(file)
        .output()
        .unwrap()
}

fn is_unsafe(file: &Path) -> bool {
    file.file_name().unwrap().to_string_lossy().starts_with('9')
}

/// The lines of `before` that are missing in `after`, in order, and those that are new in it.
fn lost_and_new(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let diff = similar::TextDiff::from_lines(before, after);
    let lines = |tag| {
        let changes = diff.iter_all_changes().filter(move |change| change.tag() == tag);
        changes.map(|change| change.value().to_owned()).collect()
    };
    (lines(similar::ChangeTag::Delete), lines(similar::ChangeTag::Insert))
}

#[test]
fn only_repaired_lines_change_and_the_next_check_is_clean() {
    let files: Vec<PathBuf> = styles().into_iter().filter(|file| !is_unsafe(file)).collect();
    assert!(files.len() >= 20);
    let folder = tempfile::tempdir().unwrap();
    for file in &files {
        let name = file.file_name().unwrap();
        let copy = folder.path().join(name);
        fs::copy(file, &copy).unwrap();
        let output = check(&["--fix"], &copy);
        assert_eq!(output.status.code(), Some(0), "{name:?}: {}", String::from_utf8_lossy(&output.stderr));

        let (before, after) = (fs::read_to_string(file).unwrap(), fs::read_to_string(&copy).unwrap());
        let (lost, new) = lost_and_new(&before, &after);
        assert!(!new.is_empty(), "{name:?} is repaired");
        let ending = if before.contains("\r\n") { "\r\n" } else { "\n" };
        for line in &lost {
            // A line may be lost only for one with the same beginning: its value is filled in, or its mapping goes on.
            let head = line.trim_end().trim_end_matches(['}', ']', ',', ' ']);
            let head = ["\"\"", "''", "null", "~", "preserve"]
                .iter()
                .fold(head, |head, old| head.split_once(&format!(": {old}")).map_or(head, |(head, _)| head));
            let (head, comment) = head.split_once(" #").unwrap_or((head, ""));
            let says_more = |new: &&String| new.starts_with(head.trim_end()) && new.contains(comment);
            assert!(new.iter().any(|new| says_more(&new)), "{name:?} loses {line:?}");
        }
        assert!(new.iter().all(|line| line.ends_with(ending) || !line.ends_with('\n')), "{name:?}: line endings");

        let again = check(&[], &copy);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert_eq!(again.status.code(), Some(0), "{name:?} again: {said}");
        assert!(said.contains(" 0 errors, "), "{name:?}: {said}");

        let fixed = file.parent().unwrap().join("fixed").join(name);
        if std::env::var_os("BLESS").is_some() {
            fs::write(fixed, after).unwrap();
        } else {
            assert_eq!(after, fs::read_to_string(&fixed).unwrap(), "{name:?} is not as blessed");
        }
    }
    println!("{} styles repaired", files.len());
}

#[test]
fn a_file_that_cannot_be_repaired_safely_is_left_alone_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = styles().into_iter().filter(|file| is_unsafe(file)).collect();
    assert!(!files.is_empty());
    for file in files {
        let copy = folder.path().join(file.file_name().unwrap());
        fs::copy(&file, &copy).unwrap();
        let output = check(&["--fix"], &copy);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("not repaired, "), "{said}");
        assert_eq!(fs::read(&file).unwrap(), fs::read(&copy).unwrap());
    }
}

#[test]
fn a_repaired_file_keeps_its_permissions_and_its_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("a.yaml"), folder.path().join("b.yaml"));
    fs::copy(styles().first().unwrap(), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    assert_eq!(check(&["--fix"], &link).status.code(), Some(0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&file).unwrap().contains("Api-Token"));
}

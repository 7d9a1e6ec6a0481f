//! What is to be checked: files, folders and standard input, read within bounds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Larger inputs are refused unread: no manifest is that large, and a parser needs many times the memory.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A text with its name.
#[derive(Debug)]
pub(crate) struct Input {
    /// Path as given, or `<stdin>`.
    pub(crate) name: String,
    /// Where it can be written back; `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    /// The content.
    pub(crate) text: String,
}

/// Something that could not be checked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The input.
    pub(crate) name: String,
    /// First line concerned, from 1, if known.
    pub(crate) line: Option<usize>,
    /// What went wrong.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), line: None, message: message.into() }
    }
}

/// All files that the arguments name, folders searched; `-` stands for standard input.
pub(crate) fn files(paths: &[PathBuf], failures: &mut Vec<Failure>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        // A loop of symbolic links is an error of the walk, not a walk without end.
        for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_manifest(entry.path()) => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => {
                    let name = error.path().unwrap_or(path).display().to_string();
                    let message = match error.loop_ancestor() {
                        Some(_) => "a symbolic link leads back to a folder above it".to_owned(),
                        None => error.into_io_error().map_or_else(|| "cannot be read".to_owned(), |io| io.to_string()),
                    };
                    failures.push(Failure::new(&name, message));
                }
            }
        }
    }
    files
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

/// Reads one input.
pub(crate) fn read(path: &Path) -> Result<Input, Failure> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "<stdin>".to_owned() } else { path.display().to_string() };
    let fail = |message: String| Failure::new(&name, message);
    let mut bytes = Vec::new();
    let result = if is_stdin {
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    result.map_err(|error| fail(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fail(format!("larger than {} MiB", MAX_BYTES / 1024 / 1024)));
    }
    let text = String::from_utf8(bytes).map_err(|_| fail("not UTF-8 text".to_owned()))?;
    Ok(Input { path: (!is_stdin).then(|| path.to_owned()), name, text })
}

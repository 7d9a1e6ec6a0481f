//! What the end-to-end tests share: the annotated module, and the data beside the project.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this crate is for tests alone, and a test that panics is a test that fails"
)]

pub mod cases;
pub mod generate;
pub mod pages;
pub mod tree;
pub mod working;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kyma_dynatrace_admission::PolicyResponse;
use kyma_dynatrace_apiserver::ApiServer;
use kyma_dynatrace_engine::{Module, Policy};
use kyma_dynatrace_policy::report::{Answer, Report, annotations, message, warnings};
use serde_json::Value;
use serde_json::value::RawValue;

pub use xtask::pages::root;

/// Copies `manifests/` without the file in which a user's tokens are.
pub fn copy_manifests(to: &Path) {
    copy_folder(&root().join("manifests"), to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if entry.file_name() != "dynatrace.env" {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The bytes of the annotated module.
#[must_use]
pub fn wasm() -> Vec<u8> {
    let path = root().join("annotated-policy.wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("run `make annotated-policy.wasm` first: {error}"))
}

/// The annotated module, ready to be called.
#[must_use]
pub fn module() -> Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| Module::load(&wasm()).unwrap_or_else(|error| panic!("{error}"))).clone()
}

/// The annotated module with settings, as a mutating policy.
#[must_use]
pub fn policy(settings: &Value) -> Policy {
    Policy::new(module(), settings.clone(), true).unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that the core, compiled natively, gives the answer that the module gave. They are compared as values: a map
/// of audit annotations has no order.
pub fn assert_native_agrees(payload: &[u8], in_wasm: &[u8], name: &str) {
    let native = kyma_dynatrace_policy::validate(payload).unwrap_or_else(|error| panic!("{name}: {error}"));
    let read = |answer: &[u8]| -> Value {
        serde_json::from_slice(answer).unwrap_or_else(|error| panic!("{name}: no JSON: {error}"))
    };
    assert_eq!(read(&native), read(in_wasm), "{name}: native and wasm differ");
}

/// Asserts that `review` gives the response that `validate` gave, byte for byte, and that the texts in it are made of its report
/// and of nothing else. The report.
pub fn assert_review_agrees(payload: &[u8], validated: &[u8], name: &str) -> Report<'static> {
    let reviewed = module().call("review", payload).unwrap_or_else(|error| panic!("{name}: {error}"));
    let Answer { response, report }: Answer<'static, Box<RawValue>> =
        serde_json::from_slice(&reviewed).unwrap_or_else(|error| panic!("{name}: no answer of `review`: {error}"));
    let text = String::from_utf8_lossy(validated);
    assert_eq!(response.get(), text, "{name}: another response");
    let response: PolicyResponse = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    if report.kind.is_none() {
        // Not the policy's business, or a request that it cannot read: it has only a sentence for that.
        assert!(report == Report::default() && response.warnings.is_none(), "{name}");
        return report;
    }
    let settings: Value =
        serde_json::from_slice(payload).map_or(Value::Null, |payload: Value| payload["settings"].clone());
    let warnings = warnings(&report, settings["denialsAsWarnings"] == true);
    assert_eq!(message(&report), response.message, "{name}: another message");
    assert_eq!(warnings, response.warnings.unwrap_or_default(), "{name}: other warnings");
    assert_eq!(report.is_accepted(), response.accepted, "{name}");
    let annotations = annotations(&report).into_iter().map(|(name, text)| (name.to_owned(), text));
    assert_eq!(annotations.collect::<BTreeMap<_, _>>(), response.audit_annotations.unwrap_or_default(), "{name}");
    report
}

/// The host's payload for a request and settings.
#[must_use]
pub fn payload(request: &Value, settings: &Value) -> Vec<u8> {
    kyma_dynatrace_admission::payload(request, settings).into_bytes()
}

/// The folder of test data beside the project; `None`, said loudly, where a user has none.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let path = root().join("../shared");
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("REQUIRE_SHARED").is_none(), "the test data beside the project is missing");
    // Not `eprintln!`, which the test runner swallows where a test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: the test data beside the project (../shared) is missing");
    None
}

/// The files of the corpus beside the project with their class and content; none where there is no corpus.
#[must_use]
pub fn corpus() -> Vec<(String, String, Value)> {
    let Some(shared) = shared() else { return Vec::new() };
    let folder = shared.join("corpus");
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("corpus/{name}: {error}"))
    };
    let index = read("index.tsv");
    let rows = index.lines().skip(1).map(|row| row.split('\t'));
    rows.filter_map(|mut columns| {
        let (file, class) = (columns.next()?, columns.nth(3)?);
        let object = yaml_serde::from_str(&read(file)).unwrap_or_else(|error| panic!("corpus/{file}: {error}"));
        Some((file.to_owned(), class.to_owned(), object))
    })
    .collect()
}

/// The pipelines' CustomResourceDefinitions of one time and channel.
pub struct World {
    /// Folder and channel, for messages.
    pub name: String,
    /// An API server that has them.
    pub server: ApiServer,
}

impl World {
    fn load(folder: &Path, prefix: &str) -> Self {
        let mut server = ApiServer::default();
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)) {
                let yaml = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let object = yaml_serde::from_str(&yaml).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                server.define(object).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        assert_eq!(server.kinds(), 3, "three kinds in {}", folder.display());
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { name: format!("{name} {prefix}").trim().to_owned(), server }
    }

    /// The object as admission gets it.
    #[must_use]
    pub fn decode(&self, object: &Value) -> Value {
        assert!(self.server.knows(object), "no definition");
        self.server.decode(object)
    }

    /// Why the API server would refuse the object after admission.
    #[must_use]
    pub fn errors(&self, object: &Value) -> Vec<String> {
        self.server.refusals(object).iter().map(ToString::to_string).collect()
    }
}

/// The worlds of CustomResourceDefinitions beside the project: before and after `temporality`; none where there are none.
#[must_use]
pub fn worlds() -> Vec<World> {
    let Some(shared) = shared() else { return Vec::new() };
    let load = |folder: &str, prefix: &str| World::load(&shared.join("crds").join(folder), prefix);
    vec![
        load("telemetry-2025-10", "default-"),
        load("telemetry-2025-10", "experimental-"),
        load("telemetry-2026-08", ""),
    ]
}

//! The policy's modules are layers, and those of `admission`, `manifest` and `playground`: each imports from those below it alone, and nothing goes round in
//! a circle.
//!
//! The order of the layers is the one that `src/lib.rs` names. What the tests inside of a file import does not
//! count. `cargo modules dependencies --lib --acyclic` says the same of the compiled graph.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules of the crate from the lowest up, as `lib.rs` names them; each of its modules is among them.
fn layers(lib: &str) -> Vec<String> {
    let list = lib.split("Layers, lowest first").nth(1).unwrap().lines().nth(1).unwrap();
    let list = list.trim_start_matches("//! ").trim_end_matches('.').split(", ");
    let layers: Vec<String> = list.map(str::to_owned).collect();
    let lib = lib.replace("#[cfg(test)]\nmod ", "");
    let modules = lib.lines().map(|line| line.trim_start_matches("pub "));
    let modules = modules.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(modules.collect::<BTreeSet<_>>(), layers.iter().map(String::as_str).collect());
    layers
}

/// A file's text without comments and without its tests.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    text[..end].lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The names that follow a prefix like `crate::`, braces included.
fn names_behind(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let list = rest.strip_prefix('{').map_or(rest, |inner| inner.split('}').next().unwrap());
        let list = if rest.starts_with('{') {
            list
        } else {
            list.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
        };
        for name in list.split(',') {
            let name = name.trim().split("::").next().unwrap();
            names.insert(name.to_owned());
        }
    }
    names
}

/// Every source file: the layer and the module in it (empty for the layer's own file).
fn files(src: &Path, layers: &[String]) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for layer in layers {
        let own = fs::read_to_string(src.join(format!("{layer}.rs"))).unwrap();
        found.insert((layer.clone(), String::new()), code(&own));
        for entry in fs::read_dir(src.join(layer)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if name != "tests" {
                found.insert((layer.clone(), name), code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// What is wrong with the imports of these files, a line each.
fn faults(layers: &[String], files: &BTreeMap<(String, String), String>) -> Vec<String> {
    let place = |name: &str| layers.iter().position(|layer| layer == name);
    let mut faults = Vec::new();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for ((layer, module), code) in files {
        for name in names_behind(code, "crate::") {
            if place(&name).is_none_or(|other| other >= place(layer).unwrap()) && name != *layer {
                faults.push(format!("{layer}/{module} imports crate::{name}, which is not below it"));
            }
        }
        let siblings = |prefix| names_behind(code, prefix).into_iter();
        let children = if module.is_empty() { siblings("self::") } else { siblings("super::") };
        let own = siblings(&format!("crate::{layer}::"));
        for name in children.chain(own) {
            if files.contains_key(&(layer.clone(), name.clone())) {
                edges.entry(format!("{layer}/{module}")).or_default().insert(format!("{layer}/{name}"));
            } else if !module.is_empty() {
                faults.push(format!("{layer}/{module} imports {name} from its parent, which imports it"));
            }
        }
    }
    faults.extend(circles(&edges));
    faults
}

fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let reaches = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            for next in edges.get(&module).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    edges
        .keys()
        .filter(|module| reaches(module).contains(*module))
        .map(|module| format!("{module} is in a circle"))
        .collect()
}

#[test]
fn every_module_imports_from_below_alone() {
    for (src, least) in [("src", 40), ("admission/src", 6), ("manifest/src", 8), ("playground/src", 4)] {
        let src = e2e::root().join(src);
        let layers = layers(&fs::read_to_string(src.join("lib.rs")).unwrap());
        let files = files(&src, &layers);
        assert!(layers.len() >= 3 && files.len() >= least, "{} files in {layers:?}", files.len());
        assert_eq!(faults(&layers, &files), [""; 0]);
        println!("{} files in the layers {}", files.len(), layers.join(" < "));
    }
}

#[test]
fn architecture_names_every_layer_in_its_order() {
    let root = e2e::root();
    let layers = layers(&fs::read_to_string(root.join("src/lib.rs")).unwrap());
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let listed: Vec<&str> = listed.into_iter().filter(|name| layers.iter().any(|layer| layer == name)).collect();
    assert_eq!(listed, layers);
}

#[test]
fn an_import_upwards_and_a_circle_are_found() {
    let layers = ["low", "high"].map(str::to_owned);
    let file = |layer: &str, module: &str, code: &str| ((layer.to_owned(), module.to_owned()), code.to_owned());
    let good = [
        file("low", "", "mod a;\nmod b;\npub use a::A;"),
        file("low", "a", "use super::b::B;"),
        file("low", "b", ""),
        file("high", "", "use crate::low::{A, B};"),
    ];
    assert_eq!(faults(&layers, &good.clone().into()), [""; 0]);
    for (index, code) in
        [(2, "use crate::high::H;"), (2, "use super::a::A;"), (1, "use super::A;"), (2, "crate::low::a::f();")]
    {
        let mut bad = good.clone();
        bad[index].1 = format!("{}\n{code}", bad[index].1);
        assert_ne!(faults(&layers, &bad.into()), [""; 0], "{code}");
    }
}

/// All Rust files of some folders, without their tests.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in folders {
        let mut open = vec![e2e::root().join(folder)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| ["rs", "js"].iter().any(|known| extension == *known)) {
                files.push((path.display().to_string(), code(&fs::read_to_string(&path).unwrap())));
            }
        }
    }
    files.sort();
    files
}

/// A rule's id is written once, in the enum; whoever asks about a rule names it there.
#[test]
fn no_rule_is_named_by_a_text() {
    let mut count = 0;
    for (file, code) in sources(&["src"]) {
        for id in kyma_dynatrace_policy::settings::RuleId::ALL {
            assert!(!code.contains(&format!("\"{id}\"")) && !code.contains(&format!("\"{id}:")), "{id} in {file}");
        }
        count += 1;
    }
    assert!(count > 70);
}

/// What the policy says is data for the command and the page. They write texts, and look for none in what they were sent.
#[test]
fn no_text_is_read_back() {
    let parsers = ["; the policy", "\"- \"", "fix: \"", "see: \"", "\"; see ", "more warnings", "problems:"];
    for (file, code) in sources(&["admission/src", "manifest/src", "cli/src", "playground/src", "playground/web"]) {
        for parser in parsers {
            assert!(!code.contains(parser), "{file} looks for {parser:?}");
        }
    }
}

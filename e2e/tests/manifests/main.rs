//! The manifests: every overlay and component rendered by kubectl, and each object of it put before the API server's
//! schemas and the policy; the tenant's configuration against the fields that Dynatrace requires; and copies broken on
//! purpose, each of which has to be found.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

mod broken;
mod monaco;
mod objects;
mod pages;
mod policies;
mod problem;
mod references;
mod terraform;
mod values;

use std::collections::BTreeSet;
use std::io::Write as _;

use e2e::tree::{Target, Tree};
use objects::Definitions;
use problem::Problem;

/// All that is wrong with the rendered objects of a tree, and what was looked at.
fn check_objects(tree: &Tree, targets: &[Target], definitions: Option<&Definitions>) -> (Vec<Problem>, Counts) {
    let mut problems = Vec::new();
    let mut counts = Counts::default();
    for target in targets {
        let objects = match tree.render(target) {
            Ok(objects) => objects,
            Err(message) => {
                problems.push(Problem::new(&target.name, "", message));
                continue;
            }
        };
        counts.targets += 1;
        counts.objects += objects.len();
        problems.extend(values::check_placeholders(&objects));
        problems.extend(policies::check(&objects, definitions));
        if target.is_overlay {
            counts.overlays += 1;
            problems.extend(references::check(&objects));
        }
        if let Some(definitions) = definitions {
            for object in &objects {
                problems.extend(definitions.check(object));
                counts.rules += definitions.cel_rules(object);
                counts.schemas.insert(object.kind());
            }
        }
    }
    (problem::distinct(problems), counts)
}

#[derive(Default)]
struct Counts {
    targets: usize,
    overlays: usize,
    objects: usize,
    rules: usize,
    schemas: BTreeSet<String>,
}

#[test]
fn everything_renders_and_holds() {
    let tree = Tree::copy("whole");
    let definitions = Definitions::load();
    let (problems, counts) = check_objects(&tree, &tree.targets(), definitions.as_ref());
    assert!(problems.is_empty(), "{}", problem::list(&problems));
    assert!(counts.overlays >= 3 && counts.objects > 100, "nothing was rendered");
    let schemas: Vec<&str> = counts.schemas.iter().map(String::as_str).collect();
    // Not `println!`, which the test runner swallows where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "manifests: {} renderings, {} of them overlays with or without a component; {} objects of {} kinds against \
         their schemas ({}); {} CEL rules evaluated",
        counts.targets,
        counts.overlays,
        counts.objects,
        schemas.len(),
        schemas.join(", "),
        counts.rules
    );
}

#[test]
fn the_tenants_configuration_holds() {
    let tree = Tree::copy("tenant");
    let problems: Vec<Problem> = [monaco::check(&tree), terraform::check(&tree)].concat();
    assert!(problems.is_empty(), "{}", problem::list(&problems));
}

#[test]
fn older_modules_take_what_is_meant_for_them() {
    let Some(old) = Definitions::of_older_modules() else { return };
    let tree = Tree::copy("older");
    let meant = |name: &str| name == "overlays/collector + pipelines/v1alpha1";
    let targets: Vec<_> = tree.targets().into_iter().filter(|target| meant(&target.name)).collect();
    assert_eq!(targets.len(), 1);
    for target in targets {
        for object in tree.render(&target).unwrap().iter().filter(|object| object.kind().ends_with("Pipeline")) {
            let problems: Vec<Problem> = old.check(object).collect();
            assert!(problems.is_empty(), "{}", problem::list(&problems));
        }
    }
}

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

use e2e::tree::{Object, Target, Tree};
use objects::Definitions;
use problem::Problem;

/// What an overlay takes for granted, because another one that is applied before it brings it.
struct Before {
    /// `overlays/policy`: who reviews the pipelines.
    policies: Vec<Object>,
    /// `dynatrace`: the Secret that the policies declare.
    secrets: Vec<Object>,
}

impl Before {
    fn of(tree: &Tree) -> Self {
        let render = |name: &str| {
            let target = tree.targets().into_iter().find(|target| target.name == name);
            // A tree that is broken there is broken as a target too, and found.
            target.and_then(|target| tree.render(&target).ok()).unwrap_or_default()
        };
        Self { policies: render("overlays/policy"), secrets: render("dynatrace") }
    }
}

/// All that is wrong with the rendered objects of a tree, and what was looked at.
fn check_objects(tree: &Tree, targets: &[Target], definitions: Option<&Definitions>) -> (Vec<Problem>, Counts) {
    let before = Before::of(tree);
    let mut problems = Vec::new();
    let mut counts = Counts::default();
    for (target, rendered) in targets.iter().zip(render_all(tree, targets)) {
        let objects = match rendered {
            Ok(objects) => objects,
            Err(message) => {
                problems.push(Problem::new(&target.name, "", message));
                continue;
            }
        };
        counts.targets += 1;
        counts.overlays += usize::from(target.is_overlay);
        counts.objects += objects.len();
        problems.extend(values::check_placeholders(&objects));
        if target.is_overlay {
            problems.extend(references::check(&objects, &before.secrets));
        }
        // What has been looked at in another rendering is the same here.
        let is_new = |object: &Object| counts.distinct.insert(format!("{} {}", object.file, object.value));
        let objects: Vec<Object> = objects.into_iter().filter(is_new).collect();
        problems.extend(policies::check(&objects, &before.policies, definitions));
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

/// Renders on all processors: most of the time goes into starting kubectl.
fn render_all(tree: &Tree, targets: &[Target]) -> Vec<Result<Vec<Object>, String>> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let size = targets.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let chunks: Vec<_> = targets
            .chunks(size)
            .map(|chunk| scope.spawn(|| chunk.iter().map(|target| tree.render(target)).collect::<Vec<_>>()))
            .collect();
        chunks.into_iter().flat_map(|chunk| chunk.join().unwrap()).collect()
    })
}

#[derive(Default)]
struct Counts {
    targets: usize,
    overlays: usize,
    objects: usize,
    /// Objects that differ, with their files.
    distinct: BTreeSet<String>,
    rules: usize,
    schemas: BTreeSet<String>,
}

#[test]
fn every_combination_renders_and_holds() {
    let tree = Tree::copy("whole");
    let definitions = Definitions::load();
    let (problems, counts) = check_objects(&tree, &tree.combinations(), definitions.as_ref());
    assert!(problems.is_empty(), "{}", problem::list(&problems));
    assert!(counts.overlays >= 100 && counts.distinct.len() > 30, "nothing was rendered");
    let schemas: Vec<&str> = counts.schemas.iter().map(String::as_str).collect();
    // Not `println!`, which the test runner swallows where a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "manifests: {} renderings, {} of them overlays with a choice of their options; {} objects, {} of them different, \
         of {} kinds against their schemas ({}); {} CEL rules evaluated",
        counts.targets,
        counts.overlays,
        counts.objects,
        counts.distinct.len(),
        schemas.len(),
        schemas.join(", "),
        counts.rules
    );
}

/// A component that no overlay uses or offers is one that nobody finds.
#[test]
fn every_component_has_an_overlay() {
    let tree = Tree::copy("components");
    let overlays: String =
        tree.files().iter().filter(|file| file.starts_with("overlays/")).map(|file| tree.read(file)).collect();
    for file in tree.files() {
        let Some(folder) = file.strip_suffix("/kustomization.yaml") else { continue };
        let is_inner = folder.starts_with("environment")
            || ["dynatrace/collector/ingest", "policy/look-up-secrets/parts"].contains(&folder);
        if tree.read(&file).contains("kind: Component") && !is_inner {
            assert!(overlays.contains(&format!("- ../../{folder}\n")), "{folder}");
        }
    }
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
    let meant = |target: &Target| target.name.ends_with(" + pipelines/v1alpha1") && target.chosen() == 1;
    let targets: Vec<_> = tree.targets().into_iter().filter(meant).collect();
    assert_eq!(targets.len(), 3);
    for target in targets {
        for object in tree.render(&target).unwrap().iter().filter(|object| object.kind().ends_with("Pipeline")) {
            // What the overlays say: these modules are from before `transform` too.
            let is_said = |problem: &Problem| problem.field == "spec.transform";
            let problems: Vec<Problem> = old.check(object).filter(|problem| !is_said(problem)).collect();
            assert!(problems.is_empty(), "{}", problem::list(&problems));
        }
    }
}

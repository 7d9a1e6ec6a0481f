//! The manifests, applied as a user applies them: twice, client-side and server-side, from one route to another, and
//! taken away again.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Cluster;
use e2e::tree::{Target, Tree};
use serde_json::{Value, json};

use crate::{Check, policies, settle, stored};

pub(crate) const CHECKS: &[(&str, Check)] =
    &[("setup::every_part_applies_twice_and_goes_again", parts), ("setup::from_one_route_to_another", routes)];

/// How `kubectl apply` is called.
const WAYS: [&[&str]; 2] = [&[], &["--server-side"]];

fn parts(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let tree = policies::tree();
    let targets = tree.targets();
    let (mut applied, mut complaints) = (0, Vec::new());
    for target in &targets {
        for way in WAYS {
            applied += check_target(cluster, &tree, target, way, &mut complaints)?;
        }
    }
    settle(complaints)?;
    Ok(format!("{} targets, {applied} objects applied twice", targets.len()))
}

/// Applies a target twice and deletes it; the number of its objects.
pub(crate) fn check_target(
    cluster: &Cluster,
    tree: &Tree,
    target: &Target,
    way: &[&str],
    complaints: &mut Vec<String>,
) -> anyhow::Result<usize> {
    let objects = objects(tree, target)?;
    let name = format!("{} {}", target.name, way.join(" "));
    let borrowed = lend_namespaces(cluster, &objects)?;
    complaints.extend(apply(cluster, tree, target, way)?.map(|complaint| format!("{name}: {complaint}")));
    let first = read(cluster, &objects, &name, complaints);
    complaints.extend(apply(cluster, tree, target, way)?.map(|complaint| format!("{name}, again: {complaint}")));
    let second = read(cluster, &objects, &name, complaints);
    for (path, object) in &first {
        let difference = json_patch::diff(object, &second.get(path).cloned().unwrap_or_default());
        if !difference.0.is_empty() {
            complaints.push(format!("{name}: the second time changes {path}: {}", serde_json::to_string(&difference)?));
        }
    }
    take_away(cluster, tree, target, &objects, &name, complaints)?;
    for namespace in borrowed {
        stored::delete(cluster, &namespace)?;
    }
    Ok(objects.len())
}

fn routes(cluster: &mut Cluster) -> anyhow::Result<String> {
    cluster.deploy(&policies::both())?;
    let tree = policies::tree();
    let overlays: Vec<Target> =
        tree.targets().into_iter().filter(|target| target.is_overlay && target.chosen() == 0).collect();
    let is_policy = |target: &Target| target.name.starts_with("overlays/policy");
    let (mut changes, mut complaints) = (0, Vec::new());
    for way in WAYS {
        for from in &overlays {
            for to in overlays.iter().filter(|to| to.name != from.name && is_policy(to) == is_policy(from)) {
                let name = format!("from {} to {} {}", from.name, to.name, way.join(" "));
                let (before, after) = (objects(&tree, from)?, objects(&tree, to)?);
                let borrowed = lend_namespaces(cluster, &[before.as_slice(), after.as_slice()].concat())?;
                for target in [from, to] {
                    complaints
                        .extend(apply(cluster, &tree, target, way)?.map(|complaint| format!("{name}: {complaint}")));
                }
                read(cluster, &after, &name, &mut complaints);
                let kept: BTreeSet<String> = after.iter().map(stored::path).collect();
                for object in before.iter().filter(|object| !kept.contains(&stored::path(object))) {
                    stored::delete(cluster, object)?;
                }
                take_away(cluster, &tree, to, &after, &name, &mut complaints)?;
                for namespace in &borrowed {
                    stored::delete(cluster, namespace)?;
                }
                changes += 1;
            }
        }
    }
    settle(complaints)?;
    Ok(format!("{changes} changes between {} routes", overlays.len()))
}

fn objects(tree: &Tree, target: &Target) -> anyhow::Result<Vec<Value>> {
    let objects = tree.render(target).map_err(anyhow::Error::msg)?;
    Ok(objects.into_iter().map(|object| object.value).collect())
}

/// Makes the namespaces that objects need and do not bring along.
fn lend_namespaces(cluster: &Cluster, objects: &[Value]) -> anyhow::Result<Vec<Value>> {
    let names = |pointer: &str, kind: Option<&str>| -> BTreeSet<String> {
        let of_kind = objects.iter().filter(|object| kind.is_none_or(|kind| object["kind"] == kind));
        of_kind.filter_map(|object| Some(object.pointer(pointer)?.as_str()?.to_owned())).collect()
    };
    let own = names("/metadata/name", Some("Namespace"));
    let mut lent = Vec::new();
    for name in names("/metadata/namespace", None).difference(&own) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        if cluster.client().send("POST", "/api/v1/namespaces", Some(&namespace))?.is_success() {
            lent.push(namespace);
        }
    }
    Ok(lent)
}

/// `kubectl apply -k`; what it complains of.
fn apply(
    cluster: &Cluster,
    tree: &Tree,
    target: &Target,
    way: &[&str],
) -> anyhow::Result<impl Iterator<Item = String> + use<>> {
    let folder = tree.applicable(target).to_string_lossy().into_owned();
    let output = cluster.kubectl().run(&[&["apply", "-k", &folder], way].concat())?;
    let is_meant = |line: &str| {
        (line.contains("v1alpha1") && line.contains("is deprecated") && target.name.contains("v1alpha1"))
            // Nobody can see from outside whether applications push delta.
            || (line.starts_with("Warning: application-temporality: ") && target.name.contains("application-delta"))
    };
    let mut complaints: Vec<String> = output.stderr.lines().filter(|line| !is_meant(line)).map(str::to_owned).collect();
    if output.code != 0 && complaints.is_empty() {
        complaints.push(format!("exit code {}", output.code));
    }
    Ok(complaints.into_iter())
}

/// The stored objects by path; complains of what is not there, or not as it was applied.
fn read(cluster: &Cluster, objects: &[Value], name: &str, complaints: &mut Vec<String>) -> BTreeMap<String, Value> {
    let mut read = BTreeMap::new();
    for object in objects {
        let path = stored::path(object);
        match stored::get(cluster, object) {
            Ok(mut actual) => {
                if let Some(metadata) = actual["metadata"].as_object_mut().filter(|_| object["kind"] == "Namespace") {
                    // A namespace that says nothing but its name has no owner, which the API server notes the second time.
                    metadata.retain(|name, _| name != "managedFields" && name != "resourceVersion");
                }
                let mut lost = Vec::new();
                stored::lost(object, &actual, "", &mut lost);
                complaints.extend(lost.into_iter().map(|field| format!("{name}: {path}: {field}")));
                read.insert(path, actual);
            }
            Err(error) => complaints.push(format!("{name}: {error}")),
        }
    }
    read
}

/// `kubectl delete -k`; everything has to be gone.
fn take_away(
    cluster: &Cluster,
    tree: &Tree,
    target: &Target,
    objects: &[Value],
    name: &str,
    complaints: &mut Vec<String>,
) -> anyhow::Result<()> {
    let folder = tree.applicable(target).to_string_lossy().into_owned();
    let output = cluster.kubectl().run(&["delete", "-k", &folder, "--wait=false"])?;
    if output.code != 0 {
        complaints.push(format!("{name}: delete: {}", output.stderr));
    }
    for object in objects {
        stored::finalize(cluster, object)?;
        let answer = cluster.client().send("GET", &stored::path(object), None)?;
        if answer.code != 404 {
            complaints.push(format!("{name}: {} is still there", stored::path(object)));
        }
    }
    Ok(())
}

//! Looking at Secrets, with the rights that the manifests' component gives and no others, against the API server's own RBAC.

use cluster::{Cluster, Output};
use e2e::tree::Target;
use serde_json::{Value, json};

use crate::{Check, policies, stored};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("lookups::the_component_gives_the_least_right", least_right),
    ("lookups::a_user_is_told_what_is_wrong_with_the_secret", told),
];

const ACCOUNT: (&str, &str) = ("kubewarden", "kyma-dynatrace");

fn target() -> Target {
    let name = "overlays/policy + policy/look-up-secrets";
    policies::tree().targets().into_iter().find(|target| target.name == name).unwrap()
}

/// The component's objects for RBAC, and the policies with it.
fn component() -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
    let objects = policies::tree().render(&target()).map_err(anyhow::Error::msg)?;
    let of = |kinds: &[&str]| -> Vec<Value> {
        let objects = objects.iter().filter(|object| kinds.contains(&object.kind().as_str()));
        objects.map(|object| object.value.clone()).collect()
    };
    Ok((of(&["ServiceAccount", "Role", "RoleBinding"]), of(&["ClusterAdmissionPolicy"])))
}

fn namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dynatrace"}})
}

fn secret(url: &str, token: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dynakube", "namespace": "dynatrace"},
        "stringData": {"apiurl": url, "dataIngestToken": token}})
}

fn apply(cluster: &Cluster, objects: &[Value]) -> anyhow::Result<()> {
    for object in objects {
        cluster.kubectl().must(&["apply", "--server-side", "-f", "-"], &object.to_string())?;
    }
    Ok(())
}

fn clean(cluster: &Cluster, objects: &[Value]) -> anyhow::Result<()> {
    for object in objects {
        stored::delete(cluster, object)?;
    }
    stored::delete(cluster, &secret("", ""))?;
    stored::delete(cluster, &namespace())
}

fn least_right(cluster: &mut Cluster) -> anyhow::Result<String> {
    let (rights, _) = component()?;
    apply(cluster, &[namespace()])?;
    apply(cluster, &rights)?;
    let account = format!("--as=system:serviceaccount:{}:{}", ACCOUNT.0, ACCOUNT.1);
    let can = |verb: &str, what: &str, namespace: &str| -> anyhow::Result<bool> {
        let output = cluster.kubectl().run(&["auth", "can-i", verb, what, "-n", namespace, &account])?;
        Ok(output.stdout.trim() == "yes")
    };
    anyhow::ensure!(can("get", "secret/dynakube", "dynatrace")?, "the one thing that it is for");
    let mut refused = 0;
    for (verb, what, namespace) in [
        ("list", "secrets", "dynatrace"),
        ("watch", "secrets", "dynatrace"),
        ("get", "secrets", "dynatrace"),
        ("get", "secret/other", "dynatrace"),
        ("get", "secret/dynakube", "default"),
        ("update", "secret/dynakube", "dynatrace"),
        ("delete", "secret/dynakube", "dynatrace"),
        ("get", "configmaps", "dynatrace"),
        ("create", "pods", "dynatrace"),
        ("get", "secrets", ACCOUNT.0),
    ] {
        anyhow::ensure!(!can(verb, what, namespace)?, "{verb} {what} in {namespace} is allowed");
        refused += 1;
    }
    clean(cluster, &rights)?;
    Ok(format!("get this one Secret, and {refused} other things refused"))
}

/// Applies a pipeline that is in order as a dry run; the warnings.
fn warnings(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let yaml = std::fs::read_to_string(e2e::root().join("examples/01-traces-direct.yaml"))?;
    let output: Output = cluster.kubectl().pipe(&["create", "--dry-run=server", "-f", "-"], &yaml)?;
    anyhow::ensure!(output.code == 0, "{}", output.stderr);
    let text = |warning: &&str| warning.split("; see ").next().unwrap_or_default().to_owned();
    Ok(output.warnings().iter().map(text).collect())
}

fn told(cluster: &mut Cluster) -> anyhow::Result<String> {
    let (rights, policies) = component()?;
    apply(cluster, &[namespace()])?;
    apply(cluster, &rights)?;
    cluster.look_up_as(ACCOUNT.0, ACCOUNT.1)?;
    cluster.deploy(&policies)?;
    let result = steps(cluster, &rights);
    clean(cluster, &rights)?;
    result
}

fn steps(cluster: &Cluster, rights: &[Value]) -> anyhow::Result<String> {
    let field = "spec.output.otlp";
    let expect = |expected: &[String], when: &str| -> anyhow::Result<()> {
        let seen = warnings(cluster)?;
        anyhow::ensure!(seen == expected, "{when}: {seen:?}, expected {expected:?}");
        Ok(())
    };
    let missing = |place: &str| {
        format!(
            "secret-not-found: {field}.{place}.valueFrom names a missing Secret, expected `dynatrace/dynakube` to exist"
        )
    };
    expect(&[missing("endpoint"), missing("headers[0]")], "without the Secret")?;
    apply(cluster, &[secret("https://abc12345.live.dynatrace.com", "Api-Token token")])?;
    expect(
        &[
            format!(
                "secret-endpoint: {field}.endpoint.valueFrom leads to a URL with another path, expected the path `/api`"
            ),
            format!(
                "secret-token: {field}.headers[0].valueFrom leads to a token behind a scheme, expected the bare token"
            ),
        ],
        "with a wrong one",
    )?;
    // Mended, and seen at once: nothing of it was kept.
    apply(cluster, &[secret("https://abc12345.live.dynatrace.com/api", "token")])?;
    expect(&[], "with the right one")?;
    let binding = rights.iter().find(|object| object["kind"] == "RoleBinding").unwrap();
    stored::delete(cluster, binding)?;
    let refused = "lookup-refused: lookUpSecrets is refused, expected a Role to get the Secret `dynatrace/dynakube`";
    let start = std::time::Instant::now();
    // The API server goes by a deleted binding some moments later.
    while warnings(cluster)? != [refused] && start.elapsed() < std::time::Duration::from_secs(30) {}
    expect(&[refused.to_owned()], "without the right")?;
    Ok("missing, wrong, mended, and without the right".to_owned())
}

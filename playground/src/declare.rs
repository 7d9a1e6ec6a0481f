//! The settings with a Secret or a host declared, for the button that writes it.

use kyma_dynatrace_manifest::document::split;
use kyma_dynatrace_policy::report::Endpoint;
use kyma_dynatrace_policy::settings::Settings;
use serde_json::{Map, Value, json};

/// What is in the pane of settings, with an endpoint declared as one of Dynatrace; nothing where the pane cannot be read, or holds
/// more than one document. Comments are lost.
pub(crate) fn declared(pane: &str, endpoint: &Endpoint<'_>) -> Option<String> {
    let mut documents = split(pane).into_iter();
    let mut pane = match (documents.next(), documents.next()) {
        (None, _) => json!({}),
        (Some(document), None) => document.objects().ok()?.objects.into_iter().next()?.value,
        _ => return None,
    };
    let is_policy = pane.get("kind").and_then(Value::as_str) == Some("ClusterAdmissionPolicy");
    let settings = if is_policy { member(member(&mut pane, "spec")?, "settings")? } else { &mut pane };
    let dynatrace = member(settings, "dynatrace")?.as_object_mut()?;
    let (name, declaration) = match endpoint {
        Endpoint::Secret { namespace, name, key } => {
            ("secrets", json!({"namespace": namespace, "name": name, "endpointKey": key}))
        }
        Endpoint::Host(host) => ("hosts", json!(host)),
    };
    // The setting takes the place of the default, which is to stay.
    let default = serde_json::to_value(Settings::default()).ok()?;
    let default = default.pointer(&format!("/dynatrace/{name}"))?.clone();
    dynatrace.entry(name).or_insert(default).as_array_mut()?.push(declaration);
    yaml_serde::to_string(&pane).ok()
}

/// A member that is an object, or is made one where it is absent or null.
fn member<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let member = value.as_object_mut()?.entry(name).or_insert(Value::Null);
    if member.is_null() {
        *member = Value::Object(Map::new());
    }
    member.is_object().then_some(member)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails")]

    use super::*;
    use kyma_dynatrace_manifest::deployed::Deployed;

    fn secret() -> Endpoint<'static> {
        Endpoint::Secret { namespace: "obs".into(), name: "dt".into(), key: "url".into() }
    }

    #[test]
    fn declares_beside_what_is_declared_and_keeps_the_rest() {
        for pane in ["", "# nothing\n", "mode: validate\n", "dynatrace:\n"] {
            let settings = Deployed::of_either(&declared(pane, &secret()).unwrap()).unwrap().settings;
            let read = Settings::read(settings).unwrap();
            assert_eq!(read.secret("obs", "dt").unwrap().endpoint_key, "url", "{pane}");
            assert!(read.secret("dynatrace", "dynakube").is_some(), "{pane}");
        }
        let policy =
            "kind: ClusterAdmissionPolicy\nspec: {mutating: true, settings: {dynatrace: {hosts: [a.example]}}}\n";
        let deployed = Deployed::of_either(&declared(policy, &Endpoint::Host("b.example".into())).unwrap()).unwrap();
        assert!(deployed.is_mutating);
        assert_eq!(Settings::read(deployed.settings).unwrap().dynatrace.hosts, ["a.example", "b.example"]);
    }

    #[test]
    fn leaves_alone_what_it_cannot_read() {
        for pane in ["a: [", "[1]", "dynatrace: 3", "dynatrace: {secrets: 3}", "a: 1\n---\nb: 2\n"] {
            assert_eq!(declared(pane, &secret()), None, "{pane}");
        }
    }
}

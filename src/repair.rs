//! Repairs: what is missing in a pipeline for the OTLP API, and how to fill it in.
//!
//! A repair never overwrites what a person wrote (`temporality` is the one exception, and the settings have to ask for
//! it). Each does two things at once: it changes the [`Subject`], so that the rules then judge the repaired state, and
//! it notes the edit to the original text. That is why no repaired request can be rejected for what was repaired, and
//! why `validate` mode rejects just what `repair` mode would have repaired or rejected.

use crate::address::{missing_rest, wanted_path};
use crate::finding::Fault;
use crate::json::quoted;
use crate::output::{Field, Header, SecretKey, Source};
use crate::rule::Rule;
use crate::rules::{
    cumulative_metrics, grpc_protocol, missing_authorization, wrong_authorization_scheme, wrong_otlp_path,
};
use crate::settings::{DeclaredSecret, DeltaConversion, InjectPrefixFor};
use crate::splice::Edit;
use crate::subject::{Signal, Subject};
use crate::text::quote;

/// One repair of a pipeline.
#[derive(Debug, Clone)]
pub struct Repair<'a> {
    /// The rule whose finding it is in `validate` mode.
    pub rule: &'static Rule,
    /// Where the value goes, as a JSON pointer into the object.
    pub pointer: String,
    /// The value, as the user reads it.
    pub shown: String,
    /// The change to the object's text.
    pub edit: Edit<'a>,
    /// The finding in its place in `validate` mode.
    pub fault: Fault,
}

impl Repair<'_> {
    /// What was done, as a clause.
    #[must_use]
    pub fn done(&self) -> String {
        [&self.fault.field, " set to ", &self.shown].concat()
    }
}

/// Makes all repairs that a direct pipeline needs, on the subject, and returns them in a fixed order.
///
/// `is_on` says whether a rule is in force: a rule that is switched off repairs nothing.
pub fn repair<'a>(subject: &mut Subject<'a>, is_on: impl Fn(&Rule) -> bool) -> Vec<Repair<'a>> {
    if !subject.destination.is_direct() {
        return Vec::new();
    }
    let mut repairs = Vec::new();
    if is_on(&grpc_protocol::RULE) {
        repairs.extend(protocol(subject));
    }
    if is_on(&wrong_otlp_path::RULE) {
        repairs.extend(path(subject));
    }
    if is_on(&missing_authorization::RULE) {
        repairs.extend(authorization(subject));
    }
    if is_on(&wrong_authorization_scheme::RULE) {
        repairs.extend(prefixes(subject));
    }
    if is_on(&cumulative_metrics::RULE) {
        repairs.extend(temporality(subject));
    }
    repairs
}

fn protocol<'a>(subject: &mut Subject<'a>) -> Option<Repair<'a>> {
    if subject.output.protocol.text_or_empty() != Some("") {
        return None;
    }
    let edit = set_member(subject, "protocol", "\"http\"");
    subject.output.protocol = Field::Is("http".into());
    let fault = Fault {
        field: "spec.output.otlp.protocol".into(),
        found: "missing, which means `grpc`".into(),
        wanted: "`http`".into(),
        why: grpc_protocol::WHY.into(),
        fix: "set `protocol: http`".into(),
        level: None,
    };
    Some(member_repair(&grpc_protocol::RULE, "protocol", "`http`".to_owned(), edit, fault))
}

fn path<'a>(subject: &mut Subject<'a>) -> Option<Repair<'a>> {
    if subject.output.path.text_or_empty() != Some("") {
        return None;
    }
    let address = subject.address();
    let wanted = wanted_path(address, subject.destination, subject.signal).ok()?;
    if address.effective_path() == Some(Ok(&wanted)) {
        return None;
    }
    let rest = missing_rest(address, subject.destination, subject.signal)?;
    let edit = set_member(subject, "path", &quoted(&rest));
    let shown = quote(&rest);
    let fault = Fault {
        field: "spec.output.otlp.path".into(),
        found: "missing".into(),
        wanted: shown.clone().into(),
        why: wrong_otlp_path::WHY.into(),
        fix: join!("set `path` to ", shown).into(),
        level: None,
    };
    subject.set_path(rest);
    Some(member_repair(&wrong_otlp_path::RULE, "path", shown, edit, fault))
}

fn authorization<'a>(subject: &mut Subject<'a>) -> Option<Repair<'a>> {
    let Source::Secret(key) = &subject.output.endpoint else { return None };
    let secret = subject.settings.secret(&key.namespace, &key.name)?;
    if !subject.output.lacks_authorization() || subject.output.authentication.is_present {
        return None;
    }
    let fault = missing_authorization::fault(secret);
    let element = header_json(secret);
    let existing = subject.output.member("headers");
    let (name, edit) = match existing.filter(|node| !node.is_null()) {
        Some(headers) => ("headers/-", Edit::Append(headers, element)),
        None => ("headers", set_member(subject, "headers", &["[", &element, "]"].concat())),
    };
    let token = SecretKey {
        namespace: secret.namespace.clone().into(),
        name: secret.name.clone().into(),
        key: secret.token_key.clone().into(),
    };
    let mut headers = subject.output.headers.value().cloned().unwrap_or_default();
    headers.push(Header {
        node: None,
        index: headers.len(),
        name: Field::Is("Authorization".into()),
        prefix: Field::Is("Api-Token".into()),
        value: Source::Secret(token),
    });
    subject.output.headers = Field::Is(headers);
    let shown = join!("`Authorization` from Secret ", quote(&format!("{}/{}", secret.namespace, secret.name)));
    Some(member_repair(&missing_authorization::RULE, name, shown, edit, fault))
}

fn prefixes<'a>(subject: &mut Subject<'a>) -> Vec<Repair<'a>> {
    let settings = subject.settings;
    let Field::Is(headers) = &mut subject.output.headers else { return Vec::new() };
    let mut repairs = Vec::new();
    for header in headers.iter_mut().filter(|header| header.is_authorization() && header.scheme() == Some("")) {
        let (Source::Secret(key), Some(node)) = (&header.value, header.node) else { continue };
        let is_declared = settings.secret(&key.namespace, &key.name).is_some();
        if !is_declared && settings.inject_prefix_for == InjectPrefixFor::DeclaredSecrets {
            continue;
        }
        let Some(members) = node.members() else { continue };
        let edit = match members.nullable("prefix") {
            Some(old) => Edit::Replace(old, "\"Api-Token\"".to_owned()),
            None => Edit::Append(node, "\"prefix\":\"Api-Token\"".to_owned()),
        };
        repairs.push(Repair {
            rule: &wrong_authorization_scheme::RULE,
            pointer: format!("/spec/output/otlp/headers/{}/prefix", header.index),
            shown: "`Api-Token`".to_owned(),
            edit,
            fault: wrong_authorization_scheme::missing_prefix(header),
        });
        header.prefix = Field::Is("Api-Token".into());
    }
    repairs
}

fn temporality<'a>(subject: &mut Subject<'a>) -> Option<Repair<'a>> {
    let current = &subject.output.temporality;
    if subject.signal != Signal::Metrics || current.is("delta") || current.is_malformed() {
        return None;
    }
    let applies = match subject.settings.delta_conversion {
        DeltaConversion::Off => false,
        // The API server fills `preserve` in where its CRD has the field; absent means it would drop `delta`.
        DeltaConversion::Auto => *current != Field::Absent,
        DeltaConversion::Always => true,
    };
    if !applies {
        return None;
    }
    let mut fault = cumulative_metrics::fault(subject);
    fault.fix = "set `temporality: delta`".into();
    let edit = set_member(subject, "temporality", "\"delta\"");
    subject.output.temporality = Field::Is("delta".into());
    Some(member_repair(&cumulative_metrics::RULE, "temporality", "`delta`".to_owned(), edit, fault))
}

/// Sets a member of the output: in the place of an empty or null one, else at the end.
fn set_member<'a>(subject: &Subject<'a>, name: &str, value: &str) -> Edit<'a> {
    match subject.output.member(name) {
        Some(old) => Edit::Replace(old, value.to_owned()),
        None => Edit::Append(subject.output.node, ["\"", name, "\":", value].concat()),
    }
}

fn member_repair<'a>(rule: &'static Rule, name: &str, shown: String, edit: Edit<'a>, fault: Fault) -> Repair<'a> {
    Repair { rule, pointer: ["/spec/output/otlp/", name].concat(), shown, edit, fault }
}

fn header_json(secret: &DeclaredSecret) -> String {
    [
        r#"{"name":"Authorization","prefix":"Api-Token","valueFrom":{"secretKeyRef":{"name":"#,
        &quoted(&secret.name),
        r#","namespace":"#,
        &quoted(&secret.namespace),
        r#","key":"#,
        &quoted(&secret.token_key),
        "}}}",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    use crate::settings::Settings;
    use crate::splice::splice;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const SECRET: &str =
        r#""endpoint":{"valueFrom":{"secretKeyRef":{"name":"dynakube","namespace":"dynatrace","key":"apiurl"}}}"#;

    /// The output after its repairs, and the pointers repaired.
    fn repaired(signal: Signal, otlp: &str, settings: &str) -> (String, Vec<String>) {
        let settings = Settings::read(Some(parse(settings))).unwrap();
        let mut subject = Subject::read(signal, parse(otlp), None, &settings).unwrap();
        let repairs = repair(&mut subject, |_| true);
        let edits: Vec<_> = repairs.iter().map(|repair| repair.edit.clone()).collect();
        let text = splice(subject.output.node.raw(), &edits).unwrap();
        let pointers = repairs.iter().map(|r| r.pointer.replace("/spec/output/otlp", "")).collect();
        let mut again = Subject::read(signal, parse(&text), None, &settings).unwrap();
        assert!(repair(&mut again, |_| true).is_empty(), "a second run changes nothing: {text}");
        (text, pointers)
    }

    #[test]
    fn repairs_an_output_that_has_only_an_endpoint_from_a_declared_secret() {
        let (text, pointers) = repaired(Signal::Traces, &format!("{{{SECRET}}}"), "{}");
        assert_eq!(
            text,
            format!(
                r#"{{{SECRET},"protocol":"http","path":"v2/otlp/v1/traces","headers":[{{"name":"Authorization","prefix":"Api-Token","valueFrom":{{"secretKeyRef":{{"name":"dynakube","namespace":"dynatrace","key":"dataIngestToken"}}}}}}]}}"#
            )
        );
        assert_eq!(pointers, ["/protocol", "/path", "/headers"]);
    }

    #[test]
    fn repairs_behind_the_headers_that_are_there() {
        let otlp = format!(
            r#"{{{SECRET},"protocol":"http","path":"v2/otlp/v1/logs","headers":[ {{"name":"X","value":"y"}} ]}}"#
        );
        let (text, pointers) = repaired(Signal::Logs, &otlp, "{}");
        assert!(text.contains(r#"[ {"name":"X","value":"y"} ,{"name":"Authorization","#), "{text}");
        assert_eq!(pointers, ["/headers/-"]);
    }

    #[test]
    fn repairs_empty_and_null_fields_in_place() {
        let otlp = format!(r#"{{"path":"","protocol":null,{SECRET},"headers":null}}"#);
        let (text, pointers) = repaired(Signal::Metrics, &otlp, "{}");
        assert!(text.starts_with(r#"{"path":"v2/otlp/v1/metrics","protocol":"http","endpoint""#), "{text}");
        assert_eq!(pointers, ["/protocol", "/path", "/headers"]);
    }

    #[test]
    fn repairs_the_path_behind_any_prefix_of_the_wanted_one() {
        for (endpoint, path) in [
            ("https://abc12345.live.dynatrace.com", "api/v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/", "api/v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/", "v2/otlp/v1/traces"),
            ("https://abc12345.live.dynatrace.com/api/v2/otlp/v1", "traces"),
            ("https://abc12345.live.dynatrace.com/api/v2/otlp?x=y", "v1/traces"),
            ("https://x.dynatrace-managed.com/e/abc", "api/v2/otlp/v1/traces"),
            ("https://dynakube-activegate.dynatrace/e/abc/api", "v2/otlp/v1/traces"),
        ] {
            let otlp = format!(r#"{{"endpoint":{{"value":"{endpoint}"}},"protocol":"http"}}"#);
            let (text, pointers) = repaired(Signal::Traces, &otlp, "{}");
            assert!(text.ends_with(&format!(r#","path":"{path}"}}"#)), "{text}");
            assert_eq!(pointers, ["/path"]);
        }
    }

    #[test]
    fn ignores_paths_it_cannot_complete() {
        for endpoint in [
            "https://abc12345.live.dynatrace.com/api/v2/otlp",
            "https://abc12345.live.dynatrace.com/api/v2/otlp/",
            "https://abc12345.live.dynatrace.com/API",
            "https://abc12345.live.dynatrace.com/api/v2/otlp/v1/traces",
            "https://x.dynatrace-managed.com",
            "https://x.dynatrace-managed.com/e",
            "https://abc12345.live.dynatrace.com/api%zz",
        ] {
            let otlp = format!(r#"{{"endpoint":{{"value":"{endpoint}"}},"protocol":"http"}}"#);
            assert_eq!(repaired(Signal::Traces, &otlp, "{}").1, [""; 0], "{endpoint}");
        }
    }

    #[test]
    fn repairs_prefixes_of_every_secret_or_of_declared_ones() {
        let header = |secret: &str, prefix: &str| {
            format!(
                r#"{{"name":"authorization",{prefix}"valueFrom":{{"secretKeyRef":{{"name":"{secret}","namespace":"dynatrace","key":"k"}}}}}}"#
            )
        };
        let otlp = |secret: &str, prefix: &str| {
            format!(r#"{{{SECRET},"protocol":"http","path":"v2/otlp/v1/logs","headers":[{}]}}"#, header(secret, prefix))
        };
        let declared = r#"{"dynatrace":{"injectPrefixFor":"declaredSecrets"}}"#;
        assert_eq!(repaired(Signal::Logs, &otlp("other", ""), "{}").1, ["/headers/0/prefix"]);
        assert_eq!(repaired(Signal::Logs, &otlp("other", ""), declared).1, [""; 0]);
        assert_eq!(repaired(Signal::Logs, &otlp("dynakube", r#""prefix":" ","#), declared).1, ["/headers/0/prefix"]);
        assert_eq!(repaired(Signal::Logs, &otlp("other", r#""prefix":"Bearer","#), "{}").1, [""; 0]);
    }

    #[test]
    fn repairs_temporality_only_as_the_settings_ask() {
        let otlp = |more: &str| {
            format!(
                r#"{{"endpoint":{{"value":"https://abc12345.live.dynatrace.com/api/v2/otlp"}},"protocol":"http"{more}}}"#
            )
        };
        let preserve = otlp(r#","temporality":"preserve""#);
        for (mode, otlp, pointers) in [
            ("off", &preserve, &[][..]),
            ("auto", &preserve, &["/temporality"][..]),
            ("auto", &otlp(""), &[]),
            ("always", &otlp(""), &["/temporality"]),
            ("always", &otlp(r#","temporality":"delta""#), &[]),
            ("always", &otlp(r#","temporality":3"#), &[]),
        ] {
            let settings = format!(r#"{{"metrics":{{"deltaConversion":"{mode}"}}}}"#);
            assert_eq!(repaired(Signal::Metrics, otlp, &settings).1, pointers, "{mode} {otlp}");
            assert_eq!(repaired(Signal::Traces, otlp, &settings).1, [""; 0]);
        }
    }

    #[test]
    fn ignores_pipelines_that_go_elsewhere_or_to_the_collector() {
        for endpoint in ["http://loki.logs:3100", "http://dynakube-telemetry-ingest.dynatrace:4317"] {
            let otlp = format!(r#"{{"endpoint":{{"value":"{endpoint}"}}}}"#);
            assert_eq!(repaired(Signal::Logs, &otlp, "{}").1, [""; 0]);
        }
    }
}

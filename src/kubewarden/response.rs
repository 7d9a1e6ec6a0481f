//! The response to a request.

use std::collections::HashMap;

use kubewarden_policy_sdk::response::ValidationResponse;
use serde::Serialize;

use super::object::Part;
use super::request::Payload;
use crate::lookup::{LookUp, Seen};
use crate::pipeline::Signal;
use crate::review::{Verdict, review};
use crate::rule::Finding;
use crate::settings::Settings;

/// Answers `validate`: the payload is `{"request": AdmissionRequest, "settings": {...}}`, the answer is the JSON of a
/// `ValidationResponse`.
///
/// What cannot be read is rejected, with a sentence that says what, and without an echo of it.
///
/// `cluster` is asked only where the settings say so, and at most once for each Secret that the pipeline names.
///
/// # Errors
/// Where the answer cannot be written, which no request can cause.
pub fn answer(payload: &[u8], cluster: &dyn LookUp) -> serde_json::Result<Vec<u8>> {
    match decide(payload, cluster) {
        Ok((response, None)) => serde_json::to_vec(&response),
        Ok((response, Some(object))) => {
            // The text that was submitted is most of the answer.
            let mut answer = Vec::with_capacity(payload.len() + 1024);
            serde_json::to_writer(&mut answer, &Mutation::new(&response, &object))?;
            Ok(answer)
        }
        Err(reason) => serde_json::to_vec(&ValidationResponse {
            message: Some(format!("kyma-dynatrace-policy cannot review this request: {reason}")),
            ..empty(false)
        }),
    }
}

/// The SDK's response with the repaired object in it, which the SDK would take as a `Value` only.
#[derive(Serialize)]
struct Mutation<'a> {
    accepted: bool,
    message: &'a Option<String>,
    mutated_object: &'a Part<'a>,
    audit_annotations: &'a Option<HashMap<String, String>>,
    warnings: &'a Option<Vec<String>>,
}

impl<'a> Mutation<'a> {
    fn new(response: &'a ValidationResponse, mutated_object: &'a Part<'a>) -> Self {
        let ValidationResponse { accepted, message, audit_annotations, warnings, .. } = response;
        Self { accepted: *accepted, message, mutated_object, audit_annotations, warnings }
    }
}

fn empty(accepted: bool) -> ValidationResponse {
    ValidationResponse {
        accepted,
        message: None,
        code: None,
        mutated_object: None,
        audit_annotations: None,
        warnings: None,
    }
}

/// The response and the repaired object, if any; or why there can be no response but a rejection.
fn decide<'p>(payload: &'p [u8], cluster: &dyn LookUp) -> Result<(ValidationResponse, Option<Part<'p>>), String> {
    let payload = std::str::from_utf8(payload).map_err(|_| "the admission request is not UTF-8 text")?;
    let mut read = Payload::parse(payload)?;
    let settings = Settings::read(read.take_settings());
    let request = read.request()?;
    let settings = settings.map_err(|errors| format!("invalid settings: {}", errors.join("; ")))?;
    let mut seen = Seen::default();
    let verdict = loop {
        let verdict = review(&request, &settings, &seen)?;
        if verdict.lookups.is_empty() {
            break verdict;
        }
        seen = Seen::by(cluster, &verdict.lookups);
    };
    let response = told(&verdict, settings.denials_as_warnings);
    if verdict.repairs.is_empty() {
        return Ok((response, None));
    }
    let mut object = Part::of_payload(payload).ok_or("its `object` cannot be read")?;
    for repaired in verdict.repairs {
        object.put(&repaired.repair.pointer, repaired.repair.value).ok_or("its `object` cannot be changed")?;
    }
    Ok((response, Some(object)))
}

/// More findings are not told in one answer.
const MAX_TOLD: usize = 20;

/// Message, audit annotations and warnings. In the annotations there are identifiers only, never a user's value.
fn told(verdict: &Verdict, denials_as_warnings: bool) -> ValidationResponse {
    let response = empty(verdict.is_accepted());
    let Some((signal, destination)) = verdict.about else { return response };
    let repairs = &verdict.repairs;
    let mut ids: Vec<&str> = verdict.findings.iter().map(|finding| finding.rule.id).collect();
    ids.dedup();
    let pointers: Vec<&str> = repairs.iter().map(|repaired| repaired.repair.pointer.as_str()).collect();
    let mut annotations = HashMap::from([("destination".to_owned(), destination.name().to_owned())]);
    let failed = verdict.failed.iter().map(String::as_str).collect();
    for (name, list) in [("findings", ids), ("repaired", pointers), ("lookups-failed", failed)] {
        if !list.is_empty() {
            annotations.insert(name.to_owned(), list.join(","));
        }
    }
    let warnings = warnings(verdict, denials_as_warnings);
    ValidationResponse {
        message: message(verdict, signal),
        audit_annotations: Some(annotations),
        warnings: (!warnings.is_empty()).then_some(warnings),
        ..response
    }
}

fn message(verdict: &Verdict, signal: Signal) -> Option<String> {
    let told: Vec<String> = verdict.denials().take(MAX_TOLD).map(Finding::paragraph).collect();
    if !told.is_empty() {
        let count = verdict.denials().count() + verdict.more;
        let problems = if count == 1 { "problem" } else { "problems" };
        let more = if count > told.len() { format!("\nand {} more", count - told.len()) } else { String::new() };
        return Some(format!("this {} has {count} {problems}:\n{}{more}", signal.kind(), told.join("\n")));
    }
    let sets: Vec<String> = verdict.repairs.iter().map(|repaired| repaired.repair.done()).collect();
    (!sets.is_empty()).then(|| format!("the policy sets {}", sets.join("; ")))
}

fn warnings(verdict: &Verdict, denials_as_warnings: bool) -> Vec<String> {
    let room = MAX_TOLD.saturating_sub(verdict.denials().count());
    let mut warnings: Vec<String> = verdict.repairs.iter().map(|repaired| repaired.warning()).collect();
    if denials_as_warnings {
        warnings.extend(verdict.denials().take(MAX_TOLD).map(Finding::warning));
    }
    warnings.extend(verdict.cautions().take(room).map(Finding::warning));
    let more = verdict.cautions().skip(room).count() + if verdict.is_accepted() { verdict.more } else { 0 };
    if more > 0 {
        warnings.push(format!("and {more} more warnings"));
    }
    warnings
}

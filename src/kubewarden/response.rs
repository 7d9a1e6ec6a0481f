//! The response to a request.

use serde::{Serialize, Serializer};

use super::object::Part;
use super::request::{Payload, PayloadError};
use crate::lookup::{LookUp, Seen};
use crate::report::{Answer, Report, annotations, message, warnings};
use crate::review::{Decision, Request, ReviewError, Verdict, review};
use crate::rule::Repaired;
use crate::settings::{Settings, SettingsErrors};

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
    answer_as(Form::Response, payload, cluster)
}

/// Answers `review`: the payload is that of `validate`, the answer is the JSON of an [`Answer`].
///
/// # Errors
/// As for [`answer`].
pub fn answer_review(payload: &[u8], cluster: &dyn LookUp) -> serde_json::Result<Vec<u8>> {
    answer_as(Form::Review, payload, cluster)
}

/// What is written of a verdict.
#[derive(Clone, Copy)]
enum Form {
    /// What the cluster is told.
    Response,
    /// That, and the data of which it is made.
    Review,
}

/// Why a request can have no answer but a rejection. The texts hold nothing of it.
#[derive(Debug, thiserror::Error)]
enum AnswerError {
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("invalid settings: {0}")]
    Settings(#[from] SettingsErrors),
    #[error(transparent)]
    Review(#[from] ReviewError),
    #[error("its `object` cannot be read")]
    Object,
}

/// `ValidationResponse` of the SDK, member by member: with the repaired object as the text that it is, which the SDK would
/// take as a `Value` only, and with annotations in an order of their own.
#[derive(Serialize)]
struct Response<'p> {
    accepted: bool,
    message: Option<String>,
    /// Always null: a rejection has the status that Kubewarden gives it.
    code: (),
    mutated_object: Option<Part<'p>>,
    #[serde(serialize_with = "as_map")]
    audit_annotations: Vec<(&'static str, String)>,
    warnings: Option<Vec<String>>,
}

/// As the map that they are; null where there are none.
fn as_map<S: Serializer>(annotations: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    if annotations.is_empty() {
        return serializer.serialize_none();
    }
    serializer.collect_map(annotations.iter().map(|(name, text)| (*name, text.as_str())))
}

impl Response<'_> {
    fn rejection(reason: &AnswerError) -> Self {
        Self {
            accepted: false,
            message: Some(format!("kyma-dynatrace-policy cannot review this request: {reason}")),
            code: (),
            mutated_object: None,
            audit_annotations: Vec::new(),
            warnings: None,
        }
    }

    fn of(report: &Report<'_>, settings: &Settings) -> Self {
        let warnings = warnings(report, settings.denials_as_warnings);
        Self {
            accepted: report.is_accepted(),
            message: message(report),
            code: (),
            mutated_object: None,
            audit_annotations: annotations(report),
            warnings: (!warnings.is_empty()).then_some(warnings),
        }
    }
}

fn answer_as(form: Form, payload: &[u8], cluster: &dyn LookUp) -> serde_json::Result<Vec<u8>> {
    match decide(form, payload, cluster) {
        Ok(answer) => answer,
        Err(reason) => write(form, Response::rejection(&reason), Report::default(), 0),
    }
}

fn decide(form: Form, payload: &[u8], cluster: &dyn LookUp) -> Result<serde_json::Result<Vec<u8>>, AnswerError> {
    let payload = std::str::from_utf8(payload).map_err(|_| PayloadError::NotUtf8)?;
    let mut read = Payload::parse(payload)?;
    let settings = Settings::read(read.take_settings());
    let request = read.request()?;
    let settings = settings?;
    let verdict = looking(&request, &settings, cluster)?;
    let mut report = Report::new(&verdict);
    if let Form::Review = form {
        report.name_endpoint(request.object.and_then(|object| object.output()));
    }
    let mut response = Response::of(&report, &settings);
    // A rejected request has no repairs that could be made.
    if let Decision::Accepted { repairs, .. } = &verdict.decision
        && !repairs.is_empty()
    {
        let mut object = Part::of_payload(payload).ok_or(AnswerError::Object)?;
        for Repaired { repair, .. } in repairs {
            object.put(&repair.place, repair.value.clone()).ok_or(AnswerError::Object)?;
        }
        response.mutated_object = Some(object);
    }
    // The text that was submitted is most of the answer then.
    let room = if response.mutated_object.is_some() { payload.len() } else { 0 };
    Ok(write(form, response, report, room))
}

/// The verdict, with what there is to see in the cluster.
fn looking(request: &Request<'_>, settings: &Settings, cluster: &dyn LookUp) -> Result<Verdict, ReviewError> {
    let verdict = review(request, settings, Seen::NOTHING)?;
    match &verdict.decision {
        Decision::Accepted { lookups, .. } if !lookups.is_empty() => {
            review(request, settings, &Seen::by(cluster, lookups))
        }
        _ => Ok(verdict),
    }
}

fn write(form: Form, response: Response<'_>, report: Report<'_>, room: usize) -> serde_json::Result<Vec<u8>> {
    let told = response.message.as_ref().map_or(0, |message| message.len() + message.len() / 8);
    let mut answer = Vec::with_capacity(room + told + 1024);
    match form {
        Form::Response => serde_json::to_writer(&mut answer, &response),
        Form::Review => serde_json::to_writer(&mut answer, &Answer { response, report }),
    }?;
    Ok(answer)
}

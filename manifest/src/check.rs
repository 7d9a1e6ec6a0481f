//! A document put to the policy: what it says of each pipeline, and the text with the policy's repairs.

use std::collections::BTreeMap;

use json_patch::Patch;
use kyma_dynatrace_admission::{AdmissionResponse, Reviewed, admission_request};
use kyma_dynatrace_policy::pipeline::FieldPath;
use kyma_dynatrace_policy::text::holds_token;
use serde::Serialize;
use serde_json::Value;

use crate::document::{Document, Object, Objects, split};
use crate::error::{FixError, YamlError};
use crate::finding::{self, Finding};
use crate::fix::{self, Repair, Repaired};
use crate::places::Places;

/// What stands in the place of the cluster.
pub trait Cluster {
    /// The object as admission gets it: with its defaults, where the definitions are known.
    fn decode(&self, object: &Value) -> Value {
        object.clone()
    }

    /// What is stored under a kind and name, which makes an update of a request.
    fn stored(&self, title: &str) -> Option<&Value>;

    /// Whether the API server sends a request for such an object to the policy.
    fn is_sent(&self, object: &Value, operation: &str) -> bool;

    /// The policy's response, and what it was made of.
    fn admit(&self, request: &Value) -> Reviewed;

    /// The same of the same policy in `repair` mode.
    fn repair(&self, request: &Value) -> Reviewed;

    /// What the API server itself has to say of an object before and after admission.
    fn refusals(&self, _object: &Value, _submitted: Value, _response: &AdmissionResponse) -> Vec<Finding> {
        Vec::new()
    }
}

/// What becomes of the policy's repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repairs {
    /// Nothing.
    Unasked,
    /// They are shown to the author of the text alone.
    Offered,
    /// They are printed for whoever may read the output, so that none is made where a line may hold a credential.
    Printed,
    /// They are written, and the pipelines judged as they are then.
    Written,
}

/// What cannot be checked, or not repaired: a sentence without anything of the document's, and the line if known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Line in the input, from 1.
    pub line: Option<usize>,
    /// What it is.
    pub message: String,
}

/// What the policy says of one pipeline.
#[derive(Debug)]
pub struct Checked {
    /// The pipeline as it is written.
    pub object: Object,
    /// The response to its request, and what it was made of.
    pub reviewed: Reviewed,
    /// Line in the input on which its name stands, from 1, if it is not recognised as a pipeline for Dynatrace.
    pub unrecognized_at: Option<usize>,
    /// What was found, at its place in the input.
    pub findings: Vec<Finding>,
}

/// What there is to say of a document.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Its pipelines, as far as the API server would send them to the policy.
    pub checked: Vec<Checked>,
    /// How many objects were none of those.
    pub passed_over: usize,
    /// How many pipelines are repaired in the text.
    pub repaired: usize,
    /// What went wrong.
    pub troubles: Vec<Trouble>,
    /// The text with the repairs; nothing where there are none.
    pub text: Option<String>,
}

impl From<YamlError> for Trouble {
    fn from(error: YamlError) -> Self {
        Self { line: error.line, message: error.to_string() }
    }
}

/// Why nothing is written into a text for a pipeline.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum NotRepaired {
    #[error("not repaired, {0}")]
    Unsafe(FixError),
    #[error("its repairs are not shown, a line of them may hold a credential")]
    MayShowCredential,
}

/// The field at which a pipeline is pointed at.
const NAME: FieldPath = FieldPath::new("metadata.name");

/// Checks every pipeline in a document.
#[must_use]
pub fn document(document: &Document<'_>, cluster: &dyn Cluster, repairs: Repairs) -> Outcome {
    let mut outcome = Outcome::default();
    let Objects { objects, duplicates } = match document.objects() {
        Ok(objects) => objects,
        Err(error) => {
            outcome.troubles.push(error.into());
            return outcome;
        }
    };
    let mut sent = Vec::new();
    for object in objects {
        let stored = object.is_pipeline().then(|| cluster.stored(&object.title()));
        let operation = |stored: Option<&Value>| if stored.is_some() { "UPDATE" } else { "CREATE" };
        match stored.filter(|stored| cluster.is_sent(&object.value, operation(*stored))) {
            Some(stored) => sent.push(Sent { object, stored }),
            None => outcome.passed_over += 1,
        }
    }
    let mut repaired = outcome.repair(document, &sent, cluster, repairs);
    for (index, sent) in sent.into_iter().enumerate() {
        outcome.judge(sent, repaired.remove(&index), cluster);
    }
    outcome.place(document);
    // Whose they are is not known: they stand with the first pipeline.
    if let Some(first) = outcome.checked.first_mut() {
        let title = first.object.title();
        let found = duplicates.iter().map(|(key, line)| {
            let mut finding = Finding::of_duplicate(key, document.line_span(*line));
            finding.locate(&title, document);
            finding
        });
        first.findings.splice(0..0, found);
    }
    outcome
}

/// A pipeline that the API server would send to the policy.
struct Sent<'a> {
    object: Object,
    /// What is stored under its name.
    stored: Option<&'a Value>,
}

impl Outcome {
    /// Puts a pipeline to the policy, as it is repaired where that is what becomes of it.
    fn judge(&mut self, Sent { object, stored }: Sent<'_>, repaired: Option<Value>, cluster: &dyn Cluster) {
        let submitted = cluster.decode(repaired.as_ref().unwrap_or(&object.value));
        let reviewed = cluster.admit(&admission_request(&submitted, stored));
        let response = &reviewed.response;
        let mut findings = Vec::new();
        if response.status.as_ref().and_then(|status| status.code) == Some(500) {
            let message = format!("{}: {}", object.title(), response.message());
            self.troubles.push(Trouble { line: None, message });
        } else {
            findings = finding::all(&reviewed);
            findings.extend(cluster.refusals(&object.value, submitted, response));
        }
        self.checked.push(Checked { object, reviewed, unrecognized_at: None, findings });
    }

    /// Says where the findings are. Their places are looked up once for all pipelines of a document; few have findings, and
    /// the others are not read a second time.
    fn place(&mut self, document: &Document<'_>) {
        let is_asked_for = |one: &Checked| !one.findings.is_empty() || one.reviewed.report.is_unrecognized();
        let places = self.checked.iter().any(is_asked_for).then(|| Places::of(document.text)).flatten();
        for Checked { object, reviewed, unrecognized_at, findings } in &mut self.checked {
            let title = object.title();
            let at =
                |field: &FieldPath| places.as_ref().map_or(0..0, |places| places.span(&object.path_in_document(field)));
            for finding in findings {
                finding.span = at(&finding.field);
                finding.locate(&title, document);
            }
            *unrecognized_at = reviewed.report.is_unrecognized().then(|| document.line_at(at(&NAME).start));
        }
    }

    /// Puts the policy's repairs into the document's text, if that is asked for and safe; the repaired objects by their index,
    /// if they are to be judged as they are then.
    fn repair(
        &mut self,
        document: &Document<'_>,
        sent: &[Sent<'_>],
        cluster: &dyn Cluster,
        repairs: Repairs,
    ) -> BTreeMap<usize, Value> {
        let mut judged = BTreeMap::new();
        let patches = match repairs {
            Repairs::Unasked => Vec::new(),
            _ => self.patches(document, sent, cluster, repairs),
        };
        if patches.is_empty() {
            return judged;
        }
        let asked: Vec<Repair<'_>> = patches.iter().map(|(_, object, patch)| Repair { object, patch }).collect();
        let Repaired { text, objects } = fix::apply(document, &asked);
        for ((index, object, _), result) in patches.iter().zip(objects) {
            match result {
                Ok(value) => {
                    self.repaired += 1;
                    judged.extend((repairs == Repairs::Written).then_some((*index, value)));
                }
                Err(reason) => self.not_repaired(document, object, NotRepaired::Unsafe(reason)),
            }
        }
        self.text = (self.repaired > 0).then_some(text);
        judged
    }

    /// What the policy repairs by itself, but for what is not to be shown.
    fn patches<'a>(
        &mut self,
        document: &Document<'_>,
        sent: &'a [Sent<'_>],
        cluster: &dyn Cluster,
        repairs: Repairs,
    ) -> Vec<(usize, &'a Object, Patch)> {
        let mut patches = Vec::new();
        for (index, Sent { object, stored }) in sent.iter().enumerate() {
            let reviewed = cluster.repair(&admission_request(&cluster.decode(&object.value), *stored));
            let Some(patch) = reviewed.response.patch else { continue };
            if repairs == Repairs::Printed && may_show_credential(document, object) {
                self.not_repaired(document, object, NotRepaired::MayShowCredential);
            } else {
                patches.push((index, object, patch));
            }
        }
        patches
    }

    fn not_repaired(&mut self, document: &Document<'_>, object: &Object, why: NotRepaired) {
        let message = format!("{}: {why}", object.title());
        self.troubles.push(Trouble { line: Some(document.line), message });
    }
}

/// Whether a line of the object's document may hold a credential, so that others are not to see it.
#[must_use]
pub fn may_show_credential(document: &Document<'_>, object: &Object) -> bool {
    holds_token(document.text) || object.has_literal_credential()
}

/// Checks all documents of an input, and hands on what there is to say of each; the input with the repairs, nothing where
/// there are none.
///
/// # Errors
/// That of `each`.
pub fn input<E>(
    text: &str,
    cluster: &dyn Cluster,
    repairs: Repairs,
    mut each: impl FnMut(&Document<'_>, Outcome) -> Result<(), E>,
) -> Result<Option<String>, E> {
    let mut whole = String::new();
    let mut copied = 0;
    for part in split(text) {
        let mut outcome = document(&part, cluster, repairs);
        if let Some(repaired) = outcome.text.take() {
            whole.push_str(text.get(copied..part.offset).unwrap_or_default());
            whole.push_str(&repaired);
            copied = part.offset + part.text.len();
        }
        each(&part, outcome)?;
    }
    if copied == 0 {
        return Ok(None);
    }
    whole.push_str(text.get(copied..).unwrap_or_default());
    Ok(Some(whole))
}

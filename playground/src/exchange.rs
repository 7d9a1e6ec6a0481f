//! What the page sends, and what it gets back.

use kyma_dynatrace_manifest::check::Trouble;
use kyma_dynatrace_manifest::finding::Finding;
use kyma_dynatrace_policy::report::Endpoint;
use serde::{Deserialize, Serialize};

/// The panes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Input {
    /// Pipelines, as YAML.
    pub(crate) pipelines: String,
    /// Settings, or the manifest of a ClusterAdmissionPolicy.
    pub(crate) settings: String,
    /// `repair` or `validate` in the place of what the settings say.
    pub(crate) mode: Option<String>,
    /// `mutating` in the place of what the ClusterAdmissionPolicy says.
    pub(crate) mutating: Option<bool>,
    /// What is stored: objects that are in it are updated.
    pub(crate) stored: String,
    /// Secrets to look at.
    pub(crate) secrets: String,
}

/// What there is to show.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    /// Why nothing can be checked: what is wrong with the settings.
    pub(crate) unreadable: Option<String>,
    /// What is wrong with the pane of stored objects.
    pub(crate) stored_troubles: Vec<Trouble>,
    /// What is wrong with the pane of Secrets.
    pub(crate) secrets_troubles: Vec<Trouble>,
    /// The pipelines, in order.
    pub(crate) pipelines: Vec<Reviewed>,
    /// How many objects are none that the policy reviews.
    pub(crate) passed_over: usize,
    /// What could not be checked or repaired.
    pub(crate) troubles: Vec<Trouble>,
    /// The whole text with the repairs; nothing where there are none.
    pub(crate) repaired: Option<String>,
    /// Why the panes must not go into a link; nothing where they may.
    pub(crate) unshareable: Option<&'static str>,
}

/// One pipeline.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reviewed {
    /// Kind and name.
    pub(crate) title: String,
    /// `accepted`, `repaired` or `rejected`; nothing where there was no answer.
    pub(crate) verdict: Option<&'static str>,
    /// Whether it is not recognised as a pipeline for Dynatrace, so that the rules for Dynatrace have not judged it.
    pub(crate) is_unrecognized: bool,
    /// What to declare in the settings if it is one all the same; nothing where the endpoint may not be shown.
    pub(crate) declare: Option<Endpoint<'static>>,
    /// The pane of settings with that declared.
    pub(crate) settings: Option<String>,
    /// How many findings are left out.
    pub(crate) omitted: usize,
    /// What was found.
    pub(crate) findings: Vec<Placed>,
}

/// A finding with its place in the pane, in UTF-16 code units as in all of the page.
#[derive(Serialize)]
pub(crate) struct Placed {
    /// As in the command's JSON report.
    #[serde(flatten)]
    pub(crate) finding: Finding,
    /// Where the culprit begins.
    pub(crate) from: usize,
    /// Where it ends.
    pub(crate) to: usize,
}

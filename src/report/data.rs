//! What the function `review` answers: types that serde writes inside of the module and reads outside of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::destination::{Destination, Literal, Recognition};
use crate::lookup::{self, Outcome};
use crate::pipeline::{FieldPath, Output, Source};
use crate::review::Verdict;
use crate::rule::{self, Fault, Json, Rule};
use crate::settings::{Level, RuleId, is_object_name, is_secret_key};
use crate::text::is_harmless;

/// Where the rules' pages are read. Computed from the manifest, so that no link can disagree with it.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/");

/// The address of a rule's page.
#[must_use]
pub fn page(rule: RuleId) -> String {
    [PAGES, rule.name(), ".md"].concat()
}

/// More findings are not told; they are counted.
const MAX_FINDINGS: usize = 100;

/// The answer of `review`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer<'a, R> {
    /// What `validate` answers to the same payload.
    pub response: R,
    /// What the response was made of.
    pub report: Report<'a>,
}

/// A verdict as data.
///
/// The default is a request that does not concern the policy, or one that it cannot read: the response says which.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Report<'a> {
    /// The kind of the pipeline; absent where the request does not concern the policy.
    pub kind: Option<Cow<'a, str>>,
    /// Where the pipeline ships to, as audit annotations name it: `direct-saas`, `collector`, `elsewhere`, ...
    pub destination: Option<Cow<'a, str>>,
    /// By what that is known; `nothing` for a pipeline that is not recognised as one for Dynatrace.
    pub recognized_by: Option<Recognition>,
    /// What to declare in the settings, if the pipeline is one for Dynatrace all the same.
    pub endpoint: Option<Endpoint<'a>>,
    /// What does not hold, in the order of the rules.
    pub findings: Vec<Finding<'a>>,
    /// What the policy fills in; if the request is rejected, what it would fill in once the rest is mended.
    pub repairs: Vec<Repair<'a>>,
    /// How many findings the policy leaves out, because it lists a limited number for one request.
    pub omitted: usize,
    /// The Secrets that were looked at.
    pub lookups: Vec<Lookup<'a>>,
}

/// Where the endpoint of a pipeline comes from, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub enum Endpoint<'a> {
    /// From a key of a Secret.
    Secret {
        /// Namespace of the Secret.
        namespace: Cow<'a, str>,
        /// Name of the Secret.
        name: Cow<'a, str>,
        /// Key in the Secret, as the settings call it.
        #[serde(rename = "endpointKey")]
        key: Cow<'a, str>,
    },
    /// It is in the object, with this host.
    Host(Cow<'a, str>),
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Finding<'a> {
    /// The rule's id.
    pub rule: Cow<'a, str>,
    /// `deny` if it rejects the request, `warn` if it only tells.
    pub level: Level,
    /// The field's path in the object, for example `spec.output.otlp.headers[0].prefix`.
    pub field: FieldPath,
    /// What is there, as what follows the field's name in a sentence: "is `grpc`", "is missing".
    pub found: Cow<'a, str>,
    /// What ought to be there: "`http`".
    pub expected: Cow<'a, str>,
    /// Why that matters, as a clause.
    pub why: Cow<'a, str>,
    /// What to do, as an instruction.
    pub fix: Cow<'a, str>,
    /// The address of the rule's page.
    pub page: Cow<'a, str>,
}

/// A value that the policy fills in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Repair<'a> {
    /// What is missing, as it would be told in `validate` mode.
    pub finding: Finding<'a>,
    /// Where the value goes, as a JSON pointer; a final `-` means: append to the array.
    pub pointer: Cow<'a, str>,
    /// The value.
    pub value: Cow<'a, Json>,
    /// What the value means, in a few words: "`http`", "a token of `dynatrace/dynakube`".
    pub meaning: Cow<'a, str>,
}

/// A Secret that was looked at. Nothing of its values is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct Lookup<'a> {
    /// Namespace of the Secret.
    pub namespace: Cow<'a, str>,
    /// Name of the Secret.
    pub name: Cow<'a, str>,
    /// The keys that were asked for.
    pub keys: Vec<Cow<'a, str>>,
    /// What came of it.
    pub outcome: LookupOutcome,
}

/// What came of looking at a Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub enum LookupOutcome {
    /// It is there.
    Found,
    /// There is no such Secret.
    Missing,
    /// Kubewarden or the cluster does not allow it.
    Refused,
    /// Anything else.
    Failed,
}

impl<'a> Report<'a> {
    /// The data of a verdict.
    #[must_use]
    pub fn new(verdict: &'a Verdict) -> Self {
        let Some(about) = verdict.about else { return Self::default() };
        // A denial is never left out for a warning: whether a request is accepted can be read from its report.
        let only_denials = verdict.findings.len() > MAX_FINDINGS && !verdict.is_accepted();
        let mut findings = Vec::new();
        for rule::Finding { rule, level, fault } in &verdict.findings {
            if findings.len() < MAX_FINDINGS && (*level == Level::Deny || !only_denials) {
                findings.push(Finding::new(rule, *level, fault));
            }
        }
        let omitted = verdict.more + verdict.findings.len() - findings.len();
        Self {
            kind: Some(about.signal.kind().into()),
            destination: Some(about.destination.name().into()),
            recognized_by: Some(about.recognition),
            endpoint: None,
            findings,
            repairs: verdict.repairs().map(Repair::new).collect(),
            omitted,
            lookups: verdict.looked_up.iter().map(Lookup::new).collect(),
        }
    }

    /// Says what to declare for a pipeline that is not recognised.
    pub fn name_endpoint(&mut self, output: Option<&'a Output<'_>>) {
        self.endpoint = output.filter(|_| self.is_unrecognized()).and_then(|output| Endpoint::of(output.endpoint()));
    }

    /// Whether it is about a pipeline that is not recognised as one for Dynatrace.
    #[must_use]
    pub fn is_unrecognized(&self) -> bool {
        self.recognized_by == Some(Recognition::Nothing)
    }

    /// Whether the request is accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The findings that reject the request.
    pub fn denials(&self) -> impl Iterator<Item = &Finding<'a>> {
        self.findings.iter().filter(|finding| finding.level == Level::Deny)
    }

    /// The findings that only warn.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding<'a>> {
        self.findings.iter().filter(|finding| finding.level == Level::Warn)
    }

    /// Whether there is anything to tell of the request.
    pub(super) fn has_news(&self) -> bool {
        let is_elsewhere = self.destination.as_ref().is_none_or(|name| *name == Destination::Elsewhere.name());
        !is_elsewhere || !self.findings.is_empty()
    }
}

impl<'a> Endpoint<'a> {
    /// Where an endpoint comes from. Only names that a Kubernetes object can have, and hosts that hold nothing else, are told:
    /// anything else may be a credential in the wrong place.
    fn of(source: Source<'a>) -> Option<Self> {
        match source {
            Source::Secret(key) => {
                let is_name = is_object_name(key.namespace) && is_object_name(key.name) && is_secret_key(key.key);
                let is_shown = [key.namespace, key.name, key.key].into_iter().all(is_harmless);
                (is_name && is_shown).then(|| Self::Secret {
                    namespace: key.namespace.into(),
                    name: key.name.into(),
                    key: key.key.into(),
                })
            }
            Source::Literal(text) => {
                let host = Literal::read(text).shown_name()?;
                Some(Self::Host(host.into()))
            }
            Source::Absent | Source::Malformed => None,
        }
    }
}

impl<'a> Finding<'a> {
    fn new(rule: &'static Rule, level: Level, fault: &'a Fault) -> Self {
        let Fault { field, found, expected, why, fix, .. } = fault;
        Self {
            rule: rule.id.name().into(),
            level,
            field: field.clone(),
            found: (&**found).into(),
            expected: (&**expected).into(),
            why: (&**why).into(),
            fix: (&**fix).into(),
            page: page(rule.id).into(),
        }
    }
}

impl<'a> Repair<'a> {
    fn new(rule::Repaired { rule, repair }: &'a rule::Repaired) -> Self {
        Self {
            finding: Finding::new(rule, Level::Deny, &repair.fault),
            pointer: repair.place.pointer().into(),
            value: Cow::Borrowed(&repair.value),
            meaning: repair.shown.as_str().into(),
        }
    }
}

impl<'a> Lookup<'a> {
    fn new((lookup, outcome): &'a (lookup::Lookup, Outcome)) -> Self {
        Self {
            namespace: lookup.namespace.as_str().into(),
            name: lookup.name.as_str().into(),
            keys: lookup.keys.iter().map(|key| key.as_str().into()).collect(),
            outcome: match outcome {
                Outcome::Found(_) => LookupOutcome::Found,
                Outcome::Missing => LookupOutcome::Missing,
                Outcome::Refused(_) => LookupOutcome::Refused,
                Outcome::Failed => LookupOutcome::Failed,
            },
        }
    }

    /// The Secret as `namespace/name`.
    #[must_use]
    pub fn secret(&self) -> String {
        [&self.namespace, "/", &self.name].concat()
    }
}

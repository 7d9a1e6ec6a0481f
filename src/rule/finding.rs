//! A finding: a rule that does not hold, and the texts made from it.
//!
//! Rules make data, the wording lives here. Three texts have three jobs: what is wrong and where, what to do, and a
//! link computed from the rule's id. Each is one line.

use std::borrow::Cow;

use crate::rule::Rule;
use crate::settings::Level;
use crate::text::clip;

/// Where the rules' pages are read. Computed from the manifest, so that no link can disagree with it.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/");

/// Longest line of a rejection, in characters: Kubernetes truncates what it shows beyond 256.
const MAX_LINE: usize = 240;

/// Longest warning before its link, in characters, as `ValidationResponse.warnings` asks.
const MAX_WARNING: usize = 120;

/// A text of a finding: most of them are always the same.
pub type Text = Cow<'static, str>;

/// What a rule's check says: everything about a finding but the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field's path in the object, for example `spec.output.otlp.path`.
    pub field: Text,
    /// What is there, with user values quoted: "`grpc`", "missing".
    pub found: Text,
    /// What ought to be there: "`http`".
    pub wanted: Text,
    /// Why that matters, as a clause.
    pub why: Text,
    /// What to do, as an instruction.
    pub fix: Text,
    /// The level of this fault where it is not the rule's.
    pub level: Option<Level>,
}

/// A rule that does not hold for a pipeline.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Whether it rejects or warns; never [`Level::Off`].
    pub level: Level,
    /// What was found where.
    pub fault: Fault,
}

impl Finding {
    /// The address of the rule's page.
    #[must_use]
    pub fn link(&self) -> String {
        link(self.rule)
    }

    /// What is wrong and where, with the rule's id.
    #[must_use]
    pub fn problem(&self) -> String {
        let Fault { field, found, wanted, why, .. } = &self.fault;
        clip(join!(self.rule.id, ": ", field, " is ", found, ", want ", wanted, ": ", why), MAX_LINE)
    }

    /// What to do.
    #[must_use]
    pub fn fix(&self) -> String {
        clip(self.fault.fix.clone().into_owned(), MAX_LINE)
    }

    /// The finding as one Kubernetes warning.
    #[must_use]
    pub fn warning(&self) -> String {
        let Fault { field, found, wanted, .. } = &self.fault;
        let text = clip(join!(self.rule.id, ": ", field, " is ", found, ", want ", wanted), MAX_WARNING);
        join!(text, "; see ", self.link())
    }

    /// The finding as a paragraph of a rejection: problem, fix and link on a line each.
    #[must_use]
    pub fn paragraph(&self) -> String {
        join!("- ", self.problem(), "\n  fix: ", self.fix(), "\n  see: ", PAGES, self.rule.id, ".md")
    }
}

/// A repair told as one Kubernetes warning.
#[must_use]
pub(crate) fn repair_warning(repair: &crate::repair::Repair<'_>) -> String {
    let text = clip(join!(repair.rule.id, ": repaired, ", repair.done()), MAX_WARNING);
    join!(text, "; see ", link(repair.rule))
}

/// The address of a rule's page.
fn link(rule: &Rule) -> String {
    join!(PAGES, rule.id, ".md")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn finding(found: &str) -> Finding {
        let fault = Fault {
            field: "spec.output.otlp.protocol".into(),
            found: found.to_owned().into(),
            wanted: "`http`".into(),
            why: "that is why".into(),
            fix: "set it".into(),
            level: None,
        };
        Finding { rule: &crate::rules::grpc_protocol::RULE, level: Level::Deny, fault }
    }

    #[test]
    fn accepts_three_texts_with_three_jobs() {
        let link = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/grpc-protocol.md");
        let problem = "grpc-protocol: spec.output.otlp.protocol is `grpc`, want `http`";
        assert_eq!(finding("`grpc`").paragraph(), format!("- {problem}: that is why\n  fix: set it\n  see: {link}"));
        assert_eq!(finding("`grpc`").warning(), format!("{problem}; see {link}"));
    }

    #[test]
    fn clips_what_is_too_long_but_never_the_link() {
        let finding = finding(&"x".repeat(500));
        assert_eq!(finding.problem().chars().count(), MAX_LINE);
        let warning = finding.warning();
        let (text, link) = warning.split_once("; see ").unwrap();
        assert_eq!((text.chars().count(), link), (MAX_WARNING, finding.link().as_str()));
    }
}

//! A finding: a rule that does not hold, and the texts made from it.
//!
//! Rules make data, the wording lives here. Texts are put together with `concat`, which allocates once: a rejection is most of
//! what the policy does for its request. Three texts have three jobs: what is wrong and where, what to do, and a
//! link computed from the rule's id. Each is one line.

use super::definition::Rule;
use super::fault::Fault;
use super::repair::Repair;
use crate::settings::Level;
use crate::text::clip;

/// Where the rules' pages are read. Computed from the manifest, so that no link can disagree with it.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/");

/// Longest line of a rejection, in characters: Kubernetes truncates what it shows beyond 256.
const MAX_LINE: usize = 240;

/// Longest warning before its link, in characters, as `ValidationResponse.warnings` asks.
const MAX_WARNING: usize = 120;

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
        let Fault { field, found, expected, why, .. } = &self.fault;
        clip([self.rule.id, ": ", field, " ", found, ", expected ", expected, ": ", why].concat(), MAX_LINE)
    }

    /// What to do.
    #[must_use]
    pub fn fix(&self) -> String {
        clip(self.fault.fix.clone().into_owned(), MAX_LINE)
    }

    /// The finding as one Kubernetes warning.
    #[must_use]
    pub fn warning(&self) -> String {
        let Fault { field, found, expected, .. } = &self.fault;
        let mut text = [self.rule.id, ": ", field, " ", found, ", expected ", expected].concat();
        if text.len() > MAX_WARNING {
            // What to write helps more than what was written.
            text = [self.rule.id, ": ", field, " is wrong, expected ", expected].concat();
        }
        let text = clip(text, MAX_WARNING);
        [&text, "; see ", PAGES, self.rule.id, ".md"].concat()
    }

    /// The finding as a paragraph of a rejection: problem, fix and link on a line each.
    #[must_use]
    pub fn paragraph(&self) -> String {
        ["- ", &self.problem(), "\n  fix: ", &self.fix(), "\n  see: ", PAGES, self.rule.id, ".md"].concat()
    }
}

/// A repair, with the rule whose finding it would be.
#[derive(Clone)]
pub struct Repaired {
    /// The rule.
    pub rule: &'static Rule,
    /// What is filled in where.
    pub repair: Repair,
}

impl Repaired {
    /// The repair as one Kubernetes warning. It says what the policy does, not what has been done: in monitor mode
    /// Kubewarden drops the patch and keeps the warning.
    #[must_use]
    pub fn warning(&self) -> String {
        let Repair { fault, shown, .. } = &self.repair;
        let text = [self.rule.id, ": ", &fault.field, " ", &fault.found, "; the policy sets ", shown].concat();
        let text = clip(text, MAX_WARNING);
        [&text, "; see ", PAGES, self.rule.id, ".md"].concat()
    }
}

/// The address of a rule's page.
fn link(rule: &Rule) -> String {
    format!("{PAGES}{}.md", rule.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    static RULE: Rule = Rule {
        id: "grpc-protocol",
        level: Level::Deny,
        scope: crate::rule::Scope::Direct,
        summary: "",
        check: |_| Vec::new(),
        repair: None,
    };

    fn finding(found: &str) -> Finding {
        let fault = Fault {
            field: "spec.output.otlp.protocol".into(),
            found: found.to_owned().into(),
            expected: "`http`".into(),
            why: "that is why".into(),
            fix: "set it".into(),
            level: None,
        };
        Finding { rule: &RULE, level: Level::Deny, fault }
    }

    #[test]
    fn accepts_three_texts_with_three_jobs() {
        let link = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules/grpc-protocol.md");
        let problem = "grpc-protocol: spec.output.otlp.protocol is `grpc`, expected `http`";
        assert_eq!(finding("is `grpc`").paragraph(), format!("- {problem}: that is why\n  fix: set it\n  see: {link}"));
        assert_eq!(finding("is `grpc`").warning(), format!("{problem}; see {link}"));
    }

    #[test]
    fn clips_what_is_too_long_but_never_the_link() {
        let mut finding = finding(&"x".repeat(500));
        assert_eq!(finding.problem().chars().count(), MAX_LINE);
        let warning = finding.warning();
        let short = "grpc-protocol: spec.output.otlp.protocol is wrong, expected `http`";
        assert_eq!(warning, format!("{short}; see {}", finding.link()), "what to write is kept");
        finding.fault.expected = "y".repeat(500).into();
        let warning = finding.warning();
        let (text, link) = warning.split_once("; see ").unwrap();
        assert_eq!((text.chars().count(), link), (MAX_WARNING, finding.link().as_str()));
    }
}

//! The README's table of rules, made from the code.

use std::fmt::Write as _;

use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Level;

/// The table's text.
/// `pages` is where the rules' pages are, from the file that the table is in.
pub(crate) fn table(pages: &str) -> String {
    let mut table = String::from("| rule | for | finding | does |\n|---|---|---|---|\n");
    for rule in RULES {
        let does = match rule.level {
            Level::Deny => "rejects",
            Level::Warn => "warns",
            Level::Off => "nothing",
        };
        let (id, scope, summary) = (rule.id, rule.scope.label(), rule.summary);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| [`{id}`]({pages}{id}.md) | {scope} | {summary} | {does} |");
    }
    table
}

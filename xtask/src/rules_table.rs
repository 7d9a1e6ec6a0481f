//! The README's table of rules, made from the code.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, ensure};
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Level;

const README: &str = "README.md";
const BEGIN: &str = "<!-- rules: made by `make rules-table` -->\n";
const END: &str = "<!-- end of rules -->";

/// Writes the table, or checks it.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let readme = fs::read_to_string(README).context("cannot read README.md")?;
    let (head, rest) = readme.split_once(BEGIN).context("README.md has no beginning of the rules table")?;
    let (_, tail) = rest.split_once(END).context("README.md has no end of the rules table")?;
    let wanted = format!("{head}{BEGIN}{}{END}{tail}", table());
    if check {
        ensure!(readme == wanted, "the rules table in README.md is not what the code says: run `make rules-table`");
    } else {
        fs::write(README, wanted).context("cannot write README.md")?;
    }
    Ok(())
}

fn table() -> String {
    let mut table = String::from("| rule | for | finding | does |\n|---|---|---|---|\n");
    for rule in RULES {
        let does = match rule.level {
            Level::Deny => "rejects",
            Level::Warn => "warns",
            Level::Off => "nothing",
        };
        let (id, scope, summary) = (rule.id, rule.scope.label(), rule.summary);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| [`{id}`](docs/rules/{id}.md) | {scope} | {summary} | {does} |");
    }
    table
}

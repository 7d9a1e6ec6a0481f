//! `explain` prints a rule's page, `rules` lists them all.

use include_dir::{Dir, include_dir};
use kyma_dynatrace_policy::rules::RULES;
use kyma_dynatrace_policy::settings::Level;

use crate::exit::Exit;
use crate::report::write_out;

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../docs/rules");

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The rule's id, as findings name it
    rule: String,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let page = PAGES.get_file(format!("{}.md", args.rule)).and_then(|file| file.contents_utf8());
    let Some(page) = page else {
        anstream::eprintln!("error: there is no rule of that name; `kyma-dynatrace rules` lists them");
        return Ok(Exit::Usage);
    };
    write_out(page)
}

pub(crate) fn list() -> anyhow::Result<Exit> {
    let width = RULES.iter().map(|rule| rule.id.name().len()).max().unwrap_or_default();
    let lines: Vec<String> = RULES
        .iter()
        .map(|rule| {
            let level = if rule.level == Level::Warn { "warns  " } else { "rejects" };
            format!("{:width$}  {level}  {}\n", rule.id, rule.summary)
        })
        .collect();
    write_out(&lines.concat())
}

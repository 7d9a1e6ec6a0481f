//! Texts with parts that a target makes: each stands between `<!-- name: made by `make target` -->` and
//! `<!-- end of name -->`.

use anyhow::Context as _;

/// Puts a table between the markers of its name.
///
/// # Errors
/// Where the markers are not there.
pub fn replace(text: &str, name: &str, target: &str, table: &str) -> anyhow::Result<String> {
    let (begin, end) = (format!("<!-- {name}: made by `make {target}` -->\n"), format!("<!-- end of {name} -->"));
    let (head, rest) = text.split_once(&begin).with_context(|| format!("there is no `{}`", begin.trim()))?;
    let (_, tail) = rest.split_once(&end).with_context(|| format!("there is no `{end}`"))?;
    Ok(format!("{head}{begin}{table}{end}{tail}"))
}

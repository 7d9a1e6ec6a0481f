//! Reads settings, and notes every error with its path and, where a name is unknown, the nearest known one.

use wildmatch::WildMatch;

use super::{DeclaredSecret, DeltaConversion, InjectPrefixFor, Input, Level, Mode, Settings};
use crate::json::{Members, Node};
use crate::output::Place;
use crate::rules::RULES;
use crate::text::quote;

/// What was wrong so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) errors: Vec<String>,
}

impl Reader {
    /// Reads the settings over their defaults.
    pub(super) fn settings(&mut self, settings: &mut Settings, node: Node<'_>) {
        let root = Place::At("");
        let Some(members) = self.object(&root, node, &["mode", "dynatrace", "metrics", "rules"]) else { return };
        let modes = [("repair", Mode::Repair), ("validate", Mode::Validate)];
        self.choice((&members, &root), "mode", &modes, &mut settings.mode);
        if let Some(node) = members.get("dynatrace") {
            self.dynatrace(settings, node);
        }
        if let Some(node) = members.get("metrics") {
            self.metrics(settings, node);
        }
        if let Some(node) = members.get("rules") {
            self.rules(settings, node);
        }
    }

    fn dynatrace(&mut self, settings: &mut Settings, node: Node<'_>) {
        let place = Place::At("dynatrace");
        let keys = ["secrets", "hosts", "collectorServices", "injectPrefixFor"];
        let Some(members) = self.object(&place, node, &keys) else { return };
        let object = (&members, &place);
        if let Some(items) = self.list(object, "secrets") {
            let secrets = Place::Member(&place, "secrets");
            let secret = |(index, item): (usize, &Node<'_>)| self.secret(&Place::Element(&secrets, index), *item);
            settings.secrets = items.iter().enumerate().filter_map(secret).collect();
        }
        settings.hosts = self.texts(object, "hosts", glob_error).iter().map(|glob| WildMatch::new(glob)).collect();
        settings.collector_services = self.texts(object, "collectorServices", service_error);
        let targets =
            [("anySecret", InjectPrefixFor::AnySecret), ("declaredSecrets", InjectPrefixFor::DeclaredSecrets)];
        self.choice(object, "injectPrefixFor", &targets, &mut settings.inject_prefix_for);
    }

    fn secret(&mut self, place: &Place<'_>, node: Node<'_>) -> Option<DeclaredSecret> {
        let members = self.object(place, node, &["namespace", "name", "endpointKey", "tokenKey"])?;
        let mut text = |key: &'static str, default: Option<&str>| {
            let place = Place::Member(place, key);
            match (members.get(key), default) {
                (Some(node), _) => self.name(&place, node),
                (None, Some(default)) => Some(default.to_owned()),
                (None, None) => {
                    self.errors.push(join!("`", place.path(), "` is missing"));
                    None
                }
            }
        };
        let (namespace, name) = (text("namespace", None), text("name", None));
        let (endpoint_key, token_key) =
            (text("endpointKey", Some("apiurl")), text("tokenKey", Some("dataIngestToken")));
        Some(DeclaredSecret { namespace: namespace?, name: name?, endpoint_key: endpoint_key?, token_key: token_key? })
    }

    fn metrics(&mut self, settings: &mut Settings, node: Node<'_>) {
        let place = Place::At("metrics");
        let Some(members) = self.object(&place, node, &["cumulativeInputs", "deltaConversion"]) else { return };
        if let Some(items) = self.list((&members, &place), "cumulativeInputs") {
            let list = Place::Member(&place, "cumulativeInputs");
            let inputs = Input::ALL.map(|input| (input.name(), input));
            let mut chosen = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                chosen.extend(self.known(&Place::Element(&list, index), item, &inputs));
            }
            settings.cumulative_inputs = chosen;
        }
        let modes =
            [("off", DeltaConversion::Off), ("auto", DeltaConversion::Auto), ("always", DeltaConversion::Always)];
        self.choice((&members, &place), "deltaConversion", &modes, &mut settings.delta_conversion);
    }

    fn rules(&mut self, settings: &mut Settings, node: Node<'_>) {
        if node.raw() == "{}" {
            return;
        }
        let place = Place::At("rules");
        let ids: Vec<&'static str> = RULES.iter().map(|rule| rule.id).collect();
        let Some(members) = self.object(&place, node, &ids) else { return };
        let levels = [("deny", Level::Deny), ("warn", Level::Warn), ("off", Level::Off)];
        let level =
            |id: &&'static str| members.get(id).and_then(|node| self.known(&Place::Member(&place, id), node, &levels));
        settings.severities = ids.iter().map(level).collect();
    }

    /// The members of an object with these keys only.
    fn object<'a>(&mut self, place: &Place<'_>, node: Node<'a>, known: &[&str]) -> Option<Members<'a>> {
        let Some(members) = node.members() else {
            self.errors.push(wrong_type(place, "an object", node));
            return None;
        };
        for (key, _) in members.iter() {
            if !known.contains(&key) {
                let path = place.path();
                let place = if path.is_empty() { path } else { join!(" in `", path, "`") };
                self.errors.push(join!("unknown field ", quote(key), place, nearest(key, known)));
            }
        }
        Some(members)
    }

    /// The list of this name; `None` where it is absent.
    fn list<'a>(&mut self, object: (&Members<'a>, &Place<'_>), key: &'static str) -> Option<Vec<Node<'a>>> {
        let node = object.0.get(key)?;
        let items = node.items();
        if items.is_none() {
            self.errors.push(wrong_type(&Place::Member(object.1, key), "a list", node));
        }
        items
    }

    /// A list of names in lower case, each passed by `check`.
    fn texts(
        &mut self,
        object: (&Members<'_>, &Place<'_>),
        key: &'static str,
        check: fn(&str) -> Option<&'static str>,
    ) -> Vec<String> {
        let list = Place::Member(object.1, key);
        let mut texts = Vec::new();
        for (index, node) in self.list(object, key).unwrap_or_default().into_iter().enumerate() {
            let place = Place::Element(&list, index);
            let Some(text) = self.name(&place, node) else { continue };
            match check(&text) {
                Some(error) => self.errors.push(join!("`", place.path(), "` is ", quote(&text), ": ", error)),
                None => texts.push(text.to_ascii_lowercase()),
            }
        }
        texts
    }

    /// A string that is not empty.
    fn name(&mut self, place: &Place<'_>, node: Node<'_>) -> Option<String> {
        match node.text() {
            None => self.errors.push(wrong_type(place, "a string", node)),
            Some(text) if text.trim_ascii().is_empty() => self.errors.push(join!("`", place.path(), "` is empty")),
            Some(text) => return Some(text.into_owned()),
        }
        None
    }

    /// Sets `target` to the choice that the member names, if it is there.
    fn choice<T: Copy>(
        &mut self,
        (members, place): (&Members<'_>, &Place<'_>),
        key: &'static str,
        choices: &[(&'static str, T)],
        target: &mut T,
    ) {
        if let Some(node) = members.get(key)
            && let Some(value) = self.known(&Place::Member(place, key), node, choices)
        {
            *target = value;
        }
    }

    /// The choice that a string names. `false` stands for `off`: an unquoted `off` is a boolean in YAML 1.1, which is
    /// what `kubectl` reads.
    fn known<T: Copy>(&mut self, place: &Place<'_>, node: Node<'_>, choices: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.known_name(place, node, &names).and_then(|index| choices.get(index)).map(|(_, value)| *value)
    }

    /// The position of the name that a string is. Apart from [`Self::known`], so that the module has it once.
    #[inline(never)]
    fn known_name(&mut self, place: &Place<'_>, node: Node<'_>, names: &[&str]) -> Option<usize> {
        let text = if node.boolean() == Some(false) { Some("off".into()) } else { node.text() };
        let found = text.as_ref().and_then(|text| names.iter().position(|name| name == text));
        if found.is_none() {
            self.errors.push(unknown(place, node, text.as_deref(), names));
        }
        found
    }
}

/// The error of a value that is none of these names.
#[cold]
fn unknown(place: &Place<'_>, node: Node<'_>, text: Option<&str>, names: &[&str]) -> String {
    let wanted = join!("one of `", names.join("`, `"), "`");
    match text.filter(|_| node.kind() == "string") {
        Some(text) => join!("`", place.path(), "` is ", quote(text), ", want ", wanted, nearest(text, names)),
        None => wrong_type(place, &wanted, node),
    }
}

#[cold]
fn wrong_type(place: &Place<'_>, wanted: &str, node: Node<'_>) -> String {
    let path = place.path();
    let path = if path.is_empty() { "the settings".to_owned() } else { join!("`", path, "`") };
    join!(path, " must be ", wanted, ", not ", with_article(node.kind()))
}

/// A JSON type with its article.
pub(crate) fn with_article(kind: &'static str) -> String {
    match kind {
        "null" => kind.to_owned(),
        "object" | "array" => join!("an ", kind),
        _ => join!("a ", kind),
    }
}

/// ``, did you mean `x`?`` for the known name nearest to `name`, if one is near.
#[cold]
fn nearest(name: &str, known: &[&str]) -> String {
    // Long names are no typing errors, and the distance costs the product of both lengths.
    if name.len() > 64 {
        return String::new();
    }
    let best = known.iter().map(|known| (distance(&name.to_ascii_lowercase(), &known.to_ascii_lowercase()), known));
    match best.min_by_key(|(distance, _)| *distance) {
        Some((distance, best)) if distance <= best.len().div_ceil(3) => join!(", did you mean `", best, "`?"),
        _ => String::new(),
    }
}

/// How many letters have to be changed, added or left out to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    // The distances of the beginnings of `one` read so far to each beginning of `other`, the empty one left out.
    let mut row: Vec<usize> = (1..=other.len()).collect();
    for (read, letter) in one.bytes().enumerate() {
        let (mut diagonal, mut left) = (read, read + 1);
        for (cell, other) in row.iter_mut().zip(other.bytes()) {
            let changed = diagonal + usize::from(letter != other);
            diagonal = std::mem::replace(cell, changed.min(*cell + 1).min(left + 1));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(one.len())
}

fn glob_error(glob: &str) -> Option<&'static str> {
    let is_host = glob.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.*?".contains(&b));
    if !is_host {
        Some("want a host name with `*` and `?`, without scheme, port or path")
    } else if glob.bytes().all(|b| b"*?.".contains(&b)) {
        Some("it matches every host")
    } else {
        None
    }
}

fn service_error(name: &str) -> Option<&'static str> {
    let is_label = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!is_label).then_some("want the name of a Service, without namespace or port")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_the_distance_that_the_usual_library_gives() {
        let words =
            ["", "m", "mode", "mod", "modes", "dmoe", "hosts", "secrets", "rules", "rlues", "collectorServices"];
        for one in words {
            for other in words {
                assert_eq!(distance(one, other), strsim::levenshtein(one, other), "{one} {other}");
            }
        }
    }
}

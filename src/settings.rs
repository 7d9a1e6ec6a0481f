//! The settings: read once, strictly, and valid ever after.
//!
//! A misspelt key that is silently ignored is a policy that does not do what its owner believes. So unknown keys,
//! unknown rule ids, bad globs and empty names are refused at every level, all of them at once. The settings are never
//! echoed whole: somebody may have put a token there.

use wildmatch::WildMatch;

use crate::json::{Members, Node};
use crate::output::Place;
use crate::rule::Rule;
use crate::rules::{RULES, position};
use crate::text::quote;

/// Valid settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether what is missing is filled in or reported.
    pub mode: Mode,
    /// Secrets that hold a Dynatrace API URL and an ingest token.
    pub secrets: Vec<DeclaredSecret>,
    /// Globs of hosts that are Managed clusters or ActiveGates, in lower case.
    pub hosts: Vec<WildMatch>,
    /// Names of Services in front of a Dynatrace Collector, in lower case.
    pub collector_services: Vec<String>,
    /// Which `Authorization` headers get a missing prefix.
    pub inject_prefix_for: InjectPrefixFor,
    /// Inputs of a MetricPipeline that produce cumulative metrics.
    pub cumulative_inputs: Vec<Input>,
    /// Whether `temporality: delta` is set for the user.
    pub delta_conversion: DeltaConversion,
    /// Severity of each rule of [`RULES`], by position; `None` is the rule's own.
    severities: Vec<Option<Level>>,
}

/// What to do with a pipeline that lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fill it in, and tell.
    Repair,
    /// Refuse it.
    Validate,
}

/// A Secret that holds a Dynatrace API URL ending in `/api` and an ingest token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSecret {
    /// Namespace of the Secret.
    pub namespace: String,
    /// Name of the Secret.
    pub name: String,
    /// Key of the API URL.
    pub endpoint_key: String,
    /// Key of the ingest token.
    pub token_key: String,
}

/// Which `Authorization` headers without a prefix get `Api-Token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectPrefixFor {
    /// Those that take their value from any Secret.
    AnySecret,
    /// Those that take it from a declared one, whose content is known to be the bare token.
    DeclaredSecrets,
}

/// An input of a MetricPipeline that can be switched on and produces cumulative metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// `spec.input.istio`.
    Istio,
    /// `spec.input.prometheus`.
    Prometheus,
    /// `spec.input.runtime`.
    Runtime,
}

impl Input {
    /// All inputs, in the order in which messages name them.
    pub const ALL: [Self; 3] = [Self::Istio, Self::Prometheus, Self::Runtime];

    /// The field's name under `spec.input`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Istio => "istio",
            Self::Prometheus => "prometheus",
            Self::Runtime => "runtime",
        }
    }
}

/// Whether the policy sets `temporality: delta` on direct MetricPipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaConversion {
    /// Never: the user decides.
    Off,
    /// Where the submitted output has the field, so that the cluster's CRD is known to have it.
    Auto,
    /// Always.
    Always,
}

/// What a finding of a rule does, as `rules.<id>` sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The request is rejected.
    Deny,
    /// The user is warned.
    Warn,
    /// Nothing: the rule and its repair are not applied.
    Off,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Repair,
            secrets: vec![DeclaredSecret {
                namespace: "dynatrace".to_owned(),
                name: "dynakube".to_owned(),
                endpoint_key: "apiurl".to_owned(),
                token_key: "dataIngestToken".to_owned(),
            }],
            hosts: Vec::new(),
            collector_services: Vec::new(),
            inject_prefix_for: InjectPrefixFor::AnySecret,
            cumulative_inputs: Input::ALL.to_vec(),
            delta_conversion: DeltaConversion::Off,
            severities: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads settings; absent and null mean all defaults, at every level.
    ///
    /// # Errors
    /// Every error, each with its path and, where a name is unknown, the nearest known one.
    pub fn read(node: Option<Node<'_>>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut reader = Reader { errors: Vec::new() };
        if let Some(node) = node.filter(|node| !node.is_null()) {
            reader.settings(&mut settings, node);
        }
        if reader.errors.is_empty() { Ok(settings) } else { Err(reader.errors) }
    }

    /// The level that `rules.<id>` sets for a rule, if any.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> Option<Level> {
        // Most settings say nothing of the rules, and need not know where the rule stands.
        if self.severities.is_empty() { None } else { self.severities.get(position(rule)).copied().flatten() }
    }

    /// The declared Secret of this namespace and name.
    #[must_use]
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&DeclaredSecret> {
        self.secrets.iter().find(|secret| secret.namespace == namespace && secret.name == name)
    }
}

struct Reader {
    errors: Vec<String>,
}

impl Reader {
    fn settings(&mut self, settings: &mut Settings, node: Node<'_>) {
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
    use crate::json::parse;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn errors(text: &str) -> Vec<String> {
        Settings::read(Some(parse(text))).err().unwrap_or_default()
    }

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

    #[test]
    fn accepts_nothing_as_all_defaults() {
        for text in ["null", "{}", r#"{"dynatrace":null,"metrics":{},"rules":{}}"#] {
            let settings = Settings::read(Some(parse(text))).unwrap();
            assert_eq!(settings.mode, Mode::Repair);
            assert_eq!(settings.secret("dynatrace", "dynakube").unwrap().token_key, "dataIngestToken");
            assert_eq!(settings.cumulative_inputs, Input::ALL);
            assert_eq!(settings.delta_conversion, DeltaConversion::Off);
        }
        assert!(Settings::read(None).is_ok());
    }

    #[test]
    fn accepts_every_setting() {
        let settings = Settings::read(Some(parse(
            r#"{"mode":"validate","dynatrace":{"secrets":[{"namespace":"obs","name":"dt"}],"hosts":["*.Corp.example"],
            "collectorServices":["otel"],"injectPrefixFor":"declaredSecrets"},
            "metrics":{"cumulativeInputs":["istio"],"deltaConversion":"auto"},"rules":{"inline-token":"warn"}}"#,
        )))
        .unwrap();
        assert_eq!(settings.mode, Mode::Validate);
        assert_eq!(settings.secret("obs", "dt").unwrap().endpoint_key, "apiurl");
        assert!(settings.secret("dynatrace", "dynakube").is_none());
        assert!(settings.hosts.iter().any(|glob| glob.matches("dt.corp.example")));
        assert_eq!(settings.collector_services, ["otel"]);
        assert_eq!(settings.inject_prefix_for, InjectPrefixFor::DeclaredSecrets);
        assert_eq!(settings.cumulative_inputs, [Input::Istio]);
        assert_eq!(settings.level(&crate::rules::inline_token::RULE), Some(Level::Warn));
        assert_eq!(settings.level(&crate::rules::ui_host::RULE), None);
    }

    #[test]
    fn accepts_an_unquoted_yaml_off_which_is_false() {
        let settings =
            Settings::read(Some(parse(r#"{"metrics":{"deltaConversion":false},"rules":{"inline-token":false}}"#)))
                .unwrap();
        assert_eq!(settings.delta_conversion, DeltaConversion::Off);
        assert_eq!(errors(r#"{"mode":false}"#), ["`mode` must be one of `repair`, `validate`, not a boolean"]);
    }

    #[test]
    fn rejects_all_errors_at_once_with_path_and_nearest_name() {
        assert_eq!(
            errors(
                r#"{"mod":"x","mode":"repiar","dynatrace":{"secrets":[{"name":"","nmae":3},7],"hosts":["https://h","*","ok.example"],
                "collectorServices":["a.b",3],"zzz":1},"metrics":{"cumulativeInputs":["isto"],"deltaConversion":1},
                "rules":{"inlin-token":"deny","ui-host":"nope"}}"#
            ),
            [
                "unknown field `mod`, did you mean `mode`?",
                "`mode` is `repiar`, want one of `repair`, `validate`, did you mean `repair`?",
                "unknown field `zzz` in `dynatrace`",
                "unknown field `nmae` in `dynatrace.secrets[0]`, did you mean `name`?",
                "`dynatrace.secrets[0].namespace` is missing",
                "`dynatrace.secrets[0].name` is empty",
                "`dynatrace.secrets[1]` must be an object, not a number",
                "`dynatrace.hosts[0]` is `https://h`: want a host name with `*` and `?`, without scheme, port or path",
                "`dynatrace.hosts[1]` is `*`: it matches every host",
                "`dynatrace.collectorServices[0]` is `a.b`: want the name of a Service, without namespace or port",
                "`dynatrace.collectorServices[1]` must be a string, not a number",
                "`metrics.cumulativeInputs[0]` is `isto`, want one of `istio`, `prometheus`, `runtime`, did you mean `istio`?",
                "`metrics.deltaConversion` must be one of `off`, `auto`, `always`, not a number",
                "unknown field `inlin-token` in `rules`, did you mean `inline-token`?",
                "`rules.ui-host` is `nope`, want one of `deny`, `warn`, `off`",
            ]
        );
    }

    #[test]
    fn rejects_settings_of_another_shape_without_echo() {
        assert_eq!(errors("[1]"), ["the settings must be an object, not an array"]);
        assert_eq!(errors("\"secret\""), ["the settings must be an object, not a string"]);
        let token = format!("dt0c01.{}.{}", "A1".repeat(12), "b2".repeat(32));
        assert!(!errors(&format!(r#"{{"{token}":1,"mode":"{token}"}}"#)).join("\n").contains("dt0c01"));
    }
}

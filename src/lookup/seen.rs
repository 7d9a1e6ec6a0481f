//! Which Secrets are looked at, and all that was seen.

use super::outcome::Outcome;
use super::value::Value;

/// A Secret to look at: one call, for these keys and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The keys that the pipeline takes from it, each once.
    pub keys: Vec<String>,
}

impl Lookup {
    /// The Secret as `namespace/name`.
    #[must_use]
    pub fn secret(&self) -> String {
        [&self.namespace, "/", &self.name].concat()
    }
}

/// Who looks into the cluster: the policy server through Kubewarden, or whoever stands in for it.
pub trait LookUp {
    /// Looks at one Secret.
    fn secret(&self, lookup: &Lookup) -> Outcome;
}

/// Nobody looks.
impl LookUp for () {
    fn secret(&self, _: &Lookup) -> Outcome {
        Outcome::Failed
    }
}

/// All that was looked up for a request. The default is that nobody has looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(Vec<(Lookup, Outcome)>);

impl Seen {
    /// Nobody has looked.
    pub const NOTHING: &'static Self = &Self(Vec::new());

    /// What somebody sees who looks at these, each once.
    #[must_use]
    pub fn by(cluster: &dyn LookUp, lookups: &[Lookup]) -> Self {
        Self(lookups.iter().map(|lookup| (lookup.clone(), cluster.secret(lookup))).collect())
    }

    /// What came of a Secret; `None` where nobody has looked.
    #[must_use]
    pub fn outcome(&self, namespace: &str, name: &str) -> Option<&Outcome> {
        let is_it = |lookup: &Lookup| lookup.namespace == namespace && lookup.name == name;
        self.0.iter().find(|(lookup, _)| is_it(lookup)).map(|(_, outcome)| outcome)
    }

    /// The value of a key, where it was seen.
    #[must_use]
    pub fn value(&self, namespace: &str, name: &str, key: &str) -> Option<&Value> {
        let Outcome::Found(values) = self.outcome(namespace, name)? else { return None };
        values.iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// Whether nobody has looked.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything, in the order in which it was looked at.
    pub fn all(&self) -> impl Iterator<Item = (&Lookup, &Outcome)> {
        self.0.iter().map(|(lookup, outcome)| (lookup, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Only one Secret is there.
    struct One;

    impl LookUp for One {
        fn secret(&self, lookup: &Lookup) -> Outcome {
            if lookup.secret() == "n/a" {
                Outcome::Found(vec![("k".to_owned(), Value::new(b"v".to_vec()))])
            } else {
                Outcome::Missing
            }
        }
    }

    #[test]
    fn accepts_the_secret_with_both_names_alone() {
        let of = |namespace: &str, name: &str| Lookup {
            namespace: namespace.into(),
            name: name.into(),
            keys: vec!["k".into()],
        };
        let seen = Seen::by(&One, &[of("n", "b"), of("m", "a"), of("n", "a")]);
        assert_eq!(seen.outcome("n", "b"), Some(&Outcome::Missing));
        assert_eq!(seen.value("n", "a", "k"), Some(&Value::new(b"v".to_vec())));
        assert_eq!((seen.value("n", "a", "x"), seen.value("m", "a", "k"), seen.outcome("m", "b")), (None, None, None));
        assert_eq!((seen.all().count(), seen.is_nothing(), Seen::NOTHING.is_nothing()), (3, false, true));
    }
}

//! What makes a fault the same fault when a stored pipeline is looked at again.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What a fault rests on: the whole effective value, never what was clipped or hidden to be shown.
///
/// It is compared and never shown, so that it has neither `Debug` nor `Serialize`. Of a value its hash is kept, which takes no
/// memory for a value of a megabyte. Who finds another value with the same 64 bits has won a warning in the place of a
/// rejection, at a field that was wrong before.
#[derive(Clone, PartialEq, Eq)]
pub enum Evidence {
    /// That it is so: there is only one way to be wrong, or nothing there that could be another.
    Presence,
    /// A value.
    Value(u64),
    /// What is switched on, in a fixed order.
    Sources(Vec<&'static str>),
}

impl Evidence {
    /// The evidence of a value.
    #[must_use]
    pub fn of<T: Hash + ?Sized>(value: &T) -> Self {
        // Without a key: it is compared within one review alone.
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        Self::Value(hasher.finish())
    }

    /// Whether a fault that rests on `new` was there when this was: it is the same value, or no source is on that was off.
    #[must_use]
    pub fn covers(&self, new: &Self) -> bool {
        match (self, new) {
            (Self::Sources(old), Self::Sources(new)) => new.iter().all(|source| old.contains(source)),
            _ => self == new,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn covers_the_same_value_and_no_other() {
        let long = |end: &str| Evidence::of(&["a".repeat(1 << 20).as_str(), end]);
        assert!(long("b").covers(&long("b")) && !long("b").covers(&long("c")));
        assert!(Evidence::Presence.covers(&Evidence::Presence) && !Evidence::Presence.covers(&Evidence::of("")));
    }

    #[test]
    fn covers_sources_of_which_none_is_new() {
        let sources = |names: &[&'static str]| Evidence::Sources(names.to_vec());
        assert!(sources(&["istio", "otlp"]).covers(&sources(&["otlp"])));
        assert!(!sources(&["otlp"]).covers(&sources(&["istio", "otlp"])));
        assert!(!sources(&[]).covers(&Evidence::Presence));
    }
}

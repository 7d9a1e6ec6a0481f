//! A repair: a value that is missing in the object, and where it goes.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::fault::Fault;
use crate::pipeline::FieldPath;

/// One repair of a pipeline.
///
/// A rule's repair does two things at once: it changes the subject, so that the rules then judge the repaired state, and
/// it notes the change to the object. That is why no repaired request can be rejected for what was repaired, and why
/// `validate` mode rejects just what `repair` mode would have repaired or rejected.
#[derive(Clone)]
pub struct Repair {
    /// Where the value goes.
    pub place: FieldPath,
    /// The value.
    pub value: Json,
    /// The value, as the user reads it.
    pub shown: String,
    /// The finding in its place in `validate` mode.
    pub fault: Fault,
}

/// A JSON value, kept as its text. (To write any value that there is, numbers included, would be 15 kB more of the module.)
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The text of a value: a string, or a derived struct of strings.
    #[must_use]
    pub fn new(value: &impl Serialize) -> Self {
        // Such a value has nothing in it that JSON cannot say.
        Self(to_raw_value(value).unwrap_or_default())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The text of the one element, where it is a list: a header is the same whether it comes into a list or brings one along.
    #[must_use]
    pub fn element(&self) -> &str {
        let text = self.text();
        text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
    }
}

/// By their texts: who writes a value in two ways has two.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

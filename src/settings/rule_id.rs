//! The ids of the rules: what `rules` in the settings names, and what code names that asks about another rule.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The id of a rule. Their order is that of the reports.
///
/// The rule itself is `crate::rules::rule(id)`, which is an exhaustive match: an id without a rule does not compile.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case", try_from = "String")]
#[strum(serialize_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each has a page, docs/rules/<id>.md")]
pub enum RuleId {
    MalformedOutput,
    UiHost,
    UnknownHost,
    InvalidEndpoint,
    MissingScheme,
    PlaintextEndpoint,
    UnverifiedTls,
    UnexpectedPort,
    GrpcProtocol,
    WrongOtlpPath,
    WrongSecretKey,
    MissingValue,
    SecretNotFound,
    SecretEndpoint,
    SecretToken,
    LookupRefused,
    MissingAuthorization,
    DuplicateAuthorization,
    ConflictingAuthentication,
    WrongAuthorizationScheme,
    InlineToken,
    CumulativeMetrics,
    ApplicationTemporality,
    UndocumentedCompression,
    ActivegateCa,
    WrongCollectorPort,
    WrongCollectorPath,
    TokenToCollector,
    BareCollectorHost,
    CollectorTls,
}

impl RuleId {
    /// All ids, in the order of the reports.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The id as settings, messages and the name of its page write it, for example `grpc-protocol`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The id of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|id| id.name() == name)
    }
}

/// A name that no rule has. The name itself is not in the text: it may be a credential in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule")]
pub struct UnknownRule;

/// By a text, as keys are read: serde tells the path of a key only then.
impl TryFrom<String> for RuleId {
    type Error = UnknownRule;

    fn try_from(name: String) -> Result<Self, UnknownRule> {
        Self::from_name(&name).ok_or(UnknownRule)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn settings_and_messages_use_one_name() {
        for id in RuleId::ALL {
            assert_eq!(serde_json::to_value(id).unwrap(), id.name());
            assert_eq!(RuleId::from_name(id.name()), Some(*id));
        }
        assert_eq!((RuleId::from_name("GrpcProtocol"), RuleId::GrpcProtocol.name()), (None, "grpc-protocol"));
    }
}

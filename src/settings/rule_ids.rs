//! The ids that `rules` takes.

/// The id of every rule, in the order of the reports. `rules.rs` has the rules themselves; a test there holds that this
/// list is theirs.
pub const RULE_IDS: &[&str] = &[
    "malformed-output",
    "ui-host",
    "unknown-host",
    "invalid-endpoint",
    "missing-scheme",
    "plaintext-endpoint",
    "unverified-tls",
    "unexpected-port",
    "grpc-protocol",
    "wrong-otlp-path",
    "wrong-secret-key",
    "missing-value",
    "missing-authorization",
    "duplicate-authorization",
    "conflicting-authentication",
    "wrong-authorization-scheme",
    "inline-token",
    "cumulative-metrics",
    "application-temporality",
    "undocumented-compression",
    "activegate-ca",
    "wrong-collector-port",
    "wrong-collector-path",
    "token-to-collector",
    "bare-collector-host",
    "collector-tls",
];

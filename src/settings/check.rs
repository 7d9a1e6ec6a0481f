//! What no type can say of settings: globs that match every host, names that are none, rules that do not exist.

use kubewarden_policy_sdk::settings::Validatable;

use super::nearest::nearest;
use super::rule_ids::RULE_IDS;
use super::types::{DeclaredSecret, Settings};
use crate::text::quote;

impl Validatable for Settings {
    /// Whether the values make sense; all that do not, in one sentence each.
    fn validate(&self) -> Result<(), String> {
        let errors = self.errors();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }
}

impl Settings {
    /// What does not make sense, a sentence each.
    pub(super) fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        for (index, secret) in self.dynatrace.secrets.iter().enumerate() {
            check_secret(index, secret, &mut errors);
        }
        type Check = fn(&str) -> Option<&'static str>;
        let lists = [
            ("hosts", &self.dynatrace.hosts, glob_error as Check),
            ("collectorServices", &self.dynatrace.collector_services, service_error as Check),
        ];
        for (name, values, check) in lists {
            for (index, value) in values.iter().enumerate() {
                if value.trim().is_empty() {
                    errors.push(format!("`dynatrace.{name}[{index}]` is empty"));
                } else if let Some(error) = check(value) {
                    errors.push(format!("`dynatrace.{name}[{index}]` is {}: {error}", quote(value)));
                }
            }
        }
        for id in self.rules.keys().filter(|id| !RULE_IDS.contains(&id.as_str())) {
            errors.push(format!("unknown rule {} in `rules`{}", quote(id), nearest(id, RULE_IDS)));
        }
        errors
    }
}

fn check_secret(index: usize, secret: &DeclaredSecret, errors: &mut Vec<String>) {
    let DeclaredSecret { namespace, name, endpoint_key, token_key } = secret;
    let parts = [("namespace", namespace), ("name", name), ("endpointKey", endpoint_key), ("tokenKey", token_key)];
    for (part, _) in parts.iter().filter(|(_, value)| value.trim().is_empty()) {
        errors.push(format!("`dynatrace.secrets[{index}].{part}` is empty"));
    }
}

fn glob_error(glob: &str) -> Option<&'static str> {
    let is_host = glob.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.*?".contains(&b));
    if !is_host {
        Some("expected a host name with `*` and `?`, without scheme, port or path")
    } else if glob.bytes().all(|b| b"*?.".contains(&b)) {
        Some("it matches every host")
    } else {
        None
    }
}

fn service_error(name: &str) -> Option<&'static str> {
    let is_label = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!is_label).then_some("expected the name of a Service, without namespace or port")
}

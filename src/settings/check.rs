//! What no type can say of settings: globs that match every host, names that no object can have.

#[cfg(feature = "wapc")]
use kubewarden_policy_sdk::settings::Validatable;

use super::error::SettingsError;
#[cfg(feature = "wapc")]
use super::error::SettingsErrors;
use super::types::{DeclaredSecret, Settings};
use crate::text::quote;

#[cfg(feature = "wapc")]
impl Validatable for Settings {
    /// Whether the values make sense; all that do not, in one sentence each.
    fn validate(&self) -> Result<(), String> {
        let errors = SettingsErrors(self.errors());
        if errors.0.is_empty() { Ok(()) } else { Err(errors.to_string()) }
    }
}

impl Settings {
    /// What does not make sense.
    pub(super) fn errors(&self) -> Vec<SettingsError> {
        let mut errors = Vec::new();
        let secrets = &self.dynatrace.secrets;
        for (index, secret) in secrets.iter().enumerate() {
            check_secret(index, secret, &mut errors);
            let is_same = |other: &DeclaredSecret| (&other.namespace, &other.name) == (&secret.namespace, &secret.name);
            if secrets.iter().take(index).any(is_same) {
                errors.push(SettingsError::Twice(format!("dynatrace.secrets[{index}]")));
            }
        }
        type Check = fn(&str) -> Option<&'static str>;
        let lists = [
            ("hosts", &self.dynatrace.hosts, glob_error as Check),
            ("collectorServices", &self.dynatrace.collector_services, service_error as Check),
        ];
        for (name, values, check) in lists {
            for (index, value) in values.iter().enumerate() {
                let place = || format!("dynatrace.{name}[{index}]");
                if value.trim().is_empty() {
                    errors.push(SettingsError::Empty(place()));
                } else if let Some(why) = check(value) {
                    let (value, why) = (quote(value), why.to_owned());
                    errors.push(SettingsError::Form { place: place(), value, why });
                }
            }
        }
        errors
    }
}

fn check_secret(index: usize, secret: &DeclaredSecret, errors: &mut Vec<SettingsError>) {
    let DeclaredSecret { namespace, name, endpoint_key, token_key, endpoint_path, .. } = secret;
    type Part<'p> = (&'p str, &'p str, fn(&str) -> bool, &'p str);
    let parts: [Part<'_>; 5] = [
        ("namespace", namespace, is_label, "the name of a namespace"),
        ("name", name, is_object_name, "the name of a Secret"),
        ("endpointKey", endpoint_key, is_secret_key, "a key of a Secret"),
        ("tokenKey", token_key, is_secret_key, "a key of a Secret"),
        ("endpointPath", endpoint_path, is_base, "`/`, `/api`, `/api/v2/otlp` or `/e/<id>/api`"),
    ];
    for (part, value, is_valid, expected) in parts {
        let place = || format!("dynatrace.secrets[{index}].{part}");
        if value.trim().is_empty() {
            errors.push(SettingsError::Empty(place()));
        } else if !is_valid(value) {
            let (value, why) = (quote(value), format!("expected {expected}"));
            errors.push(SettingsError::Form { place: place(), value, why });
        }
    }
}

/// A DNS label (RFC 1123), of which the names of Kubernetes objects consist.
fn is_label(name: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.len() <= 63 && !name.is_empty() && !name.starts_with('-') && !name.ends_with('-') && name.bytes().all(is_inner)
}

/// Whether an object can have this name: labels with dots between them (RFC 1123).
#[must_use]
pub fn is_object_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether a Secret can have this key.
#[must_use]
pub fn is_secret_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 253 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

/// Whether a path is a beginning of one that the API takes: `[/e/<id>]/api/v2/otlp`.
fn is_base(path: &str) -> bool {
    if !path.starts_with('/') {
        return false;
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let rest = match segments.as_slice() {
        ["e", id, rest @ ..] if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => rest,
        ["e", ..] => return false,
        rest => rest,
    };
    ["api", "v2", "otlp"].starts_with(rest)
}

fn glob_error(glob: &str) -> Option<&'static str> {
    let is_host = glob.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.*?".contains(&b)) && !glob.ends_with('.');
    if !is_host {
        Some("expected a host name with `*` and `?`, without scheme, port, path or a trailing dot")
    } else if glob.bytes().all(|b| b"*?.".contains(&b)) {
        Some("it matches every host")
    } else {
        None
    }
}

fn service_error(name: &str) -> Option<&'static str> {
    (!is_label(&name.to_ascii_lowercase())).then_some("expected the name of a Service, without namespace or port")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn accepts_names_of_objects_and_no_others() {
        let long = "a".repeat(63);
        for name in ["a", "9", "a-b", &long] {
            assert!(is_label(name), "{name}");
        }
        let longer = "a".repeat(64);
        for name in ["", "-a", "a-", "A", "a_b", "a.b", &longer] {
            assert!(!is_label(name), "{name}");
        }
    }

    #[test]
    fn accepts_keys_of_secrets_and_no_others() {
        let (long, longer) = ("a".repeat(253), "a".repeat(254));
        assert!(["a", "A.b-c_9", &long].into_iter().all(is_secret_key));
        assert!(!["a b", "a/b", &longer].into_iter().any(is_secret_key));
    }

    #[test]
    fn accepts_beginnings_of_the_path_that_the_api_takes() {
        for path in ["/", "/api", "/api/", "/api/v2", "/api/v2/otlp", "/e/a-1/api", "/e/ID"] {
            assert!(is_base(path), "{path}");
        }
        for path in ["", "api", "/x", "/e", "/e/a b/api", "/e/a_b/api", "/e/a/x", "/api/v2/otlp/v1", "/v2"] {
            assert!(!is_base(path), "{path}");
        }
    }

    #[cfg(feature = "wapc")]
    #[test]
    fn rejects_for_the_sdk_what_it_rejects_itself() {
        let mut settings = Settings::default();
        assert_eq!(settings.validate(), Ok(()));
        settings.dynatrace.hosts.push(" ".to_owned());
        settings.dynatrace.collector_services.push(String::new());
        assert_eq!(
            settings.validate(),
            Err("`dynatrace.hosts[0]` is empty; `dynatrace.collectorServices[0]` is empty".to_owned())
        );
    }
}

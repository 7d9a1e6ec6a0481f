//! The rules' pages as the tests use them: read by `xtask`, and with somebody to answer their lookups.

use std::sync::Arc;

use kyma_dynatrace_admission::{Answerer, NO_CAPABILITY, NO_RESOURCE, Secrets};
pub use xtask::pages::*;

/// Who answers lookups for an example: from the Secrets of a line `# secrets: [...]`, or with the host's text of a line
/// `# lookup: <name>`. `None` where there is neither.
#[must_use]
pub fn answerer_of(yaml: &str) -> Option<Answerer> {
    let line = |start: &str| yaml.lines().find_map(|line| line.strip_prefix(start));
    if let Some(name) = line("# lookup: ") {
        let (_, text) =
            HOST_TEXTS.iter().find(|(other, _)| *other == name).unwrap_or_else(|| panic!("no text `{name}`"));
        return Some(Arc::new(move |_| Err((*text).to_owned())));
    }
    let mut secrets = Secrets::default();
    for manifest in secrets_of(yaml)? {
        secrets.add(&manifest).unwrap_or_else(|error| panic!("{error}: {yaml}"));
    }
    Some(secrets.answerer())
}

/// What policy-server answers where a lookup is not allowed; the second as Kubernetes and `kube` write it.
pub const HOST_TEXTS: [(&str, &str); 3] = [
    ("not-granted", NO_RESOURCE),
    (
        "forbidden",
        "Callback evaluation failure: ApiError: secrets \"dynakube\" is forbidden: User \
         \"system:serviceaccount:kubewarden:kyma-dynatrace\" cannot get resource \"secrets\" in API group \"\" in the namespace \
         \"dynatrace\": Forbidden (Status { status: Some(Failure), code: 403, reason: \"Forbidden\" })",
    ),
    ("no-capability", NO_CAPABILITY),
];

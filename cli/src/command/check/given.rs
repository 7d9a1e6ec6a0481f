//! What is given beside the pipelines: definitions, Secrets, and what is stored.

use std::path::Path;

use anyhow::ensure;
use kyma_dynatrace_admission::Secrets;
use kyma_dynatrace_apiserver::ApiServer;
use kyma_dynatrace_manifest::check::Cluster as _;
use kyma_dynatrace_manifest::document::{Object, split};

use super::Check;
use crate::input::{self, Failure};

impl Check<'_> {
    /// Reads all that the arguments name.
    pub(super) fn read_given(&mut self) -> anyhow::Result<()> {
        if let Some(path) = &self.args.crds {
            self.read_definitions(path)?;
        }
        if let Some(path) = &self.args.secrets {
            self.read_secrets(path)?;
        }
        if let Some(folder) = &self.args.update_from {
            self.read_stored(folder);
        }
        Ok(())
    }

    fn read_definitions(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut server = ApiServer::default();
        for object in self.read_all(path) {
            server.define(object.value)?;
        }
        ensure!(server.kinds() > 0, "{}: no CustomResourceDefinition", path.display());
        self.given.server = Some(server);
        Ok(())
    }

    /// Reads Secrets, at which the policy then looks. Their values stay in memory, and are printed nowhere.
    fn read_secrets(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut secrets = Secrets::default();
        for object in self.read_all(path) {
            if let Err(message) = secrets.add(&object.value) {
                self.report.failures.push(Failure::new(&path.to_string_lossy(), message));
            }
        }
        // What could not be read is reported at the end, by name.
        let is_told = !self.report.failures.is_empty();
        ensure!(is_told || secrets.count() > 0, "{}: no Secret", path.display());
        self.given.policies.policy.set_answerer(secrets.answerer());
        Ok(())
    }

    fn read_stored(&mut self, folder: &Path) {
        let objects = self.read_all(folder);
        let objects = objects.into_iter().map(|object| (object.title(), self.given.decode(&object.value)));
        self.given.stored = objects.collect();
    }

    /// All objects in a folder or file; what cannot be read goes into the report.
    fn read_all(&mut self, path: &Path) -> Vec<Object> {
        let mut objects = Vec::new();
        for path in input::files(&[path.to_owned()], &mut self.report.failures) {
            let input = match input::read(&path) {
                Ok(input) => input,
                Err(failure) => {
                    self.report.failures.push(failure);
                    continue;
                }
            };
            for document in split(&input.text) {
                match document.objects() {
                    Ok(found) => objects.extend(found.objects),
                    Err(error) => {
                        let message = error.to_string();
                        self.report.failures.push(Failure { name: input.name.clone(), line: error.line, message });
                    }
                }
            }
        }
        objects
    }
}

//! A copy of `manifests/` with the user's file filled in, and what kubectl makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize as _;
use serde_json::Value;
use tempfile::TempDir;

/// What a user fills in, with values that nobody could mistake for real ones.
pub const ENV: &str = "apiurl=https://abc12345.live.dynatrace.com/api\napiToken=first\ndataIngestToken=second\n";
/// Where.
pub const ENV_FILE: &str = "dynatrace/base/dynatrace.env";
/// A DynaKube has one of these.
const MODES: [&str; 2] = ["dynatrace/cloud-native-full-stack", "dynatrace/application-monitoring"];

/// A copy of `manifests/`, which goes with its owner: tests beside each other have their own.
pub struct Tree {
    /// Where it is.
    pub folder: PathBuf,
    _temporary: TempDir,
}

/// Something to render: a part, an overlay, or an overlay with some of its options.
pub struct Target {
    /// The folder below `manifests/`, and those of the options.
    pub name: String,
    /// Whether a user applies it as a whole.
    pub is_overlay: bool,
    resources: Vec<String>,
    components: Vec<String>,
}

/// A rendered object and the file that it is from.
pub struct Object {
    /// Below `manifests/`.
    pub file: String,
    /// The object itself.
    pub value: Value,
}

#[derive(serde::Deserialize)]
struct Kustomization {
    kind: String,
    #[serde(default)]
    resources: Vec<String>,
    /// Null where an overlay only offers some.
    components: Option<Vec<String>>,
}

impl Tree {
    /// Copies the manifests into a folder whose name begins like this.
    #[must_use]
    pub fn copy(name: &str) -> Self {
        let parent = crate::root().join("target/tmp/manifests");
        fs::create_dir_all(&parent).unwrap();
        let temporary = tempfile::Builder::new().prefix(name).tempdir_in(parent).unwrap();
        let folder = temporary.path().to_owned();
        crate::copy_manifests(&folder);
        let tree = Self { folder, _temporary: temporary };
        fs::write(tree.path(ENV_FILE), ENV).unwrap();
        tree
    }

    /// A file's path.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// A file's text.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Replaces a text that has to be there.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(self.path(file), text.replacen(from, to, 1)).unwrap();
    }

    /// All files, below the tree's folder.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        walk(&self.folder, &mut files);
        let mut files: Vec<String> =
            files.iter().map(|path| path.strip_prefix(&self.folder).unwrap().to_string_lossy().into_owned()).collect();
        files.sort();
        files
    }

    fn kustomizations(&self, kind: &str) -> Vec<(String, Kustomization)> {
        let files = self.files();
        let folders = files.iter().filter_map(|file| file.strip_suffix("/kustomization.yaml"));
        folders
            .map(|folder| {
                let text = self.read(&format!("{folder}/kustomization.yaml"));
                (folder.to_owned(), yaml_serde::from_str::<Kustomization>(&text).unwrap())
            })
            .filter(|(_, kustomization)| kustomization.kind == kind)
            .collect()
    }

    /// What an overlay offers: the lines off which a user takes the `#`.
    fn options(&self, overlay: &str) -> Vec<String> {
        let text = self.read(&format!("{overlay}/kustomization.yaml"));
        text.lines().filter_map(|line| line.strip_prefix("  # - ../../")).map(str::to_owned).collect()
    }

    /// Every part alone, every overlay alone, with each of its options, and with all that go together.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        self.targets_with(|options| {
            let mut chosen: Vec<Vec<String>> = vec![Vec::new()];
            chosen.extend(options.iter().map(|option| vec![option.clone()]));
            if options.len() > 1 {
                chosen.push(options.to_vec());
            }
            chosen
        })
    }

    /// The same, with every choice among an overlay's options.
    #[must_use]
    pub fn combinations(&self) -> Vec<Target> {
        self.targets_with(|options| {
            let is_chosen = |choice: usize, index: usize| choice & (1 << index) != 0;
            let pick = |choice: usize| {
                let chosen = options.iter().enumerate().filter(|(index, _)| is_chosen(choice, *index));
                chosen.map(|(_, option)| option.clone()).collect()
            };
            (0..1 << options.len()).map(pick).collect()
        })
    }

    fn targets_with(&self, choices: impl Fn(&[String]) -> Vec<Vec<String>>) -> Vec<Target> {
        let components = self.kustomizations("Component");
        let is_component = |folder: &str| components.iter().any(|(component, _)| component == folder);
        let mut targets = Vec::new();
        for (folder, kustomization) in self.kustomizations("Kustomization") {
            // Not for users: the values are filled in one level up.
            if folder == "dynatrace/base" {
                continue;
            }
            let is_overlay = folder.starts_with("overlays/");
            let options = if is_overlay { self.options(&folder) } else { Vec::new() };
            for chosen in choices(&options) {
                if chosen.is_empty() {
                    let (name, resources) = (folder.clone(), vec![folder.clone()]);
                    targets.push(Target { name, is_overlay, resources, components: Vec::new() });
                    continue;
                }
                let absolute = |path: &String| path.replacen("../../", "", 1);
                let mut resources: Vec<String> = kustomization.resources.iter().map(absolute).collect();
                let mut used: Vec<String> = kustomization.components.iter().flatten().map(absolute).collect();
                used.retain(|component| !chosen.iter().any(|option| both_modes(option, component)));
                for option in &chosen {
                    if is_component(option) { &mut used } else { &mut resources }.push(option.clone());
                }
                let name = format!("{folder} + {}", chosen.join(" + "));
                targets.push(Target { name, is_overlay, resources, components: used });
            }
        }
        targets
    }

    /// What `kubectl kustomize` makes of a target, or its complaint.
    ///
    /// # Errors
    /// What kubectl says.
    pub fn render(&self, target: &Target) -> Result<Vec<Object>, String> {
        // So that each object says what file it is from.
        let folder = self.write(target, "origins", &["originAnnotations"]);
        self.kustomize(&folder).map(|yaml| objects(&yaml))
    }

    /// A folder that `kubectl apply -k` takes for a target.
    #[must_use]
    pub fn applicable(&self, target: &Target) -> PathBuf {
        self.write(target, "applicable", &[])
    }

    fn write(&self, target: &Target, purpose: &str, metadata: &[&str]) -> PathBuf {
        let folder = self.folder.join(".render").join(purpose).join(target.name.replace(['/', ' ', '+'], "_"));
        fs::create_dir_all(&folder).unwrap();
        let above = |paths: &[String]| paths.iter().map(|path| format!("../../../{path}")).collect::<Vec<_>>();
        let kustomization = serde_json::json!({
            "resources": above(&target.resources),
            "components": above(&target.components),
            "buildMetadata": metadata,
        });
        fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).unwrap();
        folder
    }

    /// `kubectl kustomize` of a folder.
    ///
    /// # Errors
    /// What kubectl says.
    pub fn kustomize(&self, folder: &Path) -> Result<String, String> {
        let output = Command::new("kubectl").arg("kustomize").arg(folder).output();
        let output = output.unwrap_or_else(|error| panic!("kubectl cannot be run: {error}"));
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Target {
    /// The options that were chosen.
    #[must_use]
    pub fn chosen(&self) -> usize {
        self.name.matches(" + ").count()
    }
}

impl Object {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> String {
        self.value["kind"].as_str().unwrap_or_default().to_owned()
    }

    /// A text in it.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer).and_then(Value::as_str)
    }
}

fn objects(yaml: &str) -> Vec<Object> {
    let documents = yaml_serde::Deserializer::from_str(yaml);
    documents
        .map(|document| {
            let mut value = Value::deserialize(document).unwrap();
            let annotations = value["metadata"]["annotations"].as_object_mut().unwrap();
            let origin = annotations.remove("config.kubernetes.io/origin").unwrap();
            let is_empty = annotations.is_empty();
            if is_empty {
                value["metadata"].as_object_mut().unwrap().remove("annotations");
            }
            Object { file: file_of(origin.as_str().unwrap()), value }
        })
        .collect()
}

/// The ClusterAdmissionPolicies in a folder of the manifests, rendered with a user's values.
#[must_use]
pub fn policies(folder: &str) -> Vec<Value> {
    let tree = Tree::copy("policies");
    let target = tree.targets().into_iter().find(|target| target.name == folder);
    let target = target.unwrap_or_else(|| panic!("no target {folder}"));
    let objects = tree.render(&target).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let policies = objects.into_iter().filter(|object| object.kind() == "ClusterAdmissionPolicy");
    let policies: Vec<Value> = policies.map(|object| object.value).collect();
    assert!(!policies.is_empty(), "no policy in {folder}");
    policies
}

/// The file that an origin names: the object's own, or that of the generator's kustomization.
fn file_of(origin: &str) -> String {
    let origin: Value = yaml_serde::from_str(origin).unwrap();
    let path = origin["path"].as_str().or(origin["configuredIn"].as_str()).unwrap();
    path.trim_start_matches("../").to_owned()
}

fn both_modes(one: &str, other: &str) -> bool {
    MODES.contains(&one) && MODES.contains(&other)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != ".render" {
                walk(&entry.path(), files);
            }
        } else {
            files.push(entry.path());
        }
    }
}

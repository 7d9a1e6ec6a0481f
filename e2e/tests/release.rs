//! How the released command gets to people: the script that downloads it, the Action's and the hook's way to that, and what
//! the release workflow names its files. Against a release in a folder, which curl reads as it reads GitHub.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::root;
use serde_json::Value;

const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// A folder with a release, and a copy of what users run.
struct Release {
    folder: PathBuf,
}

impl Release {
    fn new(name: &str) -> Self {
        let folder = root().join("target/tmp/release").join(name);
        let _ = fs::remove_dir_all(&folder);
        let release = Self { folder };
        let version = release.path(&format!("releases/{VERSION}"));
        fs::create_dir_all(&version).unwrap();
        fs::write(version.join("kyma-dynatrace"), "#!/bin/sh\necho \"released: $*\"\n").unwrap();
        release.sh("chmod +x kyma-dynatrace && tar -czf archive kyma-dynatrace && rm kyma-dynatrace", &version);
        for platform in ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"] {
            fs::copy(version.join("archive"), version.join(format!("kyma-dynatrace-{platform}.tar.gz"))).unwrap();
        }
        fs::remove_file(version.join("archive")).unwrap();
        release.sh("sha256sum -- * > SHA256SUMS", &version);
        let user = release.path("user");
        fs::create_dir_all(user.join("install")).unwrap();
        for file in ["install/kyma-dynatrace.sh", "install/pre-commit.sh", "Cargo.toml"] {
            fs::copy(root().join(file), user.join(file)).unwrap();
        }
        release
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn run(&self, script: &str, folder: &Path) -> Output {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", script]).current_dir(folder);
        command.env("RELEASES", format!("file://{}", self.path("releases").display()));
        command.output().unwrap()
    }

    fn sh(&self, script: &str, folder: &Path) {
        let output = self.run(script, folder);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn install(&self) -> Output {
        self.run(&format!("install/kyma-dynatrace.sh {VERSION} bin"), &self.path("user"))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_released_command_is_installed() {
    let release = Release::new("installed");
    let output = release.install();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "bin/kyma-dynatrace\n");
    let output = release.run("bin/kyma-dynatrace check a", &release.path("user"));
    assert_eq!(text(&output.stdout), "released: check a\n");
}

#[test]
fn what_was_not_released_is_not_installed() {
    let refused = |name: &str, change: &str, reason: &str| {
        let release = Release::new(name);
        release.sh(change, &release.path(&format!("releases/{VERSION}")));
        let output = release.install();
        let told = text(&output.stderr);
        assert!(!output.status.success() && told.contains(reason), "{name}: {told}");
        assert!(!release.path("user/bin/kyma-dynatrace").exists(), "{name}: it is there");
    };
    refused("changed", "for file in *.tar.gz; do echo >> $file; done", "its hash differs");
    refused("not-listed", "sed -i s/kyma-dynatrace-/other-/ SHA256SUMS", "does not list");
    refused("no-sums", "rm SHA256SUMS", "cannot download SHA256SUMS");
    refused("no-archive", "rm *.tar.gz", "cannot download kyma-dynatrace-");
}

#[test]
fn the_hook_runs_the_command_of_its_version() {
    let release = Release::new("hook");
    for _ in 0..2 {
        let output = release.run("install/pre-commit.sh --fix a.yaml", &release.path("user"));
        assert_eq!(text(&output.stdout), "released: check --fix a.yaml\n", "{}", text(&output.stderr));
        // The second time it is there.
        release.sh("mv releases/v* away 2> /dev/null || true", &release.folder);
    }
    let hooks: Value =
        yaml_serde::from_str(&fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap()).unwrap();
    for hook in hooks.as_array().unwrap() {
        let script = hook["entry"].as_str().unwrap().split(' ').next().unwrap();
        assert!(hook["language"] == "script" && root().join(script).is_file(), "{hook}");
    }
}

#[test]
fn the_action_downloads_a_release_and_builds_anything_else() {
    let action: Value = yaml_serde::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let script = action["runs"]["steps"][0]["run"].as_str().unwrap();
    let release = Release::new("action");
    let user = release.path("user");
    release.sh(&format!("export REF={VERSION}\n{script}"), &user);
    assert!(user.join("kyma-dynatrace").is_file(), "a release is downloaded");
    for reference in ["main", "v0.2", "4f2a91c", "v0.2.0-rc.1"] {
        let output = release.run(&format!("make() {{ echo \"built: $*\"; }}\nREF={reference}\n{script}"), &user);
        assert_eq!(text(&output.stdout), "built: kyma-dynatrace\n", "{reference}");
    }
}

/// The names that the script asks for are those that the release has: made by `make archive` for each machine of the matrix.
#[test]
fn the_workflow_releases_what_the_script_asks_for() {
    let workflow = workflow();
    let mut released = Vec::new();
    for machine in workflow["jobs"]["command"]["strategy"]["matrix"]["include"].as_array().unwrap() {
        let triple = machine["triple"].as_str().unwrap();
        let output =
            Command::new("make").args(["-n", "archive", &format!("TRIPLE={triple}")]).current_dir(root()).output();
        let recipe = text(&output.unwrap().stdout);
        let archive = recipe.split_whitespace().find(|word| word.ends_with(".tar.gz")).unwrap();
        released.push(archive.trim_start_matches("dist/").to_owned());
    }
    released.sort();
    let expected = ["darwin-amd64", "darwin-arm64", "linux-amd64", "linux-arm64"];
    assert_eq!(released, expected.map(|platform| format!("kyma-dynatrace-{platform}.tar.gz")));
    let dockerfile = fs::read_to_string(root().join("install/Dockerfile")).unwrap();
    for line in ["FROM scratch", "USER 65532:65532", r#"ENTRYPOINT ["/kyma-dynatrace"]"#] {
        assert!(dockerfile.lines().any(|other| other == line), "{line}");
    }
}

/// The workflow's own steps, on a release in a folder and without a container engine: what the Dockerfile copies is there.
#[test]
fn the_image_has_what_the_dockerfile_copies() {
    let release = Release::new("image");
    let (user, dist) = (release.path("user"), release.path("user/dist"));
    release.sh(&format!("cp -r releases/{VERSION} user/dist"), &release.folder);
    assert!(dist.join("SHA256SUMS").is_file());
    for file in ["install/Dockerfile", "LICENSE"] {
        fs::copy(root().join(file), user.join(file)).unwrap();
    }
    let script = step("publish", "Push and sign the image of the command");
    let others = "docker() { echo \"docker $*\"; }\njq() { echo sha256:abc; }\ncosign() { echo \"cosign $*\"; }";
    let output = release
        .run(&format!("{others}\nCOMMAND_IMAGE=i GITHUB_REF_NAME={VERSION} GITHUB_OUTPUT=outputs\n{script}"), &user);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("--platform linux/amd64,linux/arm64"), "{printed}");
    // What is signed and attested is what was pushed, by its digest.
    assert!(printed.contains("cosign sign --yes i@sha256:abc\n"), "{printed}");
    assert_eq!(fs::read_to_string(user.join("outputs")).unwrap(), "digest=sha256:abc\n");
    let dockerfile = fs::read_to_string(user.join("image/Dockerfile")).unwrap();
    let copied: Vec<&str> =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")?.split(' ').next()).collect();
    assert_eq!(copied.len(), 2);
    for machine in ["amd64", "arm64"] {
        for file in &copied {
            let file = file.replace("${TARGETARCH}", machine);
            assert!(user.join("image").join(&file).is_file(), "{file}");
        }
    }
}

fn workflow() -> Value {
    yaml_serde::from_str(&fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap()).unwrap()
}

/// The script of a step.
fn step(job: &str, name: &str) -> String {
    let workflow = workflow();
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step `{name}`"));
    step["run"].as_str().unwrap().to_owned()
}

/// Files and both images: each is attested, the images by the digests that were pushed.
#[test]
fn everything_that_is_released_is_attested() {
    let workflow = workflow();
    let steps = workflow["jobs"]["publish"]["steps"].as_array().unwrap();
    let attested: Vec<&Value> = steps
        .iter()
        .filter(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/attest-build-provenance@")))
        .map(|step| &step["with"])
        .collect();
    assert_eq!(attested.len(), 3);
    assert_eq!(attested[0]["subject-path"], "dist/*");
    for (image, step, with) in
        [("kyma-dynatrace-policy", "module", attested[1]), ("kyma-dynatrace", "command", attested[2])]
    {
        assert_eq!(with["subject-name"], format!("ghcr.io/kyma-dynatrace-policy/{image}"));
        assert_eq!(with["subject-digest"], format!("${{{{ steps.{step}.outputs.digest }}}}"));
        assert_eq!(with["push-to-registry"], true);
        assert!(steps.iter().any(|other| other["id"] == step), "{step}");
    }
}

/// The branch that Artifact Hub reads holds the package's description, and README with its picture.
#[test]
fn the_branch_for_artifact_hub_is_complete() {
    let release = Release::new("artifacthub");
    let user = release.path("user");
    fs::create_dir_all(user.join("docs")).unwrap();
    for file in ["artifacthub-pkg.yml", "artifacthub-repo.yml", "README.md", "docs/check.svg"] {
        fs::copy(root().join(file), user.join(file)).unwrap();
    }
    let script = step("artifacthub", "Push the package's description");
    let git = "git() { if test \"$1\" = push; then echo \"pushed: $2 $4\"; else command git \"$@\"; fi; }";
    let output = release.run(&format!("{git}\nTOKEN=t GITHUB_REPOSITORY=r GITHUB_REF_NAME={VERSION}\n{script}"), &user);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "pushed: --force artifacthub\n");
    let output = Command::new("git")
        .args(["ls-tree", "-r", "--name-only", "artifacthub"])
        .current_dir(user.join("package"))
        .output();
    let files = text(&output.unwrap().stdout);
    assert_eq!(files, "README.md\nartifacthub-pkg.yml\nartifacthub-repo.yml\ndocs/check.svg\n");
}

//! Puts the annotated module into the binary, where it has been built.
//!
//! Beside it goes what was compiled of it ahead of time, where `KYMA_DYNATRACE_PRECOMPILED` names that.
//!
//! `make kyma-dynatrace` builds the module first and insists on it. Any other build may do without: the command then
//! asks for `--policy`.

use std::path::Path;
use std::{env, fs, process};

fn main() {
    let module = "../annotated-policy.wasm";
    println!("cargo:rerun-if-changed={module}");
    println!("cargo:rerun-if-env-changed=KYMA_DYNATRACE_EMBED");
    println!("cargo:rustc-check-cfg=cfg(embedded)");
    let Some(out) = env::var_os("OUT_DIR") else { process::exit(1) };
    precompiled(Path::new(&out));
    if Path::new(module).is_file() {
        if let Err(error) = fs::copy(module, Path::new(&out).join("policy.wasm")) {
            println!("cargo:error=cannot copy {module}: {error}");
        }
        println!("cargo:rustc-cfg=embedded");
    } else if env::var_os("KYMA_DYNATRACE_EMBED").is_some() {
        println!("cargo:error=annotated-policy.wasm is missing: run `make kyma-dynatrace`");
    }
}

fn precompiled(out: &Path) {
    println!("cargo:rerun-if-env-changed=KYMA_DYNATRACE_PRECOMPILED");
    println!("cargo:rustc-check-cfg=cfg(precompiled)");
    let Some(file) = env::var_os("KYMA_DYNATRACE_PRECOMPILED") else { return };
    println!("cargo:rerun-if-changed={}", file.display());
    match fs::copy(&file, out.join("policy.cwasm")) {
        Ok(_) => println!("cargo:rustc-cfg=precompiled"),
        Err(error) => println!("cargo:error=cannot copy {}: {error}", file.display()),
    }
}

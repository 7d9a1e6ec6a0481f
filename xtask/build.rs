//! Tells which machine this is built for. And without a build script, Cargo would not look at the build dependencies in
//! `Cargo.toml`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=TARGET={}", std::env::var("TARGET").unwrap_or_default());
}

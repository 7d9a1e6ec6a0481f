//! See `fuzz::yaml::yaml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::yaml::yaml(data));

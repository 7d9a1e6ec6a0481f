//! See `fuzz::policy::settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::policy::settings(data));

//! See `fuzz::policy::validate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::policy::validate(data));

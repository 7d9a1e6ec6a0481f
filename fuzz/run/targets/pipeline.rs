//! See `fuzz::pipeline::pipeline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|given: fuzz::pipeline::Pipeline| fuzz::pipeline::pipeline(&given));

//! The fuzzer's entry to the target `soap`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::soap::run(data));

//! The fuzzer's entry to the target `challenge`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::challenge::run(data));

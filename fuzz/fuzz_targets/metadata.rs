//! The fuzzer's entry to the target `metadata`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::metadata::run(data));

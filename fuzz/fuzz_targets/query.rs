//! The fuzzer's entry to the target `query`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::query::run(data));

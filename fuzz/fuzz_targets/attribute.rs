//! The fuzzer's entry to the target `attribute`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::attribute::run(data));

//! The fuzzer's entry to the target `cookies`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::cookies::run(data));

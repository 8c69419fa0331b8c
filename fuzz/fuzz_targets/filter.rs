//! The fuzzer's entry to the target `filter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::filter::run(data));

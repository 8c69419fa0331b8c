//! The fuzzer's entry to the target `date`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::date::run(data));

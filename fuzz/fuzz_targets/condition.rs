//! The fuzzer's entry to the target `condition`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::condition::run(data));

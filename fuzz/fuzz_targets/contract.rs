//! The fuzzer's entry to the target `contract`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::contract::run(data));

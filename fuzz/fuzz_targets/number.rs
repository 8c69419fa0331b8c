//! The fuzzer's entry to the target `number`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::number::run(data));

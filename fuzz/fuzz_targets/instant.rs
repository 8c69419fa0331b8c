//! The fuzzer's entry to the target `instant`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::instant::run(data));

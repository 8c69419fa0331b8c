//! The fuzzer's entry to the target `login_page`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::login_page::run(data));

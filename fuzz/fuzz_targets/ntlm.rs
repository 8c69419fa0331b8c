//! The fuzzer's entry to the target `ntlm`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| datahub_fuzz::ntlm::run(data));

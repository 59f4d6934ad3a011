//! Binary JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::mysql_json(input));

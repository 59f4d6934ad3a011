//! A packed decimal.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::decimal(input));

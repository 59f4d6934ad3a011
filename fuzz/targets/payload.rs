//! Compressed transactions of MySQL.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::payload(input));

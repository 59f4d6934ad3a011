//! Stored blocks of the embedded log.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::block(input));

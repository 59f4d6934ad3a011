//! Texts of values of extensions' types.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::extension(input));

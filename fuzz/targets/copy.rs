//! Rows of a COPY.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::copy(input));

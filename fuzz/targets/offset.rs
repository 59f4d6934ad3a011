//! Stored offsets of the PostgreSQL source.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::offset(input));

//! Signals of a file.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::signal(input));

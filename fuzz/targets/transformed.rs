//! Values that transforms take apart.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::transformed(input));

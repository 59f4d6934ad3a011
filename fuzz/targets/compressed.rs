//! What MariaDB has compressed.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::compressed(input));

//! What members of a group send to each other.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::member(input));

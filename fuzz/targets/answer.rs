//! Answers of brokers to administration.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::answer(input));

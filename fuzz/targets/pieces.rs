//! The compressed protocol of MySQL and MariaDB.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::pieces(input));

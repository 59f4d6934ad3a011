//! Events of a binlog.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::binlog(input));

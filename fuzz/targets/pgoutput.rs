//! The replication stream of PostgreSQL.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::pgoutput(input));

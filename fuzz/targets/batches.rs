//! Record batches of Kafka's brokers.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::batches(input));

//! Avro, Protobuf and JSON Schema.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::registered(input));

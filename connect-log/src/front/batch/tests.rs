use bytes::Bytes;
use connect_core::Encoded;
use kafka_protocol::records::{Record, RecordBatchDecoder};
use proptest::prelude::*;

use super::*;
use crate::local::{Draft, write_headers};

/// Key, value, time, headers.
type Given = (
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    i64,
    Vec<(String, Option<Vec<u8>>)>,
);

/// A block of these records, so many offsets apart.
fn block(first: i64, given: &[(Given, u64)]) -> Block {
    let mut encoded = Encoded::default();
    for ((key, value, time, headers), _) in given {
        encoded.push(&"t".into(), key.as_deref(), value.as_deref(), *time);
        for (name, value) in headers {
            encoded.push_header(name.as_str(), value.as_deref());
        }
    }
    let mut plain = Draft::default();
    for record in &encoded.records {
        let mut headers = Vec::new();
        write_headers(&encoded, encoded.headers(record), &mut headers);
        plain.push(&encoded, record, &headers, record.timestamp_ms);
    }
    let plain = plain.into_block(0);
    let mut apart = Draft::default();
    let mut last = first - 1;
    for (entry, (_, gap)) in plain.entries().zip(given) {
        apart.push_entry(&plain.body, &entry.expect("a record"), *gap);
        last += 1 + *gap as i64;
    }
    Block {
        last,
        ..apart.into_block(first)
    }
}

fn decoded(batches: Batches) -> Vec<Record> {
    let mut bytes = Bytes::from(batches.into_bytes());
    let sets = RecordBatchDecoder::decode_all(&mut bytes).expect("batches");
    sets.into_iter().flat_map(|set| set.records).collect()
}

fn records() -> impl Strategy<Value = Vec<(Given, u64)>> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    let header = ("[a-z]{0,8}", bytes());
    let headers = proptest::collection::vec(header, 0..3);
    let gap = prop_oneof![Just(0_u64), 0..5_u64, Just(3_000_000_000_u64)];
    let record = ((bytes(), bytes(), 0..i64::MAX, headers), gap);
    proptest::collection::vec(record, 1..30)
}

proptest! {
    /// A decoder that is not ours reads what was written.
    #[test]
    fn every_record_arrives(given in records(), first in 0..1_i64 << 40) {
        let block = block(first, &given);
        let mut batches = Batches::default();
        let pushed = batches.push(&block, first, usize::MAX).expect("a block");
        prop_assert_eq!(pushed, Pushed::All);
        let read = decoded(batches);
        prop_assert_eq!(read.len(), given.len());
        let mut offset = first - 1;
        for (record, ((key, value, time, headers), gap)) in read.iter().zip(&given) {
            offset += 1 + *gap as i64;
            prop_assert_eq!(record.offset, offset);
            prop_assert_eq!(record.timestamp, *time);
            prop_assert_eq!(record.key.as_deref(), key.as_deref());
            prop_assert_eq!(record.value.as_deref(), value.as_deref());
            // Their map keeps the last header of a name.
            for (name, value) in &record.headers {
                let last = headers.iter().rfind(|(other, _)| **other == **name);
                prop_assert_eq!(value.as_deref(), last.expect("a header").1.as_deref());
            }
        }
    }

    /// Whatever the limit, the first record arrives, and going on behind the last gives the rest.
    #[test]
    fn a_limit_loses_nothing(given in records(), limit in 0..3000_usize) {
        let block = block(7, &given);
        let (mut from, mut read) = (7, Vec::new());
        while from <= block.last {
            let mut batches = Batches::default();
            let pushed = batches.push(&block, from, limit).expect("a block");
            let bytes = batches.len();
            let some = decoded(batches);
            prop_assert!(!some.is_empty(), "at least one record");
            prop_assert!(bytes <= limit || some.len() == 1, "{} bytes for {}", bytes, limit);
            from = some.last().expect("one").offset + 1;
            prop_assert_eq!(pushed == Pushed::All, from > block.last);
            read.extend(some);
        }
        prop_assert_eq!(read.len(), given.len());
    }
}

#[test]
fn headers_of_the_same_name_are_all_there() {
    let headers = vec![
        ("same".to_owned(), Some(b"one".to_vec())),
        ("same".to_owned(), Some(b"two".to_vec())),
    ];
    let block = block(0, &[((None, None, 5, headers), 0)]);
    let mut batches = Batches::default();
    batches.push(&block, 0, usize::MAX).expect("a block");
    let bytes = batches.into_bytes();
    let count = |part: &[u8]| bytes.windows(part.len()).filter(|at| *at == part).count();
    assert_eq!((count(b"same"), count(b"one"), count(b"two")), (2, 1, 1));
}

#[test]
fn a_second_block_stays_whole_or_out() {
    let one = block(0, &[((None, Some(vec![1; 100]), 5, Vec::new()), 0)]);
    let two = block(1, &[((None, Some(vec![2; 100]), 5, Vec::new()), 0)]);
    let mut batches = Batches::default();
    assert_eq!(batches.push(&one, 0, 250).expect("a block"), Pushed::All);
    let len = batches.len();
    assert_eq!(batches.push(&two, 1, 250).expect("a block"), Pushed::Part);
    assert_eq!(batches.len(), len);
    assert_eq!(batches.push(&two, 1, 1000).expect("a block"), Pushed::All);
    assert_eq!(decoded(batches).len(), 2);
}

#[test]
fn a_gap_is_a_batch_of_no_records() {
    let mut batches = Batches::default();
    batches.push_gap(10..15);
    let bytes = batches.into_bytes();
    assert_eq!(bytes.len(), HEAD);
    assert_eq!(bytes[..8], 10_i64.to_be_bytes());
    assert_eq!(bytes[23..27], 4_i32.to_be_bytes());
    assert_eq!(bytes[COUNT_AT..], 0_i32.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[CRC_FROM..]);
    assert_eq!(bytes[CRC_AT..CRC_FROM], crc.to_be_bytes());
}

use bytes::Bytes;
use connect_core::Encoded;
use kafka_protocol::records::{Compression as Codec, Record, RecordBatchDecoder};
use proptest::prelude::*;

use super::*;

const BY: Identity = Identity {
    id: 4_000_000_007,
    epoch: 3,
    transactional: true,
};

type Header = (String, Option<Vec<u8>>);

#[derive(Debug, Clone)]
struct Sample {
    time: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<Header>,
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let part = |most| proptest::option::of(proptest::collection::vec(0..4_u8, 0..most));
    let headers = proptest::collection::vec(("[a-z]{0,9}", part(20)), 0..3);
    let sample = (0..i64::from(u32::MAX), part(200), part(200_000), headers).prop_map(
        |(time, key, value, headers)| Sample {
            time,
            key,
            value,
            headers,
        },
    );
    proptest::collection::vec(sample, 1..6)
}

fn batch_of(samples: &[Sample], compression: Compression) -> Bytes {
    let mut encoded = Encoded::default();
    for sample in samples {
        encoded.push(
            &"t".into(),
            sample.key.as_deref(),
            sample.value.as_deref(),
            sample.time,
        );
        for (name, value) in &sample.headers {
            encoded.push_header(name.as_str(), value.as_deref());
        }
    }
    let mut builder = Builder::new(compression);
    for record in &encoded.records {
        let mut headers = Vec::new();
        write_headers(&encoded, encoded.headers(record), &mut headers);
        builder.push(&encoded, record, &headers, 0);
    }
    builder.seal(BY, 17).unwrap().0
}

/// Reads a batch with another implementation; it checks the checksum.
fn read_back(batch: Bytes, codec: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Record> {
    let decompress = |bytes: &mut Bytes, _: Codec| Ok(Bytes::from(codec(&bytes.split_off(0))));
    let set =
        RecordBatchDecoder::decode_with_custom_compression(&mut batch.clone(), Some(decompress));
    set.unwrap().records
}

fn assert_same(samples: &[Sample], records: &[Record]) {
    assert_eq!(records.len(), samples.len());
    for (index, (sample, record)) in samples.iter().zip(records).enumerate() {
        assert_eq!(record.timestamp, sample.time);
        assert_eq!(record.offset, index as i64);
        assert_eq!(record.key.as_deref(), sample.key.as_deref());
        assert_eq!(record.value.as_deref(), sample.value.as_deref());
        assert_eq!(record.producer_id, BY.id);
        assert_eq!(record.producer_epoch, BY.epoch);
        assert_eq!(record.sequence, 17 + index as i32);
        assert!(record.transactional);
        for (name, value) in &sample.headers {
            let found = record
                .headers
                .iter()
                .find(|(found, _)| found.as_str() == name);
            let last = sample.headers.iter().rev().find(|(other, _)| other == name);
            assert_eq!(
                found.unwrap().1.as_deref(),
                last.unwrap().1.as_deref(),
                "{value:?}"
            );
        }
    }
}

/// A reader of LZ4 frames that follows the specification of the frame, block by block.
fn unframe_lz4(mut frame: &[u8]) -> Vec<u8> {
    assert_eq!(
        frame.get(..7),
        Some(&[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82][..])
    );
    frame = &frame[7..];
    let mut out = Vec::new();
    loop {
        let (size, rest) = frame.split_first_chunk::<4>().unwrap();
        let size = u32::from_le_bytes(*size);
        if size == 0 {
            assert!(rest.is_empty());
            return out;
        }
        let (block, rest) = rest.split_at((size & 0x7fff_ffff) as usize);
        match size >> 31 {
            1 => out.extend_from_slice(block),
            _ => out.extend(lz4_flex::block::decompress(block, 64 * 1024).unwrap()),
        }
        frame = rest;
    }
}

fn unframe_snappy(stream: &[u8]) -> Vec<u8> {
    let mut rest = stream
        .strip_prefix(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01")
        .unwrap();
    let mut out = Vec::new();
    while let Some((size, tail)) = rest.split_first_chunk::<4>() {
        let (block, tail) = tail.split_at(u32::from_be_bytes(*size) as usize);
        out.extend(snap::raw::Decoder::new().decompress_vec(block).unwrap());
        rest = tail;
    }
    out
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read_by_another_implementation(samples in samples()) {
        let none = batch_of(&samples, Compression::None);
        assert_same(&samples, &read_back(none, <[u8]>::to_vec));
        let lz4 = batch_of(&samples, Compression::Lz4);
        assert_same(&samples, &read_back(lz4, unframe_lz4));
        let snappy = batch_of(&samples, Compression::Snappy);
        assert_same(&samples, &read_back(snappy, unframe_snappy));
        let gzip = batch_of(&samples, Compression::Gzip);
        assert_same(&samples, &read_back(gzip, gunzip));
        let zstd = batch_of(&samples, Compression::Zstd);
        assert_same(&samples, &read_back(zstd, |bytes| zstd::decode_all(bytes).unwrap()));
    }
}

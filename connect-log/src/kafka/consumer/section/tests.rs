use proptest::prelude::*;

use super::*;
use crate::kafka::producer::batch_of;

const ALL: Full = Full {
    records: usize::MAX,
    bytes: usize::MAX,
};
const COMPRESSIONS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

fn of() -> TopicPartition {
    TopicPartition::new("t", 3)
}

fn section(bytes: &[u8], next: i64, checks: bool) -> Section {
    Section::new(of(), 1, next, Bytes::copy_from_slice(bytes), checks)
}

/// All that is in these bytes.
fn all(bytes: &[u8]) -> Result<Encoded> {
    let mut out = Encoded::default();
    let mut section = section(bytes, 0, true);
    assert!(section.take(&mut out, ALL, &mut Tools::default())?);
    Ok(out)
}

/// As plain values: key, value, headers, time.
type Plain = (
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(String, Option<Vec<u8>>)>,
    i64,
);

fn plain(of: &Encoded) -> Vec<Plain> {
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let one = |record: &EncodedRecord| {
        let headers = of.headers(record).iter().map(|header| {
            let value = header.value.as_ref().map(|range| of.slice(range));
            (header.name.to_string(), owned(value))
        });
        let (key, value) = (of.key(record), of.value(record));
        (
            owned(key),
            owned(value),
            headers.collect(),
            record.timestamp_ms,
        )
    };
    of.records.iter().map(one).collect()
}

fn encoded(records: &[Plain]) -> Encoded {
    let mut out = Encoded::default();
    let topic: Arc<str> = "t".into();
    for (key, value, headers, time) in records {
        out.push(&topic, key.as_deref(), value.as_deref(), *time);
        for (name, value) in headers {
            out.push_header(name.as_str(), value.as_deref());
        }
    }
    out
}

/// Moves a batch to another offset. The checksum does not cover it.
fn moved(batch: &[u8], base: i64) -> Vec<u8> {
    let mut batch = batch.to_vec();
    batch[..8].copy_from_slice(&base.to_be_bytes());
    batch
}

fn with_crc(mut batch: Vec<u8>) -> Vec<u8> {
    if let Some(covered) = batch.get(21..) {
        let crc = crc32c::crc32c(covered);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    batch
}

/// A marker of a transaction's end at an offset.
fn marker(base: i64, commits: bool) -> Vec<u8> {
    let key = [0, 0, 0, u8::from(commits)];
    let record = encoded(&[(Some(key.to_vec()), Some(vec![0; 6]), vec![], 5)]);
    let mut batch = moved(&batch_of(&record, "none"), base);
    batch[22] |= 0x20;
    with_crc(batch)
}

fn texts(count: usize) -> Encoded {
    let one = |n: usize| {
        (
            None,
            Some(format!("{n:0>30}").into_bytes()),
            vec![],
            1000 + n as i64,
        )
    };
    encoded(&(0..count).map(one).collect::<Vec<_>>())
}

#[test]
fn records_are_taken_as_many_as_wanted_and_from_where() {
    let few = Full {
        records: 10,
        bytes: usize::MAX,
    };
    for compression in COMPRESSIONS {
        let records = texts(10_000);
        let batch = batch_of(&records, compression);
        let bytes = [moved(&batch, 100), moved(&batch, 20_000)].concat();
        let mut section = section(&bytes, 5000, true);
        let mut tools = Tools::default();
        let mut out = Encoded::default();
        assert!(!section.take(&mut out, few, &mut tools).unwrap());
        assert_eq!(
            (out.len(), out.records[0].offset, section.next),
            (10, 5000, 5010)
        );
        assert_eq!(
            out.value(&out.records[0]),
            records.value(&records.records[4900])
        );
        // Its memory is given back, and it goes on where it was.
        section.shut(&mut tools);
        assert!(section.take(&mut out, ALL, &mut tools).unwrap());
        let offsets: Vec<_> = out.records.iter().map(|record| record.offset).collect();
        assert!(
            offsets
                .iter()
                .copied()
                .eq((5000..10_100).chain(20_000..30_000)),
            "{compression}"
        );
        assert_eq!(section.next, 30_000);
        assert_eq!(batch::end(&bytes).unwrap(), Some(30_000));
    }
}

#[test]
fn what_was_aborted_and_markers_are_left_out() {
    let batch = batch_of(&texts(2), "lz4");
    // Aborted, aborted again, committed, aborted once more, all by the same producer.
    let bytes = [
        moved(&batch, 0),
        marker(2, false),
        moved(&batch, 3),
        moved(&batch, 5),
        marker(7, false),
        moved(&batch, 8),
        marker(10, true),
        moved(&batch, 11),
        marker(13, false),
    ]
    .concat();
    let mut section = section(&bytes, 0, true).without(vec![(7, 11), (7, 0), (7, 3), (8, 0)]);
    let mut out = Encoded::default();
    assert!(section.take(&mut out, ALL, &mut Tools::default()).unwrap());
    let offsets: Vec<_> = out.records.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [8, 9]);
    assert_eq!(section.next, 14);
}

#[test]
fn a_batch_that_is_cut_off_is_left_for_the_next_answer() {
    let batch = batch_of(&texts(3), "none");
    let bytes = [&batch, &moved(&batch, 3)[..batch.len() - 1]].concat();
    let out = all(&bytes).unwrap();
    assert_eq!(out.len(), 3);
    assert_eq!(batch::end(&bytes).unwrap(), Some(3));
}

#[test]
fn damage_and_old_formats_are_told() {
    let batch = batch_of(&texts(3), "none");
    let mut damaged = batch.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let error = all(&damaged).unwrap_err();
    assert_eq!(error.code(), &crate::UNREADABLE, "{error:?}");
    assert!(error.to_string().contains("checksum"), "{error}");
    let mut unchecked = section(&damaged, 0, false);
    let mut out = Encoded::default();
    drop(unchecked.take(&mut out, ALL, &mut Tools::default()));
    let mut old = batch.to_vec();
    old[16] = 1;
    let error = all(&old).unwrap_err();
    assert!(error.to_string().contains("0.11"), "{error}");
}

/// Blocks of LZ4 that refer to each other, as other clients write them.
#[test]
fn linked_blocks_of_lz4_are_read() {
    let first = b"once upon a time, once upon a time".to_vec();
    let second = b"upon a time, a time, once upon".to_vec();
    let mut frame = vec![0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0];
    let blocks = [
        lz4_flex::block::compress(&first),
        lz4_flex::block::compress_with_dict(&second, &first),
    ];
    for block in blocks {
        frame.extend_from_slice(&(block.len() as u32).to_le_bytes());
        frame.extend_from_slice(&block);
    }
    frame.extend_from_slice(&[0; 4]);
    let mut inflate = Inflate::new(3, frame.into(), &mut Spare::default()).unwrap();
    let mut found = Vec::new();
    loop {
        let rest = inflate.rest().unwrap();
        if rest.is_empty() {
            break;
        }
        found.extend_from_slice(rest);
        let count = rest.len();
        inflate.took(count);
    }
    assert_eq!(found, [first, second].concat());
}

/// Snappy as librdkafka writes it: one block without a head.
#[test]
fn bare_snappy_is_read() {
    let plain = batch_of(&texts(500), "none");
    let block = snap::raw::Encoder::new()
        .compress_vec(&plain[HEAD..])
        .unwrap();
    let mut batch = [&plain[..HEAD], &block].concat();
    let length = (batch.len() - 12) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[22] |= 2;
    assert_eq!(
        plain_values(&all(&with_crc(batch)).unwrap()),
        plain_values(&texts(500))
    );
}

fn plain_values(of: &Encoded) -> Vec<Option<Vec<u8>>> {
    plain(of).into_iter().map(|(_, value, ..)| value).collect()
}

/// A few bytes that become more than a gigabyte: the record that they claim to be is refused before it is there.
#[test]
fn a_bomb_takes_no_memory() {
    let mut inner = vec![0xfe, 0xff, 0xff, 0xff, 0x0f];
    inner.resize(8 << 20, 0);
    for code in [1, 4] {
        let packed = match code {
            1 => {
                let mut gzip =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                std::io::Write::write_all(&mut gzip, &inner).unwrap();
                gzip.finish().unwrap()
            }
            _ => zstd::encode_all(inner.as_slice(), 3).unwrap(),
        };
        let mut batch = batch_of(&texts(1), "none")[..HEAD].to_vec();
        batch.extend_from_slice(&packed);
        let length = (batch.len() - 12) as i32;
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        batch[22] |= code;
        let mut out = Encoded::default();
        let bytes = with_crc(batch);
        let mut section = section(&bytes, 0, true);
        section
            .take(&mut out, ALL, &mut Tools::default())
            .unwrap_err();
        assert!(out.bytes.capacity() < 1 << 20);
    }
}

fn parts() -> impl Strategy<Value = Plain> {
    let bytes = || prop::option::of(prop::collection::vec(any::<u8>(), 0..300));
    let header = ("[a-c]{0,3}", bytes());
    let headers = prop::collection::vec(header, 0..4);
    (bytes(), bytes(), headers, 0..i64::MAX)
}

proptest! {
    #[test]
    fn what_the_producer_writes_is_read(
        records in prop::collection::vec(parts(), 1..60),
        compression in 0..5_usize,
    ) {
        let batch = batch_of(&encoded(&records), COMPRESSIONS[compression]);
        prop_assert_eq!(plain(&all(&batch).unwrap()), records);
    }

    /// With a checksum that fits, so that all behind it sees the damage.
    #[test]
    fn changed_bytes_never_panic(
        records in prop::collection::vec(parts(), 1..20),
        compression in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut batch = batch_of(&encoded(&records), COMPRESSIONS[compression]).to_vec();
        for (at, byte) in changes {
            let at = at.index(batch.len());
            batch[at] = byte;
        }
        batch[16] = 2;
        let length = (batch.len() - 12) as i32;
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        let batch = with_crc(batch);
        let few = Full { records: 100_000, bytes: 1 << 24 };
        for bytes in [&batch[..], &batch[..cut.index(batch.len())]] {
            drop(batch::end(bytes));
            for checks in [true, false] {
                let mut out = Encoded::default();
                let mut section = section(bytes, 0, checks);
                drop(section.take(&mut out, few, &mut Tools::default()));
                plain(&out);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, code in 0..5_i16) {
        drop(batch::end(&bytes));
        drop(all(&bytes));
        record::is_abort(&bytes);
        let mut inflate = Inflate::new(code, bytes.into(), &mut Spare::default()).unwrap();
        while let Ok(rest) = inflate.rest() {
            let count = rest.len();
            if count == 0 {
                break;
            }
            inflate.took(count);
        }
    }
}

use proptest::{collection::vec, option, prelude::*};

use super::*;

type Plain = (
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(String, Option<Vec<u8>>)>,
);

fn record() -> impl Strategy<Value = Plain> {
    let bytes = || option::of(vec(any::<u8>(), 0..200));
    (
        any::<i64>(),
        bytes(),
        bytes(),
        vec((".{0,8}", bytes()), 0..3),
    )
}

fn encoded(records: &[Plain]) -> Encoded {
    let topic = Arc::from("t");
    let mut out = Encoded::default();
    for (timestamp_ms, key, value, headers) in records {
        out.push(&topic, key.as_deref(), value.as_deref(), *timestamp_ms);
        for (name, value) in headers {
            out.push_header(name.as_str(), value.as_deref());
        }
    }
    out
}

fn plain(records: &Encoded) -> Vec<Plain> {
    let all = records.records.iter();
    all.map(|record| {
        let headers = records.headers(record).iter().map(|h| {
            let value = h.value.as_ref().map(|range| records.slice(range).to_vec());
            (h.name.to_string(), value)
        });
        (
            record.timestamp_ms,
            records.key(record).map(<[u8]>::to_vec),
            records.value(record).map(<[u8]>::to_vec),
            headers.collect(),
        )
    })
    .collect()
}

fn draft(records: &Encoded) -> Draft {
    let mut draft = Draft::default();
    for record in &records.records {
        let mut headers = Vec::new();
        write_headers(records, records.headers(record), &mut headers);
        draft.push(records, record, &headers, record.timestamp_ms);
    }
    draft
}

/// Copies from an offset on, so many records at a time.
fn copy(block: &Block, from: i64, max: usize) -> Result<Encoded> {
    let (topic, mut out) = (Arc::from("t"), Encoded::default());
    let mut ask = Copying {
        topic: &topic,
        partition: 3,
        cursor: None,
        from,
        max,
        max_bytes: usize::MAX,
    };
    loop {
        let before = out.len();
        let (cursor, next) = block.copy_to(ask, &mut out)?;
        assert!(out.len() - before <= max);
        if block.is_at_end(cursor) {
            return Ok(out);
        }
        assert_eq!(next, out.records.last().map_or(from, |r| r.offset + 1));
        ask.cursor = Some(cursor);
    }
}

proptest! {
    #[test]
    fn records_come_back(records in vec(record(), 1..20), from in 0_i64..25, max in 1_usize..7) {
        let input = encoded(&records);
        let whole = draft(&input);
        let size = |record| {
            let mut headers = Vec::new();
            write_headers(&input, input.headers(record), &mut headers);
            size_of_record(record, headers.len())
        };
        let sizes: usize = input.records.iter().map(size).sum();
        prop_assert!(whole.body.len() <= sizes);
        let block = whole.into_block(100);
        prop_assert_eq!(block.last, 99 + records.len() as i64);
        prop_assert_eq!(block.max_timestamp_ms, records.iter().map(|r| r.0).max().unwrap());
        let out = copy(&block, 100 + from, max)?;
        let skipped = (from as usize).min(records.len());
        prop_assert_eq!(plain(&out), &records[skipped..]);
        for (record, offset) in out.records.iter().zip(100 + from..) {
            prop_assert_eq!((record.offset, record.partition), (offset, Some(3)));
        }
    }

    #[test]
    fn two_bodies_are_a_body(a in vec(record(), 0..8), b in vec(record(), 1..8)) {
        let mut both = draft(&encoded(&a));
        both.append(&draft(&encoded(&b)));
        let whole = draft(&encoded(&[a, b].concat()));
        prop_assert_eq!(both.count, whole.count);
        prop_assert_eq!(both.max_timestamp_ms, whole.max_timestamp_ms);
        prop_assert_eq!(both.body, whole.body);
    }

    #[test]
    fn what_is_left_keeps_its_offsets(records in vec(record(), 1..20), keep in any::<u32>()) {
        let block = draft(&encoded(&records)).into_block(7);
        let kept: Vec<Entry> = block.entries().map(Result::unwrap)
            .filter(|entry| keep >> (entry.offset - 7) & 1 == 1).collect();
        prop_assume!(!kept.is_empty());
        let (mut left, mut last) = (Draft::default(), kept[0].offset - 1);
        for entry in &kept {
            left.push_entry(&block.body, entry, (entry.offset - last - 1) as u64);
            last = entry.offset;
        }
        let mut left = left.into_block(kept[0].offset);
        left.last = last;
        let out = copy(&left, 0, 3)?;
        let offsets: Vec<_> = out.records.iter().map(|r| r.offset).collect();
        prop_assert_eq!(offsets, kept.iter().map(|e| e.offset).collect::<Vec<_>>());
        let expected: Vec<_> = kept.iter().map(|e| records[(e.offset - 7) as usize].clone()).collect();
        prop_assert_eq!(plain(&out), expected);
    }

    #[test]
    fn a_body_that_was_cut_is_an_error_or_fewer_records(records in vec(record(), 1..5)) {
        let block = draft(&encoded(&records)).into_block(0);
        for len in 0..block.body.len() {
            let cut = Block { body: block.body.slice(..len), ..block.clone() };
            if let Ok(out) = copy(&cut, 0, 100) {
                prop_assert_eq!(plain(&out), &records[..out.len()]);
                prop_assert!(out.len() < records.len());
            }
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300), from in any::<i64>()) {
        let block = Block { body: Bytes::from(bytes), ..Draft::default().into_block(0) };
        if let Ok(out) = copy(&block, from, 2) {
            for record in &out.records {
                prop_assert!(record.offset >= from);
                let _ = (out.key(record), out.value(record));
            }
        }
        let _ = block.entries().filter(Result::is_ok).count();
    }
}

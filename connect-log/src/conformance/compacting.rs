//! Retention and compaction, where they can be made to happen.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::Encoded;

use super::{
    Got,
    subject::{Subject, at, durable, keyed, texts, values},
};
use crate::At;

/// Of each key only the last record is left, where it was, in order; the end does not move.
pub async fn the_last_of_each_key_is_left(s: &Subject) {
    let Some(upkeep) = &s.upkeep else { return };
    let topic = s.topic_with(1, &[("cleanup.policy", "compact")]).await;
    let mut appender = s.appender().await;
    for round in 0..20 {
        let mut records = Encoded::default();
        for key in 0..50 {
            // Key 0 is written in the first round only, key 1 in the first two, and so on.
            if round <= key {
                let (key, value) = (format!("k{key}"), format!("{round}"));
                records.push(&topic, Some(key.as_bytes()), Some(value.as_bytes()), -1);
                records.push_header("h", Some(value.as_bytes()));
            }
        }
        durable(&mut *appender, &records).await;
    }
    let of = at(&topic, 0);
    let end = s.log.offset_at(&of, At::Latest).await.unwrap();
    let before = last_of_each(&s.all(&topic, 1, 810).await);
    upkeep().await.unwrap();
    let after = s.all(&topic, 1, 50).await;
    assert_eq!(after, before);
    assert_eq!(after[0].headers, [("h".to_owned(), Some(b"0".to_vec()))]);
    assert_eq!(s.log.offset_at(&of, At::Latest).await.unwrap(), end);
    durable(&mut *appender, &keyed(&topic, &[("k0", Some("new"))])).await;
    let more = s.all(&topic, 1, 51).await;
    assert_eq!((more[50].offset, more[50].text()), (end, "new".to_owned()));
    assert_eq!(s.log.offset_at(&of, At::Earliest).await.unwrap(), 0);
}

/// A tombstone removes what was before it, stays for `delete.retention.ms`, then goes itself.
pub async fn tombstones_go_after_their_time(s: &Subject) {
    let Some(upkeep) = &s.upkeep else { return };
    let compact = ("cleanup.policy", "compact");
    let topic = s.topic_with(1, &[compact]).await;
    let mut appender = s.appender().await;
    let records = keyed(
        &topic,
        &[("a", Some("1")), ("b", Some("1")), ("a", None), ("c", None)],
    );
    durable(&mut *appender, &records).await;
    upkeep().await.unwrap();
    upkeep().await.unwrap();
    let left = s.all(&topic, 1, 3).await;
    let keys: Vec<_> = left.iter().map(|g| g.key.clone().unwrap()).collect();
    assert_eq!(keys, [b"b", b"a", b"c"]);
    let fast = s
        .topic_with(1, &[compact, ("delete.retention.ms", "0")])
        .await;
    let records = keyed(
        &fast,
        &[("a", Some("1")), ("b", Some("1")), ("a", None), ("c", None)],
    );
    durable(&mut *appender, &records).await;
    let end = s.log.offset_at(&at(&fast, 0), At::Latest).await.unwrap();
    upkeep().await.unwrap();
    upkeep().await.unwrap();
    let left = s.all(&fast, 1, 1).await;
    assert_eq!(left[0].key.as_deref(), Some(&b"b"[..]));
    assert_eq!(
        s.log.offset_at(&at(&fast, 0), At::Latest).await.unwrap(),
        end
    );
    durable(&mut *appender, &keyed(&fast, &[("d", Some("1"))])).await;
    assert_eq!(
        s.all(&fast, 1, 2).await[1].offset,
        end,
        "no offset is given twice"
    );
}

/// Compaction after compaction, with large and small blocks, keeps what must be kept.
pub async fn a_compacted_topic_is_compacted_again(s: &Subject) {
    let Some(upkeep) = &s.upkeep else { return };
    let topic = s.topic_with(2, &[("cleanup.policy", "compact")]).await;
    let mut appender = s.appender().await;
    let mut expected: BTreeMap<Vec<u8>, Got> = BTreeMap::new();
    let filling = "f".repeat(500);
    for round in 0..6_u32 {
        let mut records = Encoded::default();
        for at in 0..700_u32 {
            let key = format!("k{}", (at * at + round * 37) % (300 + round * 200));
            let value = format!("{round}:{at} {filling}");
            records.push(&topic, Some(key.as_bytes()), Some(value.as_bytes()), -1);
        }
        durable(&mut *appender, &records).await;
        for at in 0..20 {
            let key = format!("k{at}");
            let one = keyed(&topic, &[(&key, Some("small"))]);
            durable(&mut *appender, &one).await;
        }
        let before = read(s, &topic).await;
        for got in before {
            expected.insert(got.key.clone().unwrap(), got);
        }
        upkeep().await.unwrap();
        let mut after = read(s, &topic).await;
        after.sort_by(|a, b| a.key.cmp(&b.key));
        let wanted: Vec<_> = expected.values().cloned().collect();
        assert!(
            after == wanted,
            "round {round}: {} and {}",
            after.len(),
            wanted.len()
        );
    }
}

/// Records older than `retention.ms` go; the beginning moves.
pub async fn old_records_go(s: &Subject) {
    let Some(upkeep) = &s.upkeep else { return };
    let topic = s.topic_with(1, &[("retention.ms", "3600000")]).await;
    let mut appender = s.appender().await;
    let mut old = values(&topic, 0, &["old", "older"]);
    for record in &mut old.records {
        record.timestamp_ms = 1_600_000_000_000;
    }
    durable(&mut *appender, &old).await;
    durable(&mut *appender, &values(&topic, 0, &["new"])).await;
    upkeep().await.unwrap();
    assert_eq!(texts(&s.all(&topic, 1, 1).await), ["new"]);
    assert_eq!(
        s.log.offset_at(&at(&topic, 0), At::Earliest).await.unwrap(),
        2
    );
    let keep = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
    s.log.alter_topic(&topic, &keep).await.unwrap();
    durable(&mut *appender, &old).await;
    upkeep().await.unwrap();
    assert_eq!(texts(&s.all(&topic, 1, 3).await), ["new", "old", "older"]);
}

/// When a partition has more than `retention.bytes`, its oldest records go.
pub async fn too_many_bytes_go(s: &Subject) {
    let Some(upkeep) = &s.upkeep else { return };
    let topic = s.topic_with(1, &[("retention.bytes", "5000")]).await;
    let mut appender = s.appender().await;
    let thousand = "x".repeat(1000);
    for _ in 0..20 {
        durable(&mut *appender, &values(&topic, 0, &[&thousand])).await;
    }
    upkeep().await.unwrap();
    let earliest = s.log.offset_at(&at(&topic, 0), At::Earliest).await.unwrap();
    assert!((14..=16).contains(&earliest), "{earliest}");
    s.all(&topic, 1, 20 - earliest as usize).await;
}

fn last_of_each(all: &[Got]) -> Vec<Got> {
    let mut last = BTreeMap::new();
    for got in all {
        last.insert(got.key.clone(), got.clone());
    }
    let mut last: Vec<_> = last.into_values().collect();
    last.sort_by_key(|got| got.offset);
    last
}

/// Everything in two partitions, up to their ends.
async fn read(s: &Subject, topic: &Arc<str>) -> Vec<Got> {
    let mut reader = s.reader(topic, 2).await;
    let mut got = Vec::new();
    while super::subject::poll(&mut *reader, &mut got).await == crate::Event::Records {}
    got
}

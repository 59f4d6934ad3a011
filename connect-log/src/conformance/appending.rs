//! Writing without transactions.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use connect_core::{Encoded, error::RECORD_TOO_LARGE};

use super::subject::{Subject, durable, keyed, texts, values};
use crate::{UNKNOWN_TOPIC, partition_for};

/// Records of one appender are in each partition in the order in which they were appended, with growing offsets.
pub async fn records_come_back_in_order(s: &Subject) {
    let topic = s.topic(3).await;
    let mut appender = s.appender().await;
    for round in 0..10 {
        let mut records = Encoded::default();
        for at in 0..30 {
            let number = round * 30 + at;
            let text = number.to_string();
            let record = records.push(&topic, None, Some(text.as_bytes()), -1);
            record.partition = Some(number % 3);
        }
        appender.append(&records).await.unwrap();
    }
    appender.commit(None).await.unwrap();
    let got = s.all(&topic, 3, 300).await;
    for partition in 0..3 {
        let of: Vec<_> = got.iter().filter(|g| g.partition == partition).collect();
        let numbers: Vec<i32> = of.iter().map(|g| g.text().parse().unwrap()).collect();
        let expected: Vec<i32> = (0..300).filter(|n| n % 3 == partition).collect();
        assert_eq!(numbers, expected);
        assert!(of.windows(2).all(|two| two[0].offset < two[1].offset));
    }
}

/// When the watermark has reached a ticket, every record up to it can be read.
pub async fn what_is_durable_is_visible(s: &Subject) {
    let topic = s.topic(1).await;
    let mut appender = s.appender().await;
    assert!(appender.durable().failure().is_none());
    let mut last = 0;
    for number in 0..20 {
        let text = number.to_string();
        let appended = appender.append(&values(&topic, 0, &[&text])).await.unwrap();
        assert!(appended.ticket > last, "tickets grow");
        last = appended.ticket;
        let mut watermark = appender.durable();
        watermark.reach(last).await.unwrap();
        assert!(watermark.latest() >= Some(last));
        if number % 7 == 0 {
            let got = s.all(&topic, 1, number + 1).await;
            assert_eq!(got[number].text(), text);
        }
    }
}

/// Without a partition, the key's hash chooses as Kafka's Java client does.
pub async fn keys_go_where_kafka_puts_them(s: &Subject) {
    let topic = s.topic(7).await;
    let mut appender = s.appender().await;
    let mut records = Encoded::default();
    for number in 0..50 {
        let key = format!("key-{number}");
        records.push(&topic, Some(key.as_bytes()), Some(b"v"), -1);
    }
    let record = records.push(&topic, Some(b"chosen"), Some(b"v"), -1);
    record.partition = Some((partition_for(b"chosen", 7) + 1) % 7);
    durable(&mut *appender, &records).await;
    for got in s.all(&topic, 7, 51).await {
        let key = got.key.unwrap();
        let off = i32::from(key == b"chosen");
        assert_eq!(got.partition, (partition_for(&key, 7) + off) % 7);
    }
}

/// Headers come back in order, with names twice, with null, empty and binary values.
pub async fn headers_survive(s: &Subject) {
    let topic = s.topic(1).await;
    let mut appender = s.appender().await;
    let mut records = Encoded::default();
    records.push(&topic, None, Some(b"1"), -1);
    records.push_header("a", Some(b"1"));
    records.push_header("a", Some(&[0, 255, 128]));
    records.push_header("null", None);
    records.push_header("empty", Some(b""));
    records.push_header("ünï", Some(b"x"));
    records.push(&topic, None, Some(b"2"), -1);
    durable(&mut *appender, &records).await;
    let got = s.all(&topic, 1, 2).await;
    let some = |bytes: &[u8]| Some(bytes.to_vec());
    let expected = [
        ("a", some(b"1")),
        ("a", some(&[0, 255, 128])),
        ("null", None),
        ("empty", some(b"")),
        ("ünï", some(b"x")),
    ];
    let expected: Vec<_> = expected.map(|(name, v)| (name.to_owned(), v)).into();
    assert_eq!(got[0].headers, expected);
    assert_eq!(got[1].headers, []);
}

/// A given time is kept; without one the record has the time of its appending.
pub async fn timestamps_survive(s: &Subject) {
    let topic = s.topic_with(1, &[("retention.ms", "-1")]).await;
    let mut appender = s.appender().await;
    let mut records = Encoded::default();
    records.push(&topic, None, Some(b"old"), 1_000_000_000_000);
    records.push(&topic, None, Some(b"new"), -1);
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis() as i64
    };
    let before = now();
    durable(&mut *appender, &records).await;
    let got = s.all(&topic, 1, 2).await;
    assert_eq!(got[0].timestamp_ms, 1_000_000_000_000);
    assert!((before - 1000..=now() + 1000).contains(&got[1].timestamp_ms));
}

/// A null key is not an empty one, nor is a tombstone an empty value.
pub async fn null_is_not_empty(s: &Subject) {
    let topic = s.topic(1).await;
    let mut appender = s.appender().await;
    let mut records = Encoded::default();
    records.push(&topic, None, None, -1);
    records.push(&topic, Some(b""), Some(b""), -1);
    durable(&mut *appender, &records).await;
    let got = s.all(&topic, 1, 2).await;
    assert_eq!((&got[0].key, &got[0].value), (&None, &None));
    assert_eq!((&got[1].key, &got[1].value), (&Some(vec![]), &Some(vec![])));
}

/// Records that their topic can never take are named; all others are taken, in order.
pub async fn only_what_is_too_large_is_refused(s: &Subject) {
    let topic = s.topic_with(1, &[("max.message.bytes", "20000")]).await;
    let mut appender = s.appender().await;
    let large = "x".repeat(40_000);
    let records = values(&topic, 0, &["1", &large, "2", &large, "3"]);
    let appended = appender.append(&records).await.unwrap();
    let refused: Vec<_> = appended
        .refused
        .iter()
        .map(|(at, error)| (*at, error.code()))
        .collect();
    assert_eq!(refused, [(1, &RECORD_TOO_LARGE), (3, &RECORD_TOO_LARGE)]);
    appender.durable().reach(appended.ticket).await.unwrap();
    let nothing = appender
        .append(&values(&topic, 0, &[&large]))
        .await
        .unwrap();
    assert_eq!(nothing.ticket, appended.ticket, "nothing was taken");
    appender.durable().reach(nothing.ticket).await.unwrap();
    assert_eq!(texts(&s.all(&topic, 1, 3).await), ["1", "2", "3"]);
}

/// Appending to a topic that does not exist fails, at once or by the watermark.
pub async fn a_topic_must_exist(s: &Subject) {
    let topic: Arc<str> = Arc::from(s.name("nowhere"));
    let mut appender = s.appender().await;
    let error = match appender.append(&values(&topic, 0, &["1"])).await {
        Ok(appended) => appender.durable().reach(appended.ticket).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.code(), &UNKNOWN_TOPIC, "{error:?}");
}

/// Appenders at the same time each keep their own order, and nothing is lost.
pub async fn appenders_do_not_disturb_each_other(s: &Subject) {
    let topic = s.topic(1).await;
    let mut running = Vec::new();
    for who in 0..4 {
        let (topic, mut appender) = (Arc::clone(&topic), s.appender().await);
        running.push(tokio::spawn(async move {
            for number in 0..50 {
                let text = format!("{who}:{number}");
                let records = values(&topic, 0, &[&text]);
                appender.append(&records).await.unwrap();
            }
            appender.commit(None).await.unwrap();
        }));
    }
    for task in running {
        task.await.unwrap();
    }
    let got = texts(&s.all(&topic, 1, 200).await);
    for who in 0..4 {
        let mine: Vec<_> = got
            .iter()
            .filter_map(|t| t.strip_prefix(&format!("{who}:")))
            .collect();
        let expected: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        assert_eq!(mine, expected);
    }
}

/// More than any buffer holds: appending waits for room, and order is kept.
pub async fn a_long_run_keeps_its_order(s: &Subject) {
    let topic = s.topic(2).await;
    let mut appender = s.appender().await;
    let filling = "f".repeat(2000);
    let mut last = 0;
    for round in 0..60 {
        let mut records = Encoded::default();
        for at in 0..500 {
            let number = round * 500 + at;
            let key = (number % 10).to_string();
            let value = format!("{number} {filling}");
            records.push(&topic, Some(key.as_bytes()), Some(value.as_bytes()), -1);
        }
        last = appender.append(&records).await.unwrap().ticket;
    }
    appender.durable().reach(last).await.unwrap();
    let got = s.all(&topic, 2, 30_000).await;
    let mut next: Vec<u32> = (0..10).collect();
    for record in got {
        let key: usize = std::str::from_utf8(record.key.as_ref().unwrap())
            .unwrap()
            .parse()
            .unwrap();
        let number: u32 = record.text().split(' ').next().unwrap().parse().unwrap();
        assert_eq!(number, next[key]);
        next[key] += 10;
    }
    let empty = appender.append(&keyed(&topic, &[])).await.unwrap();
    assert_eq!(empty.ticket, last, "an empty append takes nothing");
}

//! Reading without a group's sharing.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use connect_core::Encoded;

use super::subject::{PATIENCE, SILENCE, Subject, at, durable, poll, silent, take, texts, values};
use crate::{At, Event, NOT_MEMBER, OUT_OF_RANGE, Read};

/// A reader that waits gets what is appended meanwhile, long before its wait is over.
pub async fn a_waiting_reader_is_woken(s: &Subject) {
    let topic = s.topic(1).await;
    let mut reader = s.reader(&topic, 1).await;
    silent(&mut *reader).await;
    let waiting = tokio::spawn(async move {
        let mut out = Encoded::default();
        let event = reader.poll(&mut out, PATIENCE).await.unwrap();
        (event, out.len())
    });
    s.put(&topic, &["1"]).await;
    let woken = tokio::time::timeout(PATIENCE / 2, waiting).await;
    assert_eq!(woken.unwrap().unwrap(), (Event::Records, 1));
}

/// A poll without records ends after the time given, not before.
pub async fn nothing_to_read_is_idle(s: &Subject) {
    let topic = s.topic(1).await;
    let mut reader = s.reader(&topic, 1).await;
    let mut got = Vec::new();
    let began = Instant::now();
    assert_eq!(poll(&mut *reader, &mut got).await, Event::Idle);
    assert!(began.elapsed() >= SILENCE && got.is_empty());
}

/// A seek goes on from there, forth and back.
pub async fn a_seek_goes_there(s: &Subject) {
    let topic = s.topic(1).await;
    s.put(&topic, &["0", "1", "2", "3", "4"]).await;
    let mut reader = s.reader(&topic, 1).await;
    let all = take(&mut *reader, 5).await;
    reader.seek(&at(&topic, 0), all[3].offset).await.unwrap();
    assert_eq!(texts(&take(&mut *reader, 2).await), ["3", "4"]);
    reader.seek(&at(&topic, 0), all[1].offset).await.unwrap();
    assert_eq!(take(&mut *reader, 4).await, all[1..]);
    let elsewhere = reader.seek(&at(&topic, 9), 0).await.unwrap_err();
    assert_eq!(elsewhere.code(), &NOT_MEMBER, "{elsewhere:?}");
    let from = BTreeMap::from([(at(&topic, 0), all[2].offset)]);
    reader.assign(&from).await.unwrap();
    assert_eq!(take(&mut *reader, 3).await, all[2..]);
}

/// A paused partition gives nothing, the others go on, and nothing is lost.
pub async fn a_paused_partition_is_silent(s: &Subject) {
    let topic = s.topic(2).await;
    let mut reader = s.reader(&topic, 2).await;
    reader.pause(&[at(&topic, 0)], true).await.unwrap();
    s.put_to(&topic, 0, &["a", "b"]).await;
    s.put_to(&topic, 1, &["1"]).await;
    assert_eq!(texts(&take(&mut *reader, 1).await), ["1"]);
    silent(&mut *reader).await;
    reader.pause(&[at(&topic, 0)], false).await.unwrap();
    assert_eq!(texts(&take(&mut *reader, 2).await), ["a", "b"]);
}

/// Without a committed offset a member begins where `auto.offset.reset` says.
pub async fn reading_begins_where_the_setting_says(s: &Subject) {
    for (reset, expected) in [("earliest", vec!["1", "2", "3"]), ("latest", vec!["3"])] {
        let topic = s.topic(1).await;
        s.put(&topic, &["1", "2"]).await;
        let spec = s.spec(Some(&s.name("group")), &[("auto.offset.reset", reset)]);
        let mut reader = s.log.reader(spec).await.unwrap();
        reader.subscribe(&[topic.to_string()]).await.unwrap();
        let (_, mut got) = super::subject::event(
            &mut *reader,
            |e| matches!(e, Event::Assigned(of) if of.len() == 1),
        )
        .await;
        // The place is fixed with the first poll after the assignment.
        poll(&mut *reader, &mut got).await;
        s.put(&topic, &["3"]).await;
        got.extend(take(&mut *reader, expected.len() - got.len()).await);
        assert_eq!(texts(&got), expected, "{reset}");
    }
}

/// An offset that was deleted, or never was, is reset as the setting says.
pub async fn an_offset_that_is_gone_is_reset(s: &Subject) {
    let topic = s.topic(1).await;
    s.put(&topic, &["1", "2", "3", "4"]).await;
    let of = at(&topic, 0);
    s.log.delete_records(&of, 2).await.unwrap();
    for offset in [0, 1_000_000] {
        let mut reader = s.log.reader(s.spec(None, &[])).await.unwrap();
        let from = BTreeMap::from([(of.clone(), offset)]);
        reader.assign(&from).await.unwrap();
        assert_eq!(texts(&take(&mut *reader, 2).await), ["3", "4"]);
    }
    let spec = s.spec(None, &[("auto.offset.reset", "none")]);
    let mut reader = s.log.reader(spec).await.unwrap();
    let from = BTreeMap::from([(of.clone(), 0)]);
    reader.assign(&from).await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        let mut out = Encoded::default();
        match reader.poll(&mut out, SILENCE).await {
            Ok(event) => assert_eq!(event, Event::Idle),
            Err(error) => break error,
        }
        assert!(Instant::now() < deadline, "the lost offset was not told");
    };
    assert_eq!(error.code(), &OUT_OF_RANGE, "{error:?}");
}

/// One poll gives no more than about `max.poll.records`, and the next goes on.
pub async fn no_more_records_than_asked_for(s: &Subject) {
    let topic = s.topic(2).await;
    for partition in 0..2 {
        let texts: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        s.put_to(&topic, partition, &texts).await;
    }
    let asked = [("max.poll.records", "30")];
    let mut reader = s.reader_with(&topic, 2, &asked).await;
    let (mut all, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while all.len() < 200 {
        let mut got = Vec::new();
        poll(&mut *reader, &mut got).await;
        assert!(got.len() <= 30, "{} records in one poll", got.len());
        all.extend(got);
        assert!(Instant::now() < deadline, "{} records", all.len());
    }
    for partition in 0..2 {
        let of = all.iter().filter(|g| g.partition == partition);
        let numbers: Vec<_> = of.map(super::Got::text).collect();
        let expected: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(numbers, expected);
    }
}

/// Polls into one arena add up, though each has its limit.
pub async fn polls_add_up(s: &Subject) {
    let topic = s.topic(1).await;
    let texts: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    s.put(&topic, &texts).await;
    let asked = [("max.poll.records", "30")];
    let mut reader = s.reader_with(&topic, 1, &asked).await;
    let (mut out, deadline) = (Encoded::default(), Instant::now() + PATIENCE);
    while out.len() < 100 {
        let before = out.len();
        reader.poll(&mut out, SILENCE).await.unwrap();
        assert!(out.len() <= before + 30, "{} after {before}", out.len());
        assert!(Instant::now() < deadline, "{} records", out.len());
    }
    let found = out.records.iter().map(|record| out.value(record).unwrap());
    assert!(found.eq(texts.iter().map(|text| text.as_bytes())));
}

/// The beginning, the end, and the first record at or after a time; the end for a time after all.
pub async fn offsets_of_times(s: &Subject) {
    let topic = s.topic_with(1, &[("retention.ms", "-1")]).await;
    let of = at(&topic, 0);
    let offset = async |point| s.log.offset_at(&of, point).await.unwrap();
    assert_eq!(
        (offset(At::Earliest).await, offset(At::Latest).await),
        (0, 0)
    );
    assert_eq!(offset(At::Time(0)).await, 0);
    let mut appender = s.appender().await;
    for (text, time_ms) in [("a", 1000), ("b", 3000), ("c", 2000), ("d", 4000)] {
        let mut records = values(&topic, 0, &[text]);
        records.records[0].timestamp_ms = 1_600_000_000_000 + time_ms;
        durable(&mut *appender, &records).await;
    }
    let got = s.all(&topic, 1, 4).await;
    for (time_ms, expected) in [
        (0, 0),
        (1000, 0),
        (1001, 1),
        (2500, 1),
        (3001, 3),
        (4000, 3),
    ] {
        let found = offset(At::Time(1_600_000_000_000 + time_ms)).await;
        assert_eq!(found, got[expected].offset, "{time_ms}");
    }
    let end = offset(At::Latest).await;
    assert!(end > got[3].offset);
    assert_eq!(offset(At::Time(1_600_000_004_001)).await, end);
    let nowhere = s.log.offset_at(&at(&topic, 7), At::Latest).await;
    assert!(nowhere.is_err(), "there is no partition 7");
}

/// A reader knows how many records are left for it.
pub async fn lag_is_what_is_left(s: &Subject) {
    let topic = s.topic(1).await;
    s.put(&topic, &["1", "2", "3", "4", "5"]).await;
    let asked = [("max.poll.records", "2")];
    let mut reader = s.reader_with(&topic, 1, &asked).await;
    take(&mut *reader, 2).await;
    assert_eq!(reader.lag().get(&at(&topic, 0)), Some(&3));
    take(&mut *reader, 3).await;
    silent(&mut *reader).await;
    assert_eq!(reader.lag().get(&at(&topic, 0)), Some(&0));
    assert_eq!(reader.lag().len(), 1);
}

/// The place of a reader is behind what it gave out, and moves over what is nothing for readers, but not over what they may see yet.
pub async fn a_reader_knows_its_place(s: &Subject) {
    let topic = s.topic(1).await;
    s.put(&topic, &["1", "2", "3", "4", "5"]).await;
    let asked = [("max.poll.records", "2")];
    let mut reader = s.reader_with(&topic, 1, &asked).await;
    let got = take(&mut *reader, 2).await;
    assert_eq!(place(&*reader), got[1].offset + 1);
    let got = take(&mut *reader, 3).await;
    let next = got[2].offset + 1;
    assert_eq!(place(&*reader), next);
    let mut appender = s.transactional(&s.name("id")).await;
    appender.append(&values(&topic, 0, &["6"])).await.unwrap();
    silent(&mut *reader).await;
    assert_eq!(place(&*reader), next, "it is open");
    appender.commit(None).await.unwrap();
    let got = take(&mut *reader, 1).await;
    assert!(place(&*reader) > got[0].offset);
    reaches_end(s, &topic, &mut *reader).await;
    appender.append(&values(&topic, 0, &["no"])).await.unwrap();
    appender.abort().await.unwrap();
    reaches_end(s, &topic, &mut *reader).await;
    s.put(&topic, &["7"]).await;
    assert_eq!(texts(&take(&mut *reader, 1).await), ["7"]);
    reader.seek(&at(&topic, 0), next).await.unwrap();
    assert_eq!(place(&*reader), next);
}

/// The place of a reader of one partition.
fn place(reader: &dyn Read) -> i64 {
    let places = reader.places();
    assert_eq!(places.len(), 1, "one partition is assigned");
    *places.values().next().unwrap()
}

/// Polls that give nothing bring it to the end.
async fn reaches_end(s: &Subject, topic: &Arc<str>, reader: &mut dyn Read) {
    let end = s.log.offset_at(&at(topic, 0), At::End).await.unwrap();
    let (mut got, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while place(reader) < end {
        poll(reader, &mut got).await;
        assert!(Instant::now() < deadline, "{} of {end}", place(reader));
    }
    assert_eq!(place(reader), end);
    assert_eq!(got, [], "nothing was to be seen");
}

/// Reading to the end gives everything that is there, once, however often it is asked for.
pub async fn a_topic_is_read_to_its_end(s: &Subject) {
    let topic = s.topic(3).await;
    let mut from = crate::Offsets::new();
    assert_eq!(tail(s, &topic, &mut from).await, [""; 0]);
    s.put_to(&topic, 0, &["1", "2"]).await;
    let mut appender = s.transactional(&s.name("id")).await;
    appender.append(&values(&topic, 2, &["3"])).await.unwrap();
    appender.commit(None).await.unwrap();
    assert_eq!(tail(s, &topic, &mut from).await, ["1", "2", "3"]);
    assert_eq!(tail(s, &topic, &mut from).await, [""; 0]);
    appender.append(&values(&topic, 2, &["no"])).await.unwrap();
    appender.abort().await.unwrap();
    appender.append(&values(&topic, 1, &["4"])).await.unwrap();
    appender.commit(None).await.unwrap();
    s.put_to(&topic, 2, &["5"]).await;
    assert_eq!(tail(s, &topic, &mut from).await, ["4", "5"]);
    // Nothing is left but the end of a transaction that was taken back.
    appender.append(&values(&topic, 0, &["no"])).await.unwrap();
    appender.abort().await.unwrap();
    assert_eq!(tail(s, &topic, &mut from).await, [""; 0]);
}

/// What is behind the offsets, sorted.
async fn tail(s: &Subject, topic: &str, from: &mut crate::Offsets) -> Vec<String> {
    let mut all = Vec::new();
    let spec = s.spec(None, &[]);
    let read = crate::read_to_end(&*s.log, topic, from, spec, |records| {
        let text = |record| String::from_utf8_lossy(records.value(record).unwrap()).into_owned();
        all.extend(records.records.iter().map(text));
    });
    read.await.unwrap();
    all.sort();
    all
}

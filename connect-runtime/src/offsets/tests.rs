use connect_log::memory::MemoryLog;

use super::*;

async fn offsets(log: &Arc<dyn Log>) -> Offsets {
    Offsets::open(log, &WorkerConfig::default(), &Place::alone())
        .await
        .unwrap()
}

fn position(partition: &str, offset: &str) -> Position {
    Position {
        partition: partition.into(),
        offset: offset.into(),
        order: 7,
    }
}

#[test]
fn keys_are_kafka_connects_byte_for_byte() {
    for (connector, partition, key) in [
        (
            "src",
            r#"{"filename":"/data/in.txt"}"#,
            r#"["src",{"filename":"/data/in.txt"}]"#,
        ),
        (
            "a\"b",
            r#"{"server":"dbserver1"}"#,
            r#"["a\"b",{"server":"dbserver1"}]"#,
        ),
        ("n", "{}", r#"["n",{}]"#),
    ] {
        assert_eq!(
            std::str::from_utf8(&key_bytes(connector, partition)).unwrap(),
            key
        );
        let parsed = parse_key(key.as_bytes()).unwrap();
        assert_eq!(
            (parsed.0.as_str(), parsed.1.as_str()),
            (connector, partition)
        );
        for cut in 0..key.len() {
            assert_eq!(parse_key(&key.as_bytes()[..cut]), None, "a prefix of {key}");
        }
    }
    assert_eq!(parse_key(br#"["a"]"#), None);
    assert_eq!(parse_key(br#"["a",3]"#), None);
}

#[tokio::test]
async fn a_known_partition_keeps_its_key_whatever_the_order_of_its_fields() {
    let log: Arc<dyn Log> = MemoryLog::new();
    let written = br#"["src",{"server":"s","database":"d"}]"#.to_vec();
    offsets(&log)
        .await
        .save(vec![(written.clone(), Some(br#"{"lsn":1}"#.to_vec()))])
        .await
        .unwrap();
    let offsets = offsets(&log).await;
    let entries = offsets.entries(
        "src",
        &[position(r#"{"database":"d","server":"s"}"#, r#"{"lsn":2}"#)],
    );
    assert_eq!(entries, [(written, Some(br#"{"lsn":2}"#.to_vec()))]);
    assert_eq!(
        &*offsets.stored("src")[0].partition,
        r#"{"server":"s","database":"d"}"#
    );
}

#[tokio::test]
async fn offsets_are_saved_altered_and_reset_and_survive() {
    let log: Arc<dyn Log> = MemoryLog::new();
    let first = offsets(&log).await;
    let entries = first.entries(
        "src",
        &[
            position(r#"{"p":1}"#, r#"{"o":1}"#),
            position(r#"{"p":2}"#, r#"{"o":5}"#),
        ],
    );
    first.save(entries).await.unwrap();
    let change = [
        (
            serde_json::json!({"p": 1}),
            Some(serde_json::json!({"o": 9})),
        ),
        (serde_json::json!({"p": 2}), None),
    ];
    first.alter("src", &change).await.unwrap();
    let second = offsets(&log).await;
    assert_eq!(
        as_json(&second.stored("src")),
        [(serde_json::json!({"p": 1}), serde_json::json!({"o": 9}))]
    );
    assert!(as_json(&second.stored("other")).is_empty());
    second.reset("src").await.unwrap();
    assert!(as_json(&offsets(&log).await.stored("src")).is_empty());
}

/// What another worker writes of one position.
fn entry(row: u32) -> Vec<Entry> {
    let key = br#"["src",{"p":1}]"#.to_vec();
    vec![(key, Some(format!("{{\"o\":{row}}}").into_bytes()))]
}

fn only(positions: &[Position]) -> Option<&str> {
    assert!(positions.len() < 2);
    positions.first().map(|position| &*position.offset)
}

/// Waits until a topic is followed, which is told by nothing else.
async fn followed(offsets: &Offsets) {
    while !offsets.topic.is_followed() {
        tokio::task::yield_now().await;
    }
}

/// Each of two workers sees at once what the other one has stored, in the order of the topic, whatever it wrote itself before.
#[tokio::test]
async fn who_follows_knows_what_others_have_stored() {
    let log: Arc<dyn Log> = MemoryLog::new();
    let (here, there) = (offsets(&log).await, offsets(&log).await);
    let stores = async {
        followed(&here).await;
        for row in 0..200 {
            let (writer, reader) = match row % 3 {
                0 => (&here, &there),
                _ => (&there, &here),
            };
            writer.save(entry(row)).await.unwrap();
            let expected = format!("{{\"o\":{row}}}");
            reader.refresh().await.unwrap();
            assert_eq!(only(&reader.stored("src")), Some(&*expected));
            // It was told of its own too, and goes by what came last.
            writer.refresh().await.unwrap();
            assert_eq!(only(&writer.stored("src")), Some(&*expected));
            assert_eq!(only(&writer.latest("src")), Some(&*expected));
        }
    };
    tokio::select! {
        () = here.follow() => {}
        () = stores => {}
    }
    // Nobody follows any more: it is read anew.
    assert!(!here.topic.is_followed());
    there.save(entry(1000)).await.unwrap();
    here.refresh().await.unwrap();
    assert_eq!(only(&here.stored("src")), Some("{\"o\":1000}"));
}

/// Transactions end with marks, and those that are aborted leave nothing else: the end is reached all the same.
#[tokio::test]
async fn the_end_of_a_transaction_is_followed() {
    let log: Arc<dyn Log> = MemoryLog::new();
    let here = offsets(&log).await;
    let spec = connect_log::AppenderSpec {
        transactional_id: Some("t".to_owned()),
        ..connect_log::AppenderSpec::default()
    };
    let mut appender = log.appender(spec).await.unwrap();
    let stores = async {
        followed(&here).await;
        for row in 0..20 {
            let mut records = connect_core::Encoded::default();
            for (key, value) in entry(row) {
                records.push(here.topic(), Some(&key), value.as_deref(), -1);
            }
            appender.append(&records).await.unwrap();
            let is_kept = row % 2 == 0;
            match is_kept {
                true => appender.commit(None).await.unwrap(),
                false => appender.abort().await.unwrap(),
            }
            here.refresh().await.unwrap();
            let expected = format!("{{\"o\":{}}}", row - row % 2);
            assert_eq!(only(&here.stored("src")), Some(&*expected));
        }
    };
    tokio::select! {
        () = here.follow() => {}
        () = stores => {}
    }
}

/// What was just written here is the newest that is known, until the topic tells it, and what lies before it does not hide it.
#[tokio::test]
async fn what_was_written_is_not_overwritten_by_what_lies_before_it() {
    let log: Arc<dyn Log> = MemoryLog::new();
    let (here, there) = (offsets(&log).await, offsets(&log).await);
    there.save(entry(1)).await.unwrap();
    here.refresh().await.unwrap();
    there.save(entry(2)).await.unwrap();
    here.save(entry(3)).await.unwrap();
    assert_eq!(only(&here.stored("src")), Some("{\"o\":1}"));
    here.remember(entry(2)[0].0.clone(), Some(br#"{"o":2}"#));
    assert_eq!(only(&here.latest("src")), Some("{\"o\":3}"));
    let again = position(r#"{"p":1}"#, r#"{"o":3}"#);
    assert_eq!(here.entries("src", &[again]), []);
    here.refresh().await.unwrap();
    assert_eq!(only(&here.stored("src")), Some("{\"o\":3}"));
    there.save(entry(4)).await.unwrap();
    here.refresh().await.unwrap();
    assert_eq!(only(&here.latest("src")), Some("{\"o\":4}"));
}

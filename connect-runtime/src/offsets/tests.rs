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

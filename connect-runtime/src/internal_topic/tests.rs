//! Every record that a Kafka Connect 4.3 wrote during a session of all kinds of requests, as `key => value` per line.

use serde_json::Value;

use crate::{configs::ConfigRecord, offsets, statuses};

const GOLDEN: &str = include_str!("../../tests/golden/internal-topics-4.3.0.txt");

/// The records of one topic; values that the recording cut short are left out.
fn recorded(topic: &str) -> Vec<(&'static str, &'static str)> {
    let section = GOLDEN
        .split("== ")
        .find_map(|part| part.strip_prefix(topic))
        .unwrap();
    let lines = section.lines().filter_map(|line| line.split_once(" => "));
    lines
        .filter(|(_, value)| serde_json::from_str::<Value>(value).is_ok())
        .collect()
}

fn present(value: &str) -> Option<&[u8]> {
    Some(value.as_bytes()).filter(|bytes| *bytes != b"null")
}

#[test]
fn configurations() {
    let mut read = 0;
    for (key, value) in recorded("connect-configs") {
        let Some(record) = ConfigRecord::parse(key.as_bytes(), present(value)) else {
            assert_eq!(key, "session-key");
            continue;
        };
        let (again_key, again_value) = record.entry();
        assert_eq!(again_key, key.as_bytes());
        match (present(value), again_value) {
            (None, None) => {}
            // Properties have no order; everything else is the same to the byte.
            (Some(bytes), Some(again)) if value.contains("properties") => {
                let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
                assert_eq!(json(bytes), json(&again));
            }
            (Some(bytes), Some(again)) => assert_eq!(bytes, again, "{key}"),
            other => panic!("{key}: {other:?}"),
        }
        read += 1;
    }
    assert!(read > 40, "{read}");
}

#[test]
fn statuses() {
    let records = recorded("connect-status");
    assert!(records.len() > 70, "{}", records.len());
    for (key, value) in records {
        assert!(
            statuses::is_same_to_the_byte(key.as_bytes(), present(value)),
            "{key} => {value}"
        );
    }
}

#[test]
fn source_offsets() {
    let records = recorded("connect-offsets");
    assert_eq!(records.len(), 5);
    for (key, _) in records {
        assert!(offsets::is_same_to_the_byte(key.as_bytes()), "{key}");
    }
}

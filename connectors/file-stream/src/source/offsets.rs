//! Offsets that people write, in the words of Kafka's `FileStreamSourceConnector.alterOffsets`; and the way back.

use connect_core::{
    Position, Result,
    rewind::{Asked, OffsetChange, Rewind, To, refused, unknown},
};
use serde_json::{Value, json};

use super::partition;

/// Everything that does not hold. Files other than the configured one are allowed: an earlier configuration may have had them.
pub(super) fn wrong(file: Option<&str>, changes: &[OffsetChange]) -> Vec<String> {
    if file.is_none() {
        return vec![
            "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and \
             offsets are not tracked."
                .to_owned(),
        ];
    }
    let one = |(partition, offset): &OffsetChange| {
        let wrong = [wrong_offset(offset.as_ref()?), wrong_partition(partition)];
        Some(wrong.into_iter().flatten())
    };
    let mut all: Vec<String> = changes
        .iter()
        .filter_map(one)
        .flatten()
        .map(str::to_owned)
        .collect();
    all.dedup();
    all
}

fn wrong_offset(offset: &Value) -> Option<&'static str> {
    match offset.get("position") {
        None => Some("Offset objects should either be null or contain the key 'position'"),
        Some(position) if !position.is_i64() && !position.is_u64() => {
            Some("The value for the 'position' key in the offset is expected to be a Long value")
        }
        Some(position) if position.as_u64().is_none() => {
            Some("The value for the 'position' key in the offset should be a non-negative value")
        }
        Some(_) => None,
    }
}

fn wrong_partition(partition: &Value) -> Option<&'static str> {
    let is_there = partition.get("filename").is_some();
    (!is_there).then_some("Partition objects should contain the key 'filename'")
}

/// A file has one place that is known to be the beginning of a line: its own.
pub(super) fn rewind(file: Option<&str>, asked: &Asked) -> Result<Rewind> {
    let Some(file) = file else {
        return Err(refused("what came from standard input does not come again"));
    };
    if asked.to != To::Earliest {
        return Err(unknown(&asked.to, "\"earliest\": it reads a file"));
    }
    let partition = partition(file);
    let stored = asked.stored.iter().find(|p| p.partition == partition);
    let Some(stored) = stored else {
        return Err(refused(
            "it has stored no position yet, so it begins at the beginning",
        ));
    };
    let stored: Option<Value> = serde_json::from_str(&stored.offset).ok();
    Ok(Rewind {
        position: Position {
            partition,
            offset: json!({ "position": 0 }).to_string().into(),
            order: 0,
        },
        time_ms: None,
        bytes: stored.and_then(|stored| stored["position"].as_u64()),
        transactions: None,
        records: None,
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told_and_garbage_can_be_removed() {
        let changes = [
            (json!({"filename": "a"}), Some(json!({"position": 7}))),
            (json!({"bogus": "x"}), None),
            (json!({"bogus": "x"}), Some(json!({"position": "str"}))),
            (json!({"filename": "a"}), Some(json!({"position": -1}))),
            (json!({"filename": "a"}), Some(json!({}))),
        ];
        let wrong_of = |changes: &[OffsetChange]| wrong(Some("a"), changes);
        assert!(wrong_of(&changes[..2]).is_empty());
        assert_eq!(
            wrong_of(&changes),
            [
                "The value for the 'position' key in the offset is expected to be a Long value",
                "Partition objects should contain the key 'filename'",
                "The value for the 'position' key in the offset should be a non-negative value",
                "Offset objects should either be null or contain the key 'position'",
            ]
        );
        assert_eq!(wrong(None, &changes).len(), 1);
    }

    #[test]
    fn a_file_is_read_again_from_its_beginning() {
        let stored = Position {
            partition: partition("a"),
            offset: r#"{"position":18}"#.into(),
            order: 0,
        };
        let mut asked = Asked {
            stored: vec![stored],
            to: To::Earliest,
            is_stopped: true,
        };
        let back = rewind(Some("a"), &asked).unwrap();
        assert_eq!(
            (&*back.position.offset, back.bytes),
            (r#"{"position":0}"#, Some(18))
        );
        assert!(rewind(Some("b"), &asked).is_err() && rewind(None, &asked).is_err());
        asked.to = To::Time(0);
        assert!(rewind(Some("a"), &asked).is_err());
    }
}

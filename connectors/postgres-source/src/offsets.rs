//! Offsets that people write: whether the task could begin there. Debezium's own may all be written.

use connect_core::rewind::{OffsetChange, wrong_number, wrong_offsets};
use serde_json::Value;

use crate::position::{Place, parse_lsn};

/// Keys that hold LSNs; one of the first three has to be there.
const LSNS: [&str; 4] = ["lsn_proc", "lsn", "lsn_commit", "lsn_last_commit"];
/// Other numbers, and the least that they may be.
const NUMBERS: [(&str, i64); 3] = [
    ("txId", 0),
    ("lsn_events_processed", 0),
    ("ts_usec", i64::MIN),
];

/// Everything that does not hold.
pub(crate) fn wrong(changes: &[OffsetChange]) -> Vec<String> {
    wrong_offsets(changes, |_, offset, wrong| {
        let given = |key: &str| offset.get(key).filter(|value| !value.is_null());
        wrong.extend(LSNS.iter().filter_map(|key| wrong_lsn(offset, key)));
        let numbers = NUMBERS.iter();
        wrong.extend(numbers.filter_map(|(key, least)| wrong_number(offset, key, *least)));
        if given("messageType").is_some_and(|kind| !kind.is_string()) {
            wrong.push("the value for the 'messageType' key is expected to be a string".to_owned());
        }
        if LSNS.iter().take(3).all(|key| given(key).is_none()) {
            wrong.push("the offset should contain the key 'lsn' with a number".to_owned());
        }
        if wrong.is_empty()
            && let Err(error) = Place::parse(&offset.to_string())
        {
            wrong.push(error.to_string());
        }
    })
}

/// An LSN that people read is told as the number that an offset has.
fn wrong_lsn(offset: &Value, key: &str) -> Option<String> {
    let wrong = wrong_number(offset, key, 0)?;
    let text = offset.get(key).and_then(Value::as_str);
    Some(match text.and_then(parse_lsn) {
        Some(lsn) => format!("{wrong}: write {lsn}"),
        None => wrong,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(offset: Value) -> Vec<String> {
        wrong(&[(json!({"server": "shop"}), Some(offset))])
    }

    #[test]
    fn what_debezium_stores_may_be_written() {
        for offset in [
            json!({"lsn": 24_023_128}),
            json!({"transaction_id": null, "lsn_proc": 24_023_128, "messageType": "INSERT", "lsn_commit": 24_023_000,
                "lsn": 24_023_128, "txId": 571, "ts_usec": 1_559_033_904_863_000_i64}),
            json!({"last_snapshot_record": false, "lsn": 5, "snapshot": "INITIAL", "snapshot_completed": false, "txId": null}),
        ] {
            assert!(of(offset.clone()).is_empty(), "{offset}");
        }
        assert!(wrong(&[(json!({"x": 1}), None)]).is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let told =
            of(json!({"lsn": "16/B374D848", "lsn_commit": -1, "txId": "x", "messageType": 1}));
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].contains("write 97500059720"), "{told:?}");
        let told = wrong(&[(json!({"sever": "shop"}), Some(json!({"position": 1})))]);
        assert!(
            told.len() == 2 && told[0].contains("'server'") && told[1].contains("'lsn'"),
            "{told:?}"
        );
    }
}

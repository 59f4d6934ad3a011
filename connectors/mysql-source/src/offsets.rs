//! Offsets that people write: whether the task could begin there. Debezium's own may all be written, and it reads numbers that are texts, too.

use connect_core::rewind::{OffsetChange, wrong_offsets};
use serde_json::Value;

use crate::{gtid::Gtids, position::Place, versions::are_versions, wire::Flavor};

/// Keys that hold numbers.
const NUMBERS: [&str; 6] = ["pos", "event", "row", "server_id", "versions", "ts_sec"];

/// Everything that does not hold.
pub(crate) fn wrong(flavor: Flavor, changes: &[OffsetChange]) -> Vec<String> {
    wrong_offsets(changes, |partition, offset, wrong| {
        match partition.get("table").is_some() {
            true => wrong.extend(wrong_versions(offset)),
            false => wrong_place(flavor, offset, wrong),
        }
    })
}

/// What is stored for a table.
fn wrong_versions(offset: &Value) -> Option<String> {
    let versions = offset.get("versions").and_then(Value::as_str);
    let what =
        "the offset of a table should contain the key 'versions' with what an export has there";
    (!versions.is_some_and(are_versions)).then(|| what.to_owned())
}

fn wrong_place(flavor: Flavor, offset: &Value, wrong: &mut Vec<String>) {
    let given = |key: &str| offset.get(key).filter(|value| !value.is_null());
    match given("file") {
        None => wrong
            .push("the offset should contain the key 'file' with a file of the binlog".to_owned()),
        Some(file) if file.as_str().is_none_or(str::is_empty) => {
            wrong.push("the value for the 'file' key is expected to be a string".to_owned());
        }
        Some(_) => {}
    }
    for key in NUMBERS {
        let is_count = |number: &Value| {
            number.as_u64().is_some()
                || number
                    .as_str()
                    .is_some_and(|text| text.parse::<u64>().is_ok())
        };
        if let Some(number) = given(key).filter(|number| !is_count(number)) {
            wrong.push(format!("the value for the '{key}' key is expected to be a non-negative integer, not {number}"));
        }
    }
    wrong.extend(given("gtids").and_then(|gtids| wrong_gtids(flavor, gtids)));
    if wrong.is_empty()
        && let Err(error) = Place::parse(&offset.to_string())
    {
        wrong.push(error.to_string());
    }
}

fn wrong_gtids(flavor: Flavor, gtids: &Value) -> Option<String> {
    let Some(text) = gtids.as_str() else {
        return Some("the value for the 'gtids' key is expected to be a string".to_owned());
    };
    if text.trim().is_empty() {
        return None;
    }
    let (fits, form) = match (flavor, text.parse::<Gtids>()) {
        (Flavor::MySql, read) => (
            matches!(read, Ok(Gtids::MySql(_))),
            "a set of MySQL: 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77",
        ),
        (Flavor::MariaDb, read) => (
            matches!(read, Ok(Gtids::MariaDb(_))),
            "the last id of each domain: 0-1-77,1-1-5",
        ),
    };
    (!fits).then(|| format!("the value for the 'gtids' key is expected to be {form}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SET: &str =
        "24bc7850-2c16-11e6-a073-0242ac110002:1-77,\n36bc7850-2c16-11e6-a073-0242ac110002:1";

    fn of(flavor: Flavor, offset: Value) -> Vec<String> {
        wrong(flavor, &[(json!({"server": "shop"}), Some(offset))])
    }

    #[test]
    fn what_debezium_takes_may_be_written() {
        for offset in [
            json!({"transaction_id": null, "ts_sec": 1_790_000_000, "file": "mysql-bin.000003", "pos": 805, "gtids": SET, "row": 1,
                "server_id": 112_233, "event": 2}),
            json!({"file": "b.1", "pos": "4", "gtids": null}),
            json!({"file": "b.1", "snapshot": "INITIAL", "snapshot_completed": false}),
        ] {
            assert!(of(Flavor::MySql, offset.clone()).is_empty(), "{offset}");
        }
        assert!(of(Flavor::MariaDb, json!({"file": "b.1", "gtids": "0-1-77"})).is_empty());
        let table = json!({"server": "shop", "database": "d", "table": "t"});
        assert!(
            wrong(
                Flavor::MySql,
                &[
                    (table.clone(), Some(json!({"versions": "[]"}))),
                    (json!({}), None)
                ]
            )
            .is_empty()
        );
        assert_eq!(
            wrong(Flavor::MySql, &[(table, Some(json!({"versions": "x"})))]).len(),
            1
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let offset = json!({"file": 7, "pos": -1, "event": "x", "gtids": "0-1-77"});
        let told = of(Flavor::MySql, offset);
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(of(Flavor::MariaDb, json!({"gtids": SET})).len(), 2);
        let told = wrong(Flavor::MySql, &[(json!({}), Some(json!({"position": 1})))]);
        assert!(
            told[0].contains("'server'") && told[1].contains("'file'"),
            "{told:?}"
        );
    }
}

//! How far an incremental snapshot is, in the keys of Debezium's offsets.

use std::{collections::VecDeque, fmt::Write};

use serde_json::{Map, Value};

use crate::java::{self, Part};

const COLLECTIONS: &str = "incremental_snapshot_collections";
const ID: &str = "incremental_snapshot_collections_id";
const CONDITION: &str = "incremental_snapshot_collections_additional_condition";
const SURROGATE: &str = "incremental_snapshot_collections_surrogate_key";
const LAST: &str = "incremental_snapshot_primary_key";
const MAXIMUM: &str = "incremental_snapshot_maximum_key";
const CORRELATION: &str = "incremental_snapshot_correlation_id";
/// Ours: whether it waits. Debezium forgets that with a restart.
const PAUSED: &str = "incremental_snapshot_paused";

/// An incremental snapshot that is not complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// What is left to read; the first is being read.
    pub collections: VecDeque<Collection>,
    /// The last key of the first table that was sent; `None` before the first row.
    pub last: Option<Vec<Part>>,
    /// The largest key of it when reading began.
    pub maximum: Option<Vec<Part>>,
    /// The id of the signal that asked last.
    pub correlation: Option<String>,
    /// Whether it waits to be resumed.
    pub paused: bool,
}

/// A table, or some of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// `schema.table`
    pub id: String,
    /// Which rows, as SQL.
    pub condition: Option<String>,
    /// The column in whose order they are read, instead of the key.
    pub surrogate: Option<String>,
}

impl Running {
    /// The table that is being read.
    pub fn current(&self) -> Option<&Collection> {
        self.collections.front()
    }

    /// The names of all tables that are left, separated by commas.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.collections.iter().map(|one| one.id.as_str()).collect();
        names.join(",")
    }

    /// The current table is done with.
    pub fn next_table(&mut self) {
        self.collections.pop_front();
        (self.last, self.maximum) = (None, None);
    }

    /// Appends the keys of an offset.
    pub fn write(&self, json: &mut String) {
        let collections = self.collections.iter().map(|one| {
            serde_json::json!({
                ID: one.id,
                CONDITION: one.condition,
                SURROGATE: one.surrogate,
            })
        });
        let collections = Value::Array(collections.collect()).to_string();
        let (last, maximum) = (self.last.as_deref(), self.maximum.as_deref());
        // Writing to a String does not fail.
        let _ = write!(
            json,
            ",\"{COLLECTIONS}\":{},\"{LAST}\":\"{}\",\"{MAXIMUM}\":\"{}\"",
            Value::from(collections),
            java::write(last),
            java::write(maximum),
        );
        if let Some(id) = &self.correlation {
            let _ = write!(json, ",\"{CORRELATION}\":{}", Value::from(id.as_str()));
        }
        if self.paused {
            let _ = write!(json, ",\"{PAUSED}\":true");
        }
    }

    /// Reads those keys; `None` when no incremental snapshot was running.
    pub fn parse(offset: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| offset.get(key).and_then(Value::as_str);
        let collections: Vec<Map<String, Value>> = serde_json::from_str(text(COLLECTIONS)?).ok()?;
        let collection = |one: &Map<String, Value>| {
            let text = |key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(Collection {
                id: text(ID)?,
                condition: text(CONDITION).filter(|text| !text.is_empty()),
                surrogate: text(SURROGATE).filter(|text| !text.is_empty()),
            })
        };
        let collections: VecDeque<_> = collections.iter().filter_map(collection).collect();
        // A key of a type that is not known here: the table is read from its start.
        let key = |name: &str| text(name).and_then(java::read).flatten();
        let (last, maximum) = (key(LAST), key(MAXIMUM));
        let maximum = maximum.filter(|_| last.is_some());
        (!collections.is_empty()).then(|| Self {
            collections,
            last: last.filter(|_| maximum.is_some()),
            maximum,
            correlation: text(CORRELATION).map(str::to_owned),
            paused: offset.get(PAUSED) == Some(&Value::Bool(true)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_come_back() {
        let collection = |id: &str, condition: Option<&str>| Collection {
            id: id.into(),
            condition: condition.map(str::to_owned),
            surrogate: None,
        };
        let running = Running {
            collections: [
                collection("public.a\"b", None),
                collection("public.c", Some("x = 'y'")),
            ]
            .into(),
            last: Some(vec![Part::Int(7), Part::Text("k".into())]),
            maximum: Some(vec![Part::Int(9), Part::Text("z".into())]),
            correlation: Some("the signal".into()),
            paused: true,
        };
        let mut json = "{\"lsn\":1".to_owned();
        running.write(&mut json);
        json.push('}');
        let offset: Map<String, Value> = serde_json::from_str(&json).unwrap();
        assert_eq!(Running::parse(&offset), Some(running));
        assert_eq!(Running::parse(&Map::new()), None);
    }

    #[test]
    fn offsets_of_debezium_are_understood() {
        let offset = r#"{"lsn_proc":1,"incremental_snapshot_maximum_key":"aced0005757200135b4c6a6176612e6c616e672e4f626a6563743b90ce589f1073296c020000787000000001737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b020000787000000005",
            "incremental_snapshot_collections":"[{\"incremental_snapshot_collections_id\":\"public.a\",\"incremental_snapshot_collections_additional_condition\":null,\"incremental_snapshot_collections_surrogate_key\":null}]",
            "incremental_snapshot_correlation_id":"x","incremental_snapshot_primary_key":"aced000570"}"#;
        let running = Running::parse(&serde_json::from_str(offset).unwrap()).unwrap();
        assert_eq!(running.names(), "public.a");
        assert_eq!(
            (running.last, running.maximum),
            (None, None),
            "nothing was sent"
        );
    }
}

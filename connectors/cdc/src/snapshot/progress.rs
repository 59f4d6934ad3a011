//! How far a snapshot is, in the offset.
//!
//! Kafka Connect gives a task its offset only if all values in it are plain ones: lists are texts with JSON.

use std::{cmp::Ordering, fmt::Write, sync::Arc};

use serde_json::{Map, Value, json};

use super::full_name;

/// How far a snapshot is. Tables are read in the order of their names (schema, then table), rows in the order of their keys.
/// With several connections they finish in another order; `started` has what stands out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The table, as schema and name; none before the first. Tables before it are complete.
    pub table: Option<(String, String)>,
    /// The last key that was read of it, as texts; empty when it has to be read from its start.
    pub key: Vec<String>,
    /// Whether this table is complete too.
    pub complete: bool,
    /// The names of complete tables, where tables are read in another order than that of their names.
    pub read: Option<Vec<String>>,
    /// The data of the signal that asked for it; none of the snapshot at the start.
    pub only: Option<Arc<str>>,
    /// Tables that were begun, whatever the fields above say of them.
    pub started: Vec<Started>,
    /// How many rows have been read.
    pub rows: u64,
}

/// A table that several connections read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Schema and name.
    pub table: (String, String),
    /// What has yet to be read, in order; nothing when it is complete.
    pub left: Vec<Range>,
}

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// All of it, in no order that could be gone on with.
    Whole,
    /// Rows by their keys, as texts.
    Keys {
        /// The key behind which it begins; empty for the table's start.
        after: Vec<String>,
        /// Its last key; empty for the table's end.
        upto: Vec<String>,
    },
    /// Rows by the pages in which they lie.
    Pages {
        /// The file whose pages these are: a table that is written anew has others.
        file: u32,
        /// The first page.
        from: u32,
        /// The page behind the last one; `None` for the table's end.
        to: Option<u32>,
    },
}

impl Progress {
    /// Appends it to an offset.
    pub fn write(&self, json: &mut String) {
        let kind = if self.only.is_some() {
            "BLOCKING"
        } else {
            "INITIAL"
        };
        // Writing to a String does not fail.
        let _ = write!(
            json,
            ",\"snapshot\":\"{kind}\",\"snapshot_completed\":false,\"last_snapshot_record\":false"
        );
        if let Some(only) = &self.only {
            let _ = write!(json, ",\"snapshot_signal\":{}", Value::from(&**only));
        }
        if let Some(read) = &self.read {
            list(json, "snapshot_tables_read", &json!(read));
        }
        if let Some((schema, table)) = &self.table {
            list(json, "snapshot_table", &json!([schema, table]));
            list(json, "snapshot_key", &json!(self.key));
            let _ = write!(json, ",\"snapshot_table_complete\":{}", self.complete);
        }
        if self.rows > 0 {
            let _ = write!(json, ",\"snapshot_rows_read\":{}", self.rows);
        }
        if !self.started.is_empty() {
            let started: Vec<Value> = self.started.iter().map(Started::to_json).collect();
            list(json, "snapshot_parts_left", &started.into());
        }
    }

    /// A snapshot that is not complete; one of Debezium has to be taken from its start.
    pub fn parse(object: &Map<String, Value>) -> Option<Self> {
        let running = match object.get("snapshot")? {
            Value::Bool(running) => *running,
            Value::String(kind) => !kind.is_empty() && kind != "false",
            _ => false,
        };
        let is_true = |key: &str| object.get(key) == Some(&Value::Bool(true));
        if !running || is_true("last_snapshot_record") || is_true("snapshot_completed") {
            return None;
        }
        let only = object.get("snapshot_signal").and_then(Value::as_str);
        // One of Debezium's is not taken again.
        if only.is_none() && object.get("snapshot").and_then(Value::as_str) == Some("BLOCKING") {
            return None;
        }
        let of = |key: &str| items(object, key);
        let table = of("snapshot_table").and_then(|items| pair(&texts(&items)));
        let started = of("snapshot_parts_left").unwrap_or_default();
        Some(Self {
            table,
            key: texts(&of("snapshot_key").unwrap_or_default()),
            complete: is_true("snapshot_table_complete"),
            read: of("snapshot_tables_read").map(|items| texts(&items)),
            only: only.map(Arc::from),
            started: started.iter().filter_map(Started::from_json).collect(),
            rows: (object.get("snapshot_rows_read"))
                .and_then(Value::as_u64)
                .unwrap_or(0),
        })
    }

    /// Whether a table, or the rest of it, has yet to be read.
    pub fn misses(&self, schema: &str, name: &str) -> bool {
        if let Some(started) = self.of(schema, name) {
            return !started.left.is_empty();
        }
        if let Some(read) = &self.read {
            return !read.contains(&full_name(schema, name));
        }
        let Some((of, table)) = &self.table else {
            return true;
        };
        let this = (schema.as_bytes(), name.as_bytes());
        match this.cmp(&(of.as_bytes(), table.as_bytes())) {
            Ordering::Less => false,
            Ordering::Equal => !self.complete,
            Ordering::Greater => true,
        }
    }

    /// What earlier tries have left of a table that one of them began.
    pub fn left_of(&self, schema: &str, name: &str) -> Option<Vec<Range>> {
        if let Some(started) = self.of(schema, name) {
            return Some(started.left.clone());
        }
        let key = self.key_in(schema, name);
        (!key.is_empty()).then(|| vec![Range::behind(key.to_vec())])
    }

    /// The key after which to go on in a table; empty for its start.
    pub fn key_in(&self, schema: &str, name: &str) -> &[String] {
        let is_here = |(of, table): &(String, String)| of == schema && table == name;
        match !self.complete && self.table.as_ref().is_some_and(is_here) {
            true => &self.key,
            false => &[],
        }
    }

    /// Whether several connections have begun with it, which one alone does not go on with.
    pub fn is_divided(&self) -> bool {
        !self.started.is_empty()
    }

    /// What is known of a table that was begun.
    pub fn of(&self, schema: &str, name: &str) -> Option<&Started> {
        let is = |started: &&Started| started.table.0 == schema && started.table.1 == name;
        self.started.iter().find(is)
    }
}

impl Started {
    /// `["schema","table",part,…]`
    fn to_json(&self) -> Value {
        let (schema, name) = &self.table;
        let mut items = vec![json!(schema), json!(name)];
        items.extend(self.left.iter().map(Range::to_json));
        items.into()
    }

    fn from_json(value: &Value) -> Option<Self> {
        let items = value.as_array()?;
        let (names, parts) = items.split_at_checked(2)?;
        let left: Option<Vec<Range>> = parts.iter().map(Range::from_json).collect();
        Some(Self {
            table: pair(&texts(names))?,
            left: left?,
        })
    }
}

impl Range {
    /// All of a table that is read in the order of its keys.
    pub fn behind(after: Vec<String>) -> Self {
        Self::Keys {
            after,
            upto: Vec::new(),
        }
    }

    /// Whether it has the table's first row, if there is one.
    pub fn opens(&self) -> bool {
        match self {
            Self::Whole => true,
            Self::Keys { after, .. } => after.is_empty(),
            Self::Pages { from, .. } => *from == 0,
        }
    }

    /// Whether it has the table's last row, if there is one.
    pub fn closes(&self) -> bool {
        match self {
            Self::Whole => true,
            Self::Keys { upto, .. } => upto.is_empty(),
            Self::Pages { to, .. } => to.is_none(),
        }
    }

    /// One with the range that comes next in its table.
    pub fn joined(&self, next: &Self) -> Option<Self> {
        match (self, next) {
            (
                Self::Keys { after, upto },
                Self::Keys {
                    after: from,
                    upto: to,
                },
            ) if upto == from && !upto.is_empty() => Some(Self::Keys {
                after: after.clone(),
                upto: to.clone(),
            }),
            (
                Self::Pages { file, from, to },
                Self::Pages {
                    file: same,
                    from: next,
                    to: end,
                },
            ) if *to == Some(*next) && file == same => Some(Self::Pages {
                file: *file,
                from: *from,
                to: *end,
            }),
            _ => None,
        }
    }

    /// Two lists of texts, or three numbers.
    fn to_json(&self) -> Value {
        match self {
            Self::Whole => json!([]),
            Self::Keys { after, upto } => json!([after, upto]),
            Self::Pages { file, from, to } => json!([file, from, to]),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
        match value.as_array()?.as_slice() {
            [] => Some(Self::Whole),
            [after, upto] => Some(Self::Keys {
                after: texts(after.as_array()?),
                upto: texts(upto.as_array()?),
            }),
            [file, from, to] => Some(Self::Pages {
                file: number(file)?,
                from: number(from)?,
                to: number(to),
            }),
            _ => None,
        }
    }
}

fn list(json: &mut String, key: &str, items: &Value) {
    // Writing to a String does not fail.
    let _ = write!(json, ",\"{key}\":{}", Value::from(items.to_string()));
}

/// The items of a list; earlier offsets had it as it is.
fn items(object: &Map<String, Value>, key: &str) -> Option<Vec<Value>> {
    match object.get(key)? {
        Value::Array(items) => Some(items.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

fn texts(items: &[Value]) -> Vec<String> {
    let text = |item: &Value| item.as_str().map(str::to_owned);
    items.iter().filter_map(text).collect()
}

fn pair(texts: &[String]) -> Option<(String, String)> {
    match texts {
        [schema, name] => Some((schema.clone(), name.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(after: &str, upto: &str) -> Range {
        let list = |text: &str| text.split_terminator(' ').map(str::to_owned).collect();
        Range::Keys {
            after: list(after),
            upto: list(upto),
        }
    }

    fn pages(from: u32, to: Option<u32>) -> Range {
        Range::Pages { file: 7, from, to }
    }

    fn of(json: &str) -> Option<Progress> {
        Progress::parse(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_is_left_comes_back_and_every_value_is_a_plain_one() {
        let started = |name: &str, left: Vec<Range>| Started {
            table: ("public".into(), name.into()),
            left,
        };
        let progress = Progress {
            table: Some(("a".into(), "b\"c".into())),
            key: vec!["1".into()],
            read: Some(vec!["public.x".into()]),
            started: vec![
                started("t", vec![keys("", "5 é"), keys("7 \"", "")]),
                started("p", vec![pages(0, Some(8)), pages(9, None)]),
                started("done", Vec::new()),
            ],
            rows: 12,
            ..Progress::default()
        };
        let mut json = "{\"lsn\":1".to_owned();
        progress.write(&mut json);
        json.push('}');
        assert_eq!(of(&json), Some(progress));
        let object: Map<String, Value> = serde_json::from_str(&json).unwrap();
        assert!(
            object.values().all(|v| !v.is_array() && !v.is_object()),
            "{json}"
        );
    }

    #[test]
    fn a_resumed_snapshot_reads_what_is_missing() {
        let progress = |complete| Progress {
            table: Some(("b".into(), "m".into())),
            key: vec!["7".into()],
            complete,
            ..Progress::default()
        };
        let missing = |complete| {
            [("a", "z"), ("b", "l"), ("b", "m"), ("b", "n"), ("c", "a")]
                .map(|(schema, name)| progress(complete).misses(schema, name))
        };
        assert_eq!(missing(false), [false, false, true, true, true]);
        assert_eq!(missing(true), [false, false, false, true, true]);
        assert!(Progress::default().misses("a", "a"));
        assert_eq!(progress(false).key_in("b", "m"), ["7"]);
        assert!(progress(false).key_in("b", "n").is_empty());
        let rest = Some(vec![Range::behind(vec!["7".into()])]);
        assert_eq!(progress(false).left_of("b", "m"), rest);
        assert_eq!(progress(false).left_of("b", "n"), None);
    }

    #[test]
    fn lists_of_earlier_offsets_are_understood() {
        let progress =
            of(r#"{"snapshot":"INITIAL","snapshot_table":["s","t"],"snapshot_key":["5"]}"#);
        let progress = progress.unwrap();
        assert_eq!(progress.table, Some(("s".into(), "t".into())));
        assert_eq!(progress.key, ["5"]);
        let broken =
            of(r#"{"snapshot":"INITIAL","snapshot_parts_left":"[[\"s\"],3,[\"s\",\"t\",[1]]]"}"#);
        assert_eq!(broken, Some(Progress::default()));
    }

    #[test]
    fn neighbours_become_one() {
        assert_eq!(keys("3", "5").joined(&keys("5", "")), Some(keys("3", "")));
        assert_eq!(keys("3", "5").joined(&keys("6", "9")), None);
        assert_eq!(keys("", "").joined(&keys("", "")), None);
        assert_eq!(
            pages(0, Some(2)).joined(&pages(2, None)),
            Some(pages(0, None))
        );
        assert_eq!(pages(0, None).joined(&pages(2, None)), None);
    }
}

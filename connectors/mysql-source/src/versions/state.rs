//! The versions of tables in the store of offsets: a partition for each table.
//!
//! They are stored in the same write as the position behind the statement that made them. A store that takes writes in parts may
//! have the position alone; then their number is less than the position says, and none of them counts.

use std::sync::Arc;

use connect_core::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Kept, Past, TableName, Versions};
use crate::{
    catalog::TableInfo,
    charset::Charset,
    position::{Mark, Place},
};

/// What an offset may be long; Kafka takes a megabyte.
const LONGEST: usize = 512 << 10;

#[derive(Serialize, Deserialize)]
struct Stored {
    nth: u64,
    file: String,
    pos: u64,
    table: Option<TableInfo>,
}

impl Versions {
    /// How many versions there have been.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Whether there are versions that are not stored yet.
    pub(crate) fn is_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// What is to be stored; `prefix` is the `topic.prefix`.
    pub(crate) fn take_fresh(&mut self, prefix: &str) -> Vec<Position> {
        let fresh = std::mem::take(&mut self.fresh);
        let stored = |name: &TableName| Some(position(prefix, name, self.tables.get(name)?));
        fresh.iter().filter_map(stored).collect()
    }

    /// The tables as they were at a place. Behind a place of Debezium's they may be others, whose statements it has read: all
    /// are forgotten, in the store too.
    pub(crate) fn restored(stored: &[Position], prefix: &str, place: &Place) -> Self {
        let mut versions = Self::of_store(stored, prefix, place);
        if place.is_debeziums() {
            versions.fresh = versions.tables.keys().cloned().collect();
            for kept in versions.tables.values_mut() {
                *kept = Kept::default();
            }
        }
        versions
    }

    /// The tables that are known, but not of what they were at a place: by their full names.
    pub(crate) fn unknown_at(stored: &[Position], prefix: &str, place: &Mark) -> Vec<String> {
        let known = stored.iter().filter_map(|position| read(position, prefix));
        let unknown = known.filter(|(_, past)| {
            let is_table = past.last().is_some_and(|past| past.info.is_some());
            is_table && !past.iter().any(|past| is_before(&past.from, place))
        });
        unknown
            .map(|((database, table), _)| format!("{database}.{table}"))
            .collect()
    }

    fn of_store(stored: &[Position], prefix: &str, place: &Place) -> Self {
        let mut versions = Self::default();
        let mark = place.mark();
        for position in stored {
            let Some((name, past)) = read(position, prefix) else {
                continue;
            };
            let highest = past.iter().map(|past| past.nth).max();
            versions.count = versions.count.max(highest.unwrap_or(0));
            let past: Vec<Past> = past
                .into_iter()
                .filter(|past| is_before(&past.from, &mark))
                .collect();
            if !past.is_empty() {
                // All that is read from here on lies behind what is known.
                let (since, until) = Default::default();
                versions.tables.insert(name, Kept { past, since, until });
            }
        }
        if versions.count < place.versions {
            tracing::warn!("not all versions of tables were stored: the server is asked for them");
            versions = Self::default();
            versions.count = place.versions;
        }
        versions
    }
}

/// Whether a version was there at a place. What was seen in another server's files was seen before.
fn is_before(from: &Mark, place: &Mark) -> bool {
    let name = |mark: &Mark| mark.file.rsplit_once('.').map(|(name, _)| name.to_owned());
    name(from) != name(place) || from <= place
}

fn position(prefix: &str, (database, table): &TableName, kept: &Kept) -> Position {
    let partition = json!({"server": prefix, "database": database, "table": table});
    let stored = |past: &Past| Stored {
        nth: past.nth,
        file: past.from.file.to_string(),
        pos: past.from.pos,
        table: past.info.clone(),
    };
    let mut parts: Vec<String> = Vec::new();
    let mut length = 0;
    // The newest come first: those that there is no room for are the oldest.
    for past in kept.past.iter().rev() {
        let part = serde_json::to_string(&stored(past)).unwrap_or_default();
        length += part.len();
        if length > LONGEST {
            break;
        }
        parts.insert(0, part);
    }
    // Kafka Connect gives a task its offset only if all values in it are plain ones.
    let versions = format!("[{}]", parts.join(","));
    Position {
        partition: partition.to_string().into(),
        offset: json!({ "versions": versions }).to_string().into(),
        order: 0,
    }
}

fn read(position: &Position, prefix: &str) -> Option<(TableName, Vec<Past>)> {
    let partition: Value = serde_json::from_str(&position.partition).ok()?;
    let text = |key: &str| partition.get(key).and_then(Value::as_str);
    let name = (text("database")?.to_owned(), text("table")?.to_owned());
    if text("server") != Some(prefix) {
        return None;
    }
    let offset: Value = serde_json::from_str(&position.offset).ok()?;
    let versions = offset.get("versions")?.as_str()?;
    let stored: Vec<Stored> = serde_json::from_str(versions).ok()?;
    let past = stored.into_iter().map(|stored| Past {
        nth: stored.nth,
        from: Mark {
            file: Arc::from(stored.file),
            pos: stored.pos,
        },
        info: stored.table.map(with_charsets),
    });
    Some((name, past.collect()))
}

/// Whether a text is versions of a table.
pub(crate) fn are_versions(text: &str) -> bool {
    serde_json::from_str::<Vec<Stored>>(text).is_ok()
}

fn with_charsets(mut info: TableInfo) -> TableInfo {
    for column in &mut info.columns {
        column.charset = column.charset_name.as_deref().and_then(Charset::named);
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ddl::evolve;

    fn mark(file: &str, pos: u64) -> Mark {
        Mark {
            file: file.into(),
            pos,
        }
    }

    fn table(columns: &str) -> TableInfo {
        let sql = format!("create table t ({columns})");
        evolve::created(sql.as_str().into(), ("d", "t"), Some("latin1")).unwrap()
    }

    fn name() -> TableName {
        ("d".to_owned(), "t".to_owned())
    }

    /// Two versions of a table, from two places on.
    fn versions() -> Versions {
        let mut versions = Versions::default();
        for (columns, pos) in [("id int", 100), ("id int, v varchar(3) default 'a'", 500)] {
            let at = mark("bin.000009", pos);
            versions.push(&name(), Some(table(columns)), at.clone(), at);
        }
        versions
    }

    fn at(file: &str, pos: u64, versions: u64) -> Place {
        Place {
            versions,
            ..Place::between(file, pos, None)
        }
    }

    fn columns(stored: &[Position], place: &Place) -> Option<usize> {
        let versions = Versions::restored(stored, "shop", place);
        versions.get(&name()).map(|info| info.columns.len())
    }

    #[test]
    fn a_restart_finds_the_tables_as_they_were_there() {
        let mut versions = versions();
        assert!(versions.is_fresh() && versions.count() == 2);
        let stored = versions.take_fresh("shop");
        assert!(!versions.is_fresh() && stored.len() == 1);
        let restored = Versions::restored(&stored, "shop", &at("bin.000010", 4, 2));
        assert_eq!(restored.get(&name()), versions.get(&name()));
        assert_eq!(columns(&stored, &at("bin.000009", 499, 1)), Some(1));
        assert_eq!(columns(&stored, &at("bin.000009", 99, 0)), None);
        assert_eq!(columns(&stored, &at("other.000001", 4, 2)), Some(2));
    }

    #[test]
    fn a_place_before_all_versions_is_told() {
        let stored = versions().take_fresh("shop");
        let unknown = |pos| Versions::unknown_at(&stored, "shop", &mark("bin.000009", pos));
        assert_eq!(
            (unknown(99), unknown(100)),
            (vec!["d.t".to_owned()], Vec::new())
        );
        let offset: Value = serde_json::from_str(&stored[0].offset).unwrap();
        assert!(are_versions(offset["versions"].as_str().unwrap()) && !are_versions("[1]"));
    }

    #[test]
    fn versions_that_are_not_all_there_do_not_count() {
        let stored = versions().take_fresh("shop");
        assert_eq!(columns(&stored, &at("bin.000010", 4, 3)), None);
        let others = Versions::restored(&stored, "other", &at("bin.000010", 4, 0));
        assert_eq!(others.get(&name()), None);
    }

    #[test]
    fn behind_debeziums_turn_nothing_is_known() {
        let stored = versions().take_fresh("shop");
        let place = Place {
            ts_s: Some(1_800_000_000),
            ..at("bin.000010", 4, 0)
        };
        let mut restored = Versions::restored(&stored, "shop", &place);
        assert_eq!((restored.get(&name()), restored.count()), (None, 2));
        let stored = restored.take_fresh("shop");
        assert_eq!(stored.len(), 1);
        assert_eq!(columns(&stored, &at("bin.000011", 4, 2)), None);
    }

    #[test]
    fn a_table_that_is_gone_was_there_before() {
        let mut versions = versions();
        versions.drop(&name(), &mark("bin.000009", 900));
        assert_eq!(versions.get(&name()), None);
        let stored = versions.take_fresh("shop");
        assert_eq!(columns(&stored, &at("bin.000009", 950, 3)), None);
        assert_eq!(columns(&stored, &at("bin.000009", 899, 2)), Some(2));
    }
}

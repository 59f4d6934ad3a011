//! PostgreSQL.

use std::collections::BTreeMap;

use e2e::{
    Outcome, Rest, Rounds,
    configs::postgres_source,
    counters::{self, History},
    scene::{SLOT, SOURCE, TOPIC},
};
use serde_json::Value;
use stack::{Postgres, wait_until};

use super::{Handed, LIMIT, LogPlace};

impl Handed for Postgres {
    const TOPIC: &'static str = TOPIC;

    fn table(&self) -> Outcome {
        counters::table(self)
    }

    fn count(&self) -> Rounds {
        counters::count(self).into_rounds()
    }

    fn config(&self, _: &str) -> Value {
        postgres_source(self, SOURCE, "public.counters")
    }

    fn end(&self) -> Outcome<LogPlace> {
        let end = self.psql("select pg_current_wal_lsn() - '0/0'::pg_lsn")?;
        Ok((String::new(), end.trim().parse()?))
    }

    fn stored(offset: &Value) -> Option<LogPlace> {
        Some((String::new(), offset["lsn"].as_u64()?))
    }

    fn wait_read(&self, _: &Rest) -> Outcome {
        let end = self.psql("select pg_current_wal_lsn()")?;
        let confirmed = format!(
            "select confirmed_flush_lsn >= '{}' from pg_replication_slots where slot_name = '{SLOT}'",
            end.trim()
        );
        wait_until("the slot to be confirmed", LIMIT, || {
            Ok(self.psql(&confirmed)?.trim() == "t")
        })?;
        Ok(())
    }

    /// Debezium's offset cannot tell the begin of a transaction from its first change, since both have the same LSN: when its
    /// task is restarted right behind such a change, as Kafka Connect does when it has taken in a new connector, it sends the
    /// change again. All other repeats stay, and so does every repeat by Tidewater.
    fn without_debeziums_own_repeats(
        records: Vec<(String, String)>,
    ) -> Outcome<Vec<(String, String)>> {
        let mut last = BTreeMap::new();
        let mut left = Vec::new();
        for (key, value) in records {
            let change: Value = serde_json::from_str(&value)?;
            let source = &change["source"];
            let by_debezium = source["version"]
                .as_str()
                .is_some_and(|v| v.ends_with(".Final"));
            let lsn = source["lsn"].as_u64();
            let before = last.insert(key.clone(), lsn);
            let is_first = first_lsn(source) == lsn;
            if !(by_debezium && is_first && before == Some(lsn)) {
                left.push((key, value));
            }
        }
        Ok(left)
    }

    fn assert_complete(&self, history: &History) -> Outcome {
        counters::assert_complete(history, self)
    }
}

/// The LSN at which the transaction of a change begins, from `source.sequence`.
fn first_lsn(source: &Value) -> Option<u64> {
    let sequence: Value = serde_json::from_str(source["sequence"].as_str()?).ok()?;
    sequence[0].as_str()?.parse().ok()
}

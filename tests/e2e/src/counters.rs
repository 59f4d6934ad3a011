//! A workload whose topic tells whether anything was lost, doubled or reordered: counters that only count up by one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::Value;
use stack::{Postgres, wait_until};

use crate::Outcome;

/// How many counters.
const KEYS: u32 = 20;

/// Writers count the counters of `public.counters` up, in transactions of several.
pub struct Counting {
    postgres: Postgres,
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<Outcome>>,
}

impl Counting {
    /// Makes the table, all counters at 0.
    pub fn table(postgres: &Postgres) -> Outcome {
        postgres.psql(&format!(
            "create table counters (k int primary key, n bigint not null, note text);
             insert into counters select k, 0, null from generate_series(1, {KEYS}) k;
             alter table counters owner to cdc;"
        ))?;
        Ok(())
    }

    /// Starts counting.
    pub fn start(postgres: &Postgres) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicU64::new(0));
        let (server, ended, count) = (postgres.clone(), Arc::clone(&stop), Arc::clone(&rounds));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                // The server may be down for a moment: what was not committed is counted again.
                if server.psql(&transactions()).is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(())
        });
        Self {
            postgres: postgres.clone(),
            stop,
            rounds,
            thread: Some(thread),
        }
    }

    /// How many rounds of transactions were committed.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Stops, and waits until the source has confirmed to the server that everything is durable.
    pub fn finish(mut self, slot: &str) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| "the writer panicked")??;
        }
        let end = self.postgres.psql("select pg_current_wal_lsn()")?;
        let confirmed = format!(
            "select confirmed_flush_lsn >= '{}' from pg_replication_slots where slot_name = '{slot}'",
            end.trim()
        );
        wait_until("the slot to be confirmed", Duration::from_secs(120), || {
            Ok(self.postgres.psql(&confirmed)?.trim() == "t")
        })?;
        Ok(())
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Ten transactions, each of which counts some counters up.
fn transactions() -> String {
    let one = |at: u32| {
        let (from, to) = (at * 2 + 1, at * 2 + 7);
        format!("begin; update counters set n = n + 1 where k between {from} and {to}; commit;")
    };
    (0..10).map(one).collect()
}

/// The values of `n` in the order of the topic, per counter; from Debezium envelopes.
pub fn history(records: &[(String, String)]) -> Outcome<BTreeMap<i64, Vec<i64>>> {
    let mut all: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (_, value) in records {
        let change: Value = serde_json::from_str(value)?;
        let after = &change["after"];
        let (Some(k), Some(n)) = (after["k"].as_i64(), after["n"].as_i64()) else {
            return Err(format!("no counter in {value}").into());
        };
        all.entry(k).or_default().push(n);
    }
    Ok(all)
}

/// Fails unless every counter goes 0, 1, 2, … without gap, repeat or step back.
pub fn assert_exactly_once(history: &BTreeMap<i64, Vec<i64>>) -> Outcome {
    for (k, values) in history {
        for (at, n) in values.iter().enumerate() {
            if *n != at as i64 {
                let near = &values[at.saturating_sub(3)..values.len().min(at + 4)];
                return Err(format!("counter {k}: {n} where {at} was due: {near:?}").into());
            }
        }
    }
    Ok(())
}

/// Fails unless every counter reaches its end without gap; repeats of a run are allowed, as at-least-once promises.
pub fn assert_at_least_once(history: &BTreeMap<i64, Vec<i64>>) -> Outcome {
    for (k, values) in history {
        let mut highest = -1;
        for n in values {
            if *n > highest + 1 {
                return Err(format!("counter {k}: {n} after {highest}").into());
            }
            highest = highest.max(*n);
        }
        if values.last() != Some(&highest) {
            return Err(format!("counter {k} ends below its highest value {highest}").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(values: &[i64]) -> BTreeMap<i64, Vec<i64>> {
        BTreeMap::from([(1, values.to_vec())])
    }

    #[test]
    fn gaps_repeats_and_steps_back_are_found() {
        assert!(assert_exactly_once(&one(&[0, 1, 2])).is_ok());
        assert!(assert_exactly_once(&one(&[0, 2])).is_err());
        assert!(assert_exactly_once(&one(&[0, 1, 1])).is_err());
        assert!(assert_at_least_once(&one(&[0, 1, 0, 1, 2])).is_ok());
        assert!(assert_at_least_once(&one(&[0, 1, 3])).is_err());
        assert!(assert_at_least_once(&one(&[0, 1, 2, 1])).is_err());
    }
}

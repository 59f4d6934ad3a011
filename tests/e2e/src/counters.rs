//! A workload whose topic tells whether anything was lost, doubled or reordered: counters that only count up by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use stack::{Postgres, Redis, wait_until};

use crate::{Load, Outcome, scene::TOPIC};

/// How many counters.
pub(crate) const KEYS: u32 = 20;

/// Makes `public.counters`, all of them at 0.
pub fn table(postgres: &Postgres) -> Outcome {
    postgres.psql(&format!(
        "create table counters (k int primary key, n bigint not null, note text);
         insert into counters select k, 0, null from generate_series(1, {KEYS}) k;
         alter table counters owner to cdc;"
    ))?;
    Ok(())
}

/// The same, amid so many other rows on both sides that reading the table takes a while.
pub fn large_table(postgres: &Postgres, rows: u32) -> Outcome {
    table(postgres)?;
    let half = rows / 2;
    postgres.psql(&format!(
        "insert into counters select k, 0, 'none of the counters' from generate_series(1000, {half}) k;
         insert into counters select -k, 0, 'none of the counters' from generate_series(0, {half}) k"
    ))?;
    Ok(())
}

/// Counts them up, in transactions of several.
pub fn count(postgres: &Postgres) -> Load {
    Load::start(postgres, |_| transactions())
}

/// What the table holds of the counters.
fn of_table() -> String {
    format!("select k || '=' || n from counters where k between 1 and {KEYS} order by k")
}

/// Ten transactions, each of which counts some counters up.
pub(crate) fn transactions() -> String {
    let one = |at: u32| {
        let (from, to) = (at * 2 + 1, at * 2 + 7);
        format!("begin; update counters set n = n + 1 where k between {from} and {to}; commit;")
    };
    (0..10).map(one).collect()
}

/// What one record tells of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whether a snapshot read it, so that it may repeat what the last change told.
    pub read: bool,
    /// Its value.
    pub n: i64,
}

/// What is told of each counter, in the order of the topic; from Debezium envelopes.
pub type History = BTreeMap<i64, Vec<Told>>;

/// Reads a topic.
pub fn history(records: &[(String, String)]) -> Outcome<History> {
    let mut all = History::new();
    for (_, value) in records {
        let change: Value = serde_json::from_str(value)?;
        let after = &change["after"];
        let (Some(k), Some(n)) = (after["k"].as_i64(), after["n"].as_i64()) else {
            return Err(format!("no counter in {value}").into());
        };
        let read = change["op"] == "r";
        if (1..=i64::from(KEYS)).contains(&k) {
            all.entry(k).or_default().push(Told { read, n });
        }
    }
    Ok(all)
}

/// Fails unless the history of every counter ends with what the table holds.
pub fn assert_complete(history: &History, postgres: &Postgres) -> Outcome {
    assert_ends(history, &postgres.psql(&of_table())?)
}

/// Fails unless the histories end with these lines: `1=7`.
pub(crate) fn assert_ends(history: &History, table: &str) -> Outcome {
    let last = |(k, values): (&i64, &Vec<Told>)| {
        let n = values.last().map_or(-1, |told| told.n);
        format!("{k}={n}\n")
    };
    let topic: String = history.iter().map(last).collect();
    if topic != table {
        return Err(format!("the topic ends with\n{topic}the table holds\n{table}").into());
    }
    Ok(())
}

/// Waits until Redis holds the counters of the table; nobody may count meanwhile.
pub fn wait_equal_in_redis(postgres: &Postgres, redis: &Redis) -> Outcome {
    let table = postgres.psql(&of_table())?;
    let held = |line: &str| -> stack::Result<String> {
        let k = line.split('=').next().unwrap_or_default();
        let n = redis.cli(&["HGET", &format!("{TOPIC}:{k}"), "n"])?;
        Ok(format!("{k}={}", n.trim()))
    };
    wait_until("Redis to equal the table", Duration::from_secs(90), || {
        let mut lines = table.lines();
        lines.try_fold(true, |equal, line| Ok(equal && held(line)? == line))
    })?;
    Ok(())
}

fn fails(k: i64, values: &[Told], at: usize) -> Outcome {
    let near = &values[at.saturating_sub(3)..values.len().min(at + 4)];
    Err(format!("counter {k}: record {at} is out of order: {near:?}").into())
}

/// Fails unless the changes of every counter go up by one, without gap, repeat or step back, and each read tells the
/// value of that moment.
pub fn assert_exactly_once(history: &History) -> Outcome {
    for (k, values) in history {
        for (at, pair) in values.windows(2).enumerate() {
            let due = pair[0].n + i64::from(!pair[1].read);
            if pair[1].n != due {
                return fails(*k, values, at + 1);
            }
        }
    }
    Ok(())
}

/// Fails when a counter goes on with a gap or a repeat other than by reading the table again.
pub fn assert_reads_close_gaps(records: &[(String, String)]) -> Outcome {
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    for (_, value) in records {
        let change: Value = serde_json::from_str(value)?;
        let (k, n) = (change["after"]["k"].as_i64(), change["after"]["n"].as_i64());
        let (Some(k), Some(n)) = (k, n) else {
            return Err(format!("no counter in {value}").into());
        };
        let before = last.insert(k, n);
        let follows = before.is_none_or(|before| n == before + 1);
        if change["op"] != "r" && !follows {
            return Err(format!("counter {k}: {n} after {before:?}").into());
        }
    }
    Ok(())
}

/// Fails unless every counter reaches its end without gap. Changes may come again, as at-least-once promises, but only
/// those that came before: nothing is older than a read. A read tells the value of its moment.
pub fn assert_at_least_once(history: &History) -> Outcome {
    for (k, values) in history {
        let mut highest = values.first().map_or(0, |first| first.n);
        let mut changes = BTreeSet::new();
        for (at, told) in values.iter().enumerate() {
            let is_due = match told.read {
                true => told.n == highest,
                false if at == 0 => true,
                false => told.n == highest + 1 || changes.contains(&told.n),
            };
            if !is_due {
                return fails(*k, values, at);
            }
            highest = highest.max(told.n);
            if !told.read {
                changes.insert(told.n);
            }
        }
        if values.last().is_some_and(|last| last.n != highest) {
            return Err(format!("counter {k} ends below its highest value {highest}").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `r5` is a read, `5` a change.
    fn one(values: &str) -> History {
        let told = |text: &str| Told {
            read: text.starts_with('r'),
            n: text.trim_start_matches('r').parse().unwrap(),
        };
        History::from([(1, values.split(' ').map(told).collect())])
    }

    #[test]
    fn gaps_repeats_and_steps_back_are_found() {
        let exactly = |values| assert_exactly_once(&one(values)).is_ok();
        assert!(exactly("r0 1 2") && exactly("r4 r4 5 6 r6 7") && exactly("3 4"));
        assert!(!exactly("r0 2") && !exactly("r0 1 1") && !exactly("r3 1 2 3"));
        assert!(!exactly("r0 1 r0 2") && !exactly("r0 1 r2 3"));
        let at_least = |values| assert_at_least_once(&one(values)).is_ok();
        assert!(at_least("r0 1 2 1 2 3") && at_least("r0 1 2 r2 1 2 r2 3"));
        assert!(!at_least("r0 1 3") && !at_least("r0 1 2 1") && !at_least("r3 1 2 3"));
        assert!(!at_least("r0 1 2 r1 3"));
    }
}

//! A workload whose topic tells whether anything was lost, doubled or reordered: counters that only count up by one.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use stack::{Postgres, Redis, wait_until};

use crate::{Load, Outcome, scene::TOPIC};

/// How many counters.
const KEYS: u32 = 20;

/// Makes `public.counters`, all of them at 0.
pub fn table(postgres: &Postgres) -> Outcome {
    postgres.psql(&format!(
        "create table counters (k int primary key, n bigint not null, note text);
         insert into counters select k, 0, null from generate_series(1, {KEYS}) k;
         alter table counters owner to cdc;"
    ))?;
    Ok(())
}

/// Counts them up, in transactions of several.
pub fn count(postgres: &Postgres) -> Load {
    Load::start(postgres, |_| transactions())
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

/// Fails unless the history of every counter ends with what the table holds.
pub fn assert_complete(history: &BTreeMap<i64, Vec<i64>>, postgres: &Postgres) -> Outcome {
    let table = postgres.psql("select k || '=' || n from counters order by k")?;
    let last = |(k, values): (&i64, &Vec<i64>)| format!("{k}={}\n", values.last().unwrap_or(&-1));
    let topic: String = history.iter().map(last).collect();
    if topic != table {
        return Err(format!("the topic ends with\n{topic}the table holds\n{table}").into());
    }
    Ok(())
}

/// Waits until Redis holds the counters of the table; nobody may count meanwhile.
pub fn wait_equal_in_redis(postgres: &Postgres, redis: &Redis) -> Outcome {
    let table = postgres.psql("select k || '=' || n from counters order by k")?;
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

//! A workload for sinks: rows that come, change, change their keys and go; and whether a sink holds what the table holds.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use stack::{Postgres, Redis, Search, wait_until};

use crate::{Load, Outcome, scene::PREFIX};

/// The table, as a filter names it.
pub const TABLE: &str = "public.items";
/// How long a sink may take to follow.
const LIMIT: Duration = Duration::from_secs(90);
/// How many keys.
const KEYS: u64 = 200;

/// Rows as `ID|v|note`.
type Rows = BTreeSet<String>;

/// Makes `public.items`, empty.
pub fn table(postgres: &Postgres) -> Outcome {
    postgres.psql(
        "create table items (id int primary key, v bigint not null, note text);
         alter table items owner to cdc;",
    )?;
    Ok(())
}

/// Puts, moves and deletes rows.
pub fn churn(postgres: &Postgres) -> Load {
    Load::start(postgres, low)
}

fn low(round: u64) -> String {
    let (put, moved, gone) = (round * 7 % KEYS, round * 13 % KEYS, round * 29 % KEYS);
    format!(
            "insert into items select i, {round}, 'note ' || {round} from generate_series({put}, {put} + 20) i
               on conflict (id) do update set v = excluded.v, note = excluded.note;
             begin; delete from items where id = {moved} + 1;
             update items set id = id + 1, v = {round} where id = {moved}; commit;
             delete from items where id between {gone} and {gone} + 9;"
        )
}

/// Adds so many rows with higher keys, of 300 bytes each.
pub fn fill(postgres: &Postgres, rows: u32) -> Outcome {
    postgres.psql(&format!(
        "insert into items select i + 1000, 0, repeat(md5(i::text), 9) from generate_series(1, {rows}) i"
    ))?;
    Ok(())
}

/// Changes and deletes some of these all over the table, beside the lower ones.
pub fn churn_widely(postgres: &Postgres) -> Load {
    Load::start(postgres, |round| {
        let (change, gone) = (round * 31 % 997, round * 17 % 4001);
        format!(
            "{} update items set v = {round} where id > 1000 and id % 997 = {change};
             delete from items where id > 1000 and id % 4001 = {gone};",
            low(round)
        )
    })
}

/// Waits until Redis holds the rows of the table, and nothing else.
pub fn wait_equal_in_redis(postgres: &Postgres, redis: &Redis) -> Outcome {
    let script = "local rows = {} \
        for _, key in ipairs(redis.call('KEYS', '*')) do \
          local row = redis.call('HMGET', key, 'v', 'note') \
          table.insert(rows, key .. '|' .. tostring(row[1]) .. '|' .. tostring(row[2])) \
        end \
        return table.concat(rows, '\\n')";
    let prefix = format!("{PREFIX}.{TABLE}:");
    wait_equal("Redis", postgres, || {
        let text = redis.cli(&["EVAL", script, "0"])?;
        let row = |line: &str| line.strip_prefix(&prefix).unwrap_or(line).to_owned();
        Ok(text
            .lines()
            .filter(|line| !line.is_empty())
            .map(row)
            .collect())
    })
}

/// Waits until the search server's index holds the rows of the table, and nothing else.
pub fn wait_equal_in_search(postgres: &Postgres, search: &Search) -> Outcome {
    let index = format!("/{PREFIX}.{TABLE}");
    wait_equal("the search server", postgres, || {
        search.request("POST", &format!("{index}/_refresh"), "")?;
        let found = search.request("GET", &format!("{index}/_search?size=10000"), "")?;
        let found: Value = serde_json::from_str(&found.body)?;
        let hits = found["hits"]["hits"].as_array().cloned();
        let row = |hit: &Value| {
            let (id, row) = (hit["_id"].as_str().unwrap_or("?"), &hit["_source"]);
            format!("{id}|{}|{}", row["v"], row["note"].as_str().unwrap_or("?"))
        };
        Ok(hits.unwrap_or_default().iter().map(row).collect())
    })
}

fn wait_equal(what: &str, postgres: &Postgres, held: impl Fn() -> Outcome<Rows>) -> Outcome {
    let rows = postgres.psql("select id || '|' || v || '|' || note from items")?;
    let rows: Rows = rows.lines().map(str::to_owned).collect();
    let mut last = Ok(Rows::new());
    let waited = wait_until(&format!("{what} to equal the table"), LIMIT, || {
        last = held();
        Ok(last.as_ref().is_ok_and(|held| *held == rows))
    });
    waited.map_err(|error| match last {
        Ok(held) => {
            let some = |of: &Rows, not: &Rows| {
                format!("{:?}", of.difference(not).take(5).collect::<Vec<_>>())
            };
            let (missing, wrong) = (some(&rows, &held), some(&held, &rows));
            format!(
                "{error}; of {} rows are missing {missing}, too many are {wrong}",
                rows.len()
            )
            .into()
        }
        Err(cause) => format!("{error}: {cause}").into(),
    })
}

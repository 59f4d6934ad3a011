//! One trial from an empty database to a comparison.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use e2e::Outcome;
use serde_json::{Value, json};
use stack::{Error, wait_until};

use crate::{
    Database, Side, Trial, compare,
    compare::{Difference, report},
    mask,
    scenario::Step,
    tap::Topics,
};

/// How long a side may take to start, and to write what a step did.
const LIMIT: Duration = Duration::from_secs(60);
/// How long nothing may come while the sides are not equally many: topics are written independently of the marker's.
const STRAGGLERS: Duration = Duration::from_secs(20);
/// How often they are counted meanwhile.
const STEP: Duration = Duration::from_millis(100);
/// A snapshot is over with the row that says so.
const LAST: &str = "last";

/// Runs a trial; `name` is an identifier of its own. The error is a report.
pub fn run(trial: &Trial, name: &str, database: &dyn Database, sides: &Arc<[Side; 2]>) -> Outcome {
    let found = Run {
        trial,
        name,
        database,
        sides,
    }
    .differences();
    let cleared = clear(name, database, sides);
    let (unexpected, stale) = judge(trial, found?);
    cleared?;
    if unexpected.is_empty() && stale.is_empty() {
        return Ok(());
    }
    let stale: String = stale
        .iter()
        .map(|reason| format!("{reason}: there is no such difference any more\n"))
        .collect();
    Err(format!("\n{}{stale}", report(&unexpected)).into())
}

/// What no reason is given for, and the reasons without a difference.
fn judge(trial: &Trial, found: Vec<Difference>) -> (Vec<Difference>, Vec<String>) {
    let expected = &trial.expected;
    let stale = expected
        .iter()
        .filter(|one| !found.iter().any(|d| one.places.is_match(&d.place)))
        .map(|one| one.reason.clone())
        .collect();
    let unexpected = found
        .into_iter()
        .filter(|d| !expected.iter().any(|one| one.places.is_match(&d.place)))
        .collect();
    (unexpected, stale)
}

fn clear(name: &str, database: &dyn Database, sides: &[Side; 2]) -> Outcome {
    for side in sides {
        side.delete(name)?;
    }
    for side in sides {
        side.tap.take(name);
    }
    database.drop(name)
}

struct Run<'a> {
    trial: &'a Trial,
    name: &'a str,
    database: &'a dyn Database,
    sides: &'a [Side; 2],
}

impl Run<'_> {
    fn differences(&self) -> Outcome<Vec<Difference>> {
        let scenario = &self.trial.scenario;
        self.database.create(self.name)?;
        self.database.sql(self.name, &scenario.setup)?;
        for side in self.sides {
            side.tap.watch(self.name);
            side.create(self.name, &self.config(side))?;
        }
        if scenario.ends_with_snapshot {
            self.wait_for(LAST)?;
        } else {
            self.wait_for_streams()?;
            self.mark(0)?;
            for (number, step) in (1..).zip(&scenario.steps) {
                self.step(number, step)?;
            }
        }
        let [debezium, tidewater] = self.read()?;
        let any_order = scenario.any_order;
        Ok(compare(&debezium, &tidewater, self.name, any_order))
    }

    fn step(&self, number: usize, step: &Step) -> Outcome {
        let sql = step.sql.replace("${run}", self.name);
        if step.is_stopped {
            // Debezium sends the first change of a transaction again when it is the last before a restart.
            let token = format!("{} {number} stopped", self.name);
            self.commit(&["first", &token])?;
            self.wait_for(&token)?;
            for side in self.sides {
                side.stop(self.name)?;
            }
        }
        self.database.sql(self.name, &sql)?;
        if step.is_stopped {
            for side in self.sides {
                side.resume(self.name)?;
            }
            self.wait_for_streams()?;
        }
        self.mark(number)
    }

    fn config(&self, side: &Side) -> Value {
        let mut config = self.database.config(self.name, side.end);
        let converter = "org.apache.kafka.connect.json.JsonConverter";
        let converters = json!({
            "key.converter": converter,
            "key.converter.schemas.enable": "true",
            "value.converter": converter,
            "value.converter.schemas.enable": "true",
        });
        let own = Value::Object(self.trial.config.clone());
        for more in [converters, own] {
            for (key, value) in more.as_object().into_iter().flatten() {
                let text = value.as_str().map(|text| text.replace("${run}", self.name));
                config[key] = text.map_or_else(|| value.clone(), Value::String);
            }
        }
        self.database.pass_marker(&mut config);
        config
    }

    fn wait_for_streams(&self) -> Outcome {
        let waited = wait_until("both to stream", LIMIT, || {
            let streams = self.database.streams(self.name);
            let streams = streams.map_err(|error| Error::new(error.to_string()))?;
            match self.failure() {
                Some(failure) => Err(Error::new(failure)),
                None => Ok(streams),
            }
        });
        Ok(waited?)
    }

    /// Commits a marker and waits until both have written it.
    fn mark(&self, number: usize) -> Outcome {
        let token = format!("{} {number} end", self.name);
        self.commit(&[&token])?;
        self.wait_for(&token)
    }

    fn commit(&self, tokens: &[&str]) -> Outcome {
        let skipped = self.trial.config.get("skipped.operations");
        let creates = skipped
            .and_then(Value::as_str)
            .is_none_or(|s| !s.contains('c'));
        self.database.mark(self.name, tokens, creates)
    }

    fn wait_for(&self, token: &str) -> Outcome {
        for side in self.sides {
            let held = |topics: &Topics| {
                let mut all = topics.values().flat_map(|records| records.iter().rev());
                all.any(|record| record.holds(token))
            };
            if !side.tap.wait(self.name, LIMIT, held)? {
                let why = self.failure().unwrap_or_default();
                return Err(format!("{} did not write {token:?} {why}", side.end.name()).into());
            }
        }
        Ok(())
    }

    fn failure(&self) -> Option<String> {
        self.sides.iter().find_map(|side| side.failure(self.name))
    }

    /// The records of both sides, once they are equally many.
    fn read(&self) -> Outcome<[Topics; 2]> {
        let count = |topics: &Topics| -> Vec<(String, usize)> {
            let count = |(topic, records): (&String, &Vec<_>)| {
                // Heartbeats never end.
                let most = if mask::is_endless(topic) {
                    1
                } else {
                    usize::MAX
                };
                (topic.clone(), records.len().min(most))
            };
            topics.iter().map(count).collect()
        };
        let [debezium, tidewater] = self.sides;
        for side in self.sides {
            side.tap.catch_up(self.name, LIMIT)?;
        }
        let mut quiet_until = Instant::now() + STRAGGLERS;
        let mut last = Vec::new();
        loop {
            let (one, other) = (debezium.tap.now(self.name), tidewater.tap.now(self.name));
            let counts = vec![count(&one), count(&other)];
            if counts[0] == counts[1] || Instant::now() > quiet_until {
                return Ok([one, other]);
            }
            if counts != last {
                quiet_until = Instant::now() + STRAGGLERS;
                last = counts;
            }
            let seen = count(&other);
            tidewater
                .tap
                .wait(self.name, STEP, |now| count(now) != seen)?;
        }
    }
}

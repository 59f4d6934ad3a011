//! One trial from an empty database to a comparison.

use std::time::{Duration, Instant};

use e2e::Outcome;
use serde_json::{Map, Value, json};
use stack::{Error, wait_until};

use crate::{
    Database, End, Side, Trial, compare,
    compare::{Difference, report},
    mask,
    scenario::Step,
    tap::Topics,
};

/// How long a side may take to start, and to write what a step did.
const LIMIT: Duration = Duration::from_secs(60);
/// How long nothing may come while the sides are not equally many: topics are written independently of the marker's.
const STRAGGLERS: Duration = Duration::from_secs(20);
/// The same of one side, which has nothing to wait for.
const ALONE: Duration = Duration::from_secs(2);
/// How often they are counted meanwhile.
const STEP: Duration = Duration::from_millis(100);
/// A snapshot is over with the row that says so.
const LAST: &str = "last";

/// Runs a trial; `name` is an identifier of its own. The error is a report.
pub fn run(trial: &Trial, name: &str, database: &dyn Database, sides: &[Side]) -> Outcome {
    let written = written(trial, name, database, sides)?;
    let [debezium, tidewater] = written.as_slice() else {
        return Err("a comparison has two sides".into());
    };
    let found = compare(debezium, tidewater, name, trial.scenario.any_order);
    let (unexpected, stale) = judge(trial, found);
    if unexpected.is_empty() && stale.is_empty() {
        return Ok(());
    }
    let stale: String = stale
        .iter()
        .map(|reason| format!("{reason}: there is no such difference any more\n"))
        .collect();
    Err(format!("\n{}{stale}", report(&unexpected)).into())
}

/// Runs a trial and gives what the first side wrote, as a line of JSON for each record. A task that fails is an error.
pub fn record(
    trial: &Trial,
    name: &str,
    database: &dyn Database,
    sides: &[Side],
) -> Outcome<String> {
    let mut text = String::new();
    for (topic, records) in written(trial, name, database, sides)?.swap_remove(0) {
        for record in records {
            text += &format!("{}\n", record.to_json(&topic));
        }
    }
    Ok(text)
}

/// What each side wrote.
fn written(
    trial: &Trial,
    name: &str,
    database: &dyn Database,
    sides: &[Side],
) -> Outcome<Vec<Topics>> {
    let run = Run {
        trial,
        name,
        database,
        sides,
    };
    let written = run.written();
    let cleared = clear(name, database, sides);
    let written = written?;
    cleared?;
    Ok(written)
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

fn clear(name: &str, database: &dyn Database, sides: &[Side]) -> Outcome {
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
    sides: &'a [Side],
}

impl Run<'_> {
    fn written(&self) -> Outcome<Vec<Topics>> {
        let scenario = &self.trial.scenario;
        self.database.create(self.name)?;
        self.database
            .sql(self.name, &self.filled(&scenario.setup))?;
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
        self.read()
    }

    fn filled(&self, sql: &str) -> String {
        let sides = self.sides.len().to_string();
        sql.replace("${run}", self.name).replace("${sides}", &sides)
    }

    fn step(&self, number: usize, step: &Step) -> Outcome {
        let sql = self.filled(&step.sql);
        if step.is_stopped {
            // Debezium sends the first change of a transaction again when it is the last before a restart.
            let token = format!("{} {number} stopped", self.name);
            self.commit(&["first", &token])?;
            self.wait_for(&token)?;
            for side in self.sides {
                side.stop(self.name)?;
            }
            self.database.forget_stopped(self.name)?;
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
        let sides = self.trial.scenario.own.iter();
        let sides = sides.filter(|(end, _)| *end == side.end);
        let sides = sides.map(|(_, own)| Value::Object(own.clone()));
        for more in [converters, own].into_iter().chain(sides) {
            for (key, value) in more.as_object().into_iter().flatten() {
                config[key.replace("${run}", self.name)] = value.clone();
            }
        }
        // A transform may reach the database too: `${database.port}`.
        let database = self.database.config(self.name, side.end);
        let fill = |text: &str| {
            let text = text
                .replace("${run}", self.name)
                .replace("${bootstrap}", &side.bootstrap);
            let known = database.as_object().into_iter().flatten();
            known.fold(text, |text, (key, value)| {
                text.replace(&format!("${{{key}}}"), value.as_str().unwrap_or_default())
            })
        };
        for value in config.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Value::String(text) = value {
                *text = fill(text);
            }
        }
        self.database.pass_marker(&mut config);
        config
    }

    fn wait_for_streams(&self) -> Outcome {
        let ends: Vec<End> = self.sides.iter().map(|side| side.end).collect();
        let waited = wait_until("the connectors to stream", LIMIT, || {
            let streams = self.database.streams(self.name, &ends);
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

    /// The records of the sides, once they are equally many.
    fn read(&self) -> Outcome<Vec<Topics>> {
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
        for side in self.sides {
            side.tap.catch_up(self.name, LIMIT)?;
        }
        let patience = if self.sides.len() == 1 {
            ALONE
        } else {
            STRAGGLERS
        };
        let mut quiet_until = Instant::now() + patience;
        let mut last = Vec::new();
        loop {
            let now: Vec<Topics> = self.sides.iter().map(|s| s.tap.now(self.name)).collect();
            let counts: Vec<_> = now.iter().map(count).collect();
            let agree = counts.len() > 1 && counts.windows(2).all(|two| two[0] == two[1]);
            if agree || Instant::now() > quiet_until {
                return Ok(now);
            }
            if counts != last {
                quiet_until = Instant::now() + patience;
                last = counts;
            }
            if let (Some(side), Some(seen)) = (self.sides.last(), last.last()) {
                side.tap.wait(self.name, STEP, |now| count(now) != *seen)?;
            }
        }
    }
}

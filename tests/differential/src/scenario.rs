//! A scenario: SQL with lines for the harness in it.
//!
//! ```sql
//! -- What can differ here.
//! --@ servers 15 18
//! --@ config {"tombstones.on.delete": "false"}
//! --@ variant string {"decimal.handling.mode": "string"}
//! --@ differs dates-before-christ .*after\.d
//! create table t (id int primary key, d date);
//! --@ stream
//! insert into t values (1, '2026-01-01');
//! --@ then
//! delete from t;
//! ```
//!
//! `--@ debezium` and `--@ tidewater` give properties to that side only, over those of a variant. `${run}` is the run's name, of its database and topics; `${sides}` how many connectors there are.
//!
//! What stands before the first `--@ stream` or `--@ then` runs before the connectors start; each part behind one runs when
//! both sides have written everything before it; what stands behind `--@ stopped` runs while both are stopped, and then they
//! go on. With variants the scenario runs once for each. `differs` allows differences at places that match a regular
//! expression, for a reason that stands under this heading of `docs/compatibility.md`; when they are gone, the scenario fails.
//! `differs(string,15)` is for this variant or server only, `differs(string+15)` for this variant on this server; servers are named by kind or version. `--@ ends snapshot` says that nothing follows the
//! snapshot; `--@ any order` that the rows of a snapshot come in none, since several connections read them;
//! `--@ needs extensions` that some have to be downloaded: where they cannot, the scenario is skipped.

use std::{fs, path::Path};

use e2e::Outcome;
use regex::Regex;
use serde_json::{Map, Value};

use crate::{End, Server};

/// What a file of `scenarios` says.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's name, without its ending.
    pub name: String,
    /// The servers it runs on; empty for all.
    pub servers: Vec<String>,
    /// Properties over those of the database.
    pub config: Map<String, Value>,
    /// Named sets of more properties; empty for one run without a name.
    pub variants: Vec<(String, Map<String, Value>)>,
    /// Properties of one side only.
    pub own: Vec<(End, Map<String, Value>)>,
    /// Differences that are allowed, with their reasons.
    pub expected: Vec<Expected>,
    /// Whether the connectors have done all they do when the snapshot is over.
    pub ends_with_snapshot: bool,
    /// Whether what is told while tables are read comes in any order.
    pub any_order: bool,
    /// Whether it needs extensions that do not come with the server.
    pub needs_extensions: bool,
    /// SQL before the connectors start.
    pub setup: String,
    /// What happens from their start on.
    pub steps: Vec<Step>,
}

/// A part of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// What runs in the database.
    pub sql: String,
    /// Whether the connectors are stopped meanwhile.
    pub is_stopped: bool,
}

/// An allowed difference.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The heading in `docs/compatibility.md` that gives the reason.
    pub reason: String,
    /// Where it may be.
    pub places: Regex,
    /// The variants and servers that have it; empty for all.
    only: Vec<String>,
}

/// One run of a scenario.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The scenario.
    pub scenario: Scenario,
    /// Its name, with that of the variant.
    pub name: String,
    /// All properties over those of the database.
    pub config: Map<String, Value>,
    /// Differences that are allowed in this run.
    pub expected: Vec<Expected>,
}

impl Scenario {
    /// Reads all scenarios of a folder, sorted by name.
    pub fn all(folder: &Path) -> Outcome<Vec<Self>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
                continue;
            };
            let text = fs::read_to_string(&path)?;
            let scenario = Self::parse(name, &text);
            all.push(scenario.map_err(|error| format!("{}: {error}", path.display()))?);
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Reads the text of a scenario.
    pub fn parse(name: &str, text: &str) -> Outcome<Self> {
        let mut scenario = Self {
            name: name.to_owned(),
            servers: Vec::new(),
            config: Map::new(),
            variants: Vec::new(),
            own: Vec::new(),
            expected: Vec::new(),
            ends_with_snapshot: false,
            any_order: false,
            needs_extensions: false,
            setup: String::new(),
            steps: Vec::new(),
        };
        for line in text.lines() {
            if let Some(order) = line.strip_prefix("--@ ") {
                scenario.obey(order.trim())?;
            } else {
                let step = scenario.steps.last_mut().map(|step| &mut step.sql);
                let part = step.unwrap_or(&mut scenario.setup);
                part.push_str(line);
                part.push('\n');
            }
        }
        Ok(scenario)
    }

    fn obey(&mut self, order: &str) -> Outcome {
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        match verb {
            "servers" => self.servers = rest.split(' ').map(str::to_owned).collect(),
            "config" => self.config.extend(properties(rest)?),
            "variant" => {
                let (name, config) = rest.split_once(' ').unwrap_or((rest, "{}"));
                self.variants.push((name.to_owned(), properties(config)?));
            }
            "debezium" => self.own.push((End::Debezium, properties(rest)?)),
            "tidewater" => self.own.push((End::Tidewater, properties(rest)?)),
            "ends" if rest == "snapshot" => self.ends_with_snapshot = true,
            "any" if rest == "order" => self.any_order = true,
            "needs" if rest == "extensions" => self.needs_extensions = true,
            "stream" | "then" | "stopped" => self.steps.push(Step {
                sql: String::new(),
                is_stopped: verb == "stopped",
            }),
            _ => match verb.strip_prefix("differs") {
                Some(only) => self.expected.push(Expected::parse(only, rest)?),
                None => return Err(format!("--@ {order}?").into()),
            },
        }
        Ok(())
    }

    /// Whether it runs on a server, which it may name by its kind or its version.
    pub fn runs_on(&self, server: Server) -> bool {
        self.servers.is_empty() || self.servers.iter().any(|one| server.is(one))
    }

    /// Its runs on a server.
    pub fn trials(&self, server: Server) -> Vec<Trial> {
        if self.variants.is_empty() {
            return vec![self.trial(server, "", &Map::new())];
        }
        let named = |(name, more): &(String, Map<String, Value>)| self.trial(server, name, more);
        let count = if server.is_brief { 1 } else { usize::MAX };
        self.variants.iter().take(count).map(named).collect()
    }

    fn trial(&self, server: Server, variant: &str, more: &Map<String, Value>) -> Trial {
        let mut config = self.config.clone();
        config.extend(more.clone());
        let name = match variant {
            "" => self.name.clone(),
            variant => format!("{}/{variant}", self.name),
        };
        let is_for = |one: &&Expected| {
            one.only.is_empty() || one.only.iter().any(|only| is_of(only, variant, server))
        };
        Trial {
            expected: self.expected.iter().filter(is_for).cloned().collect(),
            scenario: self.clone(),
            name,
            config,
        }
    }
}

/// Whether all parts of `a+b` are the variant or the server.
fn is_of(only: &str, variant: &str, server: Server) -> bool {
    only.split('+')
        .all(|part| part == variant || server.is(part))
}

impl Expected {
    /// `only` is empty or `(a,b)`; `rest` a reason and a pattern.
    fn parse(only: &str, rest: &str) -> Outcome<Self> {
        let (reason, places) = rest
            .split_once(' ')
            .ok_or("differs needs a reason and a place")?;
        let only = only.trim_matches(['(', ')']).split(',');
        Ok(Self {
            reason: reason.to_owned(),
            places: Regex::new(places)?,
            only: only.filter(|o| !o.is_empty()).map(str::to_owned).collect(),
        })
    }
}

fn properties(text: &str) -> Outcome<Map<String, Value>> {
    let parsed: Value = serde_json::from_str(text)?;
    match parsed {
        Value::Object(map) => Ok(map),
        other => Err(format!("{other} is not an object of properties").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SERVERS;

    #[test]
    fn a_file_is_setup_and_steps_with_orders() -> Outcome {
        let text = "-- why\n--@ servers 18\n--@ config {\"a\": \"1\"}\n--@ variant x {\"b\": \"2\"}\n--@ variant y\n\
                    create table t ();\n--@ stream\ninsert;\n--@ stopped\ndelete;\n";
        let scenario = Scenario::parse("s", text)?;
        let [old, new, ..] = SERVERS;
        assert!(scenario.runs_on(new) && !scenario.runs_on(old));
        assert_eq!(scenario.setup, "-- why\ncreate table t ();\n");
        let step = |sql: &str, is_stopped| Step {
            sql: sql.into(),
            is_stopped,
        };
        let steps = [step("insert;\n", false), step("delete;\n", true)];
        assert_eq!(scenario.steps, steps);
        let names: Vec<(String, usize)> = scenario
            .trials(new)
            .into_iter()
            .map(|trial| (trial.name, trial.config.len()))
            .collect();
        assert_eq!(names, [("s/x".into(), 2), ("s/y".into(), 1)]);
        assert!(Scenario::parse("s", "--@ nonsense").is_err());
        Ok(())
    }

    #[test]
    fn differences_can_be_those_of_one_variant() -> Outcome {
        let text = "--@ variant x {}\n--@ variant y {}\n--@ differs(x) a b\n--@ differs c d";
        let trials = Scenario::parse("s", text)?.trials(SERVERS[0]);
        let counts: Vec<usize> = trials.iter().map(|trial| trial.expected.len()).collect();
        assert_eq!(counts, [2, 1]);
        Ok(())
    }

    #[test]
    fn scenarios_say_that_they_need_extensions() -> Outcome {
        for scenario in Scenario::all(Path::new("scenarios/postgres"))? {
            let creates = ["postgis", "vector"].map(|name| format!("create extension {name}"));
            let needs = creates.iter().any(|sql| scenario.setup.contains(sql));
            assert_eq!(scenario.needs_extensions, needs, "{}", scenario.name);
        }
        Ok(())
    }

    #[test]
    fn every_reason_is_a_heading_of_the_page() -> Outcome {
        // Tests run in the folder of their package.
        let page = fs::read_to_string("../../docs/compatibility.md")?;
        let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
        let headings: Vec<String> = headings
            .map(|heading| heading.to_lowercase().replace(' ', "-"))
            .collect();
        for kind in fs::read_dir("scenarios")? {
            for scenario in Scenario::all(&kind?.path())? {
                for expected in &scenario.expected {
                    let (name, reason) = (&scenario.name, &expected.reason);
                    assert!(headings.contains(reason), "{name}: {reason}");
                }
            }
        }
        Ok(())
    }
}

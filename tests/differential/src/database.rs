//! What a run asks of a database system: the only place where another one differs.

use e2e::Outcome;
use serde_json::Value;

/// Which of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Debezium on Kafka Connect.
    Debezium,
    /// This project.
    Tidewater,
}

impl End {
    /// Its name in reports and in names of slots.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debezium => "debezium",
            Self::Tidewater => "tidewater",
        }
    }
}

/// A running server, on which every run has a database of its own. `run` is the run's name, a valid identifier.
pub trait Database: Send + Sync {
    /// Why scenarios with `--@ needs extensions` cannot run on it; `None` when they can.
    fn lacks_extensions(&self) -> Option<&str> {
        None
    }

    /// Creates the database with the marker's table.
    fn create(&self, run: &str) -> Outcome;

    /// Runs SQL in it, statement by statement.
    fn sql(&self, run: &str, sql: &str) -> Outcome;

    /// Commits a row for each token, whose text it is, in a table that every include list passes: creates them, or changes one.
    fn mark(&self, run: &str, tokens: &[&str], creates: bool) -> Outcome;

    /// The configuration of a side's connector, before the scenario's own properties. `${bootstrap}` is its broker.
    fn config(&self, run: &str, end: End) -> Value;

    /// Lets a scenario's properties pass the marker's table.
    fn pass_marker(&self, config: &mut Value);

    /// Whether the connectors of these sides have begun to stream.
    fn streams(&self, run: &str, ends: &[End]) -> Outcome<bool>;

    /// Ends the connections of stopped connectors that the server has not noticed yet, so that they do not seem to stream.
    fn forget_stopped(&self, _run: &str) -> Outcome {
        Ok(())
    }

    /// Deletes the database and what the connectors left on the server.
    fn drop(&self, run: &str) -> Outcome;
}

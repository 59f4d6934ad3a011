//! What is measured.

use e2e::{Outcome, configs::with};
use serde_json::Value;
use stack::Kafka;

use crate::{
    arguments::Arguments,
    database::Database,
    drain, latency,
    report::Measured,
    tool::{Tool, ToolKind},
};

/// Snapshot, stream, or latency at a steady rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first copy of a full table.
    Snapshot,
    /// The same by several connections.
    ParallelSnapshot,
    /// A backlog of committed rows.
    Stream,
    /// A thousand rows a second, each its own transaction.
    Latency,
    /// A backlog of one transaction, five times as large.
    Transaction,
    /// One row with a value of 20 MB.
    Value,
}

/// How many connections read a table at once.
pub(crate) const CONNECTIONS: u64 = 4;

/// One scenario.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// What is done.
    pub(crate) kind: Kind,
    /// Whether JSON carries its schema.
    pub(crate) schemas: bool,
    /// Whether records and offsets are written in transactions.
    pub(crate) exactly_once: bool,
}

impl Scenario {
    /// Its name in the report: `stream json`, `snapshot json+schemas exactly-once`.
    pub(crate) fn name(self) -> String {
        let kind = match self.kind {
            Kind::Snapshot => "snapshot",
            Kind::ParallelSnapshot => "parallel snapshot",
            Kind::Stream => "stream",
            Kind::Latency => "latency",
            Kind::Transaction => "transaction",
            Kind::Value => "value",
        };
        let format = if self.schemas { "json+schemas" } else { "json" };
        let once = if self.exactly_once {
            " exactly-once"
        } else {
            ""
        };
        format!("{kind} {format}{once}")
    }

    /// A name for tables, slots and connectors, of this tool alone.
    pub(crate) fn identifier(self, tool: &Tool) -> String {
        let name = self.name().replace([' ', '+', '-'], "_");
        format!("{}_{name}", tool.kind().name().replace(['+', ' '], "_"))
    }

    /// Whether a tool is measured in it. Debezium's producer would need other settings for a large value, and minutes for
    /// the large transaction.
    pub(crate) fn is_for(self, kind: ToolKind) -> bool {
        !matches!(self.kind, Kind::Transaction | Kind::Value) || kind == ToolKind::Tidewater
    }

    /// How many rows it has when others have `rows`.
    fn rows(self, rows: u64) -> u64 {
        match self.kind {
            Kind::Transaction => 5 * rows,
            Kind::Value => 1,
            _ => rows,
        }
    }

    /// Measures a tool.
    pub(crate) fn measure(
        self,
        database: &dyn Database,
        kafka: &Kafka,
        tool: &Tool,
        arguments: &Arguments,
        so_far: &[Measured],
    ) -> Outcome<Measured> {
        let id = self.identifier(tool);
        database.create_table(&id)?;
        let measured = match self.kind {
            Kind::Snapshot
            | Kind::ParallelSnapshot
            | Kind::Stream
            | Kind::Transaction
            | Kind::Value => {
                let rows = self.rows(arguments.rows);
                let mut measured = drain::measure(self, database, kafka, tool, rows)?;
                measured.compare_with_limit(so_far, self.kind);
                measured
            }
            Kind::Latency => latency::measure(self, database, kafka, tool, arguments.seconds)?,
        };
        database.forget(&id)?;
        database.drop_table(&id)?;
        Ok(measured)
    }

    /// The connector's configuration: the same for both tools.
    pub(crate) fn config(
        self,
        (database, kafka): (&dyn Database, &Kafka),
        id: &str,
        snapshot_mode: &str,
    ) -> Value {
        let config = database.source(id, &database.table(id), kafka.bootstrap());
        let schemas = self.schemas.to_string();
        let mut config = with_json(config, snapshot_mode, &schemas);
        if self.kind == Kind::ParallelSnapshot {
            config["snapshot.max.threads"] = CONNECTIONS.to_string().into();
        }
        config
    }
}

/// A configuration with JSON converters.
pub(crate) fn with_json(config: Value, snapshot_mode: &str, schemas: &str) -> Value {
    const CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";
    let more = [
        ("snapshot.mode", snapshot_mode),
        ("key.converter", CONVERTER),
        ("key.converter.schemas.enable", schemas),
        ("value.converter", CONVERTER),
        ("value.converter.schemas.enable", schemas),
    ];
    with(config, &more)
}

//! The scene of tests with several workers: a database under load, and a source that one of three workers runs, exactly once.

use serde_json::Value;
use stack::{Clock, PgVersion, Postgres, Proxy, Stack};

use crate::{
    Fleet, Load, Outcome, WorkerOptions,
    configs::{postgres_source_at, with},
};

/// The workers.
pub const ALL: [usize; 3] = [0, 1, 2];

/// What is written to, and what follows it.
pub struct FleetScene {
    /// The workers.
    pub fleet: Fleet,
    /// The database.
    pub postgres: Postgres,
    /// What writes.
    pub load: Load,
    /// The workers' clocks, when they go by their own.
    pub clocks: Vec<Clock>,
    _way: Proxy,
    _stack: Stack,
}

/// What a scene is about.
#[derive(Clone, Copy)]
pub struct Plot<'a> {
    /// The source connector.
    pub source: &'static str,
    /// Its tables, with commas.
    pub tables: &'a str,
    /// Its further properties.
    pub properties: &'a [(&'a str, &'a str)],
    /// Makes the tables.
    pub make: fn(&Postgres) -> Outcome,
    /// Starts to write, once the source streams.
    pub load: fn(&Postgres) -> Load,
}

impl FleetScene {
    /// Makes the tables, starts the workers and the source, and the load once it streams.
    pub fn start(plot: Plot<'_>) -> Outcome<Self> {
        let stack = Stack::new()?;
        let fleet = Fleet::start(&stack, ALL.len(), WorkerOptions::exactly_once)?;
        Self::on(stack, fleet, plot)
    }

    /// The same, where each worker has a wall clock of its own.
    pub fn with_clocks(plot: Plot<'_>) -> Outcome<Self> {
        let stack = Stack::new()?;
        let mut fleet = Fleet::start(&stack, 0, WorkerOptions::exactly_once)?;
        let clocks = ALL.map(|_| Clock::new(&stack));
        let clocks: Vec<Clock> = clocks.into_iter().collect::<Result<_, _>>()?;
        for clock in &clocks {
            fleet.add_as(&stack, |mut options| {
                options.environment = clock.environment();
                options
            })?;
        }
        let scene = Self::on(stack, fleet, plot)?;
        Ok(Self { clocks, ..scene })
    }

    fn on(stack: Stack, fleet: Fleet, plot: Plot<'_>) -> Outcome<Self> {
        let postgres = stack.postgres(PgVersion::V15)?;
        (plot.make)(&postgres)?;
        let way = fleet.way_to(&postgres)?;
        fleet
            .rest(0)
            .create(plot.source, &config(&plot, &fleet, &way))?;
        fleet.wait_for_rest(1, &ALL)?;
        fleet.rest(2).wait_for_stream(plot.source)?;
        let load = (plot.load)(&postgres);
        Ok(Self {
            fleet,
            postgres,
            load,
            clocks: Vec::new(),
            _way: way,
            _stack: stack,
        })
    }
}

/// The workers reach the database by a way on the machine's address in their network.
fn config(plot: &Plot<'_>, fleet: &Fleet, way: &Proxy) -> Value {
    let host = fleet.address().to_string();
    let config = postgres_source_at(way.port(), plot.source, plot.tables);
    with(
        with(config, plot.properties),
        &[("database.hostname", &host)],
    )
}

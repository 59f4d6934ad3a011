//! Everything that runs: started once, when the first trial needs it.

use std::{collections::BTreeMap, sync::Arc};

use e2e::Outcome;
use parking_lot::Mutex;
use stack::{PgVersion, Stack};

use crate::{Database, End, PostgresDatabase, Side};

/// The servers of all trials.
pub struct Peers {
    stack: Stack,
    sides: Mutex<Option<Arc<[Side; 2]>>>,
    databases: Mutex<BTreeMap<String, Arc<dyn Database>>>,
}

/// The servers that trials may name: the folder of their scenarios, and their version.
pub const SERVERS: [(&str, &str); 2] = [("postgres", "15"), ("postgres", "18")];

impl Peers {
    /// None yet.
    pub fn new() -> Outcome<Self> {
        Ok(Self {
            stack: Stack::new()?,
            sides: Mutex::default(),
            databases: Mutex::default(),
        })
    }

    /// Debezium's side and ours.
    pub fn sides(&self) -> Outcome<Arc<[Side; 2]>> {
        let mut sides = self.sides.lock();
        if let Some(sides) = &*sides {
            return Ok(Arc::clone(sides));
        }
        // Both at a time: the peer takes half a minute.
        let (debezium, tidewater) = std::thread::scope(|scope| {
            let debezium = scope.spawn(|| Side::start(&self.stack, End::Debezium));
            let tidewater = Side::start(&self.stack, End::Tidewater);
            (debezium.join(), tidewater)
        });
        let debezium = debezium.map_err(|_| "the start of Debezium panicked")??;
        let started = Arc::new([debezium, tidewater?]);
        *sides = Some(Arc::clone(&started));
        Ok(started)
    }

    /// A server of [`SERVERS`].
    pub fn database(&self, kind: &str, version: &str) -> Outcome<Arc<dyn Database>> {
        let mut databases = self.databases.lock();
        let name = format!("{kind}{version}");
        if let Some(database) = databases.get(&name) {
            return Ok(Arc::clone(database));
        }
        let version = match name.as_str() {
            "postgres15" => PgVersion::V15,
            "postgres18" => PgVersion::V18,
            _ => return Err(format!("no server {name}").into()),
        };
        let database: Arc<dyn Database> = Arc::new(PostgresDatabase::start(&self.stack, version)?);
        databases.insert(name, Arc::clone(&database));
        Ok(database)
    }
}

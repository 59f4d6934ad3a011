//! Everything that runs: started once, when the first trial needs it.

use std::{collections::BTreeMap, sync::Arc};

use e2e::Outcome;
use parking_lot::Mutex;
use stack::{MysqlVersion, PgVersion, Stack};

use crate::{Database, End, MysqlDatabase, PostgresDatabase, Side};

/// The servers of all trials.
pub struct Peers {
    stack: Stack,
    ends: &'static [End],
    sides: Mutex<Option<Arc<Vec<Side>>>>,
    databases: Mutex<BTreeMap<String, Arc<dyn Database>>>,
}

/// A server that trials may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// The system: `mysql`.
    pub kind: &'static str,
    /// Its version, and how it is set up when there are several ways: `9.7minimal`.
    pub version: &'static str,
    /// The folder of its scenarios, which it may share.
    pub folder: &'static str,
    /// Debezium's connector class.
    pub class: &'static str,
    /// Whether it differs from another in what its log tells only, so that of each scenario one variant says it all.
    pub is_brief: bool,
}

impl Server {
    /// Whether this is its kind or its version.
    pub fn is(&self, name: &str) -> bool {
        self.kind == name || self.version == name
    }
}

const fn postgres(version: &'static str) -> Server {
    Server {
        kind: "postgres",
        version,
        folder: "postgres",
        class: "io.debezium.connector.postgresql.PostgresConnector",
        is_brief: false,
    }
}

const fn mysql(version: &'static str, is_brief: bool) -> Server {
    Server {
        kind: "mysql",
        version,
        folder: "mysql",
        class: "io.debezium.connector.mysql.MySqlConnector",
        is_brief,
    }
}

const fn mariadb(version: &'static str, is_brief: bool) -> Server {
    Server {
        kind: "mariadb",
        version,
        folder: "mysql",
        class: "io.debezium.connector.mariadb.MariaDbConnector",
        is_brief,
    }
}

/// All servers.
pub const SERVERS: [Server; 6] = [
    postgres("15"),
    postgres("18"),
    mysql("9.7", false),
    mysql("9.7minimal", true),
    mariadb("10.11", true),
    mariadb("11.8", false),
];

impl Peers {
    /// None yet; `ends` are the sides there will be.
    pub fn new(ends: &'static [End]) -> Outcome<Self> {
        Ok(Self {
            stack: Stack::new()?,
            ends,
            sides: Mutex::default(),
            databases: Mutex::default(),
        })
    }

    /// The sides, in the order asked for.
    pub fn sides(&self) -> Outcome<Arc<Vec<Side>>> {
        let mut sides = self.sides.lock();
        if let Some(sides) = &*sides {
            return Ok(Arc::clone(sides));
        }
        // All at a time: the peer takes half a minute.
        let started: Vec<_> = std::thread::scope(|scope| {
            let start = |end: &End| {
                let end = *end;
                scope.spawn(move || Side::start(&self.stack, end))
            };
            let starting: Vec<_> = self.ends.iter().map(start).collect();
            starting.into_iter().map(|one| one.join()).collect()
        });
        let mut all = Vec::new();
        for side in started {
            all.push(side.map_err(|_| "the start of a side panicked")??);
        }
        let all = Arc::new(all);
        *sides = Some(Arc::clone(&all));
        Ok(all)
    }

    /// One of [`SERVERS`].
    pub fn database(&self, server: Server) -> Outcome<Arc<dyn Database>> {
        let mut databases = self.databases.lock();
        let name = format!("{}{}", server.kind, server.version);
        if let Some(database) = databases.get(&name) {
            return Ok(Arc::clone(database));
        }
        let postgres = |version| PostgresDatabase::start(&self.stack, version);
        let mysql =
            |version, is_full| MysqlDatabase::start(&self.stack, version, server.class, is_full);
        let database: Arc<dyn Database> = match name.as_str() {
            "postgres15" => Arc::new(postgres(PgVersion::V15)?),
            "postgres18" => Arc::new(postgres(PgVersion::V18)?),
            "mysql9.7" => Arc::new(mysql(MysqlVersion::V97, true)?),
            "mysql9.7minimal" => Arc::new(mysql(MysqlVersion::V97, false)?),
            "mariadb10.11" => Arc::new(mysql(MysqlVersion::Mariadb1011, false)?),
            "mariadb11.8" => Arc::new(mysql(MysqlVersion::Mariadb118, true)?),
            _ => return Err(format!("no server {name}").into()),
        };
        databases.insert(name, Arc::clone(&database));
        Ok(database)
    }
}

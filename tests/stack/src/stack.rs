//! A set of servers that live and die together.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    Program, Result, Server,
    connect::{Connect, ConnectOptions},
    home::Home,
    kafka::{Kafka, KafkaOptions},
    mysql::{Mysql, MysqlOptions, MysqlVersion},
    port::Port,
    postgres::{PgVersion, Postgres, PostgresOptions},
    redis::{Redis, RedisOptions},
    schema_registry::SchemaRegistry,
    search::{Search, SearchOptions},
    server::Plan,
};

/// Starts servers on free ports of 127.0.0.1, with their data in a temporary folder.
///
/// Every call starts a new server; the handles are cheap to clone. Dropping the stack and the handles kills the
/// servers and deletes their data; the end of this process does the same, however it ends.
pub struct Stack {
    home: Arc<Home>,
    started: Mutex<Started>,
}

#[derive(Default)]
struct Started {
    servers: Vec<Arc<Server>>,
    count: HashMap<&'static str, u32>,
}

impl Stack {
    /// An empty stack.
    pub fn new() -> Result<Self> {
        Ok(Self::at(Home::temporary()?))
    }

    /// A stack whose servers outlive this process, with their data in `folder`. Who stops them uses
    /// [`Server::process`].
    pub fn detached(folder: &Path) -> Result<Self> {
        Ok(Self::at(Home::lasting(folder)?))
    }

    /// PostgreSQL, ready for logical replication. `TIDEWATER_POSTGRES_URL` (15) and `TIDEWATER_POSTGRES18_URL` name a
    /// running one instead: a superuser's URL.
    pub fn postgres(&self, version: PgVersion) -> Result<Postgres> {
        match Postgres::named(self, version)? {
            Some(named) => Ok(named),
            None => self.postgres_with(PostgresOptions::new(version)),
        }
    }

    /// PostgreSQL with options; always starts one.
    pub fn postgres_with(&self, options: PostgresOptions) -> Result<Postgres> {
        Postgres::start(self, options)
    }

    /// MySQL or MariaDB, ready for replication. `TIDEWATER_MYSQL_URL`, `TIDEWATER_MARIADB_URL` (10.11) and
    /// `TIDEWATER_MARIADB118_URL` name a running one instead: a superuser's URL.
    pub fn mysql(&self, version: MysqlVersion) -> Result<Mysql> {
        match Mysql::named(self, version)? {
            Some(named) => Ok(named),
            None => self.mysql_with(MysqlOptions::new(version)),
        }
    }

    /// MySQL or MariaDB with options; always starts one.
    pub fn mysql_with(&self, options: MysqlOptions) -> Result<Mysql> {
        Mysql::start(self, options)
    }

    /// Redis 7. `TIDEWATER_REDIS_URL` names a running one instead.
    pub fn redis(&self) -> Result<Redis> {
        match Redis::named(self)? {
            Some(named) => Ok(named),
            None => self.redis_with(RedisOptions::default()),
        }
    }

    /// Redis 7 with options; always starts one.
    pub fn redis_with(&self, options: RedisOptions) -> Result<Redis> {
        Redis::start(self, options)
    }

    /// A Kafka broker (KRaft). `TIDEWATER_KAFKA_BOOTSTRAP` names running ones instead.
    pub fn kafka(&self) -> Result<Kafka> {
        match Kafka::named(self)? {
            Some(named) => Ok(named),
            None => self.kafka_with(KafkaOptions::default()),
        }
    }

    /// A Kafka broker with options; always starts one.
    pub fn kafka_with(&self, options: KafkaOptions) -> Result<Kafka> {
        Kafka::start(self, options)
    }

    /// A schema registry. `TIDEWATER_SCHEMA_REGISTRY_URL` names a running one instead.
    pub fn schema_registry(&self) -> Result<SchemaRegistry> {
        match SchemaRegistry::named(self)? {
            Some(named) => Ok(named),
            None => self.schema_registry_of_its_own(),
        }
    }

    /// A schema registry that this stack starts, and tests may stop.
    pub fn schema_registry_of_its_own(&self) -> Result<SchemaRegistry> {
        SchemaRegistry::start(self)
    }

    /// OpenSearch 3. `TIDEWATER_SEARCH_URL` names a running search server instead.
    pub fn opensearch(&self) -> Result<Search> {
        self.opensearch_or(SearchOptions::default())
    }

    /// The same, with options if it is not named.
    pub fn opensearch_or(&self, options: SearchOptions) -> Result<Search> {
        match Search::named(self)? {
            Some(named) => Ok(named),
            None => self.opensearch_with(options),
        }
    }

    /// OpenSearch 3 with options; always starts one.
    pub fn opensearch_with(&self, options: SearchOptions) -> Result<Search> {
        Search::opensearch(self, options)
    }

    /// Elasticsearch 9; always starts one. The first installation downloads 950 MB.
    pub fn elasticsearch(&self, options: SearchOptions) -> Result<Search> {
        Search::elasticsearch(self, options)
    }

    /// Kafka Connect with Debezium on the brokers at `bootstrap`.
    pub fn connect(&self, bootstrap: &str, options: ConnectOptions) -> Result<Connect> {
        Connect::start(self, bootstrap, options)
    }

    /// Starts a program of ours and waits until it is ready.
    pub fn program(&self, program: Program) -> Result<Arc<Server>> {
        let (kind, ports, plan) = program.into_parts();
        let name = self.name(kind);
        self.home.create(&name)?;
        self.run(name, ports, plan)
    }

    fn at(home: Home) -> Self {
        Self {
            home: Arc::new(home),
            started: Mutex::default(),
        }
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// A name for the next server of a kind: `redis`, `redis-2`.
    pub(crate) fn name(&self, kind: &'static str) -> String {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let count = started.count.entry(kind).or_default();
        *count += 1;
        if *count == 1 {
            kind.to_owned()
        } else {
            format!("{kind}-{count}")
        }
    }

    /// Starts a server of ours and keeps it.
    pub(crate) fn run(&self, name: String, ports: Vec<Port>, plan: Plan) -> Result<Arc<Server>> {
        let server = Server::new(name, ports, Arc::clone(&self.home), plan);
        server.start()?;
        Ok(self.keep(server))
    }

    /// A server that an environment variable names.
    pub(crate) fn adopt(&self, name: String, port: u16, variable: &'static str) -> Arc<Server> {
        self.keep(Server::named(name, port, Arc::clone(&self.home), variable))
    }

    fn keep(&self, server: Server) -> Arc<Server> {
        let server = Arc::new(server);
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.servers.push(Arc::clone(&server));
        server
    }
}

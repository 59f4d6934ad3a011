//! PostgreSQL 15 and 18 from Debian's packages.

mod data;
mod extensions;
mod standby;

use std::{
    fmt, fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustix::process::Signal;

use crate::{
    Result, Server, Stack,
    error::While,
    install::prefix::Packages,
    port::Port,
    run::{run, run_with},
    server::Plan,
    tls::certificates,
    url::Address,
};

/// The role for replication; its password is [`PASSWORD`].
pub const USER: &str = "cdc";
/// The password of every role and user of every server.
pub const PASSWORD: &str = "cdc";
/// The database, owned by [`USER`].
pub const DATABASE: &str = "inventory";

const SUPERUSER: &str = "postgres";

/// Which PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PgVersion {
    /// 15: pgoutput protocol up to 3.
    V15,
    /// 18: pgoutput protocol 4, failover slots.
    V18,
}

impl PgVersion {
    fn number(self) -> u32 {
        match self {
            Self::V15 => 15,
            Self::V18 => 18,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::V15 => "postgres15",
            Self::V18 => "postgres18",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::V15 => "TIDEWATER_POSTGRES_URL",
            Self::V18 => "TIDEWATER_POSTGRES18_URL",
        }
    }

    fn packages(self) -> Packages {
        let (suite, packages): (_, &'static [_]) = match self {
            Self::V15 => ("bookworm", &["postgresql-15", "postgresql-client-15"]),
            Self::V18 => ("sid", &["postgresql-18", "postgresql-client-18"]),
        };
        Packages {
            name: self.kind(),
            suite,
            packages,
            alone: &[],
            links: &[],
        }
    }

    /// Downloads what [`PostgresOptions::with_extensions`] needs, unless it is there. The packages come from a suite that moves:
    /// that may fail where the plain server is long installed.
    pub fn install_extensions(self) -> Result<()> {
        self.programs(true).map(drop)
    }

    /// The folder of its programs, installed if needed.
    fn programs(self, extended: bool) -> Result<PathBuf> {
        let packages = match extended {
            true => extensions::packages(self),
            false => self.packages(),
        };
        let prefix = packages.install()?;
        Ok(prefix
            .join("usr/lib/postgresql")
            .join(self.number().to_string())
            .join("bin"))
    }
}

impl fmt::Display for PgVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// How a PostgreSQL server is started.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    version: PgVersion,
    durable: bool,
    extended: bool,
    settings: Vec<(String, String)>,
}

impl PostgresOptions {
    /// `wal_level=logical`, 30 senders and slots, TLS offered, no fsync.
    pub fn new(version: PgVersion) -> Self {
        Self {
            version,
            durable: false,
            extended: false,
            settings: Vec::new(),
        }
    }

    /// With fsync: safe against a power cut, slower. Without it a killed server loses nothing either.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// With the extensions PostGIS and, for 18, pgvector: more to download.
    pub fn with_extensions(mut self) -> Self {
        self.extended = true;
        self
    }

    /// One more line of `postgresql.conf`: `set("wal_sender_timeout", "5s")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }
}

/// A PostgreSQL server; see [`Server`] for starting and stopping it.
#[derive(Clone)]
pub struct Postgres {
    server: Arc<Server>,
    version: PgVersion,
    host: String,
    superuser: (String, String),
    database: String,
    programs: PathBuf,
}

impl Postgres {
    /// The server that the environment names for this version.
    pub(crate) fn named(stack: &Stack, version: PgVersion) -> Result<Option<Self>> {
        let Some(address) = Address::of(version.variable(), 5432)? else {
            return Ok(None);
        };
        let name = stack.name(version.kind());
        let server = stack.adopt(name, address.port, version.variable());
        let Address {
            user,
            password,
            host,
            path,
            ..
        } = address;
        let database = if path.is_empty() {
            DATABASE.into()
        } else {
            path
        };
        let programs = version.programs(false)?;
        Ok(Some(Self {
            server,
            version,
            host,
            superuser: (user, password),
            database,
            programs,
        }))
    }

    pub(crate) fn start(stack: &Stack, options: PostgresOptions) -> Result<Self> {
        let version = options.version;
        let programs = version.programs(options.extended)?;
        let name = stack.name(version.kind());
        let port = Port::claim()?;
        let folder = stack.home().create(&name)?;
        data::create(&programs, &folder, version)?;
        fs::write(
            folder.join("stack.conf"),
            data::configuration(&folder, port.number(), &options),
        )?;
        let plan = plan(&programs, &folder, port.number());
        Ok(Self {
            server: stack.run(name, vec![port], plan)?,
            version,
            host: "127.0.0.1".into(),
            superuser: (SUPERUSER.into(), PASSWORD.into()),
            database: DATABASE.into(),
            programs,
        })
    }

    /// Which PostgreSQL it is.
    pub fn version(&self) -> PgVersion {
        self.version
    }

    /// The host its port is on: 127.0.0.1 unless an environment variable named another.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The database `inventory` as the superuser.
    pub fn url(&self) -> String {
        let (user, password) = &self.superuser;
        format!(
            "postgresql://{user}:{password}@{}:{}/{}",
            self.host,
            self.port(),
            self.database
        )
    }

    /// The database `inventory` as the role `cdc`, which may replicate.
    pub fn cdc_url(&self) -> String {
        format!(
            "postgresql://{USER}:{PASSWORD}@{}:{}/{}",
            self.host,
            self.port(),
            self.database
        )
    }

    /// Runs SQL as the superuser and returns the rows: columns separated by `|`, no header. All statements of one
    /// call that come without `BEGIN` are committed one by one; the first failure ends the call.
    pub fn psql(&self, sql: &str) -> Result<String> {
        self.psql_at(&self.url(), sql)
    }

    /// [`Postgres::psql`] as the role `cdc`.
    pub fn psql_as_cdc(&self, sql: &str) -> Result<String> {
        self.psql_at(&self.cdc_url(), sql)
    }

    /// [`Postgres::psql`] for any connection URL or `name=value` connection string.
    pub fn psql_at(&self, url: &str, sql: &str) -> Result<String> {
        let mut psql = psql(&self.programs, url);
        run_with(psql.args(["-f", "-"]), sql.as_bytes()).while_(|| format!("on {}", self.name()))
    }

    /// One of its programs: `pg_recvlogical`, `pgbench`, `pg_dump`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The certificate authority for `sslmode=verify-full` (host `localhost` or `127.0.0.1`).
    pub fn ca_path(&self) -> Result<PathBuf> {
        Ok(certificates()?.join("ca.pem"))
    }
}

impl Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn psql(programs: &Path, url: &str) -> Command {
    let mut command = Command::new(programs.join("psql"));
    command
        .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url])
        .env("PGCONNECT_TIMEOUT", "10");
    command
}

fn plan(programs: &Path, folder: &Path, port: u16) -> Plan {
    let ready = psql_ready(programs.to_path_buf(), port);
    let mut plan = Plan::new(programs.join("postgres"), Box::new(ready));
    plan.arguments = vec!["-D".into(), folder.join("data").into()];
    // Fast shutdown: clients are cut off.
    plan.stop = Signal::INT;
    plan.stale = &["data/postmaster.pid"];
    plan
}

fn psql_ready(programs: PathBuf, port: u16) -> impl Fn() -> Result<bool> {
    let url = format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}");
    move || Ok(run(psql(&programs, &url).args(["-c", "select 1"])).is_ok())
}

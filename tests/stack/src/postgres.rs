//! PostgreSQL 15 and 18 from Debian's packages.

use std::{
    fmt, fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    Result, Server, Stack,
    account::Account,
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
        }
    }

    /// The folder of its programs, installed if needed.
    fn programs(self) -> Result<PathBuf> {
        let prefix = self.packages().install()?;
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
    settings: Vec<(String, String)>,
}

impl PostgresOptions {
    /// `wal_level=logical`, 30 senders and slots, TLS offered, no fsync.
    pub fn new(version: PgVersion) -> Self {
        Self {
            version,
            durable: false,
            settings: Vec::new(),
        }
    }

    /// With fsync: safe against a power cut, slower. Without it a killed server loses nothing either.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
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
        let programs = version.programs()?;
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
        let programs = version.programs()?;
        let name = stack.name(version.kind());
        let port = Port::claim()?;
        let folder = stack.home().create(&name)?;
        create_data(&programs, &folder, version)?;
        fs::write(
            folder.join("stack.conf"),
            configuration(&folder, port.number(), &options),
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
    Plan {
        account: Account::of_servers(),
        program: programs.join("postgres"),
        arguments: vec!["-D".into(), folder.join("data").into()],
        environment: vec![],
        folder: None,
        // Fast shutdown: clients are cut off.
        stop: Signal::INT,
        stale: &["data/postmaster.pid"],
        ready: Box::new(ready),
        ready_limit: Duration::from_secs(60),
    }
}

fn psql_ready(programs: PathBuf, port: u16) -> impl Fn() -> Result<bool> {
    let url = format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}");
    move || Ok(run(psql(&programs, &url).args(["-c", "select 1"])).is_ok())
}

fn configuration(folder: &Path, port: u16, options: &PostgresOptions) -> String {
    let tls = folder.join("tls");
    let tls = tls.display();
    let mut text = format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
         wal_level = logical\nmax_wal_senders = 40\nmax_replication_slots = 40\nmax_connections = 200\n\
         shared_buffers = 64MB\nmax_wal_size = 4GB\npassword_encryption = 'scram-sha-256'\n\
         ssl = on\nssl_ca_file = '{tls}/ca.pem'\nssl_cert_file = '{tls}/server.pem'\n\
         ssl_key_file = '{tls}/server.key'\nlog_line_prefix = '%m [%p] %q%a '\n"
    );
    if !options.durable {
        text += "fsync = off\n";
    }
    for (name, value) in &options.settings {
        text += &format!("{name} = '{}'\n", value.replace('\'', "''"));
    }
    text
}

/// Copies the prepared data folder, made once for each version, and the certificates.
fn create_data(programs: &Path, folder: &Path, version: PgVersion) -> Result<()> {
    let template = template(programs, version)?;
    let tls = certificates()?;
    let account = Account::of_servers();
    let copy = |from: &Path, to: &Path| {
        run(account.command(Path::new("cp")).arg("-r").arg(from).arg(to)).map(|_| ())
    };
    copy(&template.join("data"), &folder.join("data"))?;
    run(account.command(Path::new("mkdir")).arg(folder.join("tls")))?;
    for name in ["ca.pem", "server.pem", "server.key"] {
        copy(&tls.join(name), &folder.join("tls"))?;
    }
    let private = [folder.join("data"), folder.join("tls/server.key")];
    run(account
        .command(Path::new("chmod"))
        .arg("-R")
        .arg("go-rwx")
        .args(private))?;
    Ok(())
}

fn template(programs: &Path, version: PgVersion) -> Result<PathBuf> {
    let name = format!("{}-data", version.kind());
    crate::cache::install(&name, |folder, _| {
        let account = Account::of_servers();
        account.own(folder)?;
        let data = folder.join("data");
        fs::write(folder.join("password"), PASSWORD)?;
        run(account
            .command(&programs.join("initdb"))
            .args([
                "-U",
                SUPERUSER,
                "-A",
                "scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .arg(format!("--pwfile={}", folder.join("password").display()))
            .arg("-D")
            .arg(&data))?;
        let sql = format!(
            "CREATE ROLE {USER} LOGIN REPLICATION CREATEDB PASSWORD '{PASSWORD}'\n\
             CREATE DATABASE {DATABASE} OWNER {USER}\n"
        );
        let postgres = programs.join("postgres");
        let mut single = account.command(&postgres);
        single
            .args(["--single", "-F", "-D"])
            .arg(&data)
            .arg("postgres");
        run_with(&mut single, sql.as_bytes())?;
        // The account owns the folder and may have closed it to us only where we are that account.
        let append = "echo \"include '../stack.conf'\" >> \"$1/postgresql.conf\"; \
            printf '%s\\n' 'host all all 127.0.0.1/32 scram-sha-256' 'host replication all 127.0.0.1/32 scram-sha-256' \
            > \"$1/pg_hba.conf\"";
        run(account
            .command(Path::new("sh"))
            .args(["-c", append, "sh"])
            .arg(&data))?;
        if account == Account::Nobody {
            run(Command::new("chmod").arg("-R").arg("a+rX").arg(&data))?;
        }
        Ok(())
    })
}

//! MySQL and MariaDB from Debian's packages.

mod data;
mod generic;
mod replica;
mod settings;
mod version;

use std::{fs, ops::Deref, path::PathBuf, process::Command, sync::Arc};

pub use version::MysqlVersion;

use self::version::Programs;
use crate::{
    Result, Server, Stack,
    error::While,
    port::Port,
    postgres::{DATABASE, PASSWORD, USER},
    run::{run, run_with},
    server::Plan,
    tls::certificates,
    url::Address,
};

const SUPERUSER: &str = "root";
/// What a killed server leaves.
const STALE: &[&str] = &["data/mysqld.sock", "data/mysqld.sock.lock", "server.pid"];

/// How a MySQL or MariaDB server is started.
#[derive(Clone, Debug)]
pub struct MysqlOptions {
    version: MysqlVersion,
    durable: bool,
    settings: Vec<(String, String)>,
}

impl MysqlOptions {
    /// A binlog of rows with full images and full metadata, GTIDs, TLS offered, no fsync.
    pub fn new(version: MysqlVersion) -> Self {
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

    /// One more line of `my.cnf`, which counts more than those before it: `set("binlog_row_metadata", "MINIMAL")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }
}

/// A MySQL or MariaDB server; see [`Server`] for starting and stopping it.
#[derive(Clone)]
pub struct Mysql {
    server: Arc<Server>,
    version: MysqlVersion,
    host: String,
    superuser: (String, String),
    database: String,
    programs: Programs,
}

impl Mysql {
    /// The server that the environment names for this version.
    pub(crate) fn named(stack: &Stack, version: MysqlVersion) -> Result<Option<Self>> {
        let Some(address) = Address::of(version.variable(), 3306)? else {
            return Ok(None);
        };
        let name = stack.name(version.kind());
        let server = stack.adopt(name, address.port, version.variable());
        let database = match address.path.is_empty() {
            true => DATABASE.into(),
            false => address.path,
        };
        Ok(Some(Self {
            server,
            version,
            host: address.host,
            superuser: (address.user, address.password),
            database,
            programs: version.install()?,
        }))
    }

    pub(crate) fn start(stack: &Stack, options: MysqlOptions) -> Result<Self> {
        let version = options.version;
        let programs = version.install()?;
        let name = stack.name(version.kind());
        let port = Port::claim()?;
        let folder = stack.home().create(&name)?;
        data::create(&programs, version, &folder)?;
        let file = folder.join("my.cnf");
        let text = settings::text(&programs, &folder, port.number(), &options)?;
        fs::write(&file, text)?;
        let mut plan = Plan::new(programs.server(), ready(&programs, port.number()));
        plan.arguments = vec![format!("--defaults-file={}", file.display()).into()];
        plan.stale = STALE;
        Ok(Self {
            server: stack.run(name, vec![port], plan)?,
            version,
            host: "127.0.0.1".into(),
            superuser: (SUPERUSER.into(), PASSWORD.into()),
            database: DATABASE.into(),
            programs,
        })
    }

    /// Which server it is.
    pub fn version(&self) -> MysqlVersion {
        self.version
    }

    /// The host its port is on: 127.0.0.1 unless an environment variable named another.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The superuser and its password. The role `cdc` has the rights that a connector needs, no more.
    pub fn superuser(&self) -> (&str, &str) {
        (&self.superuser.0, &self.superuser.1)
    }

    /// The database `inventory` as the superuser.
    pub fn url(&self) -> String {
        let (user, password) = self.superuser();
        self.url_of(user, password)
    }

    /// The database `inventory` as the role `cdc`, which may replicate and owns the database.
    pub fn cdc_url(&self) -> String {
        self.url_of(USER, PASSWORD)
    }

    fn url_of(&self, user: &str, password: &str) -> String {
        let (host, port, database) = (&self.host, self.port(), &self.database);
        format!("mysql://{user}:{password}@{host}:{port}/{database}")
    }

    /// Runs SQL in the database `inventory` as the superuser, in one session, and returns the rows: columns separated by
    /// tabs, no header. The first failure ends the call. `DELIMITER` is understood.
    pub fn sql(&self, sql: &str) -> Result<String> {
        self.sql_in(&self.database, sql)
    }

    /// [`Mysql::sql`] in another database; in none when the name is empty.
    pub fn sql_in(&self, database: &str, sql: &str) -> Result<String> {
        let (user, password) = self.superuser();
        self.sql_as(user, password, database, sql)
    }

    /// [`Mysql::sql`] as any user, in any database.
    pub fn sql_as(&self, user: &str, password: &str, database: &str, sql: &str) -> Result<String> {
        let mut client = self.command("mysql", user, password);
        client.args(["-N", "-B", "--comments", "--default-character-set=utf8mb4"]);
        if self.version == MysqlVersion::V97 {
            client.arg("--commands");
        }
        if !database.is_empty() {
            client.arg(database);
        }
        run_with(&mut client, sql.as_bytes()).while_(|| format!("on {}", self.name()))
    }

    /// The output of one of its programs, by MySQL's name, connected as the superuser: `mysqlbinlog`, `mysqldump`.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let (user, password) = self.superuser();
        let mut command = self.command(program, user, password);
        run(command.args(arguments)).while_(|| format!("on {}", self.name()))
    }

    /// One of its programs, by MySQL's name, to be connected as this user.
    pub fn command(&self, program: &str, user: &str, password: &str) -> Command {
        let mut command = command(&self.programs, program, user, password);
        let port = self.port().to_string();
        command.args(["-h", &self.host, "-P", &port]);
        if self.version.is_mariadb() {
            command.arg("--skip-ssl-verify-server-cert");
        }
        command
    }

    /// The certificate authority for TLS with the host `localhost` or `127.0.0.1`.
    pub fn ca_path(&self) -> Result<PathBuf> {
        Ok(certificates()?.join("ca.pem"))
    }

    /// The names of its binlog files, the oldest first.
    pub fn binlogs(&self) -> Result<Vec<String>> {
        let told = self.sql("SHOW BINARY LOGS")?;
        let name = |line: &str| line.split('\t').next().map(str::to_owned);
        Ok(told.lines().filter_map(name).collect())
    }

    /// Where the binlog ends: file and position.
    pub fn binlog_end(&self) -> Result<(String, u64)> {
        let told = self.sql(match self.version {
            MysqlVersion::V97 => "SHOW BINARY LOG STATUS",
            _ => "SHOW MASTER STATUS",
        })?;
        let mut columns = told.split('\t');
        let file = columns.next().unwrap_or_default().to_owned();
        let position = columns.next().and_then(|text| text.trim().parse().ok());
        Ok((file, position.unwrap_or_default()))
    }

    /// The folder of binlog files of a server of ours.
    pub fn binlog_folder(&self) -> PathBuf {
        self.folder().join("data")
    }
}

impl Deref for Mysql {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn command(programs: &Programs, program: &str, user: &str, password: &str) -> Command {
    let mut command = Command::new(programs.client(program));
    command
        .args(["--no-defaults", "--protocol=TCP", "-u", user])
        .env("MYSQL_PWD", password);
    command
}

fn ready(programs: &Programs, port: u16) -> crate::server::Ready {
    let programs = programs.clone();
    Box::new(move || {
        let mut client = command(&programs, "mysqladmin", USER, PASSWORD);
        client.args(["-h", "127.0.0.1", "-P", &port.to_string(), "status"]);
        Ok(run(&mut client).is_ok())
    })
}

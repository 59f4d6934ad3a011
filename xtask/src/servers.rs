//! `cargo xtask stack`: servers that outlive the command, listed in a state file of the cache.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};
use stack::{ConnectOptions, MysqlVersion, PgVersion, Process, SearchOptions, Server, Stack};

use crate::Outcome;

/// The servers and what they are.
const NAMES: [(&str, &str); 11] = [
    ("postgres15", "PostgreSQL 15"),
    ("postgres18", "PostgreSQL 18"),
    ("mysql", "MySQL 9.7"),
    ("mariadb", "MariaDB 10.11"),
    ("mariadb118", "MariaDB 11.8"),
    ("mysql80", "MySQL 8.0"),
    ("redis", "Redis 7"),
    ("kafka", "a Kafka broker"),
    ("opensearch", "OpenSearch 3"),
    ("elasticsearch", "Elasticsearch 9: 950 MB to download"),
    ("connect", "Kafka Connect with Debezium, on the broker"),
];
const USUAL: [&str; 3] = ["postgres15", "redis", "kafka"];
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// `up|down|status NAME...`
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let Some((verb, names)) = arguments.split_first() else {
        return Err(format!("say up, down or status\n\n{}", help()).into());
    };
    if matches!(verb.as_str(), "--help" | "-h" | "help") {
        print!("{}", help());
        return Ok(());
    }
    let folder = stack::cache()?.join("run");
    fs::create_dir_all(&folder)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let mut state = State::read(folder)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match verb.as_str() {
        "up" if names.is_empty() => state.up(&USUAL),
        "up" => state.up(&names),
        "down" => state.down(&names),
        "status" => state.status(),
        other => Err(format!("{other}? say up, down or status\n\n{}", help()).into()),
    }
}

fn help() -> String {
    let mut text = format!(
        "cargo xtask stack up [NAME...]    starts servers that stay ({} without a name) and prints variables for the shell,\n\
        \x20                                 by which tests and programs then use them: eval \"$(cargo xtask stack up mysql)\"\n\
         cargo xtask stack down [NAME...]  stops them, or all, and deletes their data\n\
         cargo xtask stack status          shows which run, where, and their memory\n\n\
         NAME is one of\n",
        USUAL.join(", ")
    );
    for (name, about) in NAMES {
        text += &format!("  {name:<14} {about}\n");
    }
    text += "\nAll listen on 127.0.0.1. Users, roles and superusers have the password cdc; the database is inventory.\n";
    text
}

/// The servers that `up` started, by name.
struct State {
    folder: PathBuf,
    servers: Map<String, Value>,
}

impl State {
    fn read(folder: PathBuf) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let servers = match fs::read(folder.join("servers.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(_) => Map::new(),
        };
        Ok(Self { folder, servers })
    }

    fn write(&self) -> Outcome {
        fs::write(
            self.folder.join("servers.json"),
            serde_json::to_vec_pretty(&self.servers)?,
        )?;
        Ok(())
    }

    /// Starts what does not run and prints a line for the shell for each.
    fn up(&mut self, names: &[&str]) -> Outcome {
        let stack = Stack::detached(&self.folder)?;
        for name in names {
            if process(self.servers.get(*name)).is_none() {
                let entry = self.start(&stack, name)?;
                self.servers.insert((*name).to_owned(), entry);
                self.write()?;
            }
            let entry = &self.servers[*name];
            println!("export {}={}", text(entry, "variable"), text(entry, "url"));
        }
        Ok(())
    }

    fn start(
        &self,
        stack: &Stack,
        name: &str,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        match name {
            "postgres15" | "postgres18" => {
                let (version, variable) = match name {
                    "postgres15" => (PgVersion::V15, "TIDEWATER_POSTGRES_URL"),
                    _ => (PgVersion::V18, "TIDEWATER_POSTGRES18_URL"),
                };
                let postgres = stack.postgres(version)?;
                entry(&postgres, variable, &postgres.url())
            }
            "mysql" | "mysql80" | "mariadb" | "mariadb118" => {
                let (version, variable) = match name {
                    "mysql80" => (MysqlVersion::V80, "TIDEWATER_MYSQL80_URL"),
                    "mysql" => (MysqlVersion::V97, "TIDEWATER_MYSQL_URL"),
                    "mariadb" => (MysqlVersion::Mariadb1011, "TIDEWATER_MARIADB_URL"),
                    _ => (MysqlVersion::Mariadb118, "TIDEWATER_MARIADB118_URL"),
                };
                let mysql = stack.mysql(version)?;
                entry(&mysql, variable, &mysql.url())
            }
            "redis" => {
                let redis = stack.redis()?;
                entry(&redis, "TIDEWATER_REDIS_URL", &redis.url())
            }
            "kafka" => {
                let kafka = stack.kafka()?;
                entry(&kafka, "TIDEWATER_KAFKA_BOOTSTRAP", kafka.bootstrap())
            }
            "opensearch" => {
                let search = stack.opensearch()?;
                entry(&search, "TIDEWATER_SEARCH_URL", &search.url())
            }
            "elasticsearch" => {
                let search = stack.elasticsearch(SearchOptions::default())?;
                entry(&search, "TIDEWATER_SEARCH_URL", &search.url())
            }
            "connect" => {
                let kafka = self
                    .servers
                    .get("kafka")
                    .filter(|kafka| process(Some(kafka)).is_some());
                let kafka = kafka.ok_or("connect needs kafka: say up kafka connect")?;
                let connect = stack.connect(text(kafka, "url"), ConnectOptions::default())?;
                entry(&connect, "TIDEWATER_CONNECT_URL", &connect.url())
            }
            other => {
                let names = NAMES.map(|(name, _)| name).join(", ");
                Err(format!("no server {other}: {names}").into())
            }
        }
    }

    /// Stops the named servers, or all, and deletes their data.
    fn down(&mut self, names: &[&str]) -> Outcome {
        let known: Vec<String> = self.servers.keys().cloned().collect();
        for name in known
            .iter()
            .filter(|name| names.is_empty() || names.contains(&name.as_str()))
        {
            if let Some(process) = process(self.servers.get(name)) {
                if !process.end(STOP_LIMIT) {
                    return Err(format!("{name} (process {}) does not end", process.pid()).into());
                }
                eprintln!("{name} stopped");
            }
            delete(&self.folder.join(name))?;
            self.servers.remove(name);
            self.write()?;
        }
        Ok(())
    }

    fn status(&self) -> Outcome {
        for (name, entry) in &self.servers {
            match process(Some(entry)) {
                Some(process) => println!(
                    "{name:<14} up    pid {:<7} {:>5.0} MB  {}",
                    process.pid(),
                    process.rss_mb().unwrap_or_default(),
                    text(entry, "url")
                ),
                None => println!("{name:<14} down  log {}", text(entry, "log")),
            }
        }
        Ok(())
    }
}

fn entry(
    server: &Server,
    variable: &str,
    url: &str,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let process = server
        .process()
        .ok_or_else(|| format!("{variable} is set: unset it first"))?;
    let log = server.log_path().display().to_string();
    Ok(json!({"process": process.to_string(), "variable": variable, "url": url, "log": log}))
}

fn process(entry: Option<&Value>) -> Option<Process> {
    Process::parse(text(entry?, "process")).filter(Process::is_alive)
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_default()
}

fn delete(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

//! MySQL and MariaDB.

use e2e::Outcome;
use serde_json::{Value, json};
use stack::{Mysql, MysqlOptions, MysqlVersion, PASSWORD, Stack};

use crate::{Database, End};

const MARKER: &str = "create table differential_marker (id bigint primary key auto_increment, token varchar(200) not null);
    insert into differential_marker (token) values ('before the start');";
/// What both readers of one binlog must differ in, from here on.
const SERVER_IDS: u32 = 100_000;

/// A MySQL or MariaDB server.
pub struct MysqlDatabase {
    server: Mysql,
    class: &'static str,
}

impl MysqlDatabase {
    /// Starts one for connectors of this class. `is_full`: with all that a binlog can tell; else with as little as a server
    /// that nobody has set up for it: no names of columns, no checksums, and no GTIDs in MySQL's.
    pub fn start(
        stack: &Stack,
        version: MysqlVersion,
        class: &'static str,
        is_full: bool,
    ) -> Outcome<Self> {
        let options = MysqlOptions::new(version);
        let options = match is_full {
            true => options,
            false => options.set("binlog_checksum", "NONE"),
        };
        let options = match (is_full, version.is_mariadb()) {
            (true, _) => options,
            (false, true) => options.set("binlog_row_metadata", "NO_LOG"),
            (false, false) => options
                .set("binlog_row_metadata", "MINIMAL")
                .set("gtid_mode", "OFF")
                .set("enforce_gtid_consistency", "OFF"),
        };
        Ok(Self {
            server: stack.mysql_with(options)?,
            class,
        })
    }

    /// The connections over which a side reads the binlog.
    fn dumps(&self, run: &str, end: End) -> Outcome<Vec<String>> {
        let told = self.server.sql_in("", "show processlist")?;
        let user = user(run, end);
        let dump = |line: &str| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [id, by, _, _, command, ..] = columns[..] else {
                return None;
            };
            (by == user && command.starts_with("Binlog Dump")).then(|| id.to_owned())
        };
        Ok(told.lines().filter_map(dump).collect())
    }

    /// SQL that is in no binlog.
    fn unlogged(&self, sql: &str) -> Outcome {
        self.server
            .sql_in("", &format!("set sql_log_bin = 0; {sql}"))?;
        Ok(())
    }
}

/// The run's number, which begins its name: `d012`.
fn number(run: &str) -> &str {
    run.split('_').next().unwrap_or(run)
}

/// Names of users are short.
fn user(run: &str, end: End) -> String {
    format!("{}_{}", number(run), end.name())
}

fn server_id(run: &str, end: End) -> u32 {
    let number: u32 = number(run).trim_start_matches('d').parse().unwrap_or(0);
    SERVER_IDS + 2 * number + u32::from(end == End::Tidewater)
}

impl Database for MysqlDatabase {
    fn create(&self, run: &str) -> Outcome {
        for user in [End::Debezium, End::Tidewater].map(|end| user(run, end)) {
            self.unlogged(&format!(
                "create user '{user}'@'%' identified by '{PASSWORD}'; grant all on *.* to '{user}'@'%'"
            ))?;
        }
        self.server.sql_in("", &format!("create database {run}"))?;
        self.sql(run, MARKER)
    }

    fn sql(&self, run: &str, sql: &str) -> Outcome {
        self.server.sql_in(run, sql)?;
        Ok(())
    }

    fn mark(&self, run: &str, tokens: &[&str], creates: bool) -> Outcome {
        let one = |token: &&str| match creates {
            true => format!("insert into differential_marker (token) values ('{token}');"),
            false => format!("update differential_marker set token = '{token}';"),
        };
        let all: String = tokens.iter().map(one).collect();
        self.sql(run, &format!("begin; {all} commit"))
    }

    fn config(&self, run: &str, end: End) -> Value {
        json!({
            "connector.class": self.class,
            "tasks.max": "1",
            "database.hostname": "127.0.0.1",
            "database.port": self.server.port().to_string(),
            "database.user": user(run, end),
            "database.password": PASSWORD,
            "database.server.id": server_id(run, end).to_string(),
            "database.include.list": run,
            "topic.prefix": run,
            "schema.history.internal.kafka.bootstrap.servers": "${bootstrap}",
            // Without the run's name, which would make it a topic to compare.
            "schema.history.internal.kafka.topic": format!("schema-history-{}", number(run)),
            // Else each side also tells of the databases of other runs that it happens to see.
            "schema.history.internal.store.only.captured.databases.ddl": "true",
            "poll.interval.ms": "20",
        })
    }

    fn pass_marker(&self, config: &mut Value) {
        let lists = [
            ("table.include.list", r".*\.differential_marker"),
            ("column.include.list", r".*\.differential_marker\..*"),
        ];
        for (key, marker) in lists {
            if let Some(list) = config.get(key).and_then(Value::as_str) {
                config[key] = format!("{list},{marker}").into();
            }
        }
    }

    fn streams(&self, run: &str, ends: &[End]) -> Outcome<bool> {
        for end in ends {
            if self.dumps(run, *end)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn forget_stopped(&self, run: &str) -> Outcome {
        for end in [End::Debezium, End::Tidewater] {
            for connection in self.dumps(run, end)? {
                // It may have found out by itself meanwhile.
                let _ = self.server.sql_in("", &format!("kill {connection}"));
            }
        }
        Ok(())
    }

    fn drop(&self, run: &str) -> Outcome {
        self.server
            .sql_in("", &format!("drop database if exists {run}"))?;
        for user in [End::Debezium, End::Tidewater].map(|end| user(run, end)) {
            self.unlogged(&format!("drop user if exists '{user}'@'%'"))?;
        }
        Ok(())
    }
}

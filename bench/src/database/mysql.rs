//! MySQL and MariaDB.

use std::{
    os::unix::fs::symlink,
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{Outcome, configs::mysql_source};
use serde_json::Value;
use stack::{DATABASE, Mysql, MysqlOptions, MysqlVersion, Stack, USER, wait_until};

use super::{Database, ROWS_PER_TRANSACTION, number_after, source_us};
use crate::{
    limit::{self, timed},
    report::Measured,
    workload::{Dialect, MysqlDialect, Workload},
};

const LIMIT: Duration = Duration::from_secs(60);
/// Not captured: the numbers from 0 to 9999, a table whose changes wake readers, and who writes steadily.
const TOOLS: &str = "create database bench;
    create table bench.numbers (n int primary key);
    insert into bench.numbers with recursive k (n) as (select 0 union all select n + 1 from k where n < 999)
        select a.n + 1000 * b.n from k a join k b where b.n < 10;
    create table bench.nudges (id int primary key, at datetime(6));";

/// A MySQL or MariaDB tuned as a production server would be, with fsync on.
pub(super) struct MysqlDatabase(Mysql);

impl MysqlDatabase {
    pub(super) fn start(stack: &Stack, version: MysqlVersion) -> Outcome<Self> {
        let log = match version.is_mariadb() {
            true => "innodb-log-file-size",
            false => "innodb-redo-log-capacity",
        };
        let options = MysqlOptions::new(version)
            .durable(true)
            .set("innodb-buffer-pool-size", "1G")
            .set(log, "2G");
        let database = Self(stack.mysql_with(options)?);
        database.sql(TOOLS)?;
        Ok(database)
    }

    fn client(&self, program: &str) -> Command {
        let (user, password) = self.0.superuser();
        self.0.command(program, user, password)
    }

    /// All of the binlog from a place on, to nowhere.
    fn receive(&self, from: (String, u64), rows: u64, scenario: &str) -> Outcome<Measured> {
        let (file, position) = from;
        // The client names its files itself.
        let folder = tempfile::tempdir()?;
        for name in self.0.binlogs()? {
            symlink("/dev/null", folder.path().join(name))?;
        }
        let mut receive = self.client("mysqlbinlog");
        receive.args(["--read-from-remote-server", "--raw", "--to-last-log"]);
        receive.arg(format!("--result-file={}/", folder.path().display()));
        receive.arg(format!("--start-position={position}"));
        receive.arg(file);
        timed("server limit: mysqlbinlog", scenario, rows, &mut receive)
    }

    /// The rows of a transaction or of all, as `insert` takes them.
    fn insert(name: &str, from: &str, to: &str) -> String {
        let series = MysqlDialect.series(from, to);
        format!(
            "insert into {DATABASE}.{name} select i, i % 5000, \
             case i % 3 when 0 then 'open' when 1 then 'paid' else 'shipped' end, (i % 100000) / 100.0, \
             timestamp('2026-01-01') + interval i second, now(6), concat('note of row ', i, ' ', left(sha2(i, 224), 32)) from {series}"
        )
    }

    fn readers(&self) -> stack::Result<usize> {
        let told = self.0.sql_in("", "show processlist")?;
        let reads = |line: &&str| line.contains(USER) && line.contains("Binlog Dump");
        Ok(told.lines().filter(reads).count())
    }
}

impl Database for MysqlDatabase {
    fn sql(&self, sql: &str) -> Outcome {
        self.0.sql_in("", sql)?;
        Ok(())
    }

    fn table(&self, name: &str) -> String {
        format!("{DATABASE}.{name}")
    }

    fn create_table(&self, name: &str) -> Outcome {
        self.sql(&format!(
            "drop table if exists {DATABASE}.{name};
             create table {DATABASE}.{name} (
                 id bigint primary key, customer int not null, status varchar(20) not null,
                 amount decimal(12,2) not null, created datetime(6) not null, updated timestamp(6) null, note longtext)"
        ))
    }

    fn drop_table(&self, name: &str) -> Outcome {
        self.sql(&format!("drop table {DATABASE}.{name}"))
    }

    fn fresh_schema(&self, _: &str, tables: &str) -> Outcome {
        self.sql(&format!(
            "drop database if exists w; create database w; create table w.marker (id int primary key);\n{tables}"
        ))
    }

    fn fill(&self, name: &str, rows: u64) -> Outcome {
        debug_assert_eq!(ROWS_PER_TRANSACTION, 1000);
        self.sql(&MysqlDialect.in_batches(rows, &Self::insert(name, "{from}", "{to}")))
    }

    fn fill_at_once(&self, name: &str, rows: u64) -> Outcome {
        self.sql(&Self::insert(name, "1", &rows.to_string()))
    }

    fn fill_large(&self, name: &str) -> Outcome {
        let series = MysqlDialect.series("1", "374492");
        self.sql(&format!(
            "set session group_concat_max_len = 30000000;
             insert into {DATABASE}.{name} select 1, 1, 'open', 1, now(6), now(6), group_concat(sha2(i, 224) separator '') from {series}"
        ))
    }

    fn write_steadily(&self, name: &str, rows: u64) -> Outcome<Child> {
        let body = format!(
            "declare i bigint default 0; declare early double; declare started double default unix_timestamp(sysdate(6));
             while i < {rows} do
               set i = i + 1;
               insert into {DATABASE}.{name} values (i, i % 5000, 'open', i / 100, sysdate(6), now(6), concat('note of row ', i, ' ', left(sha2(i, 224), 32)));
               commit;
               set early = started + i / 1000 - unix_timestamp(sysdate(6));
               if early > 0 then do sleep(early); end if;
             end while;"
        );
        self.sql(&format!(
            "set sql_log_bin = 0; drop procedure if exists bench.steady;\nDELIMITER //\n\
             create procedure bench.steady() begin {body} end //\nDELIMITER ;"
        ))?;
        let mut client = self.client("mysql");
        client.args(["-e", "set time_zone = '+00:00'; call bench.steady()"]);
        Ok(client.stdout(Stdio::null()).spawn()?)
    }

    /// MariaDB's binlog has the time of a commit in seconds; the row's own is taken just before.
    fn commit_us(&self) -> fn(&str) -> Option<u64> {
        match self.0.version().is_mariadb() {
            true => |record| number_after(record, "\"created\":"),
            false => source_us,
        }
    }

    fn settle(&self) -> Outcome {
        self.sql("flush local engine logs")
    }

    fn source(&self, name: &str, tables: &str, bootstrap: &str) -> Value {
        mysql_source(&self.0, name, tables, bootstrap)
    }

    /// The server notices that a reader is gone when it has something to tell it.
    fn await_reader(&self, _: &str, reads: bool) -> Outcome {
        wait_until("the binlog to be read, or let go", LIMIT, || {
            if !reads {
                self.0
                    .sql_in("", "replace into bench.nudges values (1, sysdate(6))")?;
            }
            Ok((self.readers()? > 0) == reads)
        })?;
        Ok(())
    }

    fn forget(&self, name: &str) -> Outcome {
        self.await_reader(name, false)
    }

    /// `SELECT` and `mysqldump` of the table, and `mysqlbinlog`, to nowhere.
    fn limits(&self, rows: u64) -> Outcome<Vec<Measured>> {
        self.create_table("limits")?;
        let from = self.0.binlog_end()?;
        self.fill("limits", rows)?;
        self.settle()?;
        let select = |sql: &str| {
            let mut client = self.client("mysql");
            client.args(["--quick", "-N", "-B", "-e", sql, DATABASE]);
            client
        };
        let mut whole = select("select * from limits");
        let mut dump = self.client("mysqldump");
        if !self.0.version().is_mariadb() {
            // Else it warns of what a part of a server lacks.
            dump.arg("--set-gtid-purged=OFF");
        }
        dump.args(["--single-transaction", "--quick", DATABASE, "limits"]);
        let all = vec![
            timed("server limit: SELECT", "snapshot", rows, &mut whole)?,
            timed("server limit: mysqldump", "snapshot", rows, &mut dump)?,
            limit::parts("SELECT", rows, |part| {
                select(&format!("select * from limits where {part}"))
            })?,
            self.receive(from, rows, "stream")?,
        ];
        self.drop_table("limits")?;
        Ok(all)
    }

    fn stream_limit(&self, workload: &Workload) -> Outcome<Measured> {
        self.fresh_schema("limits", &workload.setup)?;
        let from = self.0.binlog_end()?;
        self.sql(&workload.write)?;
        self.settle()?;
        self.receive(from, workload.changes, workload.name)
    }

    fn dialect(&self) -> Box<dyn Dialect> {
        Box::new(MysqlDialect)
    }
}

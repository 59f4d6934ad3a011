//! What a MySQL or MariaDB source cannot put right by itself: it says what and where, and what to do.

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{IMPATIENT, mysql_source, with},
    counters,
    mysql::{self, TOPIC, wait_stored, wait_streaming},
    scene::SOURCE,
};
use serde_json::{Value, json};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack, wait_until};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(90);
const TABLE: &str = "inventory.counters";
const NEWEST: [MysqlVersion; 2] = [MysqlVersion::V97, MysqlVersion::Mariadb118];

fn worker(stack: &Stack) -> Outcome<Worker> {
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    Worker::start(stack, options)
}

fn put(worker: &Worker, name: &str, config: &Value) -> Outcome {
    let path = format!("/connectors/{name}/config");
    let answer = worker.rest().ask("PUT", &path, &config.to_string())?;
    assert!(answer.status < 300, "{} {}", answer.status, answer.body);
    Ok(())
}

/// Deletes what follows the place of a source that does not run.
fn purge(mysql: &Mysql) -> Outcome {
    mysql.sql("flush binary logs")?;
    let last = mysql.binlogs()?.pop().ok_or("no binlog")?;
    wait_until("the binlog to be purged", LIMIT, || {
        // MariaDB keeps what it thinks is still being read.
        mysql.sql(&format!("purge binary logs to '{last}'"))?;
        Ok(mysql.binlogs()? == [last.as_str()])
    })?;
    Ok(())
}

/// Waits until a connector that had failed runs again.
fn wait_mended(worker: &Worker, name: &str) -> Outcome {
    wait_until("the source to run again", LIMIT, || {
        let states = worker.rest().states(name).unwrap_or_default();
        Ok(states == ["RUNNING", "RUNNING"])
    })?;
    Ok(())
}

/// The task stops with the place and the remedy; with `when_needed` it reads the tables again, and nothing is missing.
fn purged(options: MysqlOptions) -> Outcome {
    let stack = Stack::new()?;
    let mysql = stack.mysql_with(options)?;
    mysql::table(&mysql)?;
    let config = with(mysql_source(&mysql, SOURCE, TABLE, ""), IMPATIENT);
    let worker = worker(&stack)?;
    worker.rest().create(SOURCE, &config)?;
    wait_streaming(&worker)?;
    let mut load = mysql::count(&mysql);
    load.wait_for(2)?;
    worker.server().kill9()?;
    load.wait_for(2)?;
    purge(&mysql)?;
    load.wait_for(1)?;
    worker.server().start()?;
    worker.rest().wait_for_failure(SOURCE, "mysql.purged")?;
    let trace = worker.rest().trace(SOURCE)?;
    for part in ["file", "binlog.0", "when_needed"] {
        assert!(trace.contains(part), "{trace}");
    }
    put(
        &worker,
        SOURCE,
        &with(config, &[("snapshot.mode", "when_needed")]),
    )?;
    wait_mended(&worker, SOURCE)?;
    load.wait_for(2)?;
    load.stop()?;
    wait_stored(&worker, &mysql)?;
    let records = worker.stop_and_read(TOPIC)?;
    counters::assert_reads_close_gaps(&records)?;
    mysql::assert_complete(&counters::history(&records)?, &mysql)
}

#[test]
fn a_purged_binlog_of_mysql() -> Outcome {
    purged(MysqlOptions::new(MysqlVersion::V97))
}

#[test]
fn a_purged_binlog_of_mariadb() -> Outcome {
    purged(MysqlOptions::new(MysqlVersion::Mariadb118))
}

/// On MariaDB the later of two connectors with one number ends the earlier one, which says which it was and stays away.
/// To MySQL they are two, since their names differ.
#[test]
fn two_connectors_with_one_number() -> Outcome {
    for version in NEWEST {
        let stack = Stack::new()?;
        let mysql = stack.mysql(version)?;
        mysql::table(&mysql)?;
        if version.is_mariadb() {
            // Without it, connections are named instead of connectors.
            mysql.sql("grant replication master admin on *.* to cdc")?;
        }
        let worker = worker(&stack)?;
        let source = |name| with(mysql_source(&mysql, name, TABLE, ""), IMPATIENT);
        worker.rest().create(SOURCE, &source(SOURCE))?;
        wait_streaming(&worker)?;
        worker.rest().create("second", &source("second"))?;
        worker.rest().wait_for("second", "RUNNING")?;
        if version.is_mariadb() {
            worker.rest().wait_for_failure(SOURCE, "mysql.server_id")?;
            let trace = worker.rest().trace(SOURCE)?;
            for part in ["6400", "tidewater second", "database.server.id"] {
                assert!(trace.contains(part), "{part}: {trace}");
            }
            let own = with(source(SOURCE), &[("database.server.id", "6401")]);
            put(&worker, SOURCE, &own)?;
            wait_mended(&worker, SOURCE)?;
        }
        let mut load = mysql::count(&mysql);
        load.wait_for(3)?;
        load.stop()?;
        for name in [SOURCE, "second"] {
            worker.rest().wait_for(name, "RUNNING")?;
        }
        wait_stored(&worker, &mysql)?;
        worker.server().stop()?;
        for topic in [TOPIC.to_owned(), format!("second.{TABLE}")] {
            let history = counters::history(&worker.read(&topic)?)?;
            counters::assert_exactly_once(&history)?;
        }
        mysql::assert_complete(&counters::history(&worker.read(TOPIC)?)?, &mysql)?;
    }
    Ok(())
}

/// Everything that a user may not do, and that is wrong with the server, is told at once.
#[test]
fn wrong_rights_are_told_all_at_once() -> Outcome {
    for version in NEWEST {
        let stack = Stack::new()?;
        let mysql = stack.mysql(version)?;
        mysql::table(&mysql)?;
        mysql.sql(
            "create user nobody identified by 'cdc'; grant insert on inventory.counters to nobody;
             set global binlog_row_image = 'MINIMAL'",
        )?;
        let server_id = mysql.sql("select @@global.server_id")?;
        let config = with(
            mysql_source(&mysql, SOURCE, TABLE, ""),
            &[
                ("database.user", "nobody"),
                ("database.server.id", server_id.trim()),
                ("snapshot.mode", "nonsense"),
            ],
        );
        let worker = worker(&stack)?;
        let body = json!({ "name": SOURCE, "config": config }).to_string();
        let refused = worker.rest().ask("POST", "/connectors", &body)?;
        assert_eq!(refused.status, 400, "{}", refused.body);
        for part in [
            "may not read the binlog: GRANT REPLICATION SLAVE ON *.* TO 'nobody'@'%'",
            "may not ask where the binlog ends: GRANT",
            "may not read inventory.counters",
            "The server itself has the number",
            "snapshot.mode",
        ] {
            assert!(
                refused.body.contains(part),
                "{version} {part}: {}",
                refused.body
            );
        }
    }
    Ok(())
}

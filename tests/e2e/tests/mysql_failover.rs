//! Two servers of which one follows the other: the source goes on at the one that takes over, where files and positions are others.

use e2e::{
    LogKind, Outcome, Rounds, Worker, WorkerOptions,
    configs::{IMPATIENT, mysql_source, with},
    counters,
    mysql::{self, TOPIC, wait_stored, wait_streaming},
    scene::SOURCE,
    shapes,
};
use stack::{Mysql, MysqlOptions, MysqlVersion, Proxy, Stack, wait_until};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// A server, and one that follows it.
fn pair(stack: &Stack, version: MysqlVersion, metadata: &str) -> Outcome<(Mysql, Mysql)> {
    let options = || MysqlOptions::new(version).set("binlog_row_metadata", metadata);
    let first = stack.mysql_with(options())?;
    let second = first.replica_with(stack, options())?;
    Ok((first, second))
}

fn address(mysql: &Mysql) -> String {
    format!("127.0.0.1:{}", mysql.port())
}

/// Waits until the second server has everything.
fn has_all_of(second: &Mysql, first: &Mysql) -> Outcome {
    let all = first.gtids()?;
    wait_until("the second server to have everything", LIMIT, || {
        Ok(second.gtids()? == all)
    })?;
    Ok(())
}

/// The second server takes over when it has everything, and the first one is gone.
fn fail_over(first: &Mysql, second: &Mysql, mut load: Rounds, proxy: &Proxy) -> Outcome {
    load.stop()?;
    has_all_of(second, first)?;
    first.kill9()?;
    second.promote()?;
    proxy.lead_to(&address(second));
    Ok(())
}

fn start(stack: &Stack, first: &Mysql, proxy: &Proxy, table: &str) -> Outcome<Worker> {
    let config = mysql_source(first, SOURCE, table, "");
    let own = [
        ("database.port", proxy.port().to_string()),
        ("include.schema.changes", "false".to_owned()),
    ];
    let own = own.each_ref().map(|(name, value)| (*name, value.as_str()));
    let config = with(with(config, IMPATIENT), &own);
    let worker = Worker::start(stack, WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    worker.rest().create(SOURCE, &config)?;
    wait_streaming(&worker)?;
    Ok(worker)
}

fn counters_go_on(version: MysqlVersion) -> Outcome {
    let stack = Stack::new()?;
    let (first, second) = pair(&stack, version, "FULL")?;
    // Another number than the first server's, so that nothing fits by chance.
    second.sql("flush binary logs")?;
    mysql::table(&first)?;
    let proxy = Proxy::to(&address(&first))?;
    let worker = start(&stack, &first, &proxy, "inventory.counters")?;
    let load = mysql::count(&first);
    load.wait_for(3)?;
    fail_over(&first, &second, load, &proxy)?;

    let mut load = mysql::count(&second);
    load.wait_for(2)?;
    worker.rest().wait_for(SOURCE, "RUNNING")?;
    worker.server().kill9()?;
    worker.server().start()?;
    load.wait_for(3)?;
    load.stop()?;
    wait_stored(&worker, &second)?;
    let history = counters::history(&worker.stop_and_read(TOPIC)?)?;
    mysql::assert_complete(&history, &second)?;
    counters::assert_exactly_once(&history)
}

#[test]
fn the_source_follows_to_the_mysql_that_takes_over() -> Outcome {
    counters_go_on(MysqlVersion::V97)
}

#[test]
fn the_source_follows_to_the_mariadb_that_takes_over() -> Outcome {
    counters_go_on(MysqlVersion::Mariadb118)
}

/// A server that has not yet everything that was read is waited for, and the status says so.
fn lags(version: MysqlVersion) -> Outcome {
    let stack = Stack::new()?;
    let (first, second) = pair(&stack, version, "FULL")?;
    mysql::table(&first)?;
    let proxy = Proxy::to(&address(&first))?;
    let worker = start(&stack, &first, &proxy, "inventory.counters")?;
    has_all_of(&second, &first)?;
    let word = match version.is_mariadb() {
        true => "slave",
        false => "replica",
    };
    second.sql(&format!("stop {word}"))?;
    let mut load = mysql::count(&first);
    load.wait_for(2)?;
    load.stop()?;
    wait_stored(&worker, &first)?;

    proxy.cut();
    proxy.lead_to(&address(&second));
    proxy.heal();
    worker.rest().wait_for_trouble(SOURCE, "mysql.behind")?;
    second.sql(&format!("start {word}"))?;
    worker.rest().wait_for(SOURCE, "RUNNING")?;
    let mut load = mysql::count(&first);
    load.wait_for(1)?;
    load.stop()?;
    has_all_of(&second, &first)?;
    wait_stored(&worker, &second)?;
    let history = counters::history(&worker.stop_and_read(TOPIC)?)?;
    mysql::assert_complete(&history, &second)?;
    counters::assert_exactly_once(&history)
}

#[test]
fn a_mysql_that_lags_is_waited_for() -> Outcome {
    lags(MysqlVersion::V97)
}

#[test]
fn a_mariadb_that_lags_is_waited_for() -> Outcome {
    lags(MysqlVersion::Mariadb118)
}

/// Tables change on both servers, rows have no names, and the files of the first are further than those of the second.
fn shapes_go_on(version: MysqlVersion) -> Outcome {
    let stack = Stack::new()?;
    let (first, second) = pair(&stack, version, "MINIMAL")?;
    for _ in 0..5 {
        first.sql("flush local binary logs")?;
    }
    shapes::table(&first)?;
    let proxy = Proxy::to(&address(&first))?;
    let worker = start(&stack, &first, &proxy, shapes::TABLE)?;
    let load = shapes::reshape(&first);
    load.wait_for(13)?;
    worker.server().kill9()?;
    load.wait_for(9)?;
    fail_over(&first, &second, load, &proxy)?;

    let mut load = shapes::reshape(&second);
    load.wait_for(4)?;
    worker.server().start()?;
    load.wait_for(5)?;
    for _ in 0..2 {
        worker.server().kill9()?;
        load.wait_for(7)?;
        worker.server().start()?;
        load.wait_for(2)?;
    }
    load.stop()?;
    wait_stored(&worker, &second)?;
    let records = worker.stop_and_read(&shapes::topic())?;
    shapes::assert_told(&records, &second, true)
}

#[test]
fn tables_that_change_on_both_mysqls() -> Outcome {
    shapes_go_on(MysqlVersion::V97)
}

#[test]
fn tables_that_change_on_both_mariadbs() -> Outcome {
    shapes_go_on(MysqlVersion::Mariadb118)
}

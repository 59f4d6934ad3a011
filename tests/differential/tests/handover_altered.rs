//! A table is altered while Tidewater has the connector: Debezium, whose history of schemas does not know of that, goes on with
//! `snapshot.mode=recovery`.

use differential::turns::{Handed, is_checked, kafka_connect, takes_its_turn, tidewater};
use e2e::{
    Outcome, Rest,
    configs::with,
    counters::{self, assert_exactly_once},
    is_long,
    scene::SOURCE,
};
use serde_json::Value;
use stack::{Mysql, MysqlVersion, Server, Stack};

/// By numbers and types the columns are what they were, so that a history that is not told would give wrong names.
const ALTER: &str =
    "alter table counters drop column note, add column extra varchar(10) default 'x' after n";

fn altered(version: MysqlVersion) -> Outcome {
    if !is_checked() {
        return Ok(());
    }
    let stack = Stack::new()?;
    let (mysql, kafka) = (stack.mysql(version)?, stack.kafka()?);
    mysql.table()?;
    let config = with(
        mysql.config(kafka.bootstrap()),
        &[("exactly.once.support", "required")],
    );
    let connect = kafka_connect(&stack, &kafka)?;
    connect.run_connector(SOURCE, &config)?;
    let mut load = mysql.count();
    let theirs = Rest::new(connect.port());
    takes_its_turn(&theirs, &mysql)?;
    connect.stop()?;

    let worker = tidewater(&stack, &kafka)?;
    takes_its_turn(worker.rest(), &mysql)?;
    mysql.sql(ALTER)?;
    let recovery = with(config, &[("snapshot.mode", "recovery")]);
    let path = format!("/connectors/{SOURCE}/config");
    let answer = worker.rest().ask("PUT", &path, &recovery.to_string())?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    takes_its_turn(worker.rest(), &mysql)?;
    worker.server().stop()?;

    Server::start(&connect)?;
    takes_its_turn(&theirs, &mysql)?;
    connect.stop()?;

    worker.server().start()?;
    takes_its_turn(worker.rest(), &mysql)?;
    load.stop()?;
    mysql.wait_read(worker.rest())?;
    let records = worker.stop_and_read(Mysql::TOPIC)?;
    let history = counters::history(&records)?;
    mysql.assert_complete(&history)?;
    assert_exactly_once(&history)?;
    names_change_once(&records)
}

/// From some record on all have the new column, whoever wrote them.
fn names_change_once(records: &[(String, String)]) -> Outcome {
    let mut by_debezium = 0;
    let mut is_altered = false;
    for (_, value) in records {
        let change: Value = serde_json::from_str(value)?;
        let has = change["after"].get("extra").is_some();
        assert!(has || !is_altered, "the old columns again: {value}");
        is_altered |= has;
        let version = change["source"]["version"].as_str();
        by_debezium += u32::from(has && version.is_some_and(|v| v.ends_with(".Final")));
    }
    assert!(
        by_debezium > 0,
        "Debezium told nothing with the new columns"
    );
    Ok(())
}

#[test]
fn mysql_tables_that_were_altered_meanwhile() -> Outcome {
    if !is_long() {
        return Ok(());
    }
    altered(MysqlVersion::V97)
}

#[test]
fn mariadb_tables_that_were_altered_meanwhile() -> Outcome {
    altered(MysqlVersion::Mariadb118)
}

//! Tables change in the middle of everything, while the worker is killed and reads on from before the change: every row has the
//! columns that it had, whether the binlog tells their names or not.

use e2e::{
    LogKind, Outcome, WorkerOptions,
    configs::{mysql_source, with},
    mysql::MysqlScene,
    rounds,
    scene::SOURCE,
    shapes,
};
use stack::{MysqlOptions, MysqlVersion, Stack};

/// So many rounds pass without a worker at most.
const AWAY: u64 = 14;

fn reshaped(version: MysqlVersion, metadata: &str, options: WorkerOptions, kills: u32) -> Outcome {
    let stack = Stack::new()?;
    let mysql =
        stack.mysql_with(MysqlOptions::new(version).set("binlog_row_metadata", metadata))?;
    let config = mysql_source(&mysql, SOURCE, shapes::TABLE, "");
    let config = with(config, &[("include.schema.changes", "false")]);
    let once = options.exactly_once;
    let scene = MysqlScene::reshaping(&stack, mysql.clone(), options, &config)?;
    for kill in 0..kills {
        scene.load.wait_for(u64::from(kill % 4) + 1)?;
        scene.kill_worker_for(u64::from(kill) * 5 % AWAY)?;
    }
    let records = scene.finish_with(&shapes::topic())?;
    shapes::assert_told(&records, &mysql, once)
}

fn embedded() -> WorkerOptions {
    WorkerOptions::on(LogKind::Embedded)
}

#[test]
fn mysql_without_names_exactly_once() -> Outcome {
    let options = embedded().exactly_once();
    reshaped(MysqlVersion::V97, "MINIMAL", options, rounds(4, 30))
}

#[test]
fn mysql_with_names_at_least_once() -> Outcome {
    reshaped(MysqlVersion::V97, "FULL", embedded(), rounds(3, 30))
}

#[test]
fn mariadb_without_names_at_least_once() -> Outcome {
    let mariadb = MysqlVersion::Mariadb118;
    reshaped(mariadb, "MINIMAL", embedded(), rounds(4, 30))
}

#[test]
fn mariadb_with_names_exactly_once() -> Outcome {
    let options = embedded().exactly_once();
    let mariadb = MysqlVersion::Mariadb1011;
    reshaped(mariadb, "FULL", options, rounds(3, 30))
}

//! Kills, restarts and cuts while a MySQL or MariaDB server is read: nothing lost, order kept per key, nothing doubled with
//! exactly-once.

use e2e::{
    Fault, LogKind, Outcome, WorkerOptions,
    configs::{IMPATIENT, mysql_source, with},
    counters::{History, assert_at_least_once, assert_exactly_once},
    mysql::MysqlScene,
    rounds,
    scene::SOURCE,
};
use stack::{Mysql, MysqlOptions, MysqlVersion, Proxy, Stack};

const TABLE: &str = "inventory.counters";

/// What is told of a server that is away.
const AWAY: &str = "mysql.connection";

fn server(stack: &Stack, version: MysqlVersion) -> Outcome<Mysql> {
    Ok(stack.mysql_with(MysqlOptions::new(version))?)
}

fn killed_worker(version: MysqlVersion, options: WorkerOptions, kills: u32) -> Outcome<History> {
    let stack = Stack::new()?;
    let mysql = server(&stack, version)?;
    let config = mysql_source(&mysql, SOURCE, TABLE, "");
    let scene = MysqlScene::counting(&stack, mysql, options, &config)?;
    scene.kill_worker(kills)?;
    scene.finish()
}

#[test]
fn exactly_once_from_mysql_survives_kill_9() -> Outcome {
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let history = killed_worker(MysqlVersion::V97, options, rounds(4, 50))?;
    assert_exactly_once(&history)
}

#[test]
fn at_least_once_from_mariadb_survives_kill_9() -> Outcome {
    let options = WorkerOptions::on(LogKind::Embedded);
    let history = killed_worker(MysqlVersion::Mariadb118, options, rounds(3, 50))?;
    assert_at_least_once(&history)
}

#[test]
fn a_stream_survives_restarts_and_cuts() -> Outcome {
    let stack = Stack::new()?;
    let mysql = server(&stack, MysqlVersion::V97)?;
    let proxy = Proxy::to(&format!("127.0.0.1:{}", mysql.port()))?;
    let config = mysql_source(&mysql, SOURCE, TABLE, "");
    let config = with(config, &[("database.port", &proxy.port().to_string())]);
    let config = with(config, IMPATIENT);
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    let scene = MysqlScene::counting(&stack, mysql.clone(), options, &config)?;
    let done = |result: stack::Result<()>| -> Outcome { Ok(result?) };
    let start = || done(mysql.start());
    let heal = || -> Outcome {
        proxy.heal();
        Ok(())
    };
    for fault in [
        Fault {
            name: "restarted in order",
            says: AWAY,
            strike: &|| done(mysql.stop()),
            mend: &start,
        },
        Fault {
            name: "killed",
            says: AWAY,
            strike: &|| done(mysql.kill9()),
            mend: &start,
        },
        Fault {
            name: "cut off",
            says: AWAY,
            strike: &|| {
                proxy.cut();
                Ok(())
            },
            mend: &heal,
        },
    ] {
        scene.survive(&fault)?;
    }
    assert_exactly_once(&scene.finish()?)
}

//! The parts of the demo that need no worker, on real servers.

use std::collections::HashSet;

use stack::{MysqlOptions, MysqlVersion, PgVersion, PostgresOptions, RedisOptions, Stack};

use super::{
    compare::{self, Findings},
    database::Database,
    inventory::{Inventory, TABLES},
    mirror::Mirror,
    mix::Mix,
    mysql::MysqlDatabase,
    postgres::PostgresDatabase,
    redis::RedisMirror,
    resp::Resp,
    truth::{Row, Truth},
};

/// Writes rows to Redis as the sink should.
fn write(truth: &Truth, prefix: &str, redis: &mut Resp) {
    for Row { key, values } in truth.rows() {
        let name = format!("{prefix}{}:{key}", truth.table);
        let mut words = vec!["HSET", &name];
        for (column, value) in truth.columns.iter().zip(&values) {
            if let Some(value) = value {
                words.extend([column.name.as_str(), value]);
            }
        }
        redis.ask(&words).unwrap();
    }
}

fn findings(truths: &[Truth], mirror: &mut dyn Mirror) -> Findings {
    let mut known = HashSet::new();
    let mut all = Findings::new();
    for truth in truths {
        let finding = compare::rows(truth, mirror, &mut known).unwrap();
        all.insert(truth.table.clone(), finding);
    }
    compare::extra(mirror, &known, &mut all).unwrap();
    all
}

#[test]
fn the_workload_runs_in_postgres_and_every_corruption_of_redis_is_found() {
    let stack = Stack::new().unwrap();
    let postgres = PostgresOptions::new(PgVersion::V15);
    let postgres = stack.postgres_with(postgres).unwrap();
    check(&stack, &PostgresDatabase::of(postgres));
}

#[test]
fn the_workload_runs_in_mysql_and_every_corruption_of_redis_is_found() {
    let stack = Stack::new().unwrap();
    let mysql = MysqlOptions::new(MysqlVersion::V97);
    check(
        &stack,
        &MysqlDatabase::new(stack.mysql_with(mysql).unwrap()),
    );
}

#[test]
fn the_workload_runs_in_mariadb_and_every_corruption_of_redis_is_found() {
    let stack = Stack::new().unwrap();
    let mariadb = MysqlOptions::new(MysqlVersion::Mariadb118);
    check(
        &stack,
        &MysqlDatabase::new(stack.mysql_with(mariadb).unwrap()),
    );
}

fn check(stack: &Stack, database: &dyn Database) {
    let inventory = Inventory::of_rows(2_000);
    database.create(inventory).unwrap();
    assert!(
        database.create(inventory).is_err(),
        "tables are never overwritten"
    );
    let mut mix = Mix::new(inventory, database.phrases());
    let mut session = database.session().unwrap();
    let written: u64 = (0..300).map(|_| session.run(&mix.next()).unwrap()).sum();
    assert!(written > 500, "{written}");
    assert!(session.run("SELECT nothing;").is_err());

    let truths = TABLES.map(|table| database.truth(table).unwrap());
    // With an option it is never one that the environment names.
    let redis = stack
        .redis_with(RedisOptions::default().set("maxclients", "100"))
        .unwrap();
    let prefix = database.prefix();
    let mut resp = Resp::connect(&redis.url()).unwrap();
    let write = |truth| write(truth, prefix, &mut resp);
    truths.iter().for_each(write);
    let mut mirror = RedisMirror::open(&redis, prefix).unwrap();
    let clean = findings(&truths, &mut mirror);
    assert!(clean.values().all(|it| it.is_clean()), "{clean:?}");
    let rows: u64 = clean.values().map(|it| it.equal).sum();
    assert_eq!(rows, mirror.rows().unwrap());

    let before = mirror.writes().unwrap();
    let commands = [
        "HSET customers:7 name x",
        "HDEL products:3 price",
        "DEL orders:0",
        "HSET order_lines:1:999 line_no 999",
    ];
    for command in commands {
        let (verb, rest) = command.split_once(' ').unwrap();
        let rest = format!("{prefix}{rest}");
        let words: Vec<&str> = std::iter::once(verb).chain(rest.split(' ')).collect();
        resp.ask(&words).unwrap();
    }
    assert_ne!(mirror.writes().unwrap(), before);
    let found = findings(&truths, &mut mirror);
    let counts = TABLES.map(|table| {
        let it = &found[table];
        [it.different, it.missing, it.extra]
    });
    let expected = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]];
    assert_eq!(counts, expected);
}

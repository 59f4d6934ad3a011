//! The parts of the demo that need no worker, on real servers.

use std::collections::HashSet;

use stack::{PgVersion, PostgresOptions, RedisOptions, Stack};

use super::{
    compare::{self, Findings},
    connectors::PREFIX,
    inventory::{Inventory, TABLES},
    mirror::Mirror,
    mix::Mix,
    redis::RedisMirror,
    resp::Resp,
    session::Session,
    truth::{Row, Truth},
};

/// Writes rows to Redis as the sink should.
fn write(truth: &Truth, redis: &mut Resp) {
    for Row { key, values } in truth.rows() {
        let name = format!("{PREFIX}{}:{key}", truth.table);
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
fn the_workload_runs_and_every_corruption_of_redis_is_found() {
    let stack = Stack::new().unwrap();
    let postgres = stack
        .postgres_with(PostgresOptions::new(PgVersion::V15))
        .unwrap();
    let inventory = Inventory::of_rows(2_000);
    inventory.create(&postgres).unwrap();
    assert!(
        inventory.create(&postgres).is_err(),
        "tables are never overwritten"
    );
    let mut mix = Mix::new(inventory);
    let mut session = Session::open(&postgres).unwrap();
    let written: u64 = (0..300).map(|_| session.run(&mix.next()).unwrap()).sum();
    assert!(written > 500, "{written}");
    assert!(session.run("SELECT nothing;").is_err());

    let truths = TABLES.map(|table| Truth::read(&postgres, table).unwrap());
    // With an option it is never one that the environment names.
    let redis = stack
        .redis_with(RedisOptions::default().set("maxclients", "100"))
        .unwrap();
    let mut resp = Resp::connect(&redis.url()).unwrap();
    truths.iter().for_each(|truth| write(truth, &mut resp));
    let mut mirror = RedisMirror::open(&redis).unwrap();
    let clean = findings(&truths, &mut mirror);
    assert!(clean.values().all(|it| it.is_clean()), "{clean:?}");
    let rows: u64 = clean.values().map(|it| it.equal).sum();
    assert_eq!(rows, mirror.rows().unwrap());

    let before = mirror.writes().unwrap();
    let commands: [&[&str]; 4] = [
        &["HSET", "inventory.public.customers:7", "name", "x"],
        &["HDEL", "inventory.public.products:3", "price"],
        &["DEL", "inventory.public.orders:0"],
        &[
            "HSET",
            "inventory.public.order_lines:1:999",
            "line_no",
            "999",
        ],
    ];
    for words in commands {
        resp.ask(words).unwrap();
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

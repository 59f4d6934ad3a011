//! Snapshots that are killed again and again: every key keeps its order, whatever was durable.

use stack::{Mysql, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on,
    history::{Topic, again, assert_same, ordered, rows, versions},
};

const CAPTURED: (&str, &str) = ("table.include.list", "inventory\\.t");

/// A table whose every change takes its version from the server's clock, and how a key is made of a number.
struct Shape {
    columns: &'static str,
    primary: &'static str,
    key: &'static str,
}

const NUMBERS: Shape = Shape {
    columns: "id INT",
    primary: "id",
    key: "i",
};
/// Texts whose case does not matter, and whose order is that of a language.
const TEXTS: Shape = Shape {
    columns: "a VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, n BIGINT UNSIGNED",
    primary: "a, n",
    key: "CONCAT(ELT(1 + i % 7, 'a', 'B', 'ä', 'É', 'z', '''', 'o\\\\'), (i DIV 50) % 40), i",
};

fn prepare(mysql: &Mysql, shape: &Shape) {
    let Shape {
        columns,
        primary,
        key,
    } = shape;
    mysql
        .sql(&format!(
            "CREATE TABLE nums (i INT PRIMARY KEY); INSERT INTO nums VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10);
             INSERT INTO nums SELECT a.i + 10 * b.i FROM nums a, nums b WHERE b.i < 10;
             INSERT INTO nums SELECT a.i + 100 * b.i FROM nums a, nums b WHERE b.i <= 99;
             CREATE TABLE t ({columns}, i INT, v BIGINT NOT NULL DEFAULT ((UUID_SHORT() & 72057594037927935)), pad VARCHAR(300), PRIMARY KEY ({primary}));
             INSERT INTO t ({primary}, i, pad) SELECT {key}, i, REPEAT('p', 200) FROM nums;
             ANALYZE TABLE t"
        ))
        .unwrap();
}

/// Rows of all parts of the table are changed, deleted and made again, and keys change.
fn changes(shape: &Shape, round: usize) -> String {
    let (primary, key) = (shape.primary, shape.key);
    let first = primary.rsplit(", ").next().unwrap();
    let (low, high) = (round * 7 + 1060, 9560 - round * 7);
    format!(
        "BEGIN; UPDATE t SET v = (UUID_SHORT() & 72057594037927935) WHERE i % 97 = {round}; UPDATE t SET v = (UUID_SHORT() & 72057594037927935) WHERE i % 89 = {round}; COMMIT;
         INSERT IGNORE INTO t ({primary}, i) SELECT {key}, i FROM nums WHERE i % 101 = {round} - 1;
         DELETE FROM t WHERE i % 101 = {round};
         BEGIN; DELETE FROM t WHERE i = 5000 + {round}; INSERT INTO t ({primary}, i) SELECT {key}, i FROM nums WHERE i = 5000 + {round}; COMMIT;
         BEGIN; UPDATE t SET v = (UUID_SHORT() & 72057594037927935) WHERE i = 17; ROLLBACK;
         UPDATE t SET {first} = {first} + 40000, v = (UUID_SHORT() & 72057594037927935) WHERE i IN ({low}, {high}) AND {first} < 20000;
         INSERT INTO t ({primary}, i) SELECT {key}, i FROM (SELECT 20000 + {round} AS i) AS one"
    )
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

/// The properties of a try, by its number.
type Tries = fn(usize) -> &'static [(&'static str, &'static str)];

const ONE: Tries = |_| &[CAPTURED];
/// Every try has another number of connections than the one before.
const SEVERAL: Tries = |round| match round % 4 {
    0 => &[CAPTURED, ("snapshot.max.threads", "3")],
    1 => &[CAPTURED, ("snapshot.locking.mode", "none")],
    2 => &[
        CAPTURED,
        ("snapshot.max.threads", "2"),
        ("snapshot.max.threads.multiplier", "4"),
        ("snapshot.locking.mode", "none"),
    ],
    _ => &[
        CAPTURED,
        ("snapshot.max.threads.multiplier.inventory.t", "5"),
    ],
};

async fn killed_again_and_again(
    mysql: &Mysql,
    version: MysqlVersion,
    (shape, tries): (&Shape, Tries),
    seed: u64,
) {
    mysql
        .sql("DROP DATABASE inventory; CREATE DATABASE inventory")
        .unwrap();
    prepare(mysql, shape);
    let (mut dice, mut topic) = (Dice(seed), Topic::default());
    let (mut stored, mut durable, mut unfinished) = (Default::default(), 0, 0);
    for round in 0..9 {
        let mut source = again(mysql, version, tries(round), &stored).await;
        // The first try dies before any position is durable.
        for _ in 0..=dice.below(6) {
            topic.poll(&mut source).await;
        }
        mysql.sql(&changes(shape, round * 2)).unwrap();
        for _ in 0..dice.below(5) {
            topic.poll(&mut source).await;
        }
        drop(source);
        if round > 0 {
            durable += dice.below(topic.positions() + 1 - durable);
        }
        stored = topic.die(durable);
        let is_unfinished = topic.offset().is_empty() || topic.offset().contains("\"snapshot\"");
        unfinished += usize::from(is_unfinished);
        mysql.sql(&changes(shape, round * 2 + 1)).unwrap();
    }
    assert!(
        unfinished > 3,
        "only {unfinished} deaths during the snapshot"
    );
    let mut source = again(mysql, version, &[CAPTURED], &stored).await;
    while topic.offset().is_empty() || topic.offset().contains("\"snapshot\"") {
        topic.poll(&mut source).await;
    }
    let last = format!(
        "INSERT INTO t ({}, i) SELECT {}, i FROM (SELECT 88888 AS i) AS one",
        shape.primary, shape.key
    );
    mysql.sql(&last).unwrap();
    while !topic
        .events
        .last()
        .is_some_and(|event| event.key.contains("88888"))
    {
        topic.poll(&mut source).await;
    }
    source.close().await;
    let now = rows(mysql, version, &[CAPTURED]).await;
    assert_same(&ordered(&topic.events), &versions(&now));
}

fn on_all_servers(shape: &Shape, tries: Tries) {
    for (version, seed) in VERSIONS.into_iter().zip([3, 7, 11]) {
        let stack = Stack::new().unwrap();
        let mysql = stack.mysql(version).unwrap();
        block_on(async {
            for seed in [seed, seed + 20] {
                killed_again_and_again(&mysql, version, (shape, tries), seed).await;
            }
        });
    }
}

#[test]
fn a_killed_snapshot_keeps_the_order_of_every_number() {
    on_all_servers(&NUMBERS, ONE);
}

#[test]
fn a_killed_snapshot_of_several_connections_keeps_the_order_of_every_number() {
    on_all_servers(&NUMBERS, SEVERAL);
}

#[test]
fn a_killed_snapshot_keeps_the_order_of_every_text() {
    on_all_servers(&TEXTS, ONE);
}

#[test]
fn a_killed_snapshot_of_several_connections_keeps_the_order_of_every_text() {
    on_all_servers(&TEXTS, SEVERAL);
}

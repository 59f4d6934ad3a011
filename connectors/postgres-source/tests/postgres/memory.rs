//! Invariant 4: what a batch holds is bounded, whatever lies in the database.

use stack::PgVersion;

use crate::harness::{Database, Source};

/// What a batch of ordinary rows may hold: a megabyte from the server, the cells of 2048 narrow rows, and some slack.
const ORDINARY: usize = 4 << 20;
/// A value that does not fit there.
const LARGE: usize = 20 << 20;

/// Records and bytes of each batch until so many records have come.
async fn sizes(source: &mut Source, records: usize) -> Vec<(usize, usize)> {
    let (mut sizes, mut seen) = (Vec::new(), 0);
    while seen < records {
        let batch = source.poll_batch().await.unwrap();
        sizes.push((batch.len(), batch.bytes()));
        seen += batch.len();
    }
    assert_eq!(seen, records);
    sizes
}

/// One batch holds the large value; those around it are as small as ever.
fn assert_one_is_large(sizes: &[(usize, usize)]) {
    let large: Vec<_> = sizes
        .iter()
        .filter(|(_, bytes)| *bytes > ORDINARY)
        .collect();
    assert_eq!(large.len(), 1, "{sizes:?}");
    assert!(large[0].1 < LARGE + ORDINARY, "{sizes:?}");
}

async fn one_large_value(version: PgVersion) {
    let db = Database::new(version);
    db.sql("create table t (id int primary key, v text)");
    let rows = |from: usize| {
        format!(
            "insert into t select i, case when i = {from} + 1500 then repeat('x', {LARGE}) else 'small' end
             from generate_series({from}, {from} + 2999) i"
        )
    };
    db.sql(&rows(1));
    let mut source = db.open(&[], None).await;
    assert_one_is_large(&sizes(&mut source, 3000).await);
    db.sql(&rows(10_001));
    assert_one_is_large(&sizes(&mut source, 3000).await);
    source.close().await;
}

#[tokio::test]
async fn a_large_value_is_held_once_15() {
    one_large_value(PgVersion::V15).await;
}

#[tokio::test]
async fn a_large_value_is_held_once_18() {
    one_large_value(PgVersion::V18).await;
}

/// The server keeps a transaction until its commit, and sends it row by row: its size says nothing about ours.
#[tokio::test]
async fn a_large_transaction_comes_in_small_batches() {
    let rows = 100_000;
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key, v text)");
    let mut source = db.open(&[("snapshot.mode", "no_data")], None).await;
    db.sql(&format!(
        "insert into t select i, repeat('y', i % 3000) from generate_series(1, {rows}) i"
    ));
    let sizes = sizes(&mut source, rows).await;
    let largest = sizes.iter().map(|(_, bytes)| *bytes).max().unwrap();
    assert!(largest < ORDINARY, "{largest}");
    let longest = sizes.iter().map(|(records, _)| *records).max().unwrap();
    assert!(longest <= 2048, "{longest}");
    // What 1.5 KB make of a megabyte: it was the bytes that ended most batches.
    assert!(sizes.len() > rows / 1000, "{}", sizes.len());
    source.close().await;
}

//! What records become in a real Redis.

mod server;

use std::{collections::BTreeMap, sync::LazyLock};

use connect_core::{
    SinkTask, Value,
    meter::Meter,
    testing::changes::{Change, Shape, Table, nulls},
};
use redis::Connection;
use server::Server;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

type Fields = BTreeMap<String, String>;

fn put(id: i64, columns: &[(&'static str, &str)]) -> Change {
    let mut all = nulls();
    for (name, value) in &mut all {
        if let Some((_, given)) = columns.iter().find(|(n, _)| n == name) {
            *value = Value::from(*given);
        }
    }
    Change::Put(id, all)
}

async fn write(
    table: &Table,
    changes: &[Change],
    from: i64,
    properties: &[(&str, &str)],
) -> Connection {
    let mut task = SERVER.task(properties);
    task.open(Meter::default()).await.expect("redis");
    let rejects = task
        .write(&table.batch(changes, from))
        .await
        .expect("redis");
    assert!(rejects.is_empty(), "{rejects:?}");
    SERVER.client()
}

fn ask<T: redis::FromRedisValue>(client: &mut Connection, words: &str) -> T {
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().expect("redis"));
    words.for_each(|word| _ = command.arg(word));
    command.query(client).expect("redis")
}

#[tokio::test]
async fn keys_follow_their_template_when_rows_change_it() {
    let table = Table::new("moves", Shape::Flat);
    let properties = [
        ("redis.type", "hash"),
        ("redis.key.template", "moves:{after.name}"),
    ];
    let changes = [put(1, &[("name", "a")]), put(2, &[("name", "b")])];
    let mut client = write(&table, &changes, 0, &properties).await;
    let fields: Fields = ask(&mut client, "HGETALL moves:a");
    assert_eq!(fields["id"], "1");
    // A tombstone of a flat row does not tell the name: refused, not forgotten.
    let mut task = SERVER.task(&properties);
    task.open(Meter::default()).await.unwrap();
    let batch = table.batch(&[Change::Tombstone(1)], 10);
    let rejects = task.write(&batch).await.unwrap();
    assert_eq!(rejects[0].1.code().name, "redis.key");
}

#[tokio::test]
async fn replaced_hashes_lose_fields_that_are_null_or_unknown_and_merged_ones_keep_others() {
    let mut client = SERVER.client();
    for (mode, kept) in [("replace", None), ("merge", Some("x".to_owned()))] {
        let table = Table::new(&format!("mode-{mode}"), Shape::Envelope);
        let properties = [("redis.type", "hash"), ("redis.hash.mode", mode)];
        let key = format!("mode-{mode}:1");
        write(
            &table,
            &[put(1, &[("name", "a"), ("note", "n")])],
            0,
            &properties,
        )
        .await;
        let _: i64 = ask(&mut client, &format!("HSET {key} theirs x"));
        write(&table, &[put(1, &[("name", "b")])], 2, &properties).await;
        let fields: Fields = ask(&mut client, &format!("HGETALL {key}"));
        assert_eq!(fields.get("theirs").cloned(), kept, "{mode}");
        assert_eq!(fields["name"], "b");
        assert!(!fields.contains_key("note"), "{mode}");
    }
}

#[tokio::test]
async fn nested_json_keeps_every_byte_of_absent_members() {
    let table = Table::new("nested", Shape::Envelope);
    let properties = [("redis.type", "string")];
    let doc = "{\"a\":[1.10,{\"b\":\"},\\\"]\"}],\"n\":12345678901234567890}";
    let changes = [
        put(1, &[("name", "first"), ("doc", doc)]),
        Change::Put(1, vec![("name", "second".into()), ("note", Value::Null)]),
    ];
    let mut client = write(&table, &changes[..1], 0, &properties).await;
    write(&table, &changes[1..], 2, &properties).await;
    let text: String = ask(&mut client, "GET nested:1");
    assert!(text.ends_with(&format!(",\"doc\":{doc}}}")), "{text}");
    assert!(text.starts_with("{\"id\":1,\"name\":\"second\""), "{text}");
}

#[tokio::test]
async fn streams_hold_each_record_once_and_partitions_apart() {
    let table = Table::new("events", Shape::Envelope);
    let properties = [("redis.keyspace", "events")];
    let changes = [put(1, &[("name", "a")]), Change::Delete(1), put(2, &[])];
    let mut client = write(&table, &changes, 0, &properties).await;
    // Offsets 2 to 4 again, as after a crash, then a new one.
    let more = [changes[1].clone(), changes[2].clone(), put(3, &[])];
    write(&table, &more, 2, &properties).await;
    let entries: Vec<(String, Fields)> = ask(&mut client, "XRANGE events - +");
    let ids: Vec<&str> = entries.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["0-1", "2-1", "3-1", "4-1", "6-1"]);
    assert_eq!(entries[0].1["op"], "u");
    assert!(entries[0].1["after"].contains("\"name\":\"a\""));
    assert_eq!(entries[2].1["_deleted"], "true");
    assert_eq!(entries[2].1["_key"], "{\"id\":1}");

    let mut batch = table.batch(&[put(9, &[])], 0);
    batch.records_mut()[0].partition = 3;
    let mut task = SERVER.task(&properties);
    task.open(Meter::default()).await.unwrap();
    assert!(task.write(&batch).await.unwrap().is_empty());
    let length: i64 = ask(&mut client, "XLEN events:3");
    assert_eq!(length, 1);
}

#[tokio::test]
async fn keys_expire_when_told() {
    let table = Table::new("brief", Shape::Flat);
    for kind in ["hash", "string"] {
        let properties = [
            ("redis.type", kind),
            ("redis.key.ttl", "1000"),
            ("redis.keyspace", kind),
        ];
        let mut client = write(&table, &[put(1, &[])], 0, &properties).await;
        let ttl: i64 = ask(&mut client, &format!("TTL {kind}:1"));
        assert!((990..=1000).contains(&ttl), "{ttl}");
    }
}

#[tokio::test]
async fn a_key_of_another_type_refuses_its_records_only() {
    let table = Table::new("typed", Shape::Flat);
    let mut client = SERVER.client();
    let _: i64 = ask(&mut client, "RPUSH typed:2 x");
    let properties = [("redis.type", "hash"), ("redis.hash.mode", "merge")];
    let mut task = SERVER.task(&properties);
    task.open(Meter::default()).await.unwrap();
    let changes: Vec<Change> = (0..400).map(|at| put(at % 4, &[("name", "x")])).collect();
    let rejects = task.write(&table.batch(&changes, 0)).await.unwrap();
    let expected: Vec<usize> = (0..400).filter(|at| at % 4 == 2).collect();
    let found: Vec<usize> = rejects.iter().map(|(at, _)| *at).collect();
    assert_eq!(found, expected);
    assert_eq!(rejects[0].1.code().name, "redis.wrong_type");
    let name: String = ask(&mut client, "HGET typed:3 name");
    assert_eq!(name, "x");
}

#[tokio::test]
async fn a_truncated_table_loses_its_keys_and_no_others() {
    let mut client = SERVER.client();
    let properties = [("redis.type", "hash"), ("redis.truncate", "delete")];
    let table = Table::new("cut", Shape::Envelope);
    let other = Table::new("cutter", Shape::Envelope);
    write(&other, &[put(1, &[])], 0, &properties).await;
    let mut changes: Vec<Change> = (0..3000).map(|id| put(id, &[])).collect();
    changes.push(Change::Truncate);
    changes.push(put(7, &[]));
    write(&table, &changes, 0, &properties).await;
    let mut keys: Vec<String> = ask(&mut client, "KEYS cut*");
    keys.sort();
    assert_eq!(keys, ["cut:7", "cutter:1"]);
}

//! What records do to documents.

use connect_core::{
    Rejects, SinkConnector, SinkTask, Value,
    meter::Meter,
    testing::changes::{Change, Shape, Table, nulls},
};
use es_sink::EsSink;

use super::SERVER;

fn put(id: i64, name: &str) -> Change {
    let mut all = nulls();
    for (column, value) in &mut all {
        if matches!(*column, "name" | "note") {
            *value = Value::from(name);
        }
    }
    Change::Put(id, all)
}

async fn try_write(
    table: &Table,
    changes: &[Change],
    from: i64,
    properties: &[(&str, &str)],
) -> Rejects {
    let mut task = SERVER.task(properties);
    task.open(Meter::default()).await.expect("open");
    let batch = table.batch(changes, from);
    task.write(&batch).await.expect("write")
}

async fn write(table: &Table, changes: &[Change], from: i64, properties: &[(&str, &str)]) {
    let rejects = try_write(table, changes, from, properties).await;
    assert!(rejects.is_empty(), "{rejects:?}");
}

#[tokio::test]
async fn documents_that_do_not_fit_are_refused_alone_with_the_servers_reason() {
    let mapping = r#"{"mappings":{"properties":{"name":{"type":"integer"}}}}"#;
    SERVER.ask("PUT", "/misfit", mapping);
    let table = Table::new("misfit", Shape::Envelope);
    let changes = [put(1, "1"), put(2, "two"), put(3, "3"), put(4, "four")];
    let rejects = try_write(&table, &changes, 0, &[]).await;
    let found: Vec<usize> = rejects.iter().map(|(at, _)| *at).collect();
    assert_eq!(found, [1, 3]);
    let err = &rejects[0].1;
    assert_eq!(err.code().name, "es.mapping");
    assert!(err.report().contains("[name]"), "{err:?}");
    assert!(!err.to_string().contains("two"), "no values in the message");
    let ids: Vec<String> = SERVER.documents("misfit").into_keys().collect();
    assert_eq!(ids, ["1", "3"]);
    let dropped = [("behavior.on.malformed.documents", "ignore")];
    write(&table, &[put(5, "five")], 20, &dropped).await;
}

#[tokio::test]
async fn late_writes_lose() {
    let table = Table::new("late", Shape::Envelope);
    write(
        &table,
        &[put(1, "new"), put(2, "new"), put(3, "new")],
        100,
        &[],
    )
    .await;
    write(&table, &[Change::Delete(2)], 200, &[]).await;
    // A task that should be gone writes what it read long ago.
    let partial = Change::Put(3, vec![("name", "old".into())]);
    write(&table, &[put(1, "old"), put(2, "old"), partial], 10, &[]).await;
    let documents = SERVER.documents("late");
    let ids: Vec<&String> = documents.keys().collect();
    assert_eq!(ids, ["1", "3"]);
    assert!(documents.values().all(|doc| doc["name"] == "new"));
}

#[tokio::test]
async fn a_delete_that_comes_twice_is_one_delete() {
    let table = Table::new("twice", Shape::Envelope);
    write(&table, &[put(1, "a"), put(2, "b")], 0, &[]).await;
    // The envelope and its tombstone, each.
    write(&table, &[Change::Delete(1), Change::Delete(2)], 10, &[]).await;
    assert!(SERVER.documents("twice").is_empty());
    let stats = SERVER.ask("GET", "/twice/_stats/indexing", "");
    assert_eq!(stats["_all"]["primaries"]["indexing"]["delete_total"], 2);
}

#[tokio::test]
async fn soft_deletes_keep_the_document_with_a_mark() {
    let table = Table::new("soft", Shape::Envelope);
    let soft = [("delete.mode", "soft")];
    write(&table, &[put(1, "a"), put(2, "b")], 0, &soft).await;
    write(
        &table,
        &[Change::Delete(1), Change::Delete(2), put(2, "again")],
        10,
        &soft,
    )
    .await;
    let documents = SERVER.documents("soft");
    assert_eq!(documents["1"]["__deleted"], true);
    assert_eq!(documents["1"]["name"], "a");
    assert_eq!(documents["2"]["name"], "again");
    assert!(documents["2"].get("__deleted").is_none());
}

#[tokio::test]
async fn upserts_keep_what_others_wrote() {
    SERVER.ask(
        "PUT",
        "/upsert/_doc/1?version=1&version_type=external",
        r#"{"theirs":5,"name":"x"}"#,
    );
    let table = Table::new("upsert", Shape::Flat);
    write(&table, &[put(1, "ours")], 10, &[("write.method", "UPSERT")]).await;
    let documents = SERVER.documents("upsert");
    assert_eq!(
        (&documents["1"]["theirs"], &documents["1"]["name"]),
        (&5.into(), &"ours".into())
    );
}

#[tokio::test]
async fn events_without_keys_are_stored_once_each() {
    let table = Table::new("events", Shape::Flat);
    let events = [("key.ignore", "true")];
    let changes = [
        Change::Poison,
        put(1, "a"),
        Change::Tombstone(1),
        Change::Poison,
    ];
    write(&table, &changes, 0, &events).await;
    write(&table, &changes[1..], 2, &events).await;
    let ids: Vec<String> = SERVER.documents("events").into_keys().collect();
    assert_eq!(ids, ["events+0+0", "events+0+2", "events+0+6"]);
}

#[tokio::test]
async fn null_values_do_what_is_said() {
    let table = Table::new("nulls", Shape::Flat);
    write(&table, &[put(1, "a")], 0, &[]).await;
    let ignore = [("behavior.on.null.values", "ignore")];
    write(&table, &[Change::Tombstone(1)], 10, &ignore).await;
    assert_eq!(SERVER.documents("nulls").len(), 1);
    let fail = [("behavior.on.null.values", "fail")];
    let rejects = try_write(&table, &[put(2, "b"), Change::Tombstone(1)], 20, &fail).await;
    assert_eq!(
        (rejects[0].0, rejects[0].1.code().name),
        (1, "es.null_value")
    );
}

#[tokio::test]
async fn ids_follow_their_template_and_move_with_the_row() {
    let table = Table::new("named", Shape::Flat);
    let named = [
        ("document.id", "{topic}/{after.name}"),
        ("index.name", "Things-{topic}"),
    ];
    write(&table, &[put(1, "a b"), put(2, "\"é\"")], 0, &named).await;
    let ids: Vec<String> = SERVER.documents("things-named").into_keys().collect();
    assert_eq!(ids, ["named/\"é\"", "named/a b"]);
    let long = put(3, &"x".repeat(600));
    let rejects = try_write(&table, &[long], 10, &named).await;
    assert_eq!(rejects[0].1.code().name, "es.id");
}

#[tokio::test]
async fn a_truncated_table_empties_its_index() {
    let truncate = [("truncate.mode", "delete")];
    let table = Table::new("emptied", Shape::Envelope);
    let changes = [put(1, "a"), put(2, "b"), Change::Truncate, put(2, "c")];
    write(&table, &changes, 0, &truncate).await;
    let documents = SERVER.documents("emptied");
    assert_eq!(documents.len(), 1);
    assert_eq!(documents["2"]["name"], "c");
}

#[tokio::test]
async fn topics_that_would_share_an_index_are_refused() {
    let mut task = SERVER.task(&[]);
    task.open(Meter::default()).await.unwrap();
    let one = Table::new("collide:a", Shape::Flat);
    let other = Table::new("collide#a", Shape::Flat);
    assert!(
        task.write(&one.batch(&[put(1, "a")], 0))
            .await
            .unwrap()
            .is_empty()
    );
    let err = task
        .write(&other.batch(&[put(1, "a")], 0))
        .await
        .unwrap_err();
    assert_eq!(err.code().name, "es.index_collision");
    let config = SERVER.config(&[("topics", "Orders,orders,more")]);
    let findings = EsSink::check(&config).await;
    assert!(
        findings
            .iter()
            .any(|f| f.is_error() && f.key == "index.name"),
        "{findings:?}"
    );
    let findings = EsSink::check(&SERVER.config(&[("topics", "orders,more")])).await;
    assert!(findings.is_empty(), "{findings:?}");
}

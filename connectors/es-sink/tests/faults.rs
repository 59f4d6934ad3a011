//! A search server that is away, overloaded, or refuses.

mod server;

use std::sync::LazyLock;

use connect_core::{
    Batch, Error, SinkConnector, SinkTask, Value, Verdict,
    meter::Meter,
    testing::changes::{Change, Shape, Table, nulls},
};
use es_sink::{EsSink, EsTask};
use server::Server;
use stack::SearchOptions;
use tokio::sync::Mutex;

/// One after the other: these tests do things to the server that the others would feel.
static SERVER: LazyLock<Mutex<Server>> = LazyLock::new(|| {
    let options = SearchOptions::default().set("http.max_content_length", "1mb");
    Mutex::new(Server::opensearch(options))
});

fn rows(ids: std::ops::Range<i64>, note: &str) -> Vec<Change> {
    ids.map(|id| {
        let mut columns = nulls();
        columns.retain(|(name, _)| *name != "note");
        columns.push(("note", Value::from(note)));
        Change::Put(id, columns)
    })
    .collect()
}

fn batch(topic: &str, ids: std::ops::Range<i64>, note: &str) -> Batch {
    Table::new(topic, Shape::Flat).batch(&rows(ids, note), 0)
}

async fn open(server: &Server, more: &[(&str, &str)]) -> Result<EsTask, Error> {
    let mut task = server.task(more);
    task.open(Meter::default()).await.map(|()| task)
}

#[tokio::test]
async fn a_restart_asks_for_a_retry_and_the_next_task_goes_on() {
    let server = SERVER.lock().await;
    let brief = [("max.retries", "0"), ("read.timeout.ms", "8000")];
    let mut task = open(&server, &[]).await.unwrap();
    assert!(
        task.write(&batch("restart", 0..3, "a"))
            .await
            .unwrap()
            .is_empty()
    );

    let mut task = open(&server, &brief).await.unwrap();
    server.search.pause().unwrap();
    let err = task.write(&batch("restart", 0..5, "b")).await.unwrap_err();
    assert_eq!(err.code().name, "es.timeout", "{err:?}");
    server.search.resume().unwrap();

    server.search.kill9().unwrap();
    let err = task.write(&batch("restart", 0..5, "b")).await.unwrap_err();
    assert_eq!(err.verdict(), Verdict::Retry, "{err:?}");
    let err = open(&server, &brief).await.err().unwrap();
    assert_eq!(err.code().name, "es.unreachable", "{err:?}");
    let findings = EsSink::check(&server.config(&[])).await;
    assert!(
        findings
            .iter()
            .any(|f| f.is_error() && f.key == "connection.url")
    );

    server.search.start().unwrap();
    // One of two addresses has nobody: it is passed over.
    let urls = format!("http://127.0.0.1:1,{}", server.search.url());
    let mut task = open(&server, &[("connection.url", &urls)]).await.unwrap();
    assert!(
        task.write(&batch("restart", 0..5, "b"))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(server.documents("restart").len(), 5);
}

#[tokio::test]
async fn an_overloaded_server_gets_the_same_again_until_it_has_all() {
    let server = SERVER.lock().await;
    let limit = |value: &str| {
        let name = "network.breaker.inflight_requests.limit";
        let body = format!("{{\"persistent\":{{\"{name}\":{value}}}}}");
        server.ask("PUT", "/_cluster/settings", &body);
    };
    let big = "x".repeat(1000);
    let patient = [
        ("bulk.size.bytes", "6000"),
        ("max.in.flight.requests", "8"),
        ("max.retries", "60"),
        ("retry.backoff.ms", "20"),
    ];
    let mut task = open(&server, &patient).await.unwrap();
    assert!(
        task.write(&batch("pressed", 0..1, "a"))
            .await
            .unwrap()
            .is_empty()
    );
    limit("\"16kb\"");
    let table = Table::new("pressed", Shape::Flat);
    let rejects = task
        .write(&table.batch(&rows(0..200, &big), 10))
        .await
        .unwrap();
    assert!(rejects.is_empty(), "{rejects:?}");

    let large = [("max.retries", "1"), ("retry.backoff.ms", "10")];
    let mut task = open(&server, &large).await.unwrap();
    let err = task
        .write(&batch("pressed", 0..200, &big))
        .await
        .unwrap_err();
    assert_eq!(err.code().name, "es.overloaded", "{err:?}");
    assert_eq!(err.verdict(), Verdict::Retry);
    limit("null");
    assert_eq!(server.documents("pressed").len(), 200);
}

#[tokio::test]
async fn requests_that_are_too_large_are_split_and_documents_refused() {
    let server = SERVER.lock().await;
    let unlimited = [("bulk.size.bytes", "-1"), ("retry.backoff.ms", "10")];
    let mut task = open(&server, &unlimited).await.unwrap();
    let table = Table::new("large", Shape::Flat);
    let mut changes = rows(0..30, &"x".repeat(100_000));
    changes.insert(10, rows(99..100, &"x".repeat(1_500_000)).remove(0));
    let rejects = task.write(&table.batch(&changes, 0)).await.unwrap();
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    assert_eq!(
        (rejects[0].0, rejects[0].1.code().name),
        (10, "es.too_large")
    );
    assert_eq!(server.documents("large").len(), 30);
}

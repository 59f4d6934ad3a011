//! Where connectors stand, going back, and taking them elsewhere.

mod connectors;

use connect_runtime::{
    State, TargetState,
    rewind::{Rewound, SinkRewound, To, to_time},
    transfer::{Exported, Import},
};
use connectors::{
    collecting::Destination,
    counting::Upstream,
    worker::{Worker, collecting, counting, given, refused, until},
};
use serde_json::json;

/// A sink that has read ten records.
async fn sink_at_the_end(worker: &Worker, name: &str) {
    Upstream::named(name).set(|state| state.rows = 10);
    worker.create("src", &counting(name)).await;
    worker.create("snk", &collecting(name, name)).await;
    until("the sink has committed all", async || {
        let position = worker.herder.position("snk").await.ok()?;
        let first = position.partitions.first()?;
        (first.offset == json!({"kafka_offset": 10})).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_sink_goes_back_and_the_dry_run_tells_how_far() {
    let worker = Worker::start(&[]).await;
    sink_at_the_end(&worker, "transfers-1").await;
    let h = &worker.herder;
    let standing = h.position("snk").await.unwrap();
    assert_eq!(standing.partitions[0].position["lag_records"], json!(0));
    let (status, what) = refused(h.rewind("snk", To::Earliest, false).await);
    assert!(status == 400 && what.contains("STOPPED"), "{what}");
    h.stop("snk").await.unwrap();
    let dry = sink(h.rewind("snk", To::Earliest, true).await.unwrap());
    assert_eq!(
        (dry.records, dry.partitions[0].from, dry.partitions[0].to),
        (10, 10, 0)
    );
    let later = to_time("2999-01-01T00:00:00Z").unwrap();
    assert_eq!(
        sink(h.rewind("snk", later, true).await.unwrap()).records,
        0,
        "never forward"
    );
    assert_eq!(
        sink(h.rewind("snk", To::Earliest, false).await.unwrap()).records,
        10
    );
    let standing = h.position("snk").await.unwrap();
    assert_eq!(standing.partitions[0].position["lag_records"], json!(10));
    assert!(standing.partitions[0].position["time"].is_string());
    let destination = Destination::named("transfers-1");
    let before = destination.ids().len();
    h.resume("snk").await.unwrap();
    until("as many come again as were told", async || {
        (destination.ids().len() == before + 10).then_some(())
    })
    .await;
    assert_eq!(refused(h.rewind("src", To::Earliest, true).await).0, 400);
    let lsn = To::Lsn("0/10".to_owned());
    assert_eq!(refused(h.rewind("snk", lsn, true).await).0, 400);
    assert!(to_time("yesterday").is_err());
    worker.stop().await;
}

fn sink(rewound: Rewound) -> SinkRewound {
    match rewound {
        Rewound::Sink(sink) => sink,
        Rewound::Source(source) => panic!("{source:?}"),
    }
}

fn import_of(exported: Exported, name: &str) -> Import {
    let mut config = exported.config;
    config.remove("name");
    Import {
        name: name.to_owned(),
        config: config.into_iter().map(|(k, v)| (k, Some(v))).collect(),
        state: TargetState::parse("RUNNING"),
        offsets: exported
            .offsets
            .into_iter()
            .map(|o| (o.partition, Some(o.offset)))
            .collect(),
        dry_run: false,
    }
}

#[tokio::test]
async fn an_import_goes_on_where_the_export_stood() {
    let worker = Worker::start(&[]).await;
    let h = &worker.herder;
    let upstream = Upstream::named("transfers-2");
    upstream.set(|state| state.rows = 10);
    worker.create("src", &counting("transfers-2")).await;
    upstream.told(10).await;
    h.stop("src").await.unwrap();
    let exported = h.export("src").await.unwrap();
    assert_eq!((exported.state, exported.offsets.len()), ("STOPPED", 1));
    let import = import_of(exported, "other");
    assert_eq!(
        refused(
            h.import(import_of(h.export("src").await.unwrap(), "src"))
                .await
        )
        .0,
        409
    );
    let dry = Import {
        dry_run: true,
        ..import.clone()
    };
    assert_eq!(h.import(dry).await.unwrap().offsets, 1);
    assert_eq!(refused(h.info("other").await).0, 404);
    h.import(import).await.unwrap();
    worker.task_is("other", State::Running).await;
    assert_eq!(upstream.get().opens, [0, 10]);
    worker.stop().await;
}

#[tokio::test]
async fn masks_are_refused_and_nothing_is_left_of_a_wrong_import() {
    let worker = Worker::start(&[]).await;
    let h = &worker.herder;
    let mut config = given(&counting("transfers-3"));
    config.insert("upstream.password".to_owned(), Some("[hidden]".to_owned()));
    let masked = Import {
        name: "a".to_owned(),
        config,
        ..Import::default()
    };
    let (status, what) = refused(h.import(masked).await);
    assert!(
        status == 400 && what.contains("upstream.password"),
        "{what}"
    );
    let wrong = Import {
        name: "b".to_owned(),
        config: given(&counting("transfers-3")),
        offsets: vec![(json!("no object"), None)],
        ..Import::default()
    };
    assert_eq!(refused(h.import(wrong).await).0, 400);
    assert_eq!(refused(h.info("b").await).0, 404);
    worker.stop().await;
}

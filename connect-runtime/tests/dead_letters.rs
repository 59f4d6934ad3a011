//! Dead letters over the handle: of sources too, listed, opened, replayed once, purged.

mod connectors;

use connect_runtime::{
    Herder,
    letters::{Edit, Filter, Purge, Replay},
    rewind::{Rewound, To},
};
use connectors::{
    collecting::Destination,
    counting::Upstream,
    worker::{SMALL_TOPIC, Worker, collecting, counting, refused, until},
};
use serde_json::json;

/// A sink that has refused the sixth of ten records.
async fn poisoned<'a>(worker: &Worker, name: &'a str, dead: &'a str) {
    Upstream::named(name).set(|state| state.rows = 10);
    let destination = Destination::named(name);
    destination.set(|state| state.refuses = Some("6".to_owned()));
    worker.create("src", &counting(name)).await;
    let mut sink = collecting(name, name);
    sink.extend([
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    worker.create("snk", &sink).await;
    until("the others arrive and the letter is there", async || {
        let all = Filter::default();
        let letters = worker.herder.dead_letters("snk", &all, None, 10);
        let listed = letters.await.ok()?;
        (listed.letters.len() == 1 && destination.ids().len() == 9).then_some(())
    })
    .await;
}

/// The topics that a rewind to the beginning brings again.
async fn topics_again(herder: &Herder) -> Option<String> {
    let Ok(Rewound::Sink(back)) = herder.rewind("snk", To::Earliest, true).await else {
        return None;
    };
    let topics: Vec<String> = back.partitions.into_iter().map(|b| b.topic).collect();
    Some(topics.join(","))
}

/// One letter with another value.
fn better(at: (i32, i64)) -> Replay {
    let edit = Edit {
        at,
        value: Some(json!({"json": {"id": 77, "text": "better"}})),
        ..Edit::default()
    };
    Replay {
        letters: Some(vec![edit]),
        ..Replay::default()
    }
}

#[tokio::test]
async fn a_letter_of_a_sink_is_opened_edited_and_comes_back_once_to_this_sink() {
    let worker = Worker::start(&[]).await;
    poisoned(&worker, "letters-1", "dead-l1").await;
    let h = &worker.herder;
    let listed = h
        .dead_letters("snk", &Filter::default(), None, 10)
        .await
        .unwrap();
    let letter = &listed.letters[0];
    assert_eq!(letter.stage.as_deref(), Some("TASK_PUT"));
    assert_eq!(letter.origin.topic.as_deref(), Some("letters-1"));
    assert_eq!(
        (letter.origin.partition, letter.origin.offset),
        (Some(0), Some(5))
    );
    assert!(letter.whole && !letter.replayed);
    let at = (letter.partition, letter.offset);
    let opened = h.dead_letter("snk", at).await.unwrap();
    assert_eq!(opened.value, json!({"json": {"id": 6, "text": "row 6"}}));

    let edited = better(at);
    let dry = Replay {
        dry_run: true,
        ..edited.clone()
    };
    assert_eq!(
        h.replay_dead_letters("snk", &dry).await.unwrap().replayed,
        1
    );
    let sent = h.replay_dead_letters("snk", &edited).await.unwrap();
    assert_eq!((sent.replayed, sent.topics["letters-1"]), (1, 1));
    let destination = Destination::named("letters-1");
    until("it arrives", async || {
        destination.ids().contains(&77).then_some(())
    })
    .await;
    let (topic, _) = destination.get().records.pop().unwrap();
    assert_eq!(
        topic, "letters-1",
        "it is as if it were read from its own topic"
    );
    assert_eq!(
        worker.records("letters-1").await.len(),
        10,
        "others see nothing of it"
    );
    let again = h.replay_dead_letters("snk", &edited).await.unwrap();
    assert_eq!((again.replayed, again.replayed_before), (0, 1));
    assert_eq!(topics_again(h).await.as_deref(), Some("letters-1"));
    let listed = h
        .dead_letters("snk", &Filter::default(), None, 10)
        .await
        .unwrap();
    assert!(listed.letters.len() == 1 && listed.letters[0].replayed);
    worker.stop().await;
}

#[tokio::test]
async fn letters_are_filtered_and_purged() {
    let worker = Worker::start(&[]).await;
    poisoned(&worker, "letters-2", "dead-l2").await;
    let h = &worker.herder;
    assert_eq!(refused(h.dead_letter("snk", (0, 99)).await).0, 404);
    let none = Filter {
        stage: Some("VALUE_CONVERTER".to_owned()),
        ..Filter::default()
    };
    assert!(
        h.dead_letters("snk", &none, None, 10)
            .await
            .unwrap()
            .letters
            .is_empty()
    );
    let other = Purge {
        filter: none,
        ..Purge::default()
    };
    assert_eq!(h.purge_dead_letters("snk", &other).await.unwrap().left, 1);
    let dry = Purge {
        dry_run: true,
        ..Purge::default()
    };
    assert_eq!(h.purge_dead_letters("snk", &dry).await.unwrap().purged, 1);
    let purged = h
        .purge_dead_letters("snk", &Purge::default())
        .await
        .unwrap();
    assert_eq!((purged.purged, purged.left), (1, 0));
    let left = h
        .dead_letters("snk", &Filter::default(), None, 10)
        .await
        .unwrap();
    assert!(left.letters.is_empty());
    let letters = worker.records("dead-l2").await;
    assert!(
        letters
            .iter()
            .all(|letter| letter.value.as_deref() != Some(r#"{"id":6,"text":"row 6"}"#))
    );
    let sent = h
        .replay_dead_letters("snk", &Replay::default())
        .await
        .unwrap();
    assert_eq!(sent.replayed, 0);
    assert_eq!(
        refused(h.dead_letters("src", &Filter::default(), None, 1).await).0,
        404
    );
    worker.stop().await;
}

/// A source without the fourth of ten rows, which no converter takes.
async fn without_the_fourth(worker: &Worker) {
    let upstream = Upstream::named("letters-3");
    upstream.set(|state| (state.rows, state.bad_row) = (10, Some(4)));
    let mut config = counting("letters-3");
    config.extend([
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dead-l3"),
    ]);
    worker.create("src", &config).await;
    upstream.told(10).await;
}

#[tokio::test]
async fn a_source_keeps_what_no_converter_takes_and_sends_it_edited() {
    let worker = Worker::start(&[]).await;
    without_the_fourth(&worker).await;
    let h = &worker.herder;
    // Invariant 1: the letter is durable before the source may forget its record.
    let listed = h
        .dead_letters("src", &Filter::default(), None, 10)
        .await
        .unwrap();
    let letter = &listed.letters[0];
    assert_eq!(letter.origin.topic.as_deref(), Some("letters-3"));
    assert_eq!(letter.stage.as_deref(), Some("VALUE_CONVERTER"));
    let partition = json!({"upstream": "letters-3", "task": 0});
    assert_eq!(letter.origin.source_partition, Some(partition));
    assert!(!letter.whole);
    let at = (letter.partition, letter.offset);
    let plain = h
        .replay_dead_letters("src", &Replay::default())
        .await
        .unwrap();
    assert_eq!((plain.replayed, plain.refused.len()), (0, 1));
    let edit = Edit {
        at,
        value: Some(json!({"json": {"id": 4}})),
        ..Edit::default()
    };
    let edited = Replay {
        letters: Some(vec![edit]),
        ..Replay::default()
    };
    assert_eq!(
        h.replay_dead_letters("src", &edited)
            .await
            .unwrap()
            .replayed,
        1
    );
    let mut values = worker
        .records("letters-3")
        .await
        .into_iter()
        .filter_map(|r| r.value);
    assert_eq!(values.next_back().as_deref(), Some(r#"{"id":4}"#));
    let again = Replay {
        again: true,
        ..edited
    };
    assert_eq!(
        h.replay_dead_letters("src", &again).await.unwrap().replayed,
        1
    );
    assert_eq!(worker.records("letters-3").await.len(), 11);
    worker.stop().await;
}

#[tokio::test]
async fn a_source_keeps_the_very_bytes_that_a_topic_is_too_small_for() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("letters-4");
    upstream.set(|state| (state.rows, state.long_row) = (10, Some((7, 20_000))));
    let mut config = counting("letters-4");
    config.extend([
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", "dead-l4"),
    ]);
    config.extend(SMALL_TOPIC);
    worker.create("src", &config).await;
    upstream.told(10).await;
    let all = Filter::default();
    let listed = worker.herder.dead_letters("src", &all, None, 10);
    let letter = listed.await.unwrap().letters.remove(0);
    assert_eq!(letter.stage.as_deref(), Some("KAFKA_PRODUCE"));
    assert!(letter.whole && letter.value_bytes.is_some_and(|bytes| bytes > 20_000));
    worker.stop().await;
}

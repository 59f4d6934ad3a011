//! Signals through a topic of the log, and over REST.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    counters,
    scene::{SOURCE, TOPIC},
};
use serde_json::{Value, json};
use stack::{Kcat, PgVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

fn execute(id: &str) -> Value {
    json!({"id": id, "type": "execute-snapshot", "data": {"data-collections": ["public.counters"]}})
}

/// How many rows snapshots have read so far.
fn reads(kcat: &Kcat) -> usize {
    let records = kcat.run(&["-C", "-e", "-t", TOPIC, "-o", "beginning"]);
    let records = records.unwrap_or_default();
    records.matches(r#""op":"r""#).count()
}

fn wait_for(kcat: &Kcat, rows: usize) -> Outcome {
    let what = format!("{rows} rows to be read");
    wait_until(&what, LIMIT, || Ok(reads(kcat) >= rows))?;
    assert_eq!(reads(kcat), rows);
    Ok(())
}

#[test]
fn a_topic_is_read_where_it_was_left() -> Outcome {
    let stack = Stack::new()?;
    let (postgres, kafka) = (stack.postgres(PgVersion::V15)?, stack.kafka()?);
    counters::table(&postgres)?;
    let kcat = Kcat::at(kafka.bootstrap())?;
    let send = |key: &str, value: &str| {
        let line = format!("{key}|{value}\n");
        kcat.run_with(&["-P", "-t", "orders-of-people", "-K|"], line.as_bytes())
    };
    let config = postgres_source(&postgres, SOURCE, "public.counters");
    let config = with(
        with(config, IMPATIENT),
        &[
            ("snapshot.mode", "no_data"),
            ("read.only", "true"),
            ("signal.enabled.channels", "kafka"),
            ("signal.kafka.topic", "orders-of-people"),
            ("signal.kafka.bootstrap.servers", kafka.bootstrap()),
            ("signal.poll.interval.ms", "100"),
        ],
    );
    let worker = Worker::start(
        &stack,
        WorkerOptions::on(LogKind::Kafka(kafka.bootstrap().to_owned())),
    )?;
    worker.rest().create(SOURCE, &config)?;
    worker.rest().wait_for(SOURCE, "RUNNING")?;
    worker.rest().wait_for_stream(SOURCE)?;
    send("somebody else", &execute("not ours").to_string())?;
    send(SOURCE, "no signal")?;
    send(SOURCE, &execute("one").to_string())?;
    wait_for(&kcat, 20)?;
    // What was obeyed is not obeyed again, and what came meanwhile is.
    let offsets = format!("/connectors/{SOURCE}/offsets");
    wait_until("the place in the topic to be stored", LIMIT, || {
        let offsets = worker.rest().get(&offsets);
        Ok(offsets.is_ok_and(|text| text.to_string().contains("signal_offset")))
    })?;
    worker.server().kill9()?;
    send(SOURCE, &execute("two").to_string())?;
    worker.server().start()?;
    wait_for(&kcat, 40)?;
    let path = format!("/connectors/{SOURCE}/signals");
    let answer = worker
        .rest()
        .ask("POST", &path, &execute("three").to_string())?;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (202, r#"{"id":"three"}"#)
    );
    wait_for(&kcat, 60)?;
    refusals(&worker)
}

fn refusals(worker: &Worker) -> Outcome {
    let rest = worker.rest();
    let status = |name: &str, body: &str| -> Outcome<u16> {
        let path = format!("/connectors/{name}/signals");
        Ok(rest.ask("POST", &path, body)?.status)
    };
    let signal = execute("x").to_string();
    assert_eq!(status("nobody", &signal)?, 404);
    assert_eq!(status(SOURCE, "[]")?, 400);
    assert_eq!(status(SOURCE, r#"{"id": 7, "type": "log"}"#)?, 400);
    rest.must("PUT", &format!("/connectors/{SOURCE}/stop"))?;
    wait_until("the task to be gone", LIMIT, || {
        Ok(status(SOURCE, &signal).is_ok_and(|status| status == 409))
    })?;
    Ok(())
}

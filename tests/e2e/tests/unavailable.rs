//! Large values that the server does not send, since they have not changed.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    scene::SOURCE,
};
use serde_json::{Value, json};
use stack::{Kcat, PgVersion, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// The new row of the update that follows, as a consumer of JSON without schemas sees it.
fn updated(more: &[(&str, &str)]) -> Outcome<Value> {
    let stack = Stack::new()?;
    let (postgres, kafka) = (stack.postgres(PgVersion::V15)?, stack.kafka()?);
    postgres.psql(
        "create table documents (id int primary key, v int, body text, page text not null);
         alter table documents alter body set storage external, alter page set storage external;
         insert into documents values (1, 1, repeat('b', 5000), repeat('p', 5000));
         alter table documents owner to cdc",
    )?;
    let config = postgres_source(&postgres, SOURCE, "public.documents");
    let config = with(with(config, IMPATIENT), more);
    let log = LogKind::Kafka(kafka.bootstrap().to_owned());
    let worker = Worker::start(&stack, WorkerOptions::on(log))?;
    worker.rest().create(SOURCE, &config)?;
    worker.rest().wait_for_stream(SOURCE)?;
    postgres.psql("update documents set v = 2")?;
    let kcat = Kcat::at(kafka.bootstrap())?;
    let topic = config["topic.prefix"].as_str().unwrap_or_default();
    let topic = format!("{topic}.public.documents");
    let mut after = None;
    wait_until("the update", LIMIT, || {
        let records = kcat.run(&["-C", "-e", "-t", &topic, "-o", "beginning"]);
        let records = records.unwrap_or_default();
        let values = records
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        after = values
            .map(|value| value["after"].clone())
            .find(|after| after["v"] == 2);
        Ok(after.is_some())
    })?;
    Ok(after.unwrap_or_default())
}

const PLACEHOLDER: &str = "__debezium_unavailable_value";

#[test]
fn they_are_the_placeholder() -> Outcome {
    let expected = json!({"id": 1, "v": 2, "body": PLACEHOLDER, "page": PLACEHOLDER});
    assert_eq!(updated(&[])?, expected);
    Ok(())
}

#[test]
fn they_are_left_out_on_request() -> Outcome {
    let expected = json!({"id": 1, "v": 2, "page": PLACEHOLDER});
    let omit = [("unavailable.value.handling.mode", "omit")];
    assert_eq!(
        updated(&omit)?,
        expected,
        "columns that may not be null keep it"
    );
    Ok(())
}

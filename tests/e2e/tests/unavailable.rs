//! Large values that the server does not send, since they have not changed.

use std::time::Duration;

use e2e::{
    LogKind, Outcome, Worker, WorkerOptions,
    configs::{IMPATIENT, postgres_source, with},
    scene::SOURCE,
};
use serde_json::{Value, json};
use stack::{Kafka, Kcat, PgVersion, Postgres, Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// A connector that reads the table `documents`, with two rows.
struct Documents {
    postgres: Postgres,
    kafka: Kafka,
    worker: Worker,
    topic: String,
}

impl Documents {
    fn captured(more: &[(&str, &str)]) -> Outcome<Self> {
        let stack = Stack::new()?;
        let (postgres, kafka) = (stack.postgres(PgVersion::V15)?, stack.kafka()?);
        postgres.psql(
            "create table documents (id int primary key, v int, body text, page text not null);
             alter table documents alter body set storage external, alter page set storage external;
             insert into documents select g, 1, repeat('b', 5000), repeat('p', 5000) from generate_series(1, 2) g;
             alter table documents owner to cdc",
        )?;
        let config = postgres_source(&postgres, SOURCE, "public.documents");
        let config = with(with(config, IMPATIENT), more);
        let log = LogKind::Kafka(kafka.bootstrap().to_owned());
        let worker = Worker::start(&stack, WorkerOptions::on(log))?;
        worker.rest().create(SOURCE, &config)?;
        worker.rest().wait_for_stream(SOURCE)?;
        let prefix = config["topic.prefix"].as_str().unwrap_or_default();
        Ok(Self {
            topic: format!("{prefix}.public.documents"),
            postgres,
            kafka,
            worker,
        })
    }

    /// The new row with these numbers in the records of the table, as a consumer of JSON without schemas sees it.
    fn row(&self, id: i32, v: i32) -> Outcome<Value> {
        let kcat = Kcat::at(self.kafka.bootstrap())?;
        let mut found = None;
        wait_until("the update", LIMIT, || {
            let records = kcat.run(&["-C", "-e", "-t", &self.topic, "-o", "beginning"]);
            let records = records.unwrap_or_default();
            let values = records
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            found = values
                .map(|value| value["after"].clone())
                .find(|after| after["id"] == id && after["v"] == v);
            Ok(found.is_some())
        })?;
        Ok(found.unwrap_or_default())
    }

    fn updated(more: &[(&str, &str)]) -> Outcome<Value> {
        let documents = Self::captured(more)?;
        documents.postgres.psql("update documents set v = 2")?;
        documents.row(1, 2)
    }
}

const PLACEHOLDER: &str = "__debezium_unavailable_value";
const RESELECT: [(&str, &str); 2] = [
    ("post.processors", "again"),
    (
        "again.type",
        "io.debezium.processors.reselect.ReselectColumnsPostProcessor",
    ),
];

#[test]
fn they_are_the_placeholder() -> Outcome {
    let expected = json!({"id": 1, "v": 2, "body": PLACEHOLDER, "page": PLACEHOLDER});
    assert_eq!(Documents::updated(&[])?, expected);
    Ok(())
}

#[test]
fn they_are_left_out_on_request() -> Outcome {
    let expected = json!({"id": 1, "v": 2, "page": PLACEHOLDER});
    let omit = [("unavailable.value.handling.mode", "omit")];
    assert_eq!(
        Documents::updated(&omit)?,
        expected,
        "columns that may not be null keep it"
    );
    Ok(())
}

#[test]
fn they_are_read_again_of_rows_that_are_there() -> Outcome {
    let documents = Documents::captured(&RESELECT)?;
    let postgres = &documents.postgres;
    postgres
        .psql("begin; update documents set v = 2; delete from documents where id = 1; commit")?;
    let (gone, there) = (documents.row(1, 2)?, documents.row(2, 2)?);
    assert_eq!(
        gone["body"], PLACEHOLDER,
        "the row was deleted before it could be read"
    );
    assert_eq!(there["body"], "b".repeat(5000));
    assert_eq!(there["page"], "p".repeat(5000));
    // The connection on which they are read breaks.
    let cut = postgres.psql("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'tidewater%' and backend_type = 'client backend'")?;
    assert_ne!(cut.trim(), "0", "it was open");
    postgres.psql("update documents set v = 3")?;
    assert_eq!(documents.row(2, 3)?["body"], "b".repeat(5000));
    Ok(())
}

#[test]
fn a_row_that_is_gone_is_a_failure_on_request() -> Outcome {
    let mut config = RESELECT.to_vec();
    config.push(("again.reselect.error.handling.mode", "fail"));
    let documents = Documents::captured(&config)?;
    let postgres = &documents.postgres;
    postgres
        .psql("begin; update documents set v = 2; delete from documents where id = 1; commit")?;
    let rest = documents.worker.rest();
    rest.wait_for_failure(SOURCE, "the row is not there any more")
}

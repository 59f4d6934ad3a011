//! The connector and its task.

use connect_core::{
    Batch, Datum, Error, Finding, Rejects, Result, SinkConnector, SinkTask, TaskPlan, Verdict,
    batch::Row,
    change::Change,
    meter::{Gauge, Meter},
    plugin::About,
};
use reqwest::Method;
use serde_json::json;

use crate::{
    bulk::Ops,
    check,
    client::Client,
    config::{EsConfig, OnMalformed, OnTruncate, VersionSource},
    error::UNREACHABLE,
    index::{IndexId, Indices},
    merge,
    parallel::in_parallel,
    send::Sender,
    write::Writer,
};

/// The Elasticsearch and OpenSearch sink connector.
#[derive(Debug)]
pub struct EsSink;

impl SinkConnector for EsSink {
    type Config = EsConfig;
    type Task = EsTask;
    const ABOUT: About = About {
        class: "io.tidewater.connector.elasticsearch.ElasticsearchSinkConnector",
        aliases: &[
            (
                "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
                "io.confluent.connect.elasticsearch.ElasticsearchSinkTask",
            ),
            (
                "io.aiven.kafka.connect.opensearch.OpensearchSinkConnector",
                "io.aiven.kafka.connect.opensearch.OpensearchSinkTask",
            ),
        ],
        task_class: "io.tidewater.connector.elasticsearch.ElasticsearchSinkTask",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Keeps Elasticsearch or OpenSearch in step with topics: a document per row.",
    };

    async fn check(config: &EsConfig) -> Vec<Finding> {
        check::check(config).await
    }

    fn plan(_: &EsConfig, max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new(); max])
    }

    fn task(config: EsConfig, _: TaskPlan) -> Result<EsTask> {
        Ok(EsTask { config, open: None })
    }
}

/// A running sink.
pub struct EsTask {
    config: EsConfig,
    open: Option<Open>,
}

struct Open {
    client: Client,
    indices: Indices,
    writer: Writer,
    ops: Ops,
    stale: Gauge,
    dropped: Gauge,
}

impl SinkTask for EsTask {
    async fn open(&mut self, meter: Meter) -> Result<()> {
        let client = Client::open(&self.config).await?;
        tracing::info!(
            opensearch = client.product.opensearch,
            version = client.product.version,
            "connected to the search server"
        );
        self.open = Some(Open {
            client,
            indices: Indices::new(&self.config)?,
            writer: Writer::new(&self.config)?,
            ops: Ops::default(),
            stale: meter.gauge("sink-record-stale-total"),
            dropped: meter.gauge("sink-record-dropped-total"),
        });
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<Rejects> {
        let config = &self.config;
        let open = self.open.as_mut().ok_or_else(closed)?;
        let mut rejects = Rejects::new();
        for (at, row) in batch.rows().enumerate() {
            let done = match Change::of(row) {
                Change::Truncate => open.truncate(config, row, &mut rejects).await,
                Change::Other => Ok(()),
                Change::Write { after, .. } => open.record(config, at, row, Some(after)).await,
                Change::Delete { before } => open.record(config, at, row, before).await,
            };
            match done {
                Err(err) if err.verdict() == Verdict::Reject => rejects.push((at, err)),
                done => done?,
            }
        }
        open.deliver(config, &mut rejects).await?;
        rejects.sort_by_key(|(at, _)| *at);
        rejects.dedup_by_key(|(at, _)| *at);
        Ok(open.tolerate(config, rejects))
    }

    /// Every request of `write` is answered, and the servers answer when a document is durable.
    async fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        self.open = None;
        Ok(())
    }
}

impl Open {
    async fn record(
        &mut self,
        config: &EsConfig,
        at: usize,
        row: Row<'_>,
        side: Option<Datum<'_>>,
    ) -> Result<()> {
        let index = self.indices.of(row, side, config, &self.client).await?;
        self.writer.record(at, row, index, &mut self.ops)
    }

    /// Does all that was asked for, and forgets it.
    async fn deliver(&mut self, config: &EsConfig, rejects: &mut Rejects) -> Result<()> {
        let gte = config.version_source == VersionSource::Lsn;
        let stale = merge::resolve(&mut self.ops, gte, &self.client, &self.indices).await?;
        self.stale.add(stale);
        let sender = Sender {
            config,
            client: &self.client,
            indices: &self.indices,
            ops: &self.ops,
        };
        let bulks = self.ops.bulks(config).into_iter();
        // Documents are whole and versions external, so requests may overtake each other.
        for sent in in_parallel(config.lanes(), bulks.map(|bulk| sender.send(bulk))).await? {
            self.stale.add(sent.stale);
            rejects.extend(sent.refused);
        }
        self.ops.clear();
        Ok(())
    }

    /// Deletes every document of the record's index, after all that came before.
    async fn truncate(
        &mut self,
        config: &EsConfig,
        row: Row<'_>,
        rejects: &mut Rejects,
    ) -> Result<()> {
        if config.on_truncate == OnTruncate::Ignore {
            return Ok(());
        }
        let index: IndexId = self.indices.of(row, None, config, &self.client).await?;
        self.deliver(config, rejects).await?;
        let name = self.indices.name(index);
        // Only what a refresh shows is found.
        self.client
            .call(
                Method::POST,
                &[name, "_refresh"],
                "",
                crate::client::Body::Json,
                Vec::new(),
            )
            .await?;
        let all = json!({"query": {"match_all": {}}});
        let query = "conflicts=proceed&refresh=true";
        self.client
            .json(Method::POST, &[name, "_delete_by_query"], query, Some(&all))
            .await
            .map(drop)
    }

    fn tolerate(&self, config: &EsConfig, rejects: Rejects) -> Rejects {
        match config.on_malformed {
            OnMalformed::Fail | OnMalformed::Report => return rejects,
            OnMalformed::Warn => {
                if let Some((_, first)) = rejects.first() {
                    tracing::warn!(count = rejects.len(), first = %first, "dropped records that the server refused");
                }
            }
            OnMalformed::Ignore => {}
        }
        self.dropped
            .add(i64::try_from(rejects.len()).unwrap_or(i64::MAX));
        Rejects::new()
    }
}

fn closed() -> Error {
    Error::new(&UNREACHABLE, "the task has no connection")
}

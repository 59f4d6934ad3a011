//! The connector and its task.

use connect_core::{
    Batch, Error, Finding, Rejects, Result, SinkConnector, SinkTask, TaskPlan, Verdict,
    meter::{Gauge, Meter},
    plugin::About,
};

use crate::{
    check,
    config::{Kind, OnTruncate, RedisConfig},
    error::{NO_JSON, REPLICAS, UNREACHABLE},
    resp::Reply,
    truncate::delete_matching,
    wire::Wire,
    write::{Outcome, Pipeline, Step, Writer},
};

/// The Redis sink connector.
#[derive(Debug)]
pub struct RedisSink;

impl SinkConnector for RedisSink {
    type Config = RedisConfig;
    type Task = RedisTask;
    const ABOUT: About = About {
        class: "io.tidewater.connector.redis.RedisSinkConnector",
        aliases: &[
            (
                "com.redis.kafka.connect.RedisSinkConnector",
                "com.redis.kafka.connect.sink.RedisSinkTask",
            ),
            (
                "com.redis.kafka.connect.RedisEnterpriseSinkConnector",
                "com.redis.kafka.connect.sink.RedisSinkTask",
            ),
        ],
        task_class: "io.tidewater.connector.redis.RedisSinkTask",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Keeps Redis in step with topics: rows as hashes, JSON or strings, changes as streams.",
    };

    async fn check(config: &RedisConfig) -> Vec<Finding> {
        check::check(config).await
    }

    fn plan(_: &RedisConfig, max: usize) -> Result<Vec<TaskPlan>> {
        Ok(vec![TaskPlan::new(); max])
    }

    fn task(config: RedisConfig, _: TaskPlan) -> Result<RedisTask> {
        Ok(RedisTask { config, open: None })
    }
}

/// A running Redis sink: one connection.
pub struct RedisTask {
    config: RedisConfig,
    open: Option<Open>,
}

struct Open {
    wire: Wire,
    writer: Writer,
    /// Being filled.
    next: Pipeline,
    /// Sent, not yet answered: while Redis works on it, the next is made.
    sent: Pipeline,
    truncates: bool,
    stale: Gauge,
}

impl SinkTask for RedisTask {
    async fn open(&mut self, meter: Meter) -> Result<()> {
        let mut wire = Wire::connect(&self.config).await?;
        if self.config.kind == Kind::Json && !check::has_json(&mut wire).await? {
            return Err(Error::new(&NO_JSON, "this Redis has no RedisJSON"));
        }
        let writer = Writer::open(&self.config, &mut wire).await?;
        let atomic = self.config.kind == Kind::Hash;
        self.open = Some(Open {
            wire,
            writer,
            next: Pipeline::new(atomic),
            sent: Pipeline::new(atomic),
            truncates: self.config.on_truncate == OnTruncate::Delete,
            stale: meter.gauge("sink-record-stale-total"),
        });
        tracing::info!(kind = self.config.kind.text(), "connected to redis");
        Ok(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<Rejects> {
        let open = self.open.as_mut().ok_or_else(closed)?;
        let mut outcome = Outcome::default();
        // Invariant 2: one connection, commands in the order of the records.
        for (index, row) in batch.rows().enumerate() {
            open.next.begin(index);
            match open.writer.record(row, &mut open.next) {
                Ok(Step::Done) => {}
                Ok(Step::Truncate) if open.truncates => {
                    let pattern = open.writer.pattern(row);
                    open.finish(&mut outcome).await?;
                    delete_matching(&mut open.wire, &pattern).await?;
                }
                Ok(Step::Truncate) => {}
                Err(err) if err.verdict() == Verdict::Reject => outcome.reject(index, err),
                Err(err) => return Err(err),
            }
            if open.next.is_full() {
                open.exchange(&mut outcome).await?;
            }
        }
        open.finish(&mut outcome).await?;
        open.stale.add(outcome.stale);
        Ok(outcome.into_rejects())
    }

    async fn flush(&mut self) -> Result<()> {
        let (replicas, limit) = (self.config.wait_replicas, self.config.wait_timeout.0);
        if replicas == 0 {
            return Ok(());
        }
        let open = self.open.as_mut().ok_or_else(closed)?;
        let (count, limit) = (replicas.to_string(), limit.as_millis().to_string());
        let words: [&[u8]; 3] = [b"WAIT", count.as_bytes(), limit.as_bytes()];
        match open.wire.ask(&words).await? {
            Reply::Int(have) if have >= i64::from(replicas) => Ok(()),
            _ => Err(
                Error::new(&REPLICAS, "too few replicas have the records in time")
                    .context("redis.wait.replicas", replicas),
            ),
        }
    }

    async fn close(&mut self) -> Result<()> {
        self.open = None;
        Ok(())
    }
}

impl Open {
    /// Sends what is made, and reads the answers to what was sent before.
    async fn exchange(&mut self, outcome: &mut Outcome) -> Result<()> {
        self.next.send(&mut self.wire).await?;
        self.sent.receive(&mut self.wire, outcome).await?;
        std::mem::swap(&mut self.next, &mut self.sent);
        Ok(())
    }

    /// Until everything made is answered.
    async fn finish(&mut self, outcome: &mut Outcome) -> Result<()> {
        if !self.next.is_empty() {
            self.exchange(outcome).await?;
        }
        self.sent.receive(&mut self.wire, outcome).await
    }
}

fn closed() -> Error {
    Error::new(&UNREACHABLE, "the task has no connection")
}

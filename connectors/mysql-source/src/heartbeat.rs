//! When a heartbeat is due, and the statement that goes with it.

use std::time::Duration;

use cdc::{heartbeat::Heartbeat, topics::heartbeat_topic};
use connect_core::Batch;
use tokio::time::Instant;

use crate::config::MySqlConfig;

/// The heartbeats of a task.
#[derive(Debug)]
pub(crate) struct Beats {
    heartbeat: Heartbeat,
    query: Option<String>,
    due: Instant,
}

impl Beats {
    /// As configured; `None` when there are none.
    pub(crate) fn new(config: &MySqlConfig) -> Option<Self> {
        let named = config.heartbeat_topic.as_deref();
        let topic = heartbeat_topic(
            named,
            &config.heartbeat_prefix,
            &config.topic_delimiter,
            &config.topic_prefix,
        );
        let interval = config.heartbeat_interval.0;
        let heartbeat = Heartbeat::new(topic, &config.topic_prefix, interval)?;
        Some(Self {
            due: Instant::now() + heartbeat.interval(),
            query: config.heartbeat_query.clone(),
            heartbeat,
        })
    }

    /// When the next one is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Appends one if it is due; gives the statement to run then.
    pub(crate) fn beat(&mut self, out: &mut Batch, now_ms: i64) -> Option<String> {
        let now = Instant::now();
        if now < self.due {
            return None;
        }
        self.due = now + self.heartbeat.interval().max(Duration::from_millis(1));
        self.heartbeat.push(out, now_ms);
        self.query.clone()
    }
}

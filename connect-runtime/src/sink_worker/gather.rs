//! Polls that together make one write.

use std::{collections::BTreeMap, time::Duration};

use connect_core::{Encoded, Result};
use connect_log::{Event, Read};

/// How long the first poll waits.
const POLL: Duration = Duration::from_millis(500);
/// Enough for one write: a destination that makes every request durable, as search servers do, costs by the request.
const RECORDS: usize = 2_000;
/// The same in bytes of records.
const BYTES: usize = 2 << 20;

/// Gathers records that are there already; waits for none but the first.
pub(super) struct Gather {
    records: usize,
}

impl Gather {
    /// A user who sets `max.poll.records` gets writes of one poll, as with Kafka Connect.
    pub(super) fn new(settings: &BTreeMap<String, String>) -> Self {
        let polled = settings.contains_key("max.poll.records");
        Self {
            records: if polled { 1 } else { RECORDS },
        }
    }

    /// Appends records to `out`. What happened otherwise comes with the records that were read before it.
    pub(super) async fn poll(&self, reader: &mut dyn Read, out: &mut Encoded) -> Result<Event> {
        let mut event = reader.poll(out, POLL).await?;
        while event == Event::Records && out.len() < self.records && out.bytes.len() < BYTES {
            event = reader.poll(out, Duration::ZERO).await?;
        }
        Ok(match event {
            Event::Idle if !out.is_empty() => Event::Records,
            event => event,
        })
    }
}

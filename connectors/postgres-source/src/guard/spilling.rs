//! When the guard reads the slot itself.

use std::time::Duration;

use connect_core::{Error, Result, keep::Turn};
use tokio::{
    select,
    time::{Instant, sleep},
};

use super::{Kept, Watch};
use crate::{
    config::RetainedWal,
    position::{Place, partition},
    spill,
    wire::Side,
};

/// How long after an error it is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// The last try that failed.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<(Instant, String)>);

impl Trouble {
    fn is_fresh(&self) -> bool {
        let is_fresh = |(since, _): &(Instant, String)| since.elapsed() < RETRY_DELAY;
        self.0.as_ref().is_some_and(is_fresh)
    }

    /// What is told of it.
    pub(super) fn notice(&self) -> String {
        let text = |(_, text): &(Instant, String)| {
            format!(" Its changes cannot be kept in the log now: {text}")
        };
        self.0.as_ref().map_or_else(String::new, text)
    }
}

impl Watch<'_> {
    /// Reads the slot as long as the connector does not, if that is wanted and nobody else reads it.
    pub(super) async fn spill(&mut self, kept: &Kept, side: &mut Side) {
        if self.config.retained_wal_action != RetainedWal::Spill
            || kept.reader.is_some()
            || self.trouble.is_fresh()
        {
            return;
        }
        let Some(turn) = self.guard.keep.turns().try_take() else {
            return;
        };
        let spilled = self.record(turn, side).await;
        self.trouble.0 = spilled.err().map(|error| {
            let slot = &self.config.slot;
            tracing::error!(%slot, %error, "the slot's changes cannot be kept in the log: the server keeps them on");
            (Instant::now(), error.report())
        });
    }

    async fn record(&self, turn: Turn, side: &mut Side) -> Result<()> {
        let place = self.place()?;
        let spilled = select! {
            spilled = spill::record(self.config, &self.guard, &place) => spilled,
            seen = self.keep_looking(side) => seen,
        };
        drop(turn);
        spilled
    }

    /// Where the connector stands: what is kept is kept for this place.
    fn place(&self) -> Result<Place> {
        let ours = partition(&self.config.topic_prefix);
        let stored = self.guard.keep.store()?.positions();
        let stored = stored.iter().find(|position| *position.partition == *ours);
        let missing =
            "no position of the connector is stored, so that it will not read on from there";
        Place::parse(&stored.ok_or_else(|| Error::config(missing))?.offset)
    }

    async fn keep_looking(&self, side: &mut Side) -> Result<()> {
        loop {
            let connection = side.connection().await?;
            let mut notice = String::new();
            if let Some(kept) = Kept::of(connection, &self.config.slot).await? {
                self.numbers.show(&kept);
                if self.is_over(&kept) && kept.unconfirmed <= kept.retained / 2 {
                    let cause = kept.cause(connection).await?;
                    let limit = self.config.retained_wal_limit;
                    notice = kept.notice(&self.config.slot, limit, &cause) + " ";
                }
            }
            side.tidy().await;
            self.tell(Some(notice + &self.of_topic()?));
            sleep(self.pause()).await;
        }
    }

    /// What is told while there is something for the connector to read; `None` while it can read it itself.
    pub(super) async fn waiting(&self) -> Option<String> {
        if self.config.retained_wal_action != RetainedWal::Spill {
            return None;
        }
        let keep = &self.guard.keep;
        keep.turns().try_take()?;
        let is_empty = keep.store().ok()?.is_empty().await.ok()?;
        self.of_topic().ok().filter(|_| !is_empty)
    }

    fn of_topic(&self) -> Result<String> {
        let (slot, topic) = (&self.config.slot, self.guard.keep.store()?.name());
        Ok(format!(
            "Changes that the slot {slot} brought are kept in the topic {topic} until the connector runs again. Before it has read \
             them, the slot cannot be handed to Debezium, which would miss them."
        ))
    }
}

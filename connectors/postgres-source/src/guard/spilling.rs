//! When the guard reads the slot itself.

use std::time::Duration;

use connect_core::Result;
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

/// What is told when a connector would not read what is kept for it.
const NOWHERE: &str = "no position of the connector is stored from which it would read on";

/// Why the last try failed.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<(Instant, String)>);

impl Trouble {
    fn is_fresh(&self) -> bool {
        let is_fresh = |(since, _): &(Instant, String)| since.elapsed() < RETRY_DELAY;
        self.0.as_ref().is_some_and(is_fresh)
    }

    /// What is told of it.
    pub(super) fn notice(&self) -> String {
        let text = |(_, why): &(Instant, String)| {
            format!(" Its changes cannot be kept in the log now: {why}")
        };
        self.0.as_ref().map_or_else(String::new, text)
    }

    /// What lasts for hours is one line in the log.
    fn tell(&mut self, slot: &str, why: Option<String>) {
        let before = self.0.take().map(|(_, why)| why);
        if let Some(why) = why.as_ref().filter(|why| before.as_ref() != Some(*why)) {
            tracing::error!(%slot, "the slot's changes cannot be kept in the log, so that the server keeps them: {why}");
        }
        self.0 = why.map(|why| (Instant::now(), why));
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
        let spilled = match self.place() {
            Ok(Some(place)) => self.record(&place, side).await,
            Ok(None) => {
                return self
                    .trouble
                    .tell(&self.config.slot, Some(NOWHERE.to_owned()));
            }
            Err(error) => Err(error),
        };
        drop(turn);
        let why = spilled.err().map(|error| error.report());
        self.trouble.tell(&self.config.slot, why);
    }

    async fn record(&self, place: &Place, side: &mut Side) -> Result<()> {
        select! {
            spilled = spill::record(self.config, &self.guard, place) => spilled,
            seen = self.keep_looking(side) => seen,
        }
    }

    /// Where the connector stands: what is kept is kept for this place.
    fn place(&self) -> Result<Option<Place>> {
        let ours = partition(&self.config.topic_prefix);
        let stored = self.guard.keep.store()?.positions();
        let mut stored = stored
            .iter()
            .filter(|position| *position.partition == *ours);
        stored
            .next()
            .map(|position| Place::parse(&position.offset))
            .transpose()
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

    /// What is told while there is something that the connector has yet to read, also while it does.
    pub(super) async fn waiting(&self) -> Option<String> {
        if self.config.retained_wal_action != RetainedWal::Spill {
            return None;
        }
        let is_empty = self.guard.keep.store().ok()?.is_empty().await.ok()?;
        self.of_topic().ok().filter(|_| !is_empty)
    }

    fn of_topic(&self) -> Result<String> {
        let (slot, topic) = (&self.config.slot, self.guard.keep.store()?.name());
        Ok(format!(
            "Changes that the slot {slot} brought are kept in the topic {topic} until the connector has read them. Before that, the slot \
             cannot be handed to Debezium, which would miss them."
        ))
    }
}

//! The slot keeps the server's log until it has been read: watched as long as the connector exists, so that a connector
//! that nobody resumes does not fill the server's disk unnoticed.

mod kept;
mod spilling;

use std::time::Duration;

use connect_core::{
    Result,
    guard::Guard,
    meter::{Gauge, Meter},
};
use tokio::time::sleep;

use self::{kept::Kept, spilling::Trouble};
use crate::{
    catalog::literal,
    config::{PostgresConfig, RetainedWal},
    options::policy,
    slot::Slot,
    task::{initial_statements, target},
    wire::{Connection, Side},
};

/// The server is asked no more often than this.
const LEAST_PAUSE: Duration = Duration::from_millis(100);
/// How long a reader of the slot may take to let go of it …
const PATIENCE: u32 = 50;
/// … in steps of this.
const STEP: Duration = Duration::from_millis(100);

/// What is told of a slot that was dropped.
const DROPPED: &str = " It was dropped, as `slot.max.retained.wal.action` says. Changes since then are not read: delete \
    the connector's offsets to snapshot again, or set `snapshot.mode=when_needed`.";

/// Watches until it is dropped, or the server cannot be asked.
pub(crate) async fn run(config: &PostgresConfig, guard: Guard) -> Result<()> {
    if !policy(config).streams {
        return Ok(());
    }
    let mut side = Side::new(target(config), initial_statements(config));
    let mut watch = Watch::new(config, guard);
    loop {
        if let Some(kept) = watch.look(side.connection().await?).await? {
            watch.spill(&kept, &mut side).await;
        }
        side.tidy().await;
        sleep(watch.pause()).await;
    }
}

struct Watch<'a> {
    config: &'a PostgresConfig,
    guard: Guard,
    numbers: Numbers,
    trouble: Trouble,
}

struct Numbers {
    retained: Gauge,
    unconfirmed: Gauge,
    safe: Gauge,
    active: Gauge,
}

impl Numbers {
    fn new(meter: &Meter) -> Self {
        Self {
            retained: meter.gauge("slot-retained-wal-bytes"),
            unconfirmed: meter.gauge("slot-unconfirmed-wal-bytes"),
            safe: meter.gauge("slot-safe-wal-bytes"),
            active: meter.gauge("slot-active"),
        }
    }

    fn show(&self, kept: &Kept) {
        self.retained.set(kept.retained);
        self.unconfirmed.set(kept.unconfirmed);
        self.safe.set(kept.safe.unwrap_or(-1));
        self.active.set(i64::from(kept.reader.is_some()));
    }
}

impl<'a> Watch<'a> {
    fn new(config: &'a PostgresConfig, guard: Guard) -> Self {
        Self {
            numbers: Numbers::new(&guard.meter),
            config,
            guard,
            trouble: Trouble::default(),
        }
    }

    fn pause(&self) -> Duration {
        self.config.status_interval.0.max(LEAST_PAUSE)
    }

    fn is_over(&self, kept: &Kept) -> bool {
        let limit = self.config.retained_wal_limit;
        limit > 0 && kept.retained > limit
    }

    /// Tells what is to be told; gives what the slot keeps when that is more than it may.
    async fn look(&self, connection: &mut Connection) -> Result<Option<Kept>> {
        let Some(kept) = Kept::of(connection, &self.config.slot).await? else {
            self.numbers.show(&Kept::default());
            // One that was dropped here is told of until it is there again, also after the server was away.
            let told = self.guard.notice();
            self.tell(told.filter(|told| told.contains(DROPPED)));
            return Ok(None);
        };
        self.numbers.show(&kept);
        let over = self.is_over(&kept);
        if !over && !kept.is_endangered() {
            self.tell(self.waiting().await);
            return Ok(None);
        }
        let cause = kept.cause(connection).await?;
        let slot = &self.config.slot;
        let notice = kept.notice(slot, self.config.retained_wal_limit, &cause);
        if over && self.config.retained_wal_action == RetainedWal::Drop {
            give_up(connection, slot).await?;
            self.numbers.show(&Kept::default());
            self.tell(Some(format!("{notice}{DROPPED}")));
            return Ok(None);
        }
        let waiting = self.waiting().await;
        let waiting = waiting.map_or_else(String::new, |told| format!(" {told}"));
        self.tell(Some(notice + &self.trouble.notice() + &waiting));
        Ok(over.then_some(kept))
    }

    /// The log hears of it when it begins and when it ends, not each time the number has changed.
    fn tell(&self, notice: Option<String>) {
        let slot = &self.config.slot;
        let told = self.guard.notice();
        match (&told, &notice) {
            _ if told == notice => {}
            (_, Some(now)) if now.contains(DROPPED) => tracing::error!(%slot, "{now}"),
            (None, Some(now)) => tracing::warn!(%slot, "{now}"),
            (Some(_), None) => {
                tracing::info!(%slot, "the slot keeps no more of the log than it may")
            }
            _ => {}
        }
        self.guard.tell(notice);
    }
}

/// Ends whoever reads the slot, and drops it.
async fn give_up(connection: &mut Connection, slot: &str) -> Result<()> {
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(active_pid) FROM pg_catalog.pg_replication_slots \
         WHERE slot_name = {} AND active_pid IS NOT NULL",
        literal(slot)
    );
    for _ in 0..PATIENCE {
        connection.query(&end).await?;
        match Slot::drop(connection, slot).await {
            Err(error) if error.code() == &crate::error::SLOT_ACTIVE => sleep(STEP).await,
            dropped => return dropped,
        }
    }
    Slot::drop(connection, slot).await
}

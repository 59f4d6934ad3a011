//! Where to begin: what is stored, what the slot says, what `snapshot.mode` wants.

use std::{sync::Arc, time::Duration};

use cdc::{options::Policy, snapshot::Report};
use connect_core::{Error, Result};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    Connection, Phase, Place, PostgresTask, Purpose, Side, Slot, catch_up::snapshot_connection,
    publication, target,
};
use crate::{
    catalog::{self, Which},
    error,
    incremental::notifier,
    options::policy,
    position::Progress,
    snapshot::{self, Prepared, Snapshot, Workers, division},
};

/// How the task begins.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    /// Make the slot and read the tables as of its first moment.
    NewSlot { snapshot: bool },
    /// Stream from a place until now, read the tables (or the rest of them), then stream on.
    Snapshot(Place),
    /// Stream from a place.
    Stream(Place),
    /// Read the tables and nothing else.
    TablesOnly(Place),
    /// Nothing is left to do.
    Nothing,
}

impl PostgresTask {
    /// Decides and begins.
    pub(super) async fn open_phase(&mut self, stored: Option<Place>) -> Result<Phase> {
        let mut side;
        (side, self.early) = Box::pin(self.ready(stored.as_ref())).await;
        let connection = side.connection().await?;
        if connection.server_version() < 12 {
            return Err(Error::new(&error::VERSION, "the server is too old")
                .context("version", connection.server_version()));
        }
        let captured = Which::Captured(&self.captured, &self.config);
        let tables = catalog::tables(connection, captured).await?;
        let slot = match self.streams() {
            true => {
                self.captured
                    .identities()
                    .ensure(connection, &tables)
                    .await?;
                publication::ensure(connection, &self.config, &tables).await?;
                Slot::find(connection, &self.config.slot).await?
            }
            false => None,
        };
        let beginning = self.beginning(stored, slot)?;
        let phase = self.begin(beginning, &mut side).await;
        self.early = None;
        match phase {
            // It asks for its first table soon.
            Ok(Phase::Stream(mut stream)) => {
                stream.lend(side);
                Ok(Phase::Stream(stream))
            }
            other => {
                side.close().await;
                other
            }
        }
    }

    fn beginning(&self, stored: Option<Place>, slot: Option<Slot>) -> Result<Beginning> {
        let policy = policy(&self.config);
        if !policy.streams {
            return Ok(match stored {
                Some(place) if place.snapshot.is_none() && !policy.always => Beginning::Nothing,
                _ if !policy.first => Beginning::Nothing,
                stored => Beginning::TablesOnly(stored.unwrap_or_default()),
            });
        }
        let Some(slot) = slot else {
            return match stored {
                None => Ok(Beginning::NewSlot {
                    snapshot: policy.first,
                }),
                Some(_) if policy.on_loss => Ok(Beginning::NewSlot { snapshot: true }),
                // Making it again would hide that changes are missing.
                Some(place) => Err(Slot::missing(&self.config, &place)),
            };
        };
        let judged = slot.judge(&self.config, stored.as_ref());
        let is_ahead = |error: &Error| error.code() == &error::SLOT_AHEAD;
        if policy.on_loss && judged.as_ref().is_err_and(is_ahead) {
            return Ok(Beginning::Snapshot(from_slot(&slot)));
        }
        judged?;
        Ok(match stored {
            None if policy.first => Beginning::Snapshot(from_slot(&slot)),
            None => Beginning::Stream(Place {
                snapshot: None,
                ..from_slot(&slot)
            }),
            Some(place) if goes_on(&place, policy) => Beginning::Snapshot(place),
            Some(place) if policy.always => Beginning::Snapshot(Place {
                snapshot: Some(Progress::default()),
                ..place
            }),
            Some(mut place) => {
                place.at.commit_lsn = place.at.commit_lsn.max(slot.confirmed_lsn);
                place.snapshot = None;
                Beginning::Stream(place)
            }
        })
    }

    async fn begin(&mut self, beginning: Beginning, side: &mut Side) -> Result<Phase> {
        if let Beginning::Stream(place) | Beginning::Snapshot(place) = &beginning {
            self.confirmed = place.at.commit_lsn;
        }
        self.has_skipped = matches!(
            beginning,
            Beginning::Nothing | Beginning::Stream(_) | Beginning::NewSlot { snapshot: false }
        );
        match beginning {
            Beginning::Nothing => Ok(Phase::Done),
            Beginning::Stream(place) => self.stream_phase(place).await,
            Beginning::TablesOnly(place) => self.snapshot_phase(place, None, side).await,
            Beginning::Snapshot(place) => {
                sleep(self.config.snapshot_delay.0).await;
                self.catch_up_phase(place, side).await
            }
            Beginning::NewSlot { snapshot } => {
                let target = target(&self.config);
                let mut maker = Connection::open(&target, Purpose::Replication).await?;
                let created = Slot::create(&mut maker, &self.config, snapshot).await?;
                let place = Place::between(created.consistent_lsn);
                self.confirmed = created.consistent_lsn;
                let phase = match snapshot {
                    true => {
                        self.snapshot_phase(place, created.snapshot.as_deref(), side)
                            .await
                    }
                    false => self.stream_phase(place).await,
                };
                // Only now: the exported snapshot lives as long as the connection that made it.
                maker.close().await;
                phase
            }
        }
    }

    async fn stream_phase(&mut self, place: Place) -> Result<Phase> {
        let stream = self.stream_from(place).await?;
        Ok(Phase::Stream(Box::new(stream)))
    }

    async fn snapshot_phase(
        &mut self,
        place: Place,
        exported: Option<&str>,
        side: &mut Side,
    ) -> Result<Phase> {
        sleep(self.config.snapshot_delay.0).await;
        let mut connection = snapshot_connection(&self.config).await?;
        snapshot::begin(&mut connection, self.config.snapshot_isolation, exported).await?;
        self.read_phase(connection, place, exported.is_some(), side)
            .await
    }

    /// Reads tables in the transaction of a connection.
    pub(super) async fn read_phase(
        &mut self,
        mut connection: Connection,
        mut place: Place,
        exported: bool,
        side: &mut Side,
    ) -> Result<Phase> {
        let plan = self.plan(&mut connection, &mut place, side).await?;
        self.lock(&mut connection, &plan).await?;
        let report = Report::new(notifier(&self.config), &self.meter());
        let partition = Arc::clone(&self.partition);
        let prepared = Prepared::new(&mut connection, plan, place, exported, report).await?;
        let workers = Workers {
            config: Arc::clone(&self.config),
            context: self.context.clone(),
            silence_limit: self.silence_limit(),
        };
        let snapshot = if division(&self.config).is_wanted() || prepared.is_divided() {
            Snapshot::several(connection, prepared, partition, workers).await?
        } else {
            let watched = (connection, side.vigil(workers.silence_limit));
            Snapshot::one(watched, prepared, partition, workers).await?
        };
        Ok(Phase::Snapshot(Box::new(snapshot)))
    }

    /// The snapshot is complete: stream, or rest.
    pub(super) async fn after_snapshot(&mut self) -> Result<()> {
        let Phase::Snapshot(snapshot) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return Ok(());
        };
        let place = snapshot.finish().await;
        self.phase = match self.streams() {
            true if !self.config.streaming_delay.0.is_zero() => {
                let until = Instant::now() + self.config.streaming_delay.0;
                Phase::Waiting(until, Box::new(place))
            }
            true => self.stream_phase(place).await?,
            false => Phase::Done,
        };
        Ok(())
    }

    /// Waits between a snapshot and the stream, a second at most.
    pub(super) async fn wait(&mut self) -> Result<()> {
        let Phase::Waiting(until, place) = &self.phase else {
            return Ok(());
        };
        let (until, place) = (*until, Place::clone(place));
        sleep_until(until.min(Instant::now() + Duration::from_secs(1))).await;
        if Instant::now() >= until {
            self.phase = self.stream_phase(place).await?;
        }
        Ok(())
    }

    /// A signal wants tables to be read while the stream waits: it is led up to the moment of the snapshot first.
    pub(super) async fn pause_for_snapshot(&mut self) -> Result<()> {
        let Phase::Stream(stream) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return Ok(());
        };
        let place = stream.place();
        let mut side = stream.close().await;
        self.phase = self.catch_up_phase(place, &mut side).await?;
        side.close().await;
        Ok(())
    }
}

/// Whether a snapshot that was interrupted has to be completed.
fn goes_on(place: &Place, policy: Policy) -> bool {
    let progress = place.snapshot.as_ref();
    progress.is_some_and(|progress| policy.first || progress.only.is_some())
}

/// The first place of a slot that was there before us, all tables still to be read.
fn from_slot(slot: &Slot) -> Place {
    Place {
        snapshot: Some(Progress::default()),
        ..Place::between(slot.confirmed_lsn)
    }
}

//! Where to begin: what is stored, what the server still has, what `snapshot.mode` wants.

use cdc::{filters::Filter, options::Policy, pulse::Pulse};
use connect_core::{Error, Finding, Result};
use tokio::time::sleep;

use super::{
    HEARTBEAT, MySqlTask, Phase, SILENCE_LIMIT,
    kept::{Kept, purged},
    target,
};
use crate::{
    config::MySqlConfig,
    error,
    gtid::Gtids,
    heartbeat::Beats,
    position::Place,
    rewind::gtids_before,
    snapshot,
    stream::{Lag, Run, Stream},
    versions::Versions,
    wire::{Connection, DumpFrom, DumpPlace, Flavor},
};

impl MySqlTask {
    /// Decides and begins.
    pub(super) async fn open_phase(&mut self, stored: Option<Place>) -> Result<Phase> {
        let phase = Box::pin(self.decide(stored)).await;
        self.early = None;
        if let Some(mut side) = self.lent.take() {
            side.close().await;
        }
        phase
    }

    async fn decide(&mut self, stored: Option<Place>) -> Result<Phase> {
        let policy = self.config.policy();
        let mut side = self.ready().await;
        let connection = side.connection().await?;
        self.is_of_its_family(connection)?;
        let stored = stored.filter(|place| !place.in_snapshot);
        let lost = match &stored {
            Some(place) if policy.streams => {
                let counted = self.counted(place.gtids.as_ref());
                let kept = Kept::of(place, counted.as_ref(), connection).await?;
                kept.error(place)
            }
            _ => None,
        };
        self.lent = Some(Box::new(side));
        match stored {
            Some(_) if lost.is_some() && policy.on_loss => {
                tracing::warn!(
                    lost = lost.map(tracing::field::display),
                    "the tables are read again"
                );
                self.snapshot_phase(true).await
            }
            Some(_) if let Some(lost) = lost => Err(lost),
            Some(place) if goes_on(&place, policy) => {
                sleep(self.config.snapshot_delay.0).await;
                let versions = self.stored_versions(&place);
                match policy.streams {
                    true => self.catch_up_phase(place, versions).await,
                    false => self.rest_phase(place, versions).await,
                }
            }
            Some(_) if policy.always && policy.first => self.snapshot_phase(true).await,
            Some(mut place) if policy.streams => {
                self.untold = &["SKIPPED"];
                place.snapshot = None;
                self.complete(&mut place).await?;
                let versions = self.stored_versions(&place);
                self.stream_phase(place, versions).await
            }
            None if policy.first => self.snapshot_phase(true).await,
            None if policy.streams && self.config.include_schema_changes => {
                self.snapshot_phase(false).await
            }
            None if policy.streams => {
                self.untold = &["STARTED", "COMPLETED"];
                let mut connection = self.side().fresh().await?;
                let place = snapshot::end_of_binlog(&mut connection).await?;
                connection.close().await;
                self.stream_phase(place, Versions::default()).await
            }
            _ => {
                self.untold = &["SKIPPED"];
                Ok(Phase::Done)
            }
        }
    }

    /// Adds the ids to a place that was written without them.
    async fn complete(&self, place: &mut Place) -> Result<()> {
        let is_between = place.events == 0 && place.rows == 0;
        if place.gtids.is_none() && is_between && !self.config.ignores_gtids {
            let mut side = self.side();
            place.gtids = gtids_before(&place.mark(), &mut side).await?;
            side.close().await;
        }
        Ok(())
    }

    fn stored_versions(&self, place: &Place) -> Versions {
        let stored = self.start.as_ref().map_or(&[][..], |start| &start.stored);
        Versions::restored(stored, &self.config.topic_prefix, place)
    }

    fn is_of_its_family(&self, connection: &Connection) -> Result<()> {
        let server = connection.server();
        let oldest = match server.flavor {
            Flavor::MySql => (8, 0, 0),
            Flavor::MariaDb => (10, 5, 0),
        };
        if server.flavor == self.flavor && server.version >= oldest {
            return Ok(());
        }
        let (major, minor, patch) = server.version;
        let what = "the server is too old, or of the other family";
        Err(Error::new(&error::VERSION, what)
            .context("version", format!("{major}.{minor}.{patch}")))
    }

    pub(super) async fn stream_phase(&mut self, place: Place, versions: Versions) -> Result<Phase> {
        let stream = self.stream_from(place, versions).await?;
        Ok(Phase::Stream(Box::new(stream)))
    }

    /// The stream from a place on, at which the tables are these.
    pub(super) async fn stream_from(&mut self, place: Place, versions: Versions) -> Result<Stream> {
        let target = target(&self.config, self.flavor);
        let connection = self.open_dump().await?;
        let lent = self.lent.take();
        let mut side = lent.map_or_else(|| self.side(), |side| *side);
        let encoded;
        let text;
        let counted = self.counted(place.gtids.as_ref());
        let from = match &counted {
            Some(Gtids::MySql(set)) => {
                let purged = purged(side.connection().await?).await?;
                encoded = match purged {
                    Some(Gtids::MySql(purged)) => set.with(&purged),
                    _ => set.clone(),
                }
                .encoded();
                DumpPlace::Gtids(&encoded)
            }
            Some(gtids @ Gtids::MariaDb(_)) => {
                text = gtids.to_string();
                DumpPlace::MariaDbGtids(&text)
            }
            None => DumpPlace::File(&place.file, place.pos),
        };
        let from = DumpFrom {
            place: from,
            server_id: self.config.server_id.0,
            name: &target.application,
            uuid: &uuid(&self.config.topic_prefix, self.config.server_id.0),
            heartbeat: HEARTBEAT,
            annotated: self.config.include_query,
        };
        let dump = connection.dump(&from).await?;
        tracing::info!(file = %place.file, pos = place.pos, "streaming");
        let run = Run {
            partition: std::sync::Arc::clone(&self.partition),
            prefix: self.config.topic_prefix.clone(),
            server_id: self.config.server_id.0,
            batch_records: usize::try_from(self.config.batch_size.0).unwrap_or(usize::MAX),
            beats: Beats::new(&self.config),
            silence_limit: SILENCE_LIMIT,
            pulse: Pulse::new(&self.meter()),
            lag: Lag::new(self.side(), &self.meter()),
            takes_rows: (self.config.signal_channels.0.iter()).any(|one| one == "source"),
            channels: self.channels.clone(),
        };
        let settings = (self.settings(versions), self.incremental(&place));
        // It asks for its first table soon.
        Stream::new(dump, side, settings, place, run)
    }
}

impl MySqlTask {
    /// The transactions of a position that count, if it goes by them, as `gtid.source.includes` and `gtid.source.excludes` say.
    fn counted(&self, gtids: Option<&Gtids>) -> Option<Gtids> {
        let gtids = gtids.filter(|_| !self.config.ignores_gtids);
        let filter = gtid_filter(&self.config, &mut Vec::new())?;
        Some(match gtids? {
            Gtids::MySql(set) => Gtids::MySql(set.of_servers(|server| filter.passes(server))),
            Gtids::MariaDb(last) => Gtids::MariaDb(last.of_domains(|domain| filter.passes(domain))),
        })
    }
}

/// Whether a snapshot that was interrupted has to be completed.
fn goes_on(place: &Place, policy: Policy) -> bool {
    let progress = place.snapshot.as_ref();
    progress.is_some_and(|progress| policy.first || progress.only.is_some())
}

/// Whose transactions count; `None` with findings when the lists do not compile.
pub(crate) fn gtid_filter(config: &MySqlConfig, findings: &mut Vec<Finding>) -> Option<Filter> {
    Filter::new(
        ("gtid.source.includes", &config.gtid_includes),
        ("gtid.source.excludes", &config.gtid_excludes),
        findings,
    )
}

/// A name among the server's replicas that is always the same for a connector: a later connection ends an earlier one.
fn uuid(prefix: &str, server_id: u32) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in prefix.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!(
        "{server_id:08x}-7469-4465-8000-{:012x}",
        hash & 0xffff_ffff_ffff
    )
}

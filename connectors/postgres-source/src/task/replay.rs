//! Before the slot: what was kept of its changes while the connector rested.

use connect_core::{Error, Result, keep::Store};
use tokio::sync::oneshot;

use super::{Phase, PostgresTask, Side};
use crate::{
    error,
    options::policy,
    position::{Place, show_lsn},
    slot::Slot,
    spill::{After, Session, Spool, broken},
    stream::Stream,
};

/// One session of it that is being read.
#[derive(Debug)]
pub(super) struct Replay {
    stream: Stream,
    after: oneshot::Receiver<Result<After>>,
}

impl Replay {
    /// Ends the stream; gives back its side connection.
    pub(super) async fn close(self) -> Side {
        self.stream.close().await
    }
}

impl PostgresTask {
    /// Waits for whoever reads the slot meanwhile, and begins with what he kept.
    pub(super) async fn open_kept(&mut self, stored: Option<Place>) -> Result<Phase> {
        let keep = self
            .start
            .as_ref()
            .map(|start| start.outside.keep().clone());
        let keep = keep.unwrap_or_default();
        self.turn = Some(keep.turns().take().await);
        let kept = match keep.store() {
            Ok(store) if self.streams() => self.kept(&**store, stored.as_ref()).await?,
            _ => None,
        };
        match (kept, stored) {
            (Some(first), Some(place)) => self.follow(first, place).await,
            (_, stored) => self.open_phase(stored).await,
        }
    }

    /// What is there for a place; without one it is of no use.
    async fn kept(&self, store: &dyn Store, stored: Option<&Place>) -> Result<Option<After>> {
        if stored.is_none() {
            self.forget_all(store, "there is no stored position")
                .await?;
            return Ok(None);
        }
        match Spool::open(store).await? {
            Some(spool) => After::first(spool).await.map(Some),
            None => Ok(None),
        }
    }

    async fn forget_all(&self, store: &dyn Store, why: &str) -> Result<()> {
        if !store.is_empty().await? {
            let topic = store.name();
            tracing::warn!(
                topic,
                "what was kept of the slot's changes is forgotten, since {why}"
            );
            store.forget(None).await?;
        }
        Ok(())
    }

    /// Reads one session, or goes on with the slot.
    async fn follow(&mut self, after: After, place: Place) -> Result<Phase> {
        match after {
            After::Session(session) => self.replay(session, place).await,
            After::End(offset) => {
                self.marks.push(place.at.commit_lsn, offset);
                self.open_phase(Some(place)).await
            }
        }
    }

    async fn replay(&mut self, session: Session, place: Place) -> Result<Phase> {
        let judged = Slot::judge_begin(&self.config, session.since, &place);
        let is_ahead = |error: &Error| error.code() == &error::SLOT_AHEAD;
        if policy(&self.config).on_loss && judged.as_ref().is_err_and(is_ahead) {
            if let Some(start) = &self.start {
                let store = start.outside.keep().store()?;
                self.forget_all(&**store, "it begins behind the stored position")
                    .await?;
            }
            return self.open_phase(Some(place)).await;
        }
        judged?;
        // This may take long, and needs no server.
        self.prepared = None;
        let (from, stored) = (show_lsn(session.since), show_lsn(place.at.commit_lsn));
        tracing::info!(slot = %self.config.slot, %from, %stored, "reading what was kept of the slot's changes");
        let (replication, after) = session.replay(self.marks.clone());
        let stream = self.stream_of(replication, place, self.silence_limit());
        Ok(Phase::Replay(Box::new(Replay { stream, after })))
    }

    /// One poll; the next step when the session has ended.
    pub(super) async fn poll_replay(&mut self, out: &mut connect_core::Batch) -> Result<()> {
        if let Phase::Replay(replay) = &mut self.phase {
            replay.stream.poll(out).await?;
            if replay.stream.is_over() {
                Box::pin(self.replayed()).await?;
            }
        }
        Ok(())
    }

    async fn replayed(&mut self) -> Result<()> {
        let Phase::Replay(replay) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return Ok(());
        };
        let place = replay.stream.place();
        replay.stream.close().await.close().await;
        let after = replay.after.await.map_err(|_| broken())??;
        self.phase = self.follow(after, place).await?;
        Ok(())
    }

    /// Forgets what was kept and whose position is durable.
    pub(super) async fn forget_passed(&self) {
        let Some(start) = self.start.as_ref().filter(|_| !self.marks.is_empty()) else {
            return;
        };
        // Invariant 1: the records, then the position; only then is it forgotten.
        let safe = start.safe.latest().map_or(0, |position| position.order);
        let Some(before) = self.marks.passed(safe) else {
            return;
        };
        let forgotten = match start.outside.keep().store() {
            Ok(store) => store.forget(Some(before)).await,
            Err(error) => Err(error),
        };
        match forgotten {
            Ok(()) => tracing::info!(
                before,
                "what was kept of the slot's changes and has been read is forgotten"
            ),
            // It is passed by at the next start, and forgotten then.
            Err(error) => {
                tracing::warn!(%error, "what was kept of the slot's changes cannot be forgotten now")
            }
        }
    }
}

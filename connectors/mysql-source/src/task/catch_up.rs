//! Before a snapshot goes on that was interrupted, or before one that a signal asks for: the stream is read up to its moment.

use connect_core::{Batch, Result};

use super::{MySqlTask, Phase};
use crate::{
    position::Place,
    snapshot::{self, Moment},
    stream::Stream,
    versions::Versions,
    wire::Side,
};

/// A stream that is read before the snapshot goes on.
#[derive(Debug)]
pub(super) struct CatchUp {
    stream: Stream,
    /// The snapshot's transactions, once the stream is near.
    taken: Option<Moment>,
}

impl CatchUp {
    /// Ends the stream; gives back its side connection.
    pub(super) async fn close(self) -> Side {
        if let Some(moment) = self.taken {
            moment.close().await;
        }
        self.stream.close().await
    }
}

impl MySqlTask {
    /// Begins to catch up. What is in the binlog already is read before the moment is taken, so that its transactions do not have
    /// to wait for long.
    pub(super) async fn catch_up_phase(
        &mut self,
        place: Place,
        versions: Versions,
    ) -> Result<Phase> {
        let mut side = self.side();
        let goal = snapshot::end_of_binlog(side.connection().await?).await?;
        side.close().await;
        tracing::info!(
            from_file = %place.file, from = place.pos, to_file = %goal.file, to = goal.pos,
            "catching up before the snapshot"
        );
        let mut stream = self.stream_from(place, versions).await?;
        stream.aim(goal);
        let taken = None;
        Ok(Phase::CatchUp(Box::new(CatchUp { stream, taken })))
    }

    /// One poll; the next step when the stream has reached its goal.
    pub(super) async fn catch_up(&mut self, out: &mut Batch) -> Result<()> {
        if let Phase::CatchUp(now) = &mut self.phase {
            now.stream.poll(out).await?;
            if now.stream.reached() {
                Box::pin(self.reached()).await?;
            }
        }
        Ok(())
    }

    async fn reached(&mut self) -> Result<()> {
        let Phase::CatchUp(now) = &mut self.phase else {
            return Ok(());
        };
        if now.taken.is_none() {
            let place = now.stream.place();
            let moment = self.take_moment(place.snapshot.as_ref(), true).await?;
            if let Phase::CatchUp(now) = &mut self.phase {
                now.stream.aim(moment.place.clone());
                now.taken = Some(moment);
            }
        } else if let Phase::CatchUp(now) = std::mem::replace(&mut self.phase, Phase::Idle) {
            let CatchUp { mut stream, taken } = *now;
            let place = stream.place();
            let (mut side, versions) = stream.end().await;
            side.close().await;
            if let Some(moment) = taken {
                let place = led_on(place, &moment.place);
                self.phase = self.read_phase(moment, place, versions).await?;
            }
        }
        Ok(())
    }

    /// A signal wants tables to be read while the stream waits: it is led up to the moment of the snapshot first.
    pub(super) async fn pause_for_snapshot(&mut self) -> Result<()> {
        let Phase::Stream(mut stream) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return Ok(());
        };
        let place = stream.place();
        let (mut side, versions) = stream.end().await;
        side.close().await;
        self.phase = self.catch_up_phase(place, versions).await?;
        Ok(())
    }
}

/// The place of a moment, up to which everything has been read from an earlier place on.
fn led_on(place: Place, moment: &Place) -> Place {
    Place {
        file: moment.file.clone(),
        pos: moment.pos,
        events: 0,
        rows: 0,
        gtid: None,
        counts: None,
        gtids: place.gtids.or_else(|| moment.gtids.clone()),
        ..place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_led_on_with_what_was_read_before_it() {
        let gtids = |text: &str| Some(text.parse().unwrap());
        let before = Place {
            events: 3,
            rows: 1,
            gtid: Some("0-1-8".into()),
            ts_s: Some(7),
            ..Place::between("b.1", 4, gtids("0-1-7,5-1-1"))
        };
        let at = led_on(before, &Place::between("b.2", 99, gtids("0-1-9")));
        assert_eq!(
            (&*at.file, at.pos, at.events, at.ts_s),
            ("b.2", 99, 0, Some(7))
        );
        assert_eq!(at.gtids, gtids("0-1-7,5-1-1"));
    }
}

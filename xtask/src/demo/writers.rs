//! All that writes to the database.

use super::{
    Result,
    heartbeat::{Beats, Heartbeat},
    inventory::Inventory,
    servers::Servers,
    session::Session,
    stop::Stop,
    workload::Workload,
};

/// The workload and the heartbeat.
pub(super) struct Writers {
    workload: Workload,
    heartbeat: Heartbeat,
    stop: Stop,
}

impl Writers {
    /// Both begin.
    pub(super) fn start(servers: &Servers, inventory: Inventory, beats: &Beats) -> Result<Self> {
        let stop = Stop::default();
        let database = servers.database.as_ref();
        Ok(Self {
            workload: Workload::start(database, inventory, stop.clone())?,
            heartbeat: Heartbeat::start(database, beats.clone(), stop.clone())?,
            stop,
        })
    }

    /// Rows that the workload has committed.
    pub(super) fn rows(&self) -> u64 {
        self.workload.rows()
    }

    /// Whether one of them ended before its time; [`Writers::end`] says why.
    pub(super) fn has_ended(&self) -> bool {
        self.workload.has_ended() || self.heartbeat.has_ended()
    }

    /// Ends both, and returns a session for a last beat.
    pub(super) fn end(self) -> Result<Session> {
        self.stop.set();
        let (work, beat) = (self.workload.join(), self.heartbeat.join());
        work?;
        beat
    }
}

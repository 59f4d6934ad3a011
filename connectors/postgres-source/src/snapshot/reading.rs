//! The snapshot of a task, by one connection or by several.

use connect_core::{Batch, Result};

use super::{Polled, Snapshot, several::Several};
use crate::position::Place;

/// A running snapshot.
#[derive(Debug)]
pub(crate) enum Reading {
    /// By one connection.
    One(Box<Snapshot>),
    /// By several.
    Several(Box<Several>),
}

impl Reading {
    /// Appends the next rows.
    pub(crate) async fn poll(&mut self, out: &mut Batch) -> Result<Polled> {
        match self {
            Self::One(snapshot) => snapshot.poll(out).await,
            Self::Several(snapshot) => snapshot.poll(out).await,
        }
    }

    /// Ends the transaction; gives the place where streaming begins.
    pub(crate) async fn finish(self) -> Result<Place> {
        match self {
            Self::One(snapshot) => snapshot.finish().await,
            Self::Several(snapshot) => snapshot.finish().await,
        }
    }
}

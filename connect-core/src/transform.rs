//! Single message transforms, on whole batches.

use crate::{Batch, Error, Result};

/// Changes records in place, or drops them. Never reorders them and never adds one.
pub trait Transform: Send {
    /// Applies it to every record for which `applies` (a predicate's answer, by index) is true.
    ///
    /// A record that it cannot transform is reported in the answer by its index and left as it was; `Err` is for what ends the task.
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts>;
}

/// What became of the records of a batch. Empty means that all were transformed and kept.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Records to leave out, by index, ascending.
    pub dropped: Vec<usize>,
    /// Records that could not be transformed, by index, ascending.
    pub refused: Vec<(usize, Error)>,
}

/// Chooses the records to which a transform applies.
pub trait Predicate: Send {
    /// Whether the record at `index` is chosen.
    fn test(&self, batch: &Batch, index: usize) -> bool;
}

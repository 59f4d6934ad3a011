//! Single message transforms, on whole batches.

use crate::{Batch, BoxFuture, Error, Finding, Properties, Result, config::Key};

/// Changes records in place, or drops them. Never reorders them and never adds one.
pub trait Transform: Send {
    /// What has to be waited for before these records can be transformed; `None` when it needs nobody, as a steady stream does.
    ///
    /// Called before each [`Transform::apply`], with the same `applies`. An error is not about a record: a server is away, say.
    fn prepare(
        &mut self,
        _batch: &Batch,
        _applies: &dyn Fn(usize) -> bool,
    ) -> Option<BoxFuture<'_, Result<()>>> {
        None
    }

    /// Applies it to every record for which `applies` (a predicate's answer, by index) is true.
    ///
    /// A record that it cannot transform is reported in the answer by its index and left as it was; `Err` is for what ends the task.
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts>;
}

/// A transform, or all that is wrong with its properties, by names without prefix.
pub type Made = Result<Box<dyn Transform>, Vec<Finding>>;

/// A class that can stand in `transforms.NAME.type`.
#[derive(Debug, Clone, Copy)]
pub struct TransformClass {
    /// Its full name.
    pub class: &'static str,
    /// Makes one from properties without prefix. It connects to nothing.
    pub make: fn(&Properties) -> Made,
    /// Its properties.
    pub keys: fn() -> Vec<Key>,
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

//! The frame of transforms that look at each change event and leave its cells where they are, or drop it.

use connect_core::{
    Batch, Result,
    transform::{Transform, Verdicts},
};

use super::reshape::refuse;

/// What such a transform does with one record.
pub(super) trait EachEvent: Send {
    /// Forgets the batch before.
    fn next_batch(&mut self) {}

    /// Changes the record at `index`; whether it stays.
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool>;
}

/// An [`EachEvent`] as a transform.
pub(super) struct Events<E>(pub(super) E);

impl<E: EachEvent> Transform for Events<E> {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.0.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            match self.0.each(batch, index) {
                Ok(true) => {}
                Ok(false) => verdicts.dropped.push(index),
                Err(err) => refuse(&mut verdicts, index, err)?,
            }
        }
        Ok(verdicts)
    }
}

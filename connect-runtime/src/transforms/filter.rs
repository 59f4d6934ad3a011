//! `Filter`: drops every record that its predicate chooses.

use connect_core::{
    Batch, Result,
    transform::{Transform, Verdicts},
};

/// The transform.
pub(super) struct Filter;

impl Transform for Filter {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        Ok(Verdicts {
            dropped: (0..batch.len()).filter(|index| applies(*index)).collect(),
            refused: Vec::new(),
        })
    }
}

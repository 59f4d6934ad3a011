//! Headers of a record, changed.

use connect_core::{Batch, Header};

/// Adds headers behind those that a record has.
pub(super) fn append(batch: &mut Batch, index: usize, new: impl IntoIterator<Item = Header>) {
    let Some(&record) = batch.records().get(index) else {
        return;
    };
    let mut new = new.into_iter().peekable();
    if new.peek().is_some() {
        let all: Vec<Header> = batch.headers(record).iter().cloned().chain(new).collect();
        batch.set_headers(index, &all);
    }
}

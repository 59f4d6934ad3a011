//! Retention: by age, by size, and what was deleted by request.

use std::sync::Arc;

use connect_core::Result;

use super::{
    append::now_ms,
    engine::Shared,
    partition::Partition,
    request::Work,
    settings::Settings,
    store::{Head, Store},
};

/// Blocks that are removed with one request, so that the writer never stalls for long.
const SLICE_BLOCKS: usize = 256;

/// Removes the blocks at the beginning of a partition that nobody may or need read any more.
pub(crate) fn retain<S: Store>(
    shared: &Shared<S>,
    partition: &Arc<Partition>,
    settings: &Settings,
) -> Result<()> {
    let now_ms = now_ms();
    // Mostly nothing is due, and one look is enough.
    let mut max = 1;
    loop {
        let heads = shared.store.heads(partition.id, 0, max)?;
        let due = heads.iter().take_while(|head| {
            head.last < partition.start() || is_over(head, partition, settings, now_ms)
        });
        let due: Vec<i64> = due.map(|head| head.last).collect();
        let Some(last) = due.last() else {
            return Ok(());
        };
        shared.keeper.must_go_on()?;
        let more = due.len() == max;
        max = SLICE_BLOCKS;
        shared.ask_blocking(Work::Rewrite {
            partition: Arc::clone(partition),
            start: last + 1,
            remove: due,
            put: Vec::new(),
        })?;
        if !more {
            return Ok(());
        }
    }
}

fn is_over(head: &Head, partition: &Partition, settings: &Settings, now_ms: i64) -> bool {
    if !settings.delete {
        return false;
    }
    let old = |keep_ms| head.max_timestamp_ms < now_ms.saturating_sub(keep_ms);
    let after = partition
        .extent()
        .upto
        .written
        .saturating_sub(head.upto.written);
    // As in Kafka, a block goes when what is left without it is still as much as asked for.
    settings.retention_ms.is_some_and(old)
        || settings.retention_bytes.is_some_and(|keep| after >= keep)
}

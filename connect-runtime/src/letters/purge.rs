//! Removes letters: hides them by a mark, and deletes from the log what lies before all that are left.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Encoded, Result};
use connect_log::TopicPartition;
use serde::Serialize;

use super::{
    At, Filter,
    marks::{Done, mark},
    topic::Letters,
};
use crate::shared::Shared;

/// How many places one mark has.
const AT_ONCE: usize = 1000;

/// Which letters are to go.
#[derive(Debug, Clone, Default)]
pub struct Purge {
    /// Those that fit.
    pub filter: Filter,
    /// Of each partition only what lies before this offset.
    pub before: Option<i64>,
    /// Only those that were replayed.
    pub replayed: bool,
    /// Tell what would happen.
    pub dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Purged {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// How many letters went.
    pub purged: usize,
    /// How many are left.
    pub left: usize,
    /// By partition, from where on the topic still has records: what was purged behind that is hidden, and
    /// deleted once nothing before it is left.
    pub begins: BTreeMap<i32, i64>,
}

pub(super) async fn purge(shared: &Arc<Shared>, name: &str, asked: &Purge) -> Result<Purged> {
    let letters = Letters::of(shared, name).await?;
    // Ends whoever was about to replay what goes now.
    let mut writer = match asked.dry_run {
        true => None,
        false => Some(letters.writer().await?),
    };
    let plan = Plan::new(&letters, asked).await?;
    if let Some(writer) = &mut writer {
        for places in plan.gone.chunks(AT_ONCE) {
            let mut out = Encoded::default();
            mark(&mut out, letters.topic(), Done::Purged, places);
            writer.append(&out).await?;
        }
        writer.commit(None).await?;
        for (partition, before) in &plan.begins {
            let of = TopicPartition::new(Arc::clone(letters.topic()), *partition);
            shared.log.delete_records(&of, *before).await?;
        }
    }
    Ok(Purged {
        dry_run: asked.dry_run,
        purged: plan.gone.len(),
        left: plan.left,
        begins: plan.begins,
    })
}

struct Plan {
    gone: Vec<At>,
    left: usize,
    begins: BTreeMap<i32, i64>,
}

impl Plan {
    async fn new(letters: &Letters, asked: &Purge) -> Result<Self> {
        let marks = letters.marks().await?;
        let mut plan = Self {
            gone: Vec::new(),
            left: 0,
            begins: BTreeMap::new(),
        };
        // Where nobody's letter is left, up to here.
        let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
        let mut firsts: BTreeMap<i32, i64> = BTreeMap::new();
        letters
            .all(|letter, at| {
                let end = ends.entry(at.0).or_default();
                *end = (*end).max(at.1 + 1);
                let Some((letter, is_ours)) = letter else {
                    return;
                };
                if marks.is_purged(at) {
                    return;
                }
                let goes = is_ours
                    && asked.filter.fits(&letter)
                    && asked.before.is_none_or(|before| at.1 < before)
                    && (!asked.replayed || marks.is_replayed(at));
                if goes {
                    plan.gone.push(at);
                    return;
                }
                plan.left += usize::from(is_ours);
                let first = firsts.entry(at.0).or_insert(at.1);
                *first = (*first).min(at.1);
            })
            .await?;
        for (partition, end) in ends {
            let first = firsts.get(&partition).copied();
            plan.begins.insert(partition, first.unwrap_or(end));
        }
        Ok(plan)
    }
}

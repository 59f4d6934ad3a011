//! What a reader has, and how its records are given out.

use std::collections::{BTreeMap, VecDeque};

use connect_core::{Encoded, Error, Result};

use super::{
    ask,
    plan::{Shared, Start},
    section::{Full, Section, Tools},
};
use crate::{NOT_MEMBER, TopicPartition};

/// A partition that is ours.
#[derive(Debug, Clone, Copy, Default)]
struct Ours {
    /// Its time in the plan; 0 before it is in there.
    epoch: u64,
    /// The next offset to give out; none before the first.
    next: Option<i64>,
    paused: bool,
}

/// The partitions of a reader, with what was fetched of them.
pub(super) struct Holdings {
    ours: BTreeMap<TopicPartition, Ours>,
    /// What was fetched, in the order in which it came.
    sections: VecDeque<Section>,
    /// An error that waits until the records before it are given out.
    fault: Option<Error>,
    tools: Tools,
    full: Full,
}

impl Holdings {
    pub(super) fn new(full: Full) -> Self {
        Self {
            ours: BTreeMap::new(),
            sections: VecDeque::new(),
            fault: None,
            tools: Tools::default(),
            full,
        }
    }

    /// These, and nothing else, from these offsets on.
    pub(super) fn assign(&mut self, shared: &Shared, from: &BTreeMap<TopicPartition, i64>) {
        self.sections.clear();
        self.ours = shared.change(|plan| {
            plan.parts.clear();
            plan.sections.clear();
            let add = |(of, offset): (&TopicPartition, &i64)| {
                let ours = Ours {
                    epoch: plan.add(of.clone(), Start::At(*offset), false),
                    next: Some(*offset),
                    paused: false,
                };
                (of.clone(), ours)
            };
            from.iter().map(add).collect()
        });
    }

    /// Ours from now on, for seeking and committing; read after [`Self::begin`].
    pub(super) fn expect(&mut self, partitions: &[TopicPartition]) {
        let fresh = partitions.iter().map(|of| (of.clone(), Ours::default()));
        self.ours.extend(fresh);
    }

    /// Reads what was expected: from where it was sought, else from where the group has committed.
    pub(super) fn begin(&mut self, shared: &Shared, partitions: &[TopicPartition]) {
        shared.change(|plan| {
            for of in partitions {
                if let Some(ours) = self.ours.get_mut(of) {
                    let start = ours.next.map_or(Start::Committed, Start::At);
                    ours.epoch = plan.add(of.clone(), start, ours.paused);
                }
            }
        });
    }

    /// Not ours any more.
    pub(super) fn forget(&mut self, shared: &Shared, partitions: &[TopicPartition]) {
        shared.change(|plan| {
            for of in partitions {
                self.ours.remove(of);
                plan.parts.remove(of);
            }
        });
        self.sections
            .retain(|section| self.ours.contains_key(&section.of));
    }

    pub(super) fn clear(&mut self, shared: &Shared) {
        self.ours.clear();
        self.sections.clear();
        shared.change(|plan| {
            plan.parts.clear();
            plan.sections.clear();
        });
    }

    /// Fails with `log.not_member` for a partition that is not ours.
    pub(super) fn must_have<'a>(
        &self,
        mut of: impl Iterator<Item = &'a TopicPartition>,
    ) -> Result<()> {
        let stranger = of.find(|of| !self.ours.contains_key(*of));
        stranger.map_or(Ok(()), |of| Err(not_ours(of)))
    }

    /// Goes on from another offset.
    pub(super) fn seek(&mut self, shared: &Shared, of: &TopicPartition, offset: i64) -> Result<()> {
        let ours = self.ours.get_mut(of).ok_or_else(|| not_ours(of))?;
        ours.next = Some(offset);
        if ours.epoch > 0 {
            let paused = ours.paused;
            ours.epoch = shared.change(|plan| plan.add(of.clone(), Start::At(offset), paused));
        }
        Ok(())
    }

    pub(super) fn pause(&mut self, shared: &Shared, of: &[TopicPartition], paused: bool) {
        for one in of {
            if let Some(ours) = self.ours.get_mut(one) {
                ours.paused = paused;
            }
        }
        shared.change(|plan| {
            for one in of {
                if let Some(part) = plan.parts.get_mut(one) {
                    part.paused = paused;
                }
            }
        });
        if paused {
            self.drop_paused(shared);
        }
    }

    /// What lies of paused partitions stays as long as it is little. More is thrown away, and fetched again when it is wanted.
    fn drop_paused(&mut self, shared: &Shared) {
        let Self {
            ours,
            sections,
            tools,
            ..
        } = self;
        let mut plan = shared.plan();
        sections.extend(plan.sections.drain(..));
        let is_paused = |section: &Section| ours.get(&section.of).is_some_and(|ours| ours.paused);
        for section in sections.iter_mut().filter(|section| is_paused(section)) {
            section.shut(tools);
        }
        let lies: usize = sections
            .iter()
            .filter(|s| is_paused(s))
            .map(|s| s.size)
            .sum();
        if lies <= shared.settings.room {
            return;
        }
        for (of, ours) in ours.iter_mut().filter(|(_, ours)| ours.paused) {
            let first = sections.iter().find(|section| section.epoch == ours.epoch);
            if let Some(next) = first.map(|section| section.next) {
                ours.epoch = plan.add(of.clone(), Start::At(next), true);
            }
        }
        sections.retain(|s| ours.get(&s.of).is_some_and(|ours| ours.epoch == s.epoch));
    }

    /// Appends what there is to give out; true when there was something. Fails with what the reader has to be told.
    pub(super) fn look(&mut self, shared: &Shared, out: &mut Encoded) -> Result<bool> {
        self.fault.take().map_or(Ok(()), Err)?;
        let trouble = {
            let mut plan = shared.plan();
            self.sections.extend(plan.sections.drain(..));
            plan.fault()
        };
        let before = out.len();
        self.take(shared, out);
        if out.len() > before {
            self.fault = self.fault.take().or(trouble.err());
            return Ok(true);
        }
        trouble?;
        self.fault.take().map_or(Ok(false), Err)
    }

    /// Takes records over, from one section after the other.
    fn take(&mut self, shared: &Shared, out: &mut Encoded) {
        let mut at = 0;
        let mut done: Vec<(TopicPartition, u64, usize)> = Vec::new();
        let full = self.full.beyond(out);
        while !full.is(out) && self.fault.is_none() {
            let Some(section) = self.sections.get_mut(at) else {
                break;
            };
            let ours = self.ours.get_mut(&section.of);
            let Some(ours) = ours.filter(|ours| ours.epoch == section.epoch) else {
                self.sections.remove(at);
                continue;
            };
            if ours.paused {
                at += 1;
                continue;
            }
            let taken = section.take(out, full, &mut self.tools);
            ours.next = Some(section.next);
            match taken {
                Ok(false) => {}
                Ok(true) => {
                    done.push((section.of.clone(), section.epoch, section.size));
                    self.sections.remove(at);
                }
                Err(error) => {
                    self.fault = Some(ask::at(error, &section.of, section.next));
                    let (of, next) = (section.of.clone(), section.next);
                    // Read again: what was sent may be at fault, not what is stored.
                    ours.epoch = shared.change(|plan| plan.add(of, Start::At(next), false));
                }
            }
        }
        if !done.is_empty() {
            shared.free(|plan| {
                for (of, epoch, size) in done {
                    if let Some(part) = plan.part(&of, epoch) {
                        part.buffered = part.buffered.saturating_sub(size);
                    }
                }
            });
        }
    }

    /// How far behind the end each partition is, as far as that is known.
    pub(super) fn lag(&self, shared: &Shared) -> BTreeMap<TopicPartition, i64> {
        let plan = shared.plan();
        let behind = |(of, ours): (&TopicPartition, &Ours)| {
            let part = plan.parts.get(of)?;
            let (end, next) = (part.end?, ours.next.or(part.from)?);
            // Markers of transactions lie among the offsets: only who is at the end has nothing left.
            let left = if part.is_at_end() {
                0
            } else {
                (end - next).max(1)
            };
            Some((of.clone(), left))
        };
        self.ours.iter().filter_map(behind).collect()
    }

    /// Where each partition is, as far as that is known.
    pub(super) fn places(&self, shared: &Shared) -> BTreeMap<TopicPartition, i64> {
        let plan = shared.plan();
        let place = |(of, ours): (&TopicPartition, &Ours)| {
            let part = plan.parts.get(of);
            // With nothing in hand it is where fetching goes on: the offset may have been reset.
            let fetches = part.filter(|part| part.epoch == ours.epoch && part.buffered == 0);
            let next = match fetches.map(|part| part.start) {
                Some(Start::At(next)) => Some(next),
                _ => ours.next,
            };
            Some((of.clone(), next?))
        };
        self.ours.iter().filter_map(place).collect()
    }
}

fn not_ours(of: &TopicPartition) -> Error {
    Error::new(&NOT_MEMBER, "the partition is not assigned to this reader")
        .context("topic", &of.topic)
        .context("partition", of.partition)
}

//! Where a transactional appender is: what has been begun, and whether its end was seen.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use connect_core::{Error, Result};
use rustc_hash::FxHashSet;

use super::{
    destination::Destinations,
    producer::{Coordinator, Producer, Protocol},
};
use crate::{GroupCommit, TopicPartition, UNAVAILABLE};

/// So long after a transaction its markers may not be written yet. Meanwhile a broker that adds partitions itself waits in steps of
/// 20 ms (`add.partitions.to.txn.retry.backoff.ms`), while the coordinator tells at once that it has not done yet.
const MARKERS: Duration = Duration::from_millis(50);

/// The transactional side of an appender.
pub(super) struct Transactions {
    coordinator: Coordinator,
    /// The partitions of the transaction, by their numbers in the queue.
    partitions: FxHashSet<usize>,
    habit: Habit,
    /// Partitions of which it is known that no transaction of an earlier life is open in them.
    clean: BTreeSet<TopicPartition>,
    state: State,
    /// When the last one has ended.
    ended: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Open,
    /// Something was begun and its end not seen.
    Unknown,
}

/// Partitions that each transaction writes to, such as that of a task's positions, are added with its first ones: one answer of the
/// coordinator less.
#[derive(Default)]
struct Habit {
    /// What this transaction and the one before it have written to.
    used: FxHashSet<usize>,
    before: FxHashSet<usize>,
    /// What both of the last two have written to.
    usual: FxHashSet<usize>,
}

impl Habit {
    fn end(&mut self) {
        self.usual = self.used.intersection(&self.before).copied().collect();
        std::mem::swap(&mut self.before, &mut self.used);
        self.used.clear();
    }
}

impl Transactions {
    pub(super) fn new(coordinator: Coordinator) -> Self {
        Self {
            coordinator,
            partitions: FxHashSet::default(),
            habit: Habit::default(),
            clean: BTreeSet::new(),
            state: State::Idle,
            ended: None,
        }
    }

    /// Ends what is still open in partitions from an earlier life of the producer: nothing of it may be committed with what
    /// comes.
    pub(super) async fn clean(
        &mut self,
        partitions: &BTreeSet<TopicPartition>,
        producer: &Producer,
    ) -> Result<()> {
        let unknown: BTreeSet<TopicPartition> =
            partitions.difference(&self.clean).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let looking = self.coordinator.clone().forgotten(unknown.clone());
        let forgotten = producer.on_thread(looking).await?;
        if !forgotten.is_empty() {
            self.end_forgotten(forgotten, producer).await?;
        }
        self.clean.extend(unknown);
        Ok(())
    }

    async fn end_forgotten(
        &mut self,
        partitions: BTreeSet<TopicPartition>,
        producer: &Producer,
    ) -> Result<()> {
        tracing::warn!(
            ?partitions,
            "the brokers have forgotten to end a transaction of this producer: it is aborted"
        );
        let is_open = self.state == State::Open;
        self.state = State::Unknown;
        let adding = self.coordinator.clone().add(partitions);
        producer.on_thread(adding).await?;
        if is_open {
            // It cannot be told from the one that is open, which has to be aborted with it: by the next appender, which begins anew.
            let what = "a transaction of an earlier life is open in a partition";
            return Err(Error::new(&UNAVAILABLE, what));
        }
        self.end(false, producer).await
    }

    /// The partitions that are new belong to the transaction; before anything is sent to them.
    pub(super) async fn enter(
        &mut self,
        numbers: &[usize],
        of: &Destinations,
        producer: &Producer,
    ) -> Result<()> {
        self.check()?;
        let runs = numbers.chunk_by(|one, next| one == next);
        let mut entering: FxHashSet<usize> = runs.filter_map(|run| run.first().copied()).collect();
        self.habit.used.extend(&entering);
        if entering.is_subset(&self.partitions) {
            return Ok(());
        }
        entering.extend(self.habit.usual.drain());
        let new = entering.difference(&self.partitions);
        let new: BTreeSet<TopicPartition> = new
            .filter_map(|number| of.partition(*number))
            .map(|(topic, index)| TopicPartition::new(Arc::clone(topic), *index))
            .collect();
        self.clean(&new, producer).await?;
        if self.adds() {
            self.state = State::Unknown;
            producer
                .on_thread(self.coordinator.clone().add(new))
                .await?;
        }
        self.state = State::Open;
        self.partitions.extend(entering);
        Ok(())
    }

    /// Whether the coordinator is told which partitions there are; else whoever leads them tells it.
    fn adds(&self) -> bool {
        match self.coordinator.protocol() {
            Protocol::One => true,
            Protocol::Two => {
                self.state == State::Idle
                    && self.ended.is_some_and(|ended| ended.elapsed() < MARKERS)
            }
        }
    }

    /// Commits what was sent and has arrived, with the group's offsets. Nothing sent and no offsets: nothing happens.
    pub(super) async fn commit(
        &mut self,
        offsets: Option<&GroupCommit>,
        producer: &Producer,
    ) -> Result<()> {
        self.check()?;
        let offsets = offsets.filter(|commit| !commit.offsets.is_empty());
        if self.state == State::Idle && offsets.is_none() {
            return Ok(());
        }
        self.state = State::Unknown;
        if let Some(offsets) = offsets {
            producer
                .on_thread(self.coordinator.clone().add_offsets(offsets.clone()))
                .await?;
        }
        self.end(true, producer).await
    }

    /// Whether there is anything to abort.
    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Drops what was sent since the last commit and has arrived.
    pub(super) async fn abort(&mut self, producer: &Producer) -> Result<()> {
        self.state = State::Unknown;
        self.end(false, producer).await
    }

    async fn end(&mut self, commit: bool, producer: &Producer) -> Result<()> {
        let next = producer
            .on_thread(self.coordinator.clone().end(commit))
            .await?;
        producer.is_now(next)?;
        self.partitions.clear();
        self.habit.end();
        self.state = State::Idle;
        self.ended = Some(Instant::now());
        Ok(())
    }

    fn check(&self) -> Result<()> {
        match self.state {
            State::Unknown => Err(Error::new(
                &UNAVAILABLE,
                "the end of the last transaction was not seen",
            )),
            State::Idle | State::Open => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Habit;

    #[test]
    fn what_two_transactions_have_written_to_is_expected_of_the_third() {
        let mut habit = Habit::default();
        let mut after = |used: &[usize]| {
            habit.used.extend(used);
            habit.end();
            let mut usual: Vec<usize> = habit.usual.iter().copied().collect();
            usual.sort_unstable();
            usual
        };
        assert!(after(&[1, 7]).is_empty());
        assert_eq!(after(&[2, 7]), [7]);
        assert_eq!(after(&[2, 7]), [2, 7]);
        // Being expected is not being used.
        assert_eq!(after(&[2]), [2]);
        assert!(after(&[7]).is_empty());
    }
}

//! The one writer: takes what waits, writes it with one sync, and only then tells anybody.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use connect_core::{Error, Result};
use rustc_hash::FxHashMap;

use super::{
    block::{Block, Draft, TARGET_BYTES},
    engine::Shared,
    partition::{Extent, Partition, PartitionId, Topic},
    queue::Room,
    request::{Author, GroupOffsets, Records, Reply, Request, Work},
    settings::Settings,
    store::{Change, Store, Upto},
};
use crate::Ticket;

/// About how many bytes are written with one sync.
const GROUP_BYTES: usize = 4 << 20;
/// What a recent block costs besides its body.
const BLOCK_OVERHEAD: usize = 128;
/// The largest offset that the store can number.
pub(crate) const MAX_OFFSET: i64 = (1 << 44) - 1;

/// The state that only the writer's thread has.
pub(crate) struct Writer<S> {
    shared: Arc<Shared<S>>,
    next_topic: i64,
    next_partition: PartitionId,
    holders: FxHashMap<String, Weak<Author>>,
    recent: VecDeque<(Arc<Partition>, usize)>,
    recent_bytes: usize,
}

/// What one sync will make durable.
#[derive(Default)]
struct Group {
    changes: Vec<Change>,
    partitions: Vec<Staged>,
    index: FxHashMap<PartitionId, usize>,
    offsets: Vec<GroupOffsets>,
    done: Vec<(Done, Room)>,
}

/// New blocks of a partition.
struct Staged {
    partition: Arc<Partition>,
    extent: Extent,
    compress: bool,
    open: Option<Draft>,
    blocks: Vec<Block>,
}

/// Whom to tell: the author that has come to a ticket, and who waits for an answer.
type Done = (Option<(Arc<Author>, Ticket)>, Reply);

impl<S: Store> Writer<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>, next_topic: i64, next_partition: i64) -> Self {
        Self {
            shared,
            next_topic,
            next_partition,
            holders: FxHashMap::default(),
            recent: VecDeque::new(),
            recent_bytes: 0,
        }
    }

    /// Writes until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let mut taken = Vec::new();
        while self.shared.queue.take(&mut taken, GROUP_BYTES) {
            let mut group = Group::default();
            for (request, room) in taken.drain(..) {
                let Request { work, reply } = request;
                match work {
                    Work::Records(records) => self.stage(&mut group, records, reply, room),
                    Work::Offsets(offsets) => self.stage_offsets(&mut group, offsets, reply, room),
                    other => {
                        self.write(std::mem::take(&mut group));
                        answer(reply, self.alone(other));
                        self.shared.queue.give_back(room);
                    }
                }
            }
            self.write(group);
        }
    }

    /// Adds records to a group; refuses those of an author that failed or was fenced.
    fn stage(&self, group: &mut Group, records: Records, reply: Reply, room: Room) {
        let Records {
            author,
            drafts,
            ticket,
            offsets,
        } = records;
        let gone = drafts.iter().find(|(partition, ..)| partition.is_gone());
        let refused = author.failure().cloned().or_else(|| {
            gone.map(|(partition, ..)| unknown_topic(&partition.topic))
                .or_else(|| self.unknown(offsets.as_ref()?))
        });
        if let Some(error) = refused {
            author.fail(&error);
            answer(reply, Err(error));
            self.shared.queue.give_back(room);
            return;
        }
        for (partition, compress, draft) in drafts {
            group.add(partition, compress, draft);
        }
        group.offsets.extend(offsets);
        group.done.push(((Some((author, ticket)), reply), room));
    }

    fn stage_offsets(&self, group: &mut Group, offsets: GroupOffsets, reply: Reply, room: Room) {
        if let Some(error) = self.unknown(&offsets) {
            answer(reply, Err(error));
            self.shared.queue.give_back(room);
            return;
        }
        group.offsets.push(offsets);
        group.done.push(((None, reply), room));
    }

    fn unknown(&self, offsets: &GroupOffsets) -> Option<Error> {
        let mut set = offsets
            .offsets
            .iter()
            .filter(|(_, offset)| offset.is_some());
        let (missing, _) = set.find(|(at, _)| self.shared.catalog.partition(at).is_none())?;
        Some(unknown_topic(&missing.topic))
    }

    /// Writes a group and tells its authors. After an error none of them may go on: what they appended later waits already.
    fn write(&mut self, mut group: Group) {
        if group.done.is_empty() {
            return;
        }
        let written = group.finish().and_then(|()| {
            let Group { changes, .. } = &group;
            self.shared.store.write(changes)
        });
        // Invariant 1: nobody hears of records before the store has them for good.
        match &written {
            Ok(()) => self.publish(&mut group),
            Err(error) => tracing::error!(error = %error, "the log could not write"),
        }
        for ((author, reply), room) in group.done {
            if let Some((author, ticket)) = author {
                match &written {
                    Ok(()) => author.reached(ticket),
                    Err(error) => author.fail(error),
                }
            }
            answer(reply, written.clone());
            self.shared.queue.give_back(room);
        }
    }

    fn publish(&mut self, group: &mut Group) {
        for GroupOffsets { group, offsets } in group.offsets.drain(..) {
            self.shared.groups.set_offsets(&group, &offsets);
        }
        for staged in group.partitions.drain(..) {
            for block in &staged.blocks {
                let bytes = block.body.len() + BLOCK_OVERHEAD;
                self.recent_bytes += bytes;
                self.recent
                    .push_back((Arc::clone(&staged.partition), bytes));
            }
            staged
                .partition
                .publish(staged.extent, staged.blocks.into_iter());
        }
        while self.recent_bytes > self.shared.limits.recent_bytes
            && let Some((partition, bytes)) = self.recent.pop_front()
        {
            self.recent_bytes -= bytes;
            partition.forget_oldest();
        }
    }

    /// Does something that is not the appending of records.
    fn alone(&mut self, work: Work) -> Result<()> {
        match work {
            Work::Records(_) | Work::Offsets(_) => Ok(()),
            Work::ForgetGroup(group) => {
                let forget = Change::ForgetGroup {
                    group: group.clone(),
                };
                self.shared.store.write(&[forget])?;
                self.shared.groups.forget(&group);
                Ok(())
            }
            Work::Claim(author) => {
                self.claim(&author);
                Ok(())
            }
            Work::Fence(ids) => {
                ids.iter().for_each(|id| self.fence(id));
                Ok(())
            }
            Work::Create {
                name,
                partitions,
                settings,
            } => self.create(name, partitions, settings),
            Work::Alter { name, settings } => {
                let topic = self.topic(&name)?;
                let change = Change::Alter {
                    topic: topic.id,
                    settings: json(&settings.given)?,
                };
                self.shared.store.write(&[change])?;
                topic.set_settings(settings);
                self.shared.catalog.changed();
                Ok(())
            }
            Work::Delete { name } => self.delete(name),
            Work::Truncate { partition, before } => self.truncate(&partition, before),
            Work::Rewrite {
                partition,
                remove,
                put,
                start,
            } => self.rewrite(&partition, &remove, put, start),
        }
    }

    fn claim(&mut self, author: &Arc<Author>) {
        let Some(id) = &author.transactional_id else {
            return;
        };
        self.fence(id);
        self.holders.retain(|_, holder| holder.strong_count() > 0);
        self.holders.insert(id.clone(), Arc::downgrade(author));
    }

    fn fence(&mut self, id: &str) {
        if let Some(older) = self.holders.remove(id).and_then(|h| h.upgrade()) {
            older.fail(
                &Error::new(
                    &crate::error::FENCED,
                    "a newer appender took the transactional id",
                )
                .context("transactional.id", id),
            );
        }
    }

    fn create(&mut self, name: Arc<str>, partitions: i32, settings: Settings) -> Result<()> {
        if self.shared.catalog.get(&name).is_some() {
            return Ok(());
        }
        let ids: Vec<_> = (self.next_partition..).take(partitions as usize).collect();
        let change = Change::Create {
            topic: self.next_topic,
            name: name.to_string(),
            settings: json(&settings.given)?,
            partitions: ids.clone(),
        };
        self.shared.store.write(&[change])?;
        let made = ids.iter().zip(0..).map(|(id, index)| {
            let partition = Partition::new(*id, Arc::clone(&name), index, Extent::EMPTY);
            Arc::new(partition)
        });
        let topic = Topic::new(self.next_topic, Arc::clone(&name), made.collect(), settings);
        self.shared.catalog.insert(topic);
        self.next_topic += 1;
        self.next_partition += i64::from(partitions);
        self.shared.groups.topics_changed(&self.shared.catalog);
        Ok(())
    }

    fn delete(&self, name: String) -> Result<()> {
        let Some(topic) = self.shared.catalog.get(&name) else {
            return Ok(());
        };
        let change = Change::Delete {
            topic: topic.id,
            name: name.clone(),
        };
        self.shared.store.write(&[change])?;
        self.shared.catalog.remove(&name);
        self.shared
            .groups
            .topic_deleted(&name, &self.shared.catalog);
        self.shared.keeper.wake();
        Ok(())
    }

    fn truncate(&self, partition: &Partition, before: i64) -> Result<()> {
        let mut extent = partition.extent();
        if partition.is_gone() {
            return Err(unknown_topic(&partition.topic));
        }
        if before <= extent.start {
            return Ok(());
        }
        extent.start = before.min(extent.end);
        let change = Change::Bounds {
            partition: partition.id,
            extent,
        };
        self.shared.store.write(&[change])?;
        partition.set_start(extent.start);
        self.shared.keeper.wake();
        Ok(())
    }

    fn rewrite(
        &self,
        partition: &Partition,
        remove: &[i64],
        put: Vec<(Block, Upto)>,
        start: i64,
    ) -> Result<()> {
        if partition.is_gone() {
            return Ok(());
        }
        let mut extent = partition.extent();
        extent.start = extent.start.max(start);
        let compress = self
            .shared
            .catalog
            .get(&partition.topic)
            .is_some_and(|topic| topic.settings().compress);
        let mut changes = vec![Change::Bounds {
            partition: partition.id,
            extent,
        }];
        changes.extend(remove.iter().map(|last| Change::Remove {
            partition: partition.id,
            last: *last,
        }));
        changes.extend(put.into_iter().map(|(block, upto)| Change::Put {
            partition: partition.id,
            block,
            upto,
            compress,
        }));
        self.shared.store.write(&changes)?;
        partition.set_start(extent.start);
        Ok(())
    }

    fn topic(&self, name: &str) -> Result<Arc<Topic>> {
        self.shared
            .catalog
            .get(name)
            .ok_or_else(|| unknown_topic(name))
    }
}

impl<S> Drop for Writer<S> {
    fn drop(&mut self) {
        self.shared.queue.abandon();
    }
}

impl Group {
    fn add(&mut self, partition: Arc<Partition>, compress: bool, draft: Draft) {
        let at = *self.index.entry(partition.id).or_insert_with(|| {
            self.partitions.push(Staged {
                extent: partition.extent(),
                partition,
                compress,
                open: None,
                blocks: Vec::new(),
            });
            self.partitions.len() - 1
        });
        self.partitions[at].add(draft);
    }

    /// Closes all blocks and lists what the store has to write.
    fn finish(&mut self) -> Result<()> {
        for staged in &mut self.partitions {
            staged.close();
            let mut extent = staged.partition.extent();
            for block in &staged.blocks {
                extent.end = block.last + 1;
                extent.upto.peak_ms = extent.upto.peak_ms.max(block.max_timestamp_ms);
                extent.upto.written += block.body.len() as u64;
                self.changes.push(Change::Put {
                    partition: staged.partition.id,
                    block: block.clone(),
                    upto: extent.upto,
                    compress: staged.compress,
                });
            }
            if extent.end > MAX_OFFSET {
                return Err(Error::new(
                    &crate::error::STORAGE,
                    "a partition has no offsets left",
                ));
            }
            staged.extent = extent;
        }
        for GroupOffsets { group, offsets } in &self.offsets {
            let changes = offsets.iter().map(|(at, offset)| Change::Offset {
                group: group.clone(),
                at: at.clone(),
                offset: *offset,
            });
            self.changes.extend(changes);
        }
        Ok(())
    }
}

impl Staged {
    /// Small drafts are put together, so that many small appends make few blocks.
    fn add(&mut self, draft: Draft) {
        match &mut self.open {
            Some(open) if open.body.len() + draft.body.len() <= TARGET_BYTES => open.append(&draft),
            _ => {
                self.close();
                self.open = Some(draft);
            }
        }
    }

    fn close(&mut self) {
        if let Some(draft) = self.open.take().filter(|draft| draft.count > 0) {
            let block = draft.into_block(self.extent.end);
            self.extent.end = block.last + 1;
            self.blocks.push(block);
        }
    }
}

fn answer(reply: Reply, result: Result<()>) {
    if let Some(reply) = reply {
        // Nobody waits any more: the caller was dropped.
        let _ = reply.send(result);
    }
}

fn json(settings: &std::collections::BTreeMap<String, String>) -> Result<String> {
    serde_json::to_string(settings).map_err(|e| {
        Error::new(
            &connect_core::error::INTERNAL,
            "settings do not fit into JSON",
        )
        .caused_by(e)
    })
}

/// There is no such topic, or no such partition of it.
pub(crate) fn unknown_topic(name: &str) -> Error {
    Error::new(&crate::error::UNKNOWN_TOPIC, "the topic does not exist").context("topic", name)
}

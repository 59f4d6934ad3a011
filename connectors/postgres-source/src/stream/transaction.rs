//! The messages of transactions: what is emitted, what is skipped, where the stream stands.

use std::{sync::Arc, time::Duration};

use cdc::{
    change::Tally, channels::Channels, context::Context, modes::SkippedOperations, pulse::Pulse,
    signal::Signal, text::Frame, transaction::TransactionTopic,
};
use connect_core::{Batch, Cell, Error, Result};

use super::course::{Course, Goal};
use crate::{
    change::{ChangeWriter, Messages},
    cursor::Operation,
    decode, error,
    incremental::{Incremental, Recent, Window},
    pgoutput::{self, Begin, Commit, Logical, Message, Old, Relation, Tuple, Value},
    position::Place,
    relations::{Known, Relations, Table},
    reselect::Reselect,
    signals,
    temporal::postgres_micros_now,
    wire::Side,
};

/// What a stream is made of.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The tables.
    pub relations: Relations,
    /// The source partition.
    pub partition: Arc<str>,
    /// How many records a batch may have.
    pub batch_records: usize,
    /// Whether deletes get tombstones.
    pub tombstones: bool,
    /// What records say of the task.
    pub context: Option<Context>,
    /// Operations that are left out.
    pub skipped: SkippedOperations,
    /// Where begins and ends of transactions are told, if they are.
    pub transactions: Option<TransactionTopic>,
    /// How logical messages are shown.
    pub messages: Messages,
    /// How long the server may be silent.
    pub silence_limit: Duration,
    /// How many bytes of transactions that run may be kept.
    pub kept_limit: u64,
    /// What the stream shows of itself.
    pub pulse: Pulse,
    /// Snapshots while streaming.
    pub incremental: Box<Incremental>,
    /// Whether rows of the signal table are signals.
    pub takes_rows: bool,
    /// Where signals come from besides the stream.
    pub channels: Option<Arc<Channels>>,
}

/// Reads messages one by one.
#[derive(Debug)]
pub(crate) struct Transactions {
    relations: Relations,
    writer: ChangeWriter,
    skipped: SkippedOperations,
    messages: Option<Messages>,
    course: Course,
    recent: Recent,
    /// The chunk that waits for what the stream brings.
    window: Option<Window>,
    /// The rows that are read again, if any are.
    reselect: Option<Box<Reselect>>,
    /// The signals that it has brought.
    signals: Vec<Signal>,
    new: Vec<Cell>,
    old: Vec<Cell>,
}

impl Transactions {
    /// With these tables; whether deletes get tombstones; from a place on.
    pub(crate) fn new(relations: Relations, tombstones: bool, place: Place) -> Self {
        let mut writer = ChangeWriter::new(tombstones);
        writer.source_time(place.ts_us);
        Self {
            reselect: (relations.are_reselected()).then(Box::default),
            relations,
            writer,
            skipped: SkippedOperations::default(),
            messages: None,
            course: Course::new(place),
            recent: Recent::new(),
            window: None,
            signals: Vec::new(),
            new: Vec::new(),
            old: Vec::new(),
        }
    }

    /// The same, which tells of logical messages, and of transactions if there is a topic for them.
    pub(crate) fn telling(mut self, topic: Option<TransactionTopic>, messages: Messages) -> Self {
        self.writer = self.writer.with_transactions(topic);
        self.messages = Some(messages);
        self
    }

    /// The same, whose records say where they come from.
    pub(super) fn with_context(mut self, context: Option<Context>) -> Self {
        self.writer = self.writer.with_context(context);
        self
    }

    /// The same, without some operations.
    pub(super) fn without(mut self, skipped: SkippedOperations) -> Self {
        self.skipped = skipped;
        self
    }

    /// Learns a relation without asking the catalog.
    pub(crate) fn learn_without_catalog(&mut self, relation: Relation<'_>) -> Result<()> {
        self.relations.learn_without_catalog(relation)
    }

    /// Begins a batch; gives its time in milliseconds since 1970-01-01.
    pub(crate) fn begin_batch(&mut self, out: &mut Batch) -> i64 {
        if let Some(reselect) = &mut self.reselect {
            reselect.clear();
        }
        self.writer.begin_batch(out)
    }

    /// How many records were written so far.
    pub(crate) fn tally(&self) -> Tally {
        self.writer.tally()
    }

    /// Where the task stands.
    pub(crate) fn place(&self) -> Place {
        self.course.place(self.writer.counted())
    }

    /// Whether a transaction has begun and not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.course.is_open()
    }

    /// Sets where the stream ends. Between two transactions only.
    pub(super) fn aim(&mut self, goal: Goal) {
        self.course.aim(goal);
    }

    /// Whether the stream is read before a snapshot.
    pub(super) fn has_goal(&self) -> bool {
        self.course.has_goal()
    }

    /// Whether everything before the goal has been read.
    pub(super) fn reached(&self) -> bool {
        self.course.reached()
    }

    /// Whether something is yet to come that was passed by earlier.
    pub(super) fn is_behind(&self) -> bool {
        self.course.is_behind()
    }

    /// Whether a message lies behind the goal, which is then reached.
    #[inline]
    pub(super) fn stops_at(&mut self, lsn: u64, message: &Message<'_>) -> bool {
        match message {
            Message::Begin(begin) => self.course.stops_at(begin),
            Message::Logical(logical) if !logical.transactional => self.course.stops_before(lsn),
            _ => false,
        }
    }

    /// Where the last transaction ended; `None` before the first.
    pub(super) fn last_commit(&self) -> Option<u64> {
        self.course.last_commit()
    }

    /// Takes the signals that have come.
    pub(super) fn take_signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.signals)
    }

    /// Whether so many rows have to be read again that the batch is full.
    pub(super) fn is_full(&self) -> bool {
        self.reselect.as_ref().is_some_and(|rows| rows.is_full())
    }

    /// The rows of the batch that have to be read again; `None` when there are none.
    pub(super) fn waiting(&mut self) -> Option<&mut Reselect> {
        self.reselect.as_deref_mut().filter(|rows| !rows.is_idle())
    }

    /// The open window, and the transactions that have come last.
    pub(super) fn window(&mut self) -> (&mut Option<Window>, &Recent) {
        (&mut self.window, &self.recent)
    }

    /// How long ago the last transaction was committed, by our clock.
    pub(super) fn behind_us(&self) -> i64 {
        postgres_micros_now().saturating_sub(self.course.committed_us())
    }

    /// Whether a relation needs no look into the catalog, since nobody captures it.
    pub(super) fn pass_by(&mut self, relation: Relation<'_>) -> bool {
        let ignored = !self.relations.is_captured(relation);
        if ignored {
            self.relations.ignore(relation.id);
        }
        ignored
    }

    /// Learns a captured relation.
    pub(super) async fn learn(&mut self, payload: &[u8], side: &mut Side) -> Result<()> {
        let Message::Relation(relation) = pgoutput::message(payload)? else {
            return Ok(());
        };
        let connection = side.connection().await?;
        let xid = self.course.xid();
        self.relations.learn(relation, xid, connection).await?;
        if let Some(window) = &mut self.window
            && let Some(info) = self.relations.layout(relation.id)
        {
            window.shaped(info);
        }
        Ok(())
    }

    /// Between transactions everything before `end` has been sent.
    pub(crate) fn keepalive(&mut self, end: u64) {
        self.course.keepalive(end);
    }

    /// Takes one message; its records go to `out`, their bytes lie in `frame`.
    #[inline]
    pub(crate) fn message(
        &mut self,
        lsn: u64,
        message: Message<'_>,
        frame: Frame<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        match message {
            Message::Insert { .. } => self.counted(Operation::Insert, lsn, message, frame, out)?,
            Message::Update { .. } => self.counted(Operation::Update, lsn, message, frame, out)?,
            Message::Delete { .. } => self.counted(Operation::Delete, lsn, message, frame, out)?,
            Message::Truncate { .. } => {
                self.counted(Operation::Truncate, lsn, message, frame, out)?;
            }
            Message::Begin(begin) => self.begin(lsn, &begin, out),
            Message::Commit(commit) => self.commit(lsn, commit, out),
            Message::Logical(logical) => self.logical(lsn, &logical, frame, out)?,
            Message::Origin { lsn, name } => self.writer.came_from(name, lsn, out),
            Message::Relation(_) | Message::Other(_) => {}
        }
        Ok(())
    }

    #[inline]
    fn counted(
        &mut self,
        operation: Operation,
        lsn: u64,
        message: Message<'_>,
        frame: Frame<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        match self.course.count(lsn, operation)? {
            true => match self.change(lsn, message, frame, out) {
                Err(error) => decode::leave_out(self.relations.processing(), error),
                done => done,
            },
            false => Ok(()),
        }
    }

    /// Whether a change shares its LSN with the one before it.
    pub(super) fn shares(&self, lsn: u64) -> bool {
        self.course.shares(lsn)
    }

    fn begin(&mut self, lsn: u64, begin: &Begin, out: &mut Batch) {
        let last_commit = self.course.last_commit();
        self.course.begin(begin);
        self.recent.push(begin.xid);
        self.writer
            .begin_transaction(begin.xid, begin.committed_us, last_commit);
        if self.course.is_sent() {
            let before = self.course.told_before();
            self.writer
                .tell_begin((begin.xid, lsn), begin.committed_us, before, out);
        }
    }

    fn commit(&mut self, lsn: u64, commit: Commit, out: &mut Batch) {
        self.writer.tell_end(lsn, out);
        self.course.commit(commit.end_lsn);
    }

    /// What stands between transactions is told at once, before transactions that began earlier.
    fn logical(
        &mut self,
        lsn: u64,
        logical: &Logical<'_>,
        frame: Frame<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        let is_new = match logical.transactional {
            true => self.course.count(lsn, Operation::Message)?,
            false => self.course.message(lsn),
        };
        if is_new && !logical.transactional {
            self.writer.between_transactions(lsn);
        }
        let passes = |messages: &&Messages| messages.passes(logical.prefix);
        if let Some(messages) = self.messages.as_ref().filter(|m| is_new && passes(m)) {
            self.writer.message(messages, lsn, (logical, frame), out);
        }
        Ok(())
    }

    #[inline]
    fn change(
        &mut self,
        lsn: u64,
        message: Message<'_>,
        frame: Frame<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        if self.window.is_some() || self.relations.signals().is_some() {
            self.overhear(&message);
        }
        match message {
            Message::Insert { relation, new } if !self.skipped.create => {
                if let Some(table) = captured(&self.relations, relation)? {
                    decode::tuple(table, new, frame, None, &mut self.new, out)?;
                    self.writer.create(table, lsn, &self.new, out);
                    self.note(relation, new, out)?;
                }
                Ok(())
            }
            Message::Update { relation, old, new } if !self.skipped.update => {
                let records = out.len();
                self.update(lsn, (relation, old, new), frame, out)?;
                match out.len() > records {
                    true => self.note(relation, new, out),
                    false => Ok(()),
                }
            }
            Message::Delete { relation, old } if !self.skipped.delete => {
                if let Some(table) = captured(&self.relations, relation)? {
                    decode::tuple(table, old.tuple, frame, None, &mut self.old, out)?;
                    self.writer.delete(table, lsn, &self.old, out);
                }
                Ok(())
            }
            Message::Truncate { count, relations } if !self.skipped.truncate => {
                for id in pgoutput::relation_ids(count, relations)? {
                    if let Some(table) = captured(&self.relations, id)? {
                        self.writer.truncate(table, lsn, out);
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Looks whether something of the last record has to be read again.
    #[inline]
    fn note(&mut self, relation: u32, new: Tuple<'_>, out: &Batch) -> Result<()> {
        let Some(reselect) = &mut self.reselect else {
            return Ok(());
        };
        match self.relations.table(relation) {
            Some(table) => reselect.note(table, self.course.xid(), new, out),
            None => Ok(()),
        }
    }

    /// What a change means to the chunk that waits, and whether it is a signal.
    fn overhear(&mut self, message: &Message<'_>) {
        let is_left_out = self.skipped.update && matches!(message, Message::Update { .. });
        if let Some(window) = &mut self.window
            && !is_left_out
        {
            window.changed(message, &self.relations);
        }
        let signals = self.relations.signals();
        match message {
            Message::Insert { relation, new } if Some(*relation) == signals => {
                self.signals.extend(signals::of_row(*new));
            }
            Message::Delete { relation, old } if Some(*relation) == signals => {
                self.signals.extend(signals::of_deletion(old.tuple));
            }
            _ => {}
        }
    }

    fn update(
        &mut self,
        lsn: u64,
        (relation, before, tuple): (u32, Option<Old<'_>>, Tuple<'_>),
        frame: Frame<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        let Self {
            relations,
            writer,
            skipped,
            new,
            old,
            ..
        } = self;
        let Some(table) = captured(relations, relation)? else {
            return Ok(());
        };
        let Some(before) = before else {
            decode::tuple(table, tuple, frame, None, new, out)?;
            writer.update(table, lsn, None, new, out);
            return Ok(());
        };
        if table.skip_unchanged && before.whole && is_unchanged(table, before.tuple, tuple) {
            return Ok(());
        }
        decode::tuple(table, before.tuple, frame, None, old, out)?;
        let whole = before.whole.then_some(&**old);
        decode::tuple(table, tuple, frame, whole, new, out)?;
        if is_rekeyed(table, before, tuple) {
            writer.rekey(table, lsn, (old, new), *skipped, out);
        } else {
            writer.update(table, lsn, Some(old), new, out);
        }
        Ok(())
    }
}

#[inline]
fn captured(relations: &Relations, id: u32) -> Result<Option<&Table>> {
    match relations.get(id) {
        Some(Known::Table(table)) => Ok(Some(table)),
        Some(Known::Ignored) => Ok(None),
        None => Err(Error::new(
            &error::PROTOCOL,
            "a change names a relation that was not announced",
        )
        .context("relation", id)),
    }
}

/// Whether a key column has another value. In an old row that is a key only, null means that the column was not logged.
fn is_rekeyed(table: &Table, old: Old<'_>, new: Tuple<'_>) -> bool {
    let pairs = old.tuple.values().zip(new.values());
    (0u16..).zip(pairs).any(|(at, pair)| {
        table.key.contains(&at)
            && match pair {
                (_, Ok(Value::Unchanged)) => false,
                (Ok(Value::Null), _) if !old.whole => false,
                (Ok(old), Ok(new)) => old != new,
                _ => true,
            }
    })
}

/// Whether no column that is shown has another value.
fn is_unchanged(table: &Table, old: Tuple<'_>, new: Tuple<'_>) -> bool {
    let pairs = old.values().zip(new.values());
    (0u16..).zip(pairs).all(|(at, pair)| match pair {
        (_, Ok(Value::Unchanged)) => true,
        (Ok(old), Ok(new)) => old == new || !table.shows(at),
        _ => false,
    })
}

#[cfg(test)]
mod tests;

//! Records to operations on documents.

use connect_core::{
    Datum, Error, Result, batch::Row, change::Change, json::Style, unavailable::Placeholder,
};

use crate::{
    bulk::{Keep, Op, Ops, What},
    config::{DeleteMode, EsConfig, OnNull, VersionSource, WriteMethod},
    document,
    error::NULL,
    index::IndexId,
    keys::Keys,
};

/// Makes operations of records.
pub(crate) struct Writer {
    keys: Keys,
    style: Style,
    placeholder: Placeholder,
    events: bool,
    method: WriteMethod,
    source: VersionSource,
    on_null: OnNull,
    delete_mode: DeleteMode,
    /// The document that the record before this one deleted.
    deleted: Option<(IndexId, Vec<u8>)>,
}

impl Writer {
    /// A writer.
    pub(crate) fn new(config: &EsConfig) -> Result<Self> {
        Ok(Self {
            keys: Keys::new(config)?,
            style: config.style(),
            placeholder: Placeholder::new(&config.placeholder),
            events: config.key_ignore,
            method: config.write_method,
            source: config.version_source,
            on_null: config.on_null,
            delete_mode: config.delete_mode,
            deleted: None,
        })
    }

    /// Appends the operations for a record. An error that rejects the record leaves them as they were.
    pub(crate) fn record(
        &mut self,
        at: usize,
        row: Row<'_>,
        index: IndexId,
        ops: &mut Ops,
    ) -> Result<()> {
        let len = ops.list.len();
        let done = match Change::of(row) {
            Change::Write { after, before } => {
                self.keys.see(row);
                self.deleted = None;
                self.put(at, row, index, (before, after), ops)
            }
            Change::Delete { before } if row.value().is_null() => {
                self.tombstone(at, row, index, before, ops)
            }
            Change::Delete { before } => {
                self.keys.see(row);
                self.delete(at, row, index, before, ops)
            }
            Change::Truncate | Change::Other => Ok(()),
        };
        if done.is_err() {
            ops.list.truncate(len);
        }
        done
    }

    fn put(
        &mut self,
        record: usize,
        row: Row<'_>,
        index: IndexId,
        (before, after): (Option<Datum<'_>>, Datum<'_>),
        ops: &mut Ops,
    ) -> Result<()> {
        let version = self.keys.version(row)?;
        let id = self.keys.id(row, Some(after), ops)?;
        if self.keys.can_move() && before.is_some() {
            self.leave(record, index, (row, before), (&id, version), ops);
        }
        let (document, kept) = document::write(after, self.style, &self.placeholder, ops)?;
        let what = match (self.events, self.method) {
            (true, _) => What::Create(document),
            (false, WriteMethod::Upsert) => What::Merge(document, Keep::All),
            (false, WriteMethod::Insert) if kept.is_empty() => What::Put(document),
            (false, WriteMethod::Insert) => What::Merge(document, Keep::These(kept)),
        };
        ops.list.push(Op {
            record,
            index,
            id,
            version,
            what,
        });
        Ok(())
    }

    /// Deletes the document under the id that the row had before, if that was another one.
    fn leave(
        &self,
        record: usize,
        index: IndexId,
        (row, before): (Row<'_>, Option<Datum<'_>>),
        (id, version): (&std::ops::Range<usize>, Option<i64>),
        ops: &mut Ops,
    ) {
        // A source that does not send the whole old row leaves the old id unknown.
        let Ok(old) = self.keys.id(row, before, ops) else {
            return;
        };
        if ops.bytes(&old) != ops.bytes(id) {
            ops.list.push(Op {
                record,
                index,
                id: old,
                version,
                what: What::Delete,
            });
        }
    }

    fn tombstone(
        &mut self,
        record: usize,
        row: Row<'_>,
        index: IndexId,
        before: Option<Datum<'_>>,
        ops: &mut Ops,
    ) -> Result<()> {
        let told = self.keys.is_enveloped(row);
        match self.on_null {
            // An envelope has said so with a version; a tombstone has none from the source.
            _ if self.source == VersionSource::Lsn => Ok(()),
            OnNull::Ignore => Ok(()),
            OnNull::Fail if told => Ok(()),
            OnNull::Fail => Err(Error::new(&NULL, "the record has no value")),
            OnNull::Delete => match self.delete(record, row, index, before, ops) {
                Err(_) if told => Ok(()),
                done => done,
            },
        }
    }

    fn delete(
        &mut self,
        record: usize,
        row: Row<'_>,
        index: IndexId,
        before: Option<Datum<'_>>,
        ops: &mut Ops,
    ) -> Result<()> {
        if self.events || self.delete_mode == DeleteMode::Ignore {
            return Ok(());
        }
        let version = self.keys.version(row)?;
        let id = self.keys.id(row, before, ops)?;
        // A delete comes twice: as an envelope and as a tombstone right after it. Once is enough.
        if let Some((last_index, last)) = &self.deleted
            && *last_index == index
            && *last == ops.bytes(&id)
        {
            return Ok(());
        }
        self.deleted = Some((index, ops.bytes(&id).to_vec()));
        let what = match self.delete_mode {
            DeleteMode::Soft => {
                let from = ops.arena.len();
                ops.arena.extend_from_slice(b"{\"__deleted\":true}");
                What::Merge(from..ops.arena.len(), Keep::All)
            }
            _ => What::Delete,
        };
        ops.list.push(Op {
            record,
            index,
            id,
            version,
            what,
        });
        Ok(())
    }
}

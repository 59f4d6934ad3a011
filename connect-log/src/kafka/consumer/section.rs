//! What one answer holds of one partition, and how records are taken out of it.

use std::sync::Arc;

use bytes::Bytes;
use connect_core::{
    Encoded, Result,
    encoded::{EncodedHeader, EncodedRecord},
};

use super::{
    batch::{self, HEAD, Head, damaged},
    inflate::{Inflate, Spare},
    names::Names,
    record::{self, Cursor},
};
use crate::TopicPartition;

/// The most that one record may take: what is longer is no record (Invariant 4).
const LARGEST_RECORD: usize = 256 << 20;

/// When a poll has enough: so many are in its arena then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Full {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Full {
    /// So many more than there are already.
    pub(super) fn beyond(self, out: &Encoded) -> Self {
        Self {
            records: self.records.saturating_add(out.len()),
            bytes: self.bytes.saturating_add(out.bytes.len()),
        }
    }

    pub(super) fn is(self, out: &Encoded) -> bool {
        out.len() >= self.records || out.bytes.len() >= self.bytes
    }
}

/// Tools for taking records, kept from one section to the next.
#[derive(Default)]
pub(super) struct Tools {
    pub(super) names: Names,
    pub(super) spare: Spare,
}

/// Record batches of one partition, end to end.
pub(super) struct Section {
    pub(super) of: TopicPartition,
    /// For which time of the partition it was fetched; others throw it away.
    pub(super) epoch: u64,
    /// What it counts as long as it is there.
    pub(super) size: usize,
    /// The next offset to read: what lies before it is not given out.
    pub(super) next: i64,
    bytes: Bytes,
    open: Option<Open>,
    aborted: Aborted,
    checks: bool,
}

/// The batch whose records are being taken. It is still in the section's bytes.
struct Open {
    inflate: Inflate,
    head: Head,
    left: i32,
}

impl Section {
    pub(super) fn new(
        of: TopicPartition,
        epoch: u64,
        next: i64,
        bytes: Bytes,
        checks: bool,
    ) -> Self {
        Self {
            of,
            epoch,
            size: bytes.len(),
            next,
            bytes,
            open: None,
            aborted: Aborted::default(),
            checks,
        }
    }

    /// With transactions that were aborted: who, and from which offset on.
    pub(super) fn without(mut self, aborted: Vec<(i64, i64)>) -> Self {
        self.aborted.later = aborted;
        // The last one comes first.
        self.aborted
            .later
            .sort_by_key(|(_, first)| std::cmp::Reverse(*first));
        self
    }

    /// Takes records until there are enough; true when nothing is left. After an error nothing more can be read from it; `next` is
    /// where the record is that could not.
    pub(super) fn take(
        &mut self,
        out: &mut Encoded,
        full: Full,
        tools: &mut Tools,
    ) -> Result<bool> {
        loop {
            while let Some(open) = &mut self.open {
                if full.is(out) {
                    return Ok(false);
                }
                if open.left == 0 {
                    self.finish(tools);
                    break;
                }
                open.left -= 1;
                let head = &open.head;
                if let Some(offset) =
                    take_one(&mut open.inflate, head, &self.of, self.next, out, tools)?
                {
                    self.next = offset.saturating_add(1);
                }
            }
            if !self.begin(tools)? {
                return Ok(true);
            }
        }
    }

    /// Gives the memory of a batch back that is open; it is opened again when records are taken.
    pub(super) fn shut(&mut self, tools: &mut Tools) {
        if let Some(open) = self.open.take() {
            open.inflate.spare(&mut tools.spare);
        }
    }

    /// Opens the next batch that has records for the reader; false when there is none.
    fn begin(&mut self, tools: &mut Tools) -> Result<bool> {
        while let Some(head) = Head::read(&self.bytes)? {
            if self.is_for_readers(&head)? {
                let batch = self.bytes.slice(..head.size);
                if self.checks {
                    batch::check(&batch)?;
                }
                let inflate =
                    Inflate::new(head.compression(), batch.slice(HEAD..), &mut tools.spare)?;
                self.open = Some(Open {
                    inflate,
                    left: head.records,
                    head,
                });
                return Ok(true);
            }
            self.pass(&head);
        }
        Ok(false)
    }

    fn is_for_readers(&mut self, head: &Head) -> Result<bool> {
        self.aborted.reach(head.last);
        if head.is_control() {
            let marker = self.bytes.slice(HEAD..head.size);
            if record::is_abort(&marker) {
                self.aborted.ended(head.producer);
            }
            return Ok(false);
        }
        let aborted = head.is_transactional() && self.aborted.is_of(head.producer);
        Ok(!aborted && head.last >= self.next)
    }

    fn finish(&mut self, tools: &mut Tools) {
        if let Some(open) = self.open.take() {
            open.inflate.spare(&mut tools.spare);
            self.pass(&open.head);
        }
    }

    fn pass(&mut self, head: &Head) {
        self.next = self.next.max(head.last.saturating_add(1));
        self.bytes = self.bytes.slice(head.size.min(self.bytes.len())..);
    }
}

/// Takes the next record; `None` for one that lies before the offset.
fn take_one(
    inflate: &mut Inflate,
    head: &Head,
    of: &TopicPartition,
    from: i64,
    out: &mut Encoded,
    tools: &mut Tools,
) -> Result<Option<i64>> {
    let length = length(inflate)?;
    let begin = out.bytes.len();
    let taken = body(inflate, length, &mut out.bytes)
        .and_then(|()| push(head, of, from, begin, out, &mut tools.names));
    if !matches!(taken, Ok(Some(_))) {
        out.bytes.truncate(begin);
    }
    taken
}

/// The length of the next record.
fn length(inflate: &mut Inflate) -> Result<usize> {
    let mut number = 0_u64;
    for shift in (0..35).step_by(7) {
        let byte = *inflate.rest()?.first().ok_or_else(short)?;
        inflate.took(1);
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let length = record::unzigzag(number);
            let length = usize::try_from(length)
                .ok()
                .filter(|length| *length <= LARGEST_RECORD);
            return length.ok_or_else(|| damaged("a record's length makes no sense"));
        }
    }
    Err(damaged("a record's length makes no sense"))
}

/// Appends so many bytes. What a record says of its length takes no memory before the bytes are there.
fn body(inflate: &mut Inflate, mut length: usize, out: &mut Vec<u8>) -> Result<()> {
    while length > 0 {
        let rest = inflate.rest()?;
        let now = rest.get(..length).unwrap_or(rest);
        if now.is_empty() {
            return Err(short());
        }
        out.extend_from_slice(now);
        let count = now.len();
        length -= count;
        inflate.took(count);
    }
    Ok(())
}

/// Makes a record of the bytes from `begin` on, where they lie.
fn push(
    head: &Head,
    of: &TopicPartition,
    from: i64,
    begin: usize,
    out: &mut Encoded,
    names: &mut Names,
) -> Result<Option<i64>> {
    let mut cursor = Cursor::new(&out.bytes, begin);
    cursor.skip(1)?;
    let time = cursor.number()?;
    let offset = head.base.saturating_add(cursor.number()?);
    if offset < from {
        return Ok(None);
    }
    let (key, value) = (cursor.part()?, cursor.part()?);
    let first = out.headers.len();
    let done = (|| {
        for _ in 0..cursor.count()? {
            let name = cursor
                .part()?
                .ok_or_else(|| damaged("a header has no name"))?;
            let name = names.get(out.bytes.get(name).unwrap_or_default());
            let value = cursor.part()?;
            out.headers.push(EncodedHeader { name, value });
        }
        Ok(())
    })();
    if let Err(error) = done {
        out.headers.truncate(first);
        return Err(error);
    }
    out.records.push(EncodedRecord {
        topic: Arc::clone(&of.topic),
        partition: Some(of.partition),
        offset,
        timestamp_ms: head.time(time),
        key,
        value,
        headers: first..out.headers.len(),
    });
    Ok(Some(offset))
}

fn short() -> connect_core::Error {
    damaged("it has fewer records than it says")
}

/// Transactions that were aborted. Source: KIP-98; the list comes with the answer, ends are markers among the batches.
#[derive(Default)]
struct Aborted {
    /// Producers and first offsets, the last one first.
    later: Vec<(i64, i64)>,
    now: Vec<i64>,
}

impl Aborted {
    /// Transactions that begin up to an offset are there from now on.
    fn reach(&mut self, offset: i64) {
        while let Some((producer, _)) = self.later.pop_if(|(_, first)| *first <= offset) {
            self.now.push(producer);
        }
    }

    fn is_of(&self, producer: i64) -> bool {
        self.now.contains(&producer)
    }

    fn ended(&mut self, producer: i64) {
        self.now.retain(|other| *other != producer);
    }
}

#[cfg(test)]
mod tests;

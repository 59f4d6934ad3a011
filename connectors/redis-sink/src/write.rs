//! Records to commands, in their order, and replies to verdicts.
//!
//! Invariant 6, how each kind converges when any suffix of the log is written again, in order, over the state that the
//! whole log made:
//!
//! * Hash and documents: a write sets each of its fields to a value that depends on the record alone, a delete unsets
//!   all, and an absent field is not touched. So each field holds what the last record that knows it said: one in the
//!   suffix says so again; if there is none, the state from before, which is of the last record ahead of the suffix, stays.
//! * Streams: an entry has its record's offset as id, and Redis refuses ids that are not greater than the last.

mod document;
mod hash;
mod pipeline;
mod stream;

use connect_core::{
    Datum, Error, Result, batch::Row, change::Change, datum::View, json::Style,
    unavailable::Placeholder,
};

use crate::{
    config::{HashMode, Kind, RedisConfig, StreamId},
    error::{REFUSED, TOO_LARGE},
    keys::Keys,
    resp::{command, whole, word},
    wire::Wire,
};

pub(crate) use pipeline::{Outcome, Pipeline};

/// Makes the commands for records.
pub(crate) struct Writer {
    kind: Kind,
    hash_mode: HashMode,
    stream_id: StreamId,
    stream_length: Option<Vec<u8>>,
    ttl: Option<Vec<u8>>,
    style: Style,
    placeholder: Placeholder,
    keys: Keys,
    script: Vec<u8>,
    key: Vec<u8>,
    old_key: Vec<u8>,
    value: Vec<u8>,
    fields: Words,
    nulls: Words,
    absent: Words,
}

/// Words of a command, ready to send, and how many.
#[derive(Default)]
struct Words {
    bytes: Vec<u8>,
    count: usize,
}

/// What is to be done beyond commands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing.
    Done,
    /// All keys of the record's topic are to be deleted, after all commands so far.
    Truncate,
}

/// Redis takes no longer word (`proto-max-bulk-len`), and breaks the connection at one.
const LARGEST_WORD: usize = 512 << 20;

impl Writer {
    /// A writer; loads the script of its kind into the server.
    pub(crate) async fn open(config: &RedisConfig, wire: &mut Wire) -> Result<Self> {
        let script: &[u8] = match config.kind {
            Kind::Hash => include_bytes!("scripts/hash.lua"),
            Kind::Json => include_bytes!("scripts/json.lua"),
            _ => include_bytes!("scripts/text.lua"),
        };
        let sha = wire.ask(&[b"SCRIPT", b"LOAD", script]).await?;
        let sha = sha.text().unwrap_or_default().as_bytes().to_vec();
        let length = Some(config.stream_length).filter(|len| *len >= 0);
        Ok(Self {
            kind: config.kind,
            hash_mode: config.hash_mode,
            stream_id: config.stream_id,
            stream_length: length.map(|len| len.to_string().into_bytes()),
            ttl: config.ttl().map(|ttl| ttl.to_string().into_bytes()),
            style: config.style(),
            placeholder: Placeholder::new(&config.placeholder),
            keys: Keys::new(config)?,
            script: sha,
            key: Vec::new(),
            old_key: Vec::new(),
            value: Vec::new(),
            fields: Words::default(),
            nulls: Words::default(),
            absent: Words::default(),
        })
    }

    /// Appends the commands for a record. An error that rejects the record leaves the pipeline as it was.
    pub(crate) fn record(&mut self, row: Row<'_>, to: &mut Pipeline) -> Result<Step> {
        if self.kind == Kind::Stream {
            return self.stream_entry(row, to).map(|()| Step::Done);
        }
        match Change::of(row) {
            Change::Write { after, before } => {
                self.keys.written(row, after, &mut self.key)?;
                self.prepare(after)?;
                if self.keys.moved_from(row, before, &mut self.old_key) && self.old_key != self.key
                {
                    whole(&[b"DEL", &self.old_key], to.command());
                }
                self.write(to);
                self.expire(to);
            }
            Change::Delete { before } => {
                if self.keys.deleted(row, before, &mut self.key)? {
                    whole(&[b"DEL", &self.key], to.command());
                }
            }
            Change::Truncate => return Ok(Step::Truncate),
            Change::Other => {}
        }
        Ok(Step::Done)
    }

    /// The pattern of all keys of a record's topic.
    pub(crate) fn pattern(&self, row: Row<'_>) -> String {
        self.keys.pattern(row.topic())
    }

    /// Reads the row into words, so that nothing is written of a row that is refused.
    fn prepare(&mut self, after: Datum<'_>) -> Result<()> {
        match self.kind {
            Kind::Hash => self.read_fields(after)?,
            _ => self.read_document(after)?,
        }
        if self.value.len().max(self.fields.bytes.len()) > LARGEST_WORD {
            return Err(Error::new(&TOO_LARGE, "the row is larger than Redis takes"));
        }
        Ok(())
    }

    fn write(&mut self, to: &mut Pipeline) {
        match self.kind {
            Kind::Hash => self.write_hash(to),
            _ => self.write_document(to),
        }
    }

    fn expire(&self, to: &mut Pipeline) {
        if let Some(ttl) = &self.ttl {
            whole(&[b"EXPIRE", &self.key, ttl], to.command());
        }
    }

    /// Appends a call of the script, up to its first argument.
    fn call_script(&self, arguments: usize, out: &mut Vec<u8>) {
        command(4 + arguments, out);
        word(b"EVALSHA", out);
        word(&self.script, out);
        word(b"1", out);
        word(&self.key, out);
    }
}

impl Words {
    fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    fn push(&mut self, bytes: &[u8]) {
        word(bytes, &mut self.bytes);
        self.count += 1;
    }
}

fn is_row(datum: Datum<'_>) -> bool {
    matches!(datum.view(), View::Struct | View::Map)
}

fn not_a_row() -> Error {
    Error::new(
        &REFUSED,
        "the value is not a row: a hash needs one with named fields",
    )
}

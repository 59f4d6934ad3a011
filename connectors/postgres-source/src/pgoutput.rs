//! Views over the messages of a replication stream: nothing is copied, nothing panics.
//!
//! Formats: <https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>, protocol version 1.
//! Version 2 adds transactions that are sent while they run: see [`in_progress`]. Versions 3 and 4 add transactions that are
//! sent when they are prepared, and abort positions for parallel readers: neither is asked for.

mod in_progress;

use connect_core::Result;

pub use self::in_progress::{InProgress, in_progress};
use crate::error::protocol;

/// What stands in a CopyData message of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicated<'a> {
    /// A piece of the stream.
    XLogData {
        /// LSN of the change.
        lsn: u64,
        /// The pgoutput message.
        payload: &'a [u8],
    },
    /// The server is alive.
    Keepalive {
        /// Everything before this LSN has been sent.
        end: u64,
        /// Whether it wants an answer.
        wants_reply: bool,
    },
    /// Something newer.
    Unknown,
}

/// A pgoutput message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// A transaction begins.
    Begin(Begin),
    /// It ends.
    Commit(Commit),
    /// What a relation id means from here on.
    Relation(Relation<'a>),
    /// A new row.
    Insert {
        /// The relation.
        relation: u32,
        /// The row.
        new: Tuple<'a>,
    },
    /// A changed row.
    Update {
        /// The relation.
        relation: u32,
        /// The row before, as far as it was logged.
        old: Option<Old<'a>>,
        /// The row after.
        new: Tuple<'a>,
    },
    /// A deleted row.
    Delete {
        /// The relation.
        relation: u32,
        /// The row before, as far as it was logged.
        old: Old<'a>,
    },
    /// Emptied tables.
    Truncate {
        /// How many relation ids.
        count: u32,
        /// The ids, big-endian, one after the other.
        relations: &'a [u8],
    },
    /// Where a transaction came from.
    Origin {
        /// LSN of its commit there.
        lsn: u64,
        /// The server's name.
        name: &'a str,
    },
    /// A logical message.
    Logical(Logical<'a>),
    /// A type's name: not used.
    Other(u8),
}

/// What `pg_logical_emit_message` wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logical<'a> {
    /// Whether it belongs to the transaction that is being sent; else it stands between transactions.
    pub transactional: bool,
    /// Its prefix.
    pub prefix: &'a str,
    /// Its content.
    pub content: &'a [u8],
}

/// The begin of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// LSN of its commit.
    pub final_lsn: u64,
    /// Commit time in microseconds since 2000-01-01.
    pub committed_us: i64,
    /// The transaction id.
    pub xid: u32,
}

/// The end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// LSN of the commit record.
    pub lsn: u64,
    /// The LSN behind it: what can be confirmed.
    pub end_lsn: u64,
}

/// A relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation<'a> {
    /// Its id.
    pub id: u32,
    /// Its schema.
    pub schema: &'a str,
    /// Its name.
    pub table: &'a str,
    /// `d`, `n`, `f` or `i`.
    pub replica_identity: u8,
    count: u16,
    columns: &'a [u8],
}

/// A column of a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'a> {
    /// Whether it belongs to the replica identity.
    pub in_identity: bool,
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub type_oid: u32,
    /// Its type's modifier, or -1.
    pub modifier: i32,
}

/// An old row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old<'a> {
    /// Whether all of it came (`REPLICA IDENTITY FULL`), not the key only.
    pub whole: bool,
    /// The row; columns that were not logged are null.
    pub tuple: Tuple<'a>,
}

/// A row: read it with [`Tuple::values`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuple<'a> {
    /// How many columns.
    pub count: u16,
    bytes: &'a [u8],
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// Unchanged, stored out of line, and not sent.
    Unchanged,
    /// Text.
    Text(&'a [u8]),
}

/// Reads the body of a CopyData message.
#[inline]
pub fn replicated(body: &[u8]) -> Result<Replicated<'_>> {
    let mut at = Cursor(body);
    match at.u8()? {
        b'w' => {
            let lsn = at.u64()?;
            at.take(16)?;
            Ok(Replicated::XLogData { lsn, payload: at.0 })
        }
        b'k' => {
            let end = at.u64()?;
            at.take(8)?;
            Ok(Replicated::Keepalive {
                end,
                wants_reply: at.u8()? != 0,
            })
        }
        _ => Ok(Replicated::Unknown),
    }
}

/// Reads a pgoutput message. Rows are not looked into, so that rows of tables that nobody captures cost nothing.
#[inline]
pub fn message(payload: &[u8]) -> Result<Message<'_>> {
    let mut at = Cursor(payload);
    Ok(match at.u8()? {
        b'I' => {
            let relation = at.u32()?;
            at.expect(b'N')?;
            Message::Insert {
                relation,
                new: at.tuple()?,
            }
        }
        b'U' => update(at)?,
        b'D' => {
            let relation = at.u32()?;
            let whole = at.u8()? == b'O';
            Message::Delete {
                relation,
                old: Old {
                    whole,
                    tuple: at.tuple()?,
                },
            }
        }
        b'B' => Message::Begin(Begin {
            final_lsn: at.u64()?,
            committed_us: at.u64()? as i64,
            xid: at.u32()?,
        }),
        b'C' => {
            at.u8()?;
            Message::Commit(Commit {
                lsn: at.u64()?,
                end_lsn: at.u64()?,
            })
        }
        b'R' => Message::Relation(Relation {
            id: at.u32()?,
            schema: at
                .text()
                .map(|name| if name.is_empty() { "pg_catalog" } else { name })?,
            table: at.text()?,
            replica_identity: at.u8()?,
            count: at.u16()?,
            columns: at.0,
        }),
        b'T' => {
            let count = at.u32()?;
            at.u8()?;
            Message::Truncate {
                count,
                relations: at.0,
            }
        }
        b'O' => Message::Origin {
            lsn: at.u64()?,
            name: at.text()?,
        },
        b'M' => Message::Logical(logical(at)?),
        other => Message::Other(other),
    })
}

fn logical(mut at: Cursor<'_>) -> Result<Logical<'_>> {
    let transactional = at.u8()? & 1 == 1;
    // Its LSN, which the frame around it tells too.
    at.u64()?;
    let prefix = at.text()?;
    let len = at.u32()? as usize;
    Ok(Logical {
        transactional,
        prefix,
        content: at.take(len)?,
    })
}

fn update(mut at: Cursor<'_>) -> Result<Message<'_>> {
    let relation = at.u32()?;
    let old = match at.u8()? {
        b'N' => None,
        kind @ (b'K' | b'O') => {
            let tuple = at.tuple()?;
            // The new row starts where the old one ends.
            for _ in 0..tuple.count {
                at.value()?;
            }
            at.expect(b'N')?;
            Some(Old {
                whole: kind == b'O',
                tuple,
            })
        }
        _ => return Err(protocol("an update has neither old nor new row")),
    };
    Ok(Message::Update {
        relation,
        old,
        new: at.tuple()?,
    })
}

impl<'a> Relation<'a> {
    /// Its columns.
    pub fn columns(self) -> Result<Vec<Column<'a>>> {
        let mut at = Cursor(self.columns);
        (0..self.count)
            .map(|_| {
                Ok(Column {
                    in_identity: at.u8()? & 1 == 1,
                    name: at.text()?,
                    type_oid: at.u32()?,
                    modifier: at.u32()? as i32,
                })
            })
            .collect()
    }
}

impl<'a> Tuple<'a> {
    /// Its values, in order. Ends at the first value that is cut short, with its error.
    #[inline]
    pub fn values(self) -> Values<'a> {
        Values {
            at: Cursor(self.bytes),
            left: self.count,
        }
    }
}

/// The values of a [`Tuple`].
#[derive(Debug, Clone)]
pub struct Values<'a> {
    at: Cursor<'a>,
    left: u16,
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<Value<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let value = self.at.value();
        if value.is_err() {
            self.left = 0;
        }
        Some(value)
    }
}

/// The relation ids of a truncate.
pub fn relation_ids(count: u32, relations: &[u8]) -> Result<Vec<u32>> {
    let mut at = Cursor(relations);
    // Nothing is reserved for a count from outside: every id must be there.
    (0..count).map(|_| at.u32()).collect()
}

/// What has not been read yet. Every step checks.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.0.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.0 = rest;
                Ok(*bytes)
            }
            None => Err(short()),
        }
    }

    #[inline]
    fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or_else(short)?;
        self.0 = rest;
        Ok(bytes)
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<()> {
        match self.u8()? {
            byte if byte == wanted => Ok(()),
            _ => Err(protocol("a row does not stand where it must")),
        }
    }

    fn text(&mut self) -> Result<&'a str> {
        let end = memchr::memchr(0, self.0).ok_or_else(short)?;
        let bytes = self.take(end)?;
        self.u8()?;
        std::str::from_utf8(bytes).map_err(|_| protocol("a name is not UTF-8"))
    }

    #[inline]
    fn tuple(&mut self) -> Result<Tuple<'a>> {
        Ok(Tuple {
            count: self.u16()?,
            bytes: self.0,
        })
    }

    #[inline]
    fn value(&mut self) -> Result<Value<'a>> {
        match self.u8()? {
            b't' => {
                let len = self.u32()? as usize;
                self.take(len).map(Value::Text)
            }
            b'n' => Ok(Value::Null),
            b'u' => Ok(Value::Unchanged),
            _ => Err(protocol("a value has an unknown kind")),
        }
    }
}

#[cold]
fn short() -> connect_core::Error {
    protocol("a message of the replication stream is cut short")
}

#[cfg(test)]
mod tests;

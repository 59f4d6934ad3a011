//! Messages of transactions that are sent while they run: protocol version 2 with `streaming 'on'`.
//!
//! The server sends blocks, each with changes of one transaction and its subtransactions, and at last how it ended.

use connect_core::Result;

use super::{Commit, Cursor};

/// A message that only such streams have, or one of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InProgress<'a> {
    /// A block of a transaction begins.
    Start {
        /// The transaction.
        xid: u32,
    },
    /// It ends.
    Stop,
    /// A transaction was committed.
    Commit {
        /// The transaction.
        xid: u32,
        /// Its commit.
        commit: Commit,
        /// When, in microseconds since 2000-01-01.
        committed_us: i64,
    },
    /// A transaction was rolled back, or one of its subtransactions.
    Abort {
        /// The transaction.
        xid: u32,
        /// What was rolled back; the same for the whole.
        subxid: u32,
    },
    /// A message of a block.
    Part {
        /// The transaction or subtransaction; an origin tells none.
        xid: Option<u32>,
        /// What kind of message it is.
        tag: u8,
        /// What stands behind its tag outside of blocks.
        rest: &'a [u8],
    },
}

/// Reads a message; `None` for one that stands outside of blocks and means the same there as in version 1.
pub fn in_progress(payload: &[u8], within_block: bool) -> Result<Option<InProgress<'_>>> {
    let mut at = Cursor(payload);
    Ok(Some(match (at.u8()?, within_block) {
        (b'E', true) => InProgress::Stop,
        (tag @ b'O', true) => InProgress::Part {
            xid: None,
            tag,
            rest: at.0,
        },
        (tag, true) => InProgress::Part {
            xid: Some(at.u32()?),
            tag,
            rest: at.0,
        },
        (b'S', false) => InProgress::Start { xid: at.u32()? },
        (b'c', false) => {
            let xid = at.u32()?;
            at.u8()?;
            let (lsn, end_lsn) = (at.u64()?, at.u64()?);
            InProgress::Commit {
                xid,
                commit: Commit { lsn, end_lsn },
                committed_us: at.u64()? as i64,
            }
        }
        (b'A', false) => InProgress::Abort {
            xid: at.u32()?,
            subxid: at.u32()?,
        },
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &[u8] = b"S\0\0\0\x07\x01";
    const COMMIT: &[u8] = b"c\0\0\0\x07\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x05";

    #[test]
    fn blocks_and_their_ends_are_told_from_ordinary_messages() {
        let read = |bytes, within| in_progress(bytes, within).unwrap();
        assert_eq!(read(BEGIN, false), Some(InProgress::Start { xid: 7 }));
        let commit = Commit {
            lsn: 16,
            end_lsn: 32,
        };
        assert_eq!(
            read(COMMIT, false),
            Some(InProgress::Commit {
                xid: 7,
                commit,
                committed_us: 5
            })
        );
        assert_eq!(
            read(b"A\0\0\0\x07\0\0\0\x08", false),
            Some(InProgress::Abort { xid: 7, subxid: 8 })
        );
        assert_eq!(read(b"E", true), Some(InProgress::Stop));
        assert_eq!(read(b"I\0\0\0\x07", false), None);
        let part = |xid, tag, rest| Some(InProgress::Part { xid, tag, rest });
        assert_eq!(
            read(b"I\0\0\0\x07rest", true),
            part(Some(7), b'I', &b"rest"[..])
        );
        assert_eq!(read(b"Orest", true), part(None, b'O', &b"rest"[..]));
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        for message in [BEGIN, COMMIT] {
            for end in 0..message.len().min(5) {
                assert!(in_progress(&message[..end], false).is_err());
            }
        }
        for end in 0..COMMIT.len() {
            assert!(in_progress(&COMMIT[..end], false).is_err());
        }
        for end in 1..5 {
            assert!(in_progress(&b"I\0\0\0\x07"[..end], true).is_err());
        }
    }
}

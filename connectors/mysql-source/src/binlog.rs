//! Events of the binlog, looked at where they lie
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html>,
//! <https://mariadb.com/kb/en/replication-protocol/>).

mod compressed;
mod format;
mod gtid;
mod payload;
mod query;
mod rows;
mod table_map;

use connect_core::{Error, Result};

pub use compressed::Inflater;
pub use format::Format;
pub use gtid::{Gtid, GtidEvent, MariaDbGtid, Tag};
pub use payload::Payload;
pub use query::{NO_BACKSLASH_ESCAPES, Query};
pub use rows::{Image, Operation, Rows};
pub use table_map::{Metadata, TableMap};

use crate::{error, wire::Fields};

/// Length of the header that every event has.
pub const HEADER: usize = 19;
/// Length of the checksum behind an event.
const CHECKSUM: usize = 4;
/// No event is larger: the largest `max_allowed_packet`, and what hardly fits into it (`MAX_MAX_ALLOWED_PACKET` of the servers).
pub const EVENT_LIMIT: usize = (1 << 30) + (64 << 10);
/// Set on events that the server made up for this connection: they are in no file.
const ARTIFICIAL: u16 = 0x20;

/// What an event is, and where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    /// When its statement began, in seconds since 1970-01-01.
    pub timestamp_s: u32,
    /// Its type.
    pub kind: u8,
    /// The server on which it happened first.
    pub server_id: u32,
    /// Its length, header and checksum too.
    pub size: u32,
    /// Where the next event begins, modulo 4 GiB; 0 for what is in no file.
    pub next_pos: u32,
    /// Flags.
    pub flags: u16,
}

impl Header {
    /// Whether it tells how those that follow are written: the server repeats it where reading begins.
    pub fn is_format(&self) -> bool {
        self.kind == kind::FORMAT
    }

    /// Whether a transaction begins with it, which has an id or could have one: so does each of MySQL since 5.7, and of MariaDB.
    pub fn is_gtid(&self) -> bool {
        use kind::{ANONYMOUS_GTID, GTID, GTID_TAGGED, MARIADB_GTID};
        matches!(
            self.kind,
            GTID | ANONYMOUS_GTID | GTID_TAGGED | MARIADB_GTID
        )
    }

    /// Whether it may be a part of a transaction: it is not one of those that stand between two.
    pub fn is_of_transaction(&self) -> bool {
        let stands_between = matches!(
            self.kind,
            kind::STOP
                | kind::ROTATE
                | kind::FORMAT
                | kind::HEARTBEAT
                | kind::HEARTBEAT_V2
                | kind::PREVIOUS_GTIDS
                | kind::BINLOG_CHECKPOINT
                | kind::GTID_LIST
                | kind::START_ENCRYPTION
        );
        !stands_between && !self.is_artificial()
    }

    /// Whether it tells that another file follows.
    pub fn is_rotate(&self) -> bool {
        self.kind == kind::ROTATE
    }

    /// Whether it is a whole transaction, compressed.
    pub fn is_payload(&self) -> bool {
        self.kind == kind::PAYLOAD
    }

    /// Whether the server made it up for this connection.
    pub fn is_artificial(&self) -> bool {
        self.flags & ARTIFICIAL != 0
    }
}

/// An event's content.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The next event is in another file.
    Rotate {
        /// Its name.
        file: &'a str,
        /// Where it begins there.
        pos: u64,
    },
    /// How the events that follow are written.
    Format(Format<'a>),
    /// A statement.
    Query(Query<'a>),
    /// The transaction is committed.
    Xid,
    /// A transaction begins that has this id.
    Gtid(GtidEvent),
    /// A table, for the rows that follow.
    TableMap(TableMap<'a>),
    /// Changed rows.
    Rows(Rows<'a>),
    /// The statement of the rows that follow.
    Statement(&'a [u8]),
    /// A transaction of `XA` is prepared.
    XaPrepare,
    /// A whole transaction, compressed: for [`Payload`].
    Payload(&'a [u8]),
    /// Nothing happens; the file goes on at this position.
    Heartbeat,
    /// The server has lost events.
    Incident,
    /// The server shuts down.
    Stop,
    /// A change that a statement alone makes: variables of a statement, or a load of a file.
    OfStatement,
    /// Something that is none of a replica's concern.
    Other,
}

/// Types of events (`Log_event_type` of both servers).
mod kind {
    pub(super) const QUERY: u8 = 2;
    pub(super) const STOP: u8 = 3;
    pub(super) const ROTATE: u8 = 4;
    pub(super) const INTVAR: u8 = 5;
    pub(super) const RAND: u8 = 13;
    pub(super) const USER_VAR: u8 = 14;
    pub(super) const FORMAT: u8 = 15;
    pub(super) const XID: u8 = 16;
    pub(super) const BEGIN_LOAD: u8 = 17;
    pub(super) const EXECUTE_LOAD: u8 = 18;
    pub(super) const TABLE_MAP: u8 = 19;
    pub(super) const INCIDENT: u8 = 26;
    pub(super) const HEARTBEAT: u8 = 27;
    pub(super) const ROWS_QUERY: u8 = 29;
    pub(super) const GTID: u8 = 33;
    pub(super) const ANONYMOUS_GTID: u8 = 34;
    pub(super) const PREVIOUS_GTIDS: u8 = 35;
    pub(super) const XA_PREPARE: u8 = 38;
    pub(super) const PAYLOAD: u8 = 40;
    pub(super) const HEARTBEAT_V2: u8 = 41;
    pub(super) const GTID_TAGGED: u8 = 42;
    pub(super) const ANNOTATE_ROWS: u8 = 160;
    pub(super) const BINLOG_CHECKPOINT: u8 = 161;
    pub(super) const MARIADB_GTID: u8 = 162;
    pub(super) const GTID_LIST: u8 = 163;
    pub(super) const START_ENCRYPTION: u8 = 164;
    pub(super) const QUERY_COMPRESSED: u8 = 165;
}

/// The types whose content is compressed by MariaDB (`log_bin_compress`).
pub fn is_compressed(kind: u8) -> bool {
    kind == kind::QUERY_COMPRESSED || (166..=171).contains(&kind)
}

/// The header of an event.
#[inline]
pub fn header(event: &[u8]) -> Result<Header> {
    let mut fields = Fields(event);
    Ok(Header {
        timestamp_s: fields.u32()?,
        kind: fields.u8()?,
        server_id: fields.u32()?,
        size: fields.u32()?,
        next_pos: fields.u32()?,
        flags: fields.u16()?,
    })
}

/// The content of an event, behind its header and without its checksum, which is looked at first.
#[inline]
pub fn body<'a>(event: &'a [u8], header: &Header, checked: bool) -> Result<&'a [u8]> {
    if header.size as usize != event.len() {
        return Err(error::protocol("an event has another length than it says"));
    }
    // A format tells of checksums, and so always has one.
    let covered = match checked || header.kind == kind::FORMAT {
        true => verified(event, checked)?,
        false => event,
    };
    covered
        .get(HEADER..)
        .ok_or_else(|| error::protocol("an event is shorter than its header"))
}

/// The event without its checksum.
fn verified(event: &[u8], checked: bool) -> Result<&[u8]> {
    let cut = || error::protocol("an event is shorter than its checksum");
    let (covered, sum) = event.split_last_chunk::<CHECKSUM>().ok_or_else(cut)?;
    if checked && crc32fast::hash(covered) != u32::from_le_bytes(*sum) {
        let what = "an event has not the checksum that it was written with";
        return Err(Error::new(&error::CHECKSUM, what));
    }
    Ok(covered)
}

/// Reads the content of an event.
#[inline]
pub fn event<'a>(header: &Header, body: &'a [u8]) -> Result<Event<'a>> {
    if let Some((operation, version)) = rows::operation(header.kind) {
        return rows::read(operation, version, body).map(Event::Rows);
    }
    match header.kind {
        kind::TABLE_MAP => table_map::read(body).map(Event::TableMap),
        kind::XID => Ok(Event::Xid),
        kind::QUERY | kind::QUERY_COMPRESSED => {
            query::read(header.kind == kind::QUERY_COMPRESSED, body).map(Event::Query)
        }
        kind::GTID | kind::ANONYMOUS_GTID => gtid::mysql(header.kind == kind::GTID, body),
        kind::GTID_TAGGED => gtid::tagged(body),
        kind::MARIADB_GTID => gtid::mariadb(header.server_id, body),
        other => rarer(other, body),
    }
}

fn rarer(kind: u8, body: &[u8]) -> Result<Event<'_>> {
    Ok(match kind {
        kind::ROTATE => rotate(body)?,
        kind::FORMAT => Event::Format(format::read(body)?),
        // A length of one byte, which a long statement does not fit into: all that follows is the statement.
        kind::ROWS_QUERY => Event::Statement(body.get(1..).unwrap_or_default()),
        kind::ANNOTATE_ROWS => Event::Statement(body),
        kind::XA_PREPARE => Event::XaPrepare,
        kind::PAYLOAD => Event::Payload(body),
        kind::HEARTBEAT | kind::HEARTBEAT_V2 => Event::Heartbeat,
        kind::INCIDENT => Event::Incident,
        kind::STOP => Event::Stop,
        kind::INTVAR | kind::RAND | kind::USER_VAR | kind::BEGIN_LOAD | kind::EXECUTE_LOAD => {
            Event::OfStatement
        }
        kind::START_ENCRYPTION => {
            return Err(error::protocol(
                "the server sends the binlog as it is encrypted",
            ));
        }
        _ => Event::Other,
    })
}

fn rotate(body: &[u8]) -> Result<Event<'_>> {
    let mut fields = Fields(body);
    let pos = fields.u64()?;
    let file = std::str::from_utf8(fields.rest())
        .map_err(|_| error::protocol("the name of a binlog file is not UTF-8"))?;
    Ok(Event::Rotate { file, pos })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: u8, body: &[u8]) -> Vec<u8> {
        let size = (HEADER + body.len() + CHECKSUM) as u32;
        let mut event = 7u32.to_le_bytes().to_vec();
        event.push(kind);
        event.extend_from_slice(&1u32.to_le_bytes());
        event.extend_from_slice(&size.to_le_bytes());
        event.extend_from_slice(&99u32.to_le_bytes());
        event.extend_from_slice(&[0, 0]);
        event.extend_from_slice(body);
        let sum = crc32fast::hash(&event);
        event.extend_from_slice(&sum.to_le_bytes());
        event
    }

    #[test]
    fn events_are_read_and_their_checksums_looked_at() {
        let bytes = written(kind::ROTATE, b"\x04\0\0\0\0\0\0\0binlog.000002");
        let head = header(&bytes).unwrap();
        assert_eq!(
            (head.timestamp_s, head.server_id, head.next_pos),
            (7, 1, 99)
        );
        let content = body(&bytes, &head, true).unwrap();
        let read = event(&head, content).unwrap();
        assert!(matches!(
            read,
            Event::Rotate {
                file: "binlog.000002",
                pos: 4
            }
        ));
        let mut broken = bytes.clone();
        broken[HEADER] ^= 1;
        assert_eq!(
            body(&broken, &head, true).unwrap_err().code(),
            &error::CHECKSUM
        );
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            assert!(
                header(cut)
                    .and_then(|head| body(cut, &head, true).map(drop))
                    .is_err()
            );
        }
    }
}

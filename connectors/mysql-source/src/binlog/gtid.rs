//! Ids of transactions (`GTID_LOG_EVENT`, `GTID_TAGGED_LOG_EVENT`, MariaDB's `GTID_EVENT`).

use std::fmt;

use connect_core::Result;

use super::Event;
use crate::{error, gtid::uuid_text, wire::Fields};

/// The id of a transaction, and what comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GtidEvent {
    /// The id; `None` while the server gives none.
    pub id: Option<Gtid>,
    /// When the transaction was committed where it happened first, in microseconds since 1970-01-01.
    pub committed_us: Option<i64>,
    /// Whether it is a single statement that no `COMMIT` ends (MariaDB).
    pub standalone: bool,
}

/// An id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gtid {
    /// Of MySQL.
    MySql {
        /// The server.
        source: [u8; 16],
        /// The tag; empty for none.
        tag: Tag,
        /// The transaction's number among those of server and tag.
        number: u64,
    },
    /// Of MariaDB.
    MariaDb(MariaDbGtid),
}

impl Gtid {
    /// Where it comes from, as `gtid.source.includes` has it: MySQL's server, MariaDB's domain.
    pub fn origin(&self) -> String {
        match self {
            Self::MySql { source, .. } => uuid_text(source),
            Self::MariaDb(gtid) => gtid.domain.to_string(),
        }
    }
}

/// An id of MariaDB: `domain-server-number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MariaDbGtid {
    /// The domain.
    pub domain: u32,
    /// The server.
    pub server: u32,
    /// The number in the domain.
    pub number: u64,
}

/// A tag: at most 32 letters, digits and underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tag {
    bytes: [u8; 32],
    len: u8,
}

impl Tag {
    /// `None` when it is none.
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut tag = Self::default();
        tag.bytes.get_mut(..text.len())?.copy_from_slice(text);
        tag.len = u8::try_from(text.len()).ok()?;
        let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        text.iter().all(is_known).then_some(tag)
    }

    /// Its text; empty for none.
    pub fn text(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql {
                source,
                tag,
                number,
            } => {
                for (at, byte) in source.iter().enumerate() {
                    let dash = if matches!(at, 4 | 6 | 8 | 10) {
                        "-"
                    } else {
                        ""
                    };
                    write!(f, "{dash}{byte:02x}")?;
                }
                if !tag.text().is_empty() {
                    write!(f, ":{}", tag.text())?;
                }
                write!(f, ":{number}")
            }
            Self::MariaDb(gtid) => gtid.fmt(f),
        }
    }
}

impl fmt::Display for MariaDbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.number)
    }
}

/// Seven bytes of microseconds, whose highest bit says that another such number follows.
const MORE: u64 = 1 << 55;

/// <https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Gtid__event.html>
pub(super) fn mysql(has_id: bool, body: &[u8]) -> Result<Event<'_>> {
    let mut fields = Fields(body);
    fields.u8()?;
    let source = fields.bytes(16)?;
    let number = fields.u64()?;
    // Since 5.7: a kind, and two numbers for replicas that work in parallel; since 8.0.1: times.
    let committed_us = match fields.u8() {
        Ok(_) => fields.bytes(16).ok().and_then(|_| committed(&mut fields)),
        Err(_) => None,
    };
    let mut id = [0; 16];
    id.copy_from_slice(source);
    Ok(Event::Gtid(GtidEvent {
        id: has_id.then_some(Gtid::MySql {
            source: id,
            tag: Tag::default(),
            number,
        }),
        committed_us,
        standalone: false,
    }))
}

/// The time of the commit where it happened first, behind that of the commit here where both differ.
fn committed(fields: &mut Fields<'_>) -> Option<i64> {
    let mut time = || {
        let [a, b, c, d, e, f, g] = *fields.bytes(7).ok()?.first_chunk()?;
        Some(u64::from_le_bytes([a, b, c, d, e, f, g, 0]))
    };
    let here = time()?;
    let first = match here & MORE {
        0 => here,
        _ => time()?,
    };
    i64::try_from(first & !MORE).ok()
}

/// <https://mariadb.com/kb/en/gtid_event/>
pub(super) fn mariadb(server: u32, body: &[u8]) -> Result<Event<'_>> {
    let mut fields = Fields(body);
    let number = fields.u64()?;
    let domain = fields.u32()?;
    let flags = fields.u8()?;
    Ok(Event::Gtid(GtidEvent {
        id: Some(Gtid::MariaDb(MariaDbGtid {
            domain,
            server,
            number,
        })),
        committed_us: None,
        standalone: flags & 1 != 0,
    }))
}

/// What a tagged id is made of, by the numbers of its fields (`Gtid_event::define_fields`).
mod field {
    pub(super) const UUID: u64 = 1;
    pub(super) const NUMBER: u64 = 2;
    pub(super) const TAG: u64 = 3;
    pub(super) const IMMEDIATE: u64 = 6;
    pub(super) const ORIGINAL: u64 = 7;
}

/// A message of `mysql::serialization`: a head of version, size and last field that must be understood, then fields behind their
/// numbers. Those after the times are of no concern here.
pub(super) fn tagged(body: &[u8]) -> Result<Event<'_>> {
    let mut fields = Fields(body);
    for _ in 0..3 {
        number(&mut fields)?;
    }
    let mut source = [0; 16];
    let (mut tag, mut gno) = (Tag::default(), 0);
    let (mut immediate, mut original) = (None, None);
    while !fields.is_empty() {
        match number(&mut fields)? {
            0 | 4 | 5 => drop(number(&mut fields)?),
            field::UUID => {
                for byte in &mut source {
                    *byte = number(&mut fields)? as u8;
                }
            }
            field::NUMBER => gno = signed(number(&mut fields)?),
            field::TAG => {
                let len = usize::try_from(number(&mut fields)?).unwrap_or(usize::MAX);
                let text = fields.bytes(len)?;
                tag = Tag::new(text)
                    .ok_or_else(|| error::protocol("a GTID has a tag that is none"))?;
            }
            field::IMMEDIATE => immediate = Some(number(&mut fields)?),
            field::ORIGINAL => original = Some(number(&mut fields)?),
            _ => break,
        }
    }
    let number = u64::try_from(gno).map_err(|_| error::protocol("a GTID has a negative number"))?;
    Ok(Event::Gtid(GtidEvent {
        id: Some(Gtid::MySql {
            source,
            tag,
            number,
        }),
        committed_us: original.or(immediate).and_then(|us| i64::try_from(us).ok()),
        standalone: false,
    }))
}

/// A number of one to nine bytes: as many ones at the low end of the first byte as bytes follow it.
fn number(fields: &mut Fields<'_>) -> Result<u64> {
    let first = fields.u8()?;
    let more = first.trailing_ones();
    let mut bytes = [0; 8];
    for byte in bytes.iter_mut().take(more as usize) {
        *byte = fields.u8()?;
    }
    let high = u64::from_le_bytes(bytes);
    Ok(match more {
        8 => high,
        _ => u64::from(first) >> (more + 1) | high << (7 - more),
    })
}

/// Zigzag: the sign is the lowest bit.
fn signed(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(event: &Event<'_>) -> String {
        match event {
            Event::Gtid(gtid) => gtid.id.map(|id| id.to_string()).unwrap_or_default(),
            _ => String::new(),
        }
    }

    #[test]
    fn ids_of_mysql_have_the_time_of_the_first_commit() {
        let mut body = vec![0];
        body.extend_from_slice(&[0xab; 16]);
        body.extend_from_slice(&7u64.to_le_bytes());
        body.push(2);
        body.extend_from_slice(&[0; 16]);
        let here = 1_700_000_000_000_000u64 | MORE;
        body.extend_from_slice(&here.to_le_bytes()[..7]);
        body.extend_from_slice(&1_600_000_000_000_000u64.to_le_bytes()[..7]);
        let event = mysql(true, &body).unwrap();
        assert_eq!(id_of(&event), "abababab-abab-abab-abab-abababababab:7");
        let Event::Gtid(gtid) = event else { return };
        assert_eq!(gtid.committed_us, Some(1_600_000_000_000_000));
        for end in 0..25 {
            assert!(mysql(true, &body[..end]).is_err());
        }
    }

    #[test]
    fn numbers_of_messages_have_one_to_nine_bytes() {
        let read = |bytes: &[u8]| number(&mut Fields(bytes)).unwrap();
        assert_eq!(read(&[0b1010_1010]), 0b101_0101);
        assert_eq!(read(&[0b0000_0101, 1]), 0b0100_0001);
        assert_eq!(read(&[0xff, 1, 2, 3, 4, 5, 6, 7, 8]), 0x0807_0605_0403_0201);
        assert_eq!(read(&[0x7f, 1, 2, 3, 4, 5, 6, 7]), 0x0007_0605_0403_0201);
        assert!(number(&mut Fields(&[0xff, 1])).is_err());
        assert_eq!([0, 1, 2, 3].map(signed), [0, -1, 1, -2]);
    }

    #[test]
    fn ids_of_mariadb_have_three_numbers() {
        let mut body = 42u64.to_le_bytes().to_vec();
        body.extend_from_slice(&[3, 0, 0, 0, 1]);
        assert_eq!(id_of(&mariadb(9, &body).unwrap()), "3-9-42");
    }
}

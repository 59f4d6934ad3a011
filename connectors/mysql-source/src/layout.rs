//! How the values of a column lie in an image of a row, by its type in the table map
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html>,
//! `log_event_print_value` of the servers).

use connect_core::{Error, Result};

use crate::{
    binlog::TableMap,
    decimal, error,
    temporal::{self, Date, Moment},
    wire::Fields,
};

/// How the values of a column lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// An integer of so many bytes.
    Int {
        /// 1, 2, 3, 4 or 8.
        bytes: u8,
        /// Whether it has no sign, which the table map tells only with `binlog_row_metadata=FULL`.
        unsigned: bool,
    },
    /// Four bytes of a float.
    Float,
    /// Eight bytes of a float.
    Double,
    /// A packed decimal.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// So many bits, big-endian.
    Bit {
        /// How many.
        bits: u16,
    },
    /// A byte that counts from 1900.
    Year,
    /// Three bytes.
    Date,
    /// Three bytes and those of a fraction.
    Time {
        /// Digits of the fraction.
        digits: u8,
    },
    /// Five bytes and those of a fraction.
    DateTime {
        /// Digits of the fraction.
        digits: u8,
    },
    /// Four bytes and those of a fraction.
    Timestamp {
        /// Digits of the fraction.
        digits: u8,
    },
    /// Three bytes of decimal digits (before MySQL 5.6).
    OldTime,
    /// Eight bytes of decimal digits (before MySQL 5.6).
    OldDateTime,
    /// Four bytes, little-endian (before MySQL 5.6).
    OldTimestamp,
    /// The number of a member, in so many bytes.
    Enum {
        /// 1 or 2.
        bytes: u8,
    },
    /// A bit for each member, in so many bytes.
    Set {
        /// 1 to 8.
        bytes: u8,
    },
    /// Bytes behind a length of so many bytes.
    Bytes {
        /// 1 to 4.
        prefix: u8,
        /// What they are.
        holds: Holds,
    },
}

/// What bytes behind a length are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// `CHAR`, `BINARY`: without the blanks or zeros that fill it up.
    Fixed,
    /// `VARCHAR`, `VARBINARY`.
    Variable,
    /// `TEXT`, `BLOB`.
    Large,
    /// Binary JSON.
    Json,
    /// Number of a reference system, and WKB.
    Geometry,
    /// Floats.
    Vector,
    /// `VARCHAR COMPRESSED` and the like (MariaDB).
    Compressed,
}

impl Holds {
    /// Whether the table map tells a collation for it (`is_character_type` of the servers).
    pub fn has_charset(self) -> bool {
        matches!(
            self,
            Self::Fixed | Self::Variable | Self::Large | Self::Compressed
        )
    }
}

/// A value as it lies in a row, without its name and character set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// An integer; of a `YEAR` too.
    Int(i64),
    /// One that a signed one does not hold.
    Unsigned(u64),
    /// A float.
    Float(f32),
    /// A float of double precision.
    Double(f64),
    /// A packed decimal.
    Decimal(&'a [u8]),
    /// Bits, big-endian.
    Bits(&'a [u8]),
    /// A date, perhaps one that there is not.
    Date(Date),
    /// Microseconds, also more than a day's and fewer than none.
    Time(i64),
    /// A date and a time of day.
    DateTime(Moment),
    /// Microseconds since 1970-01-01 in UTC; `None` for the server's zero.
    Timestamp(Option<i64>),
    /// The number of a member of an `ENUM`, from 1; 0 for a value that was not valid.
    Member(u64),
    /// The members of a `SET`, a bit for each.
    Members(u64),
    /// Bytes of a text, a blob, JSON and so on.
    Bytes(&'a [u8]),
}

/// Types of columns (`enum_field_types` of both servers).
mod kind {
    pub(super) const TINY: u8 = 1;
    pub(super) const SHORT: u8 = 2;
    pub(super) const LONG: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const DOUBLE: u8 = 5;
    pub(super) const TIMESTAMP: u8 = 7;
    pub(super) const LONGLONG: u8 = 8;
    pub(super) const INT24: u8 = 9;
    pub(super) const DATE: u8 = 10;
    pub(super) const TIME: u8 = 11;
    pub(super) const DATETIME: u8 = 12;
    pub(super) const YEAR: u8 = 13;
    pub(super) const NEWDATE: u8 = 14;
    pub(super) const VARCHAR: u8 = 15;
    pub(super) const BIT: u8 = 16;
    pub(super) const TIMESTAMP2: u8 = 17;
    pub(super) const DATETIME2: u8 = 18;
    pub(super) const TIME2: u8 = 19;
    pub(super) const BLOB_COMPRESSED: u8 = 140;
    pub(super) const VARCHAR_COMPRESSED: u8 = 141;
    pub(super) const VECTOR: u8 = 242;
    pub(super) const JSON: u8 = 245;
    pub(super) const NEWDECIMAL: u8 = 246;
    pub(super) const ENUM: u8 = 247;
    pub(super) const SET: u8 = 248;
    pub(super) const TINY_BLOB: u8 = 249;
    pub(super) const MEDIUM_BLOB: u8 = 250;
    pub(super) const LONG_BLOB: u8 = 251;
    pub(super) const BLOB: u8 = 252;
    pub(super) const VAR_STRING: u8 = 253;
    pub(super) const STRING: u8 = 254;
    pub(super) const GEOMETRY: u8 = 255;
}

impl Layout {
    /// The columns of a table; integers are taken to be signed.
    pub fn of(map: &TableMap<'_>) -> Result<Vec<Self>> {
        let mut metadata = Fields(map.metadata);
        map.types
            .iter()
            .map(|kind| column(*kind, &mut metadata))
            .collect()
    }

    /// The same without a sign.
    #[must_use]
    pub fn unsigned(self) -> Self {
        match self {
            Self::Int { bytes, .. } => Self::Int {
                bytes,
                unsigned: true,
            },
            other => other,
        }
    }

    /// Whether it is binary JSON.
    pub fn is_json(self) -> bool {
        matches!(
            self,
            Self::Bytes {
                holds: Holds::Json,
                ..
            }
        )
    }

    /// Whether the table map has a bit for its sign (`is_numeric_type` of the servers).
    pub fn is_numeric(self) -> bool {
        matches!(
            self,
            Self::Int { .. } | Self::Float | Self::Double | Self::Decimal { .. } | Self::Year
        )
    }

    /// Whether its values are to be inflated ([`crate::binlog::Inflater::column`]).
    #[inline]
    pub fn is_compressed(self) -> bool {
        matches!(
            self,
            Self::Bytes {
                holds: Holds::Compressed,
                ..
            }
        )
    }

    /// Takes the next value out of an image.
    #[inline]
    pub fn take<'a>(self, image: &mut Fields<'a>) -> Result<Value<'a>> {
        match self {
            Self::Int { bytes, unsigned } => int(bytes, unsigned, image),
            Self::Bytes { prefix, .. } => {
                let len = unsigned_le(image.bytes(usize::from(prefix))?);
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                image.bytes(len).map(Value::Bytes)
            }
            Self::DateTime { digits } => temporal::date_time(digits, image).map(Value::DateTime),
            Self::Decimal { precision, scale } => image
                .bytes(decimal::width(precision, scale))
                .map(Value::Decimal),
            other => other.rarer(image),
        }
    }

    fn rarer<'a>(self, image: &mut Fields<'a>) -> Result<Value<'a>> {
        Ok(match self {
            Self::Float => Value::Float(f32::from_bits(image.u32()?)),
            Self::Double => Value::Double(f64::from_bits(image.u64()?)),
            Self::Bit { bits } => Value::Bits(image.bytes(usize::from(bits.div_ceil(8)))?),
            Self::Year => Value::Int(match image.u8()? {
                0 => 0,
                years => 1900 + i64::from(years),
            }),
            Self::Date => Value::Date(temporal::date(image)?),
            Self::Time { digits } => Value::Time(temporal::time(digits, image)?),
            Self::Timestamp { digits } => Value::Timestamp(temporal::timestamp(digits, image)?),
            Self::OldTime => Value::Time(temporal::old_time(image)?),
            Self::OldDateTime => Value::DateTime(temporal::old_date_time(image)?),
            Self::OldTimestamp => Value::Timestamp(temporal::old_timestamp(image)?),
            Self::Enum { bytes } => Value::Member(unsigned_le(image.bytes(usize::from(bytes))?)),
            Self::Set { bytes } => Value::Members(unsigned_le(image.bytes(usize::from(bytes))?)),
            Self::Int { .. }
            | Self::Bytes { .. }
            | Self::DateTime { .. }
            | Self::Decimal { .. } => {
                return self.take(image);
            }
        })
    }
}

fn column(kind: u8, metadata: &mut Fields<'_>) -> Result<Layout> {
    let int = |bytes| Layout::Int {
        bytes,
        unsigned: false,
    };
    Ok(match kind {
        kind::TINY => int(1),
        kind::SHORT => int(2),
        kind::INT24 => int(3),
        kind::LONG => int(4),
        kind::LONGLONG => int(8),
        kind::FLOAT | kind::DOUBLE => match metadata.u8()? {
            4 => Layout::Float,
            _ => Layout::Double,
        },
        kind::NEWDECIMAL => {
            let (precision, scale) = (metadata.u8()?, metadata.u8()?);
            if scale > precision || precision > decimal::MAX_PRECISION {
                return Err(error::protocol("a decimal has an impossible precision"));
            }
            Layout::Decimal { precision, scale }
        }
        kind::BIT => {
            let (bits, bytes) = (metadata.u8()?, metadata.u8()?);
            let bits = u16::from(bytes) * 8 + u16::from(bits);
            if bits > 64 {
                return Err(error::protocol("a column has more than 64 bits"));
            }
            Layout::Bit { bits }
        }
        kind::YEAR => Layout::Year,
        kind::DATE | kind::NEWDATE => Layout::Date,
        kind::TIME => Layout::OldTime,
        kind::DATETIME => Layout::OldDateTime,
        kind::TIMESTAMP => Layout::OldTimestamp,
        kind::TIME2 => Layout::Time {
            digits: digits(metadata)?,
        },
        kind::DATETIME2 => Layout::DateTime {
            digits: digits(metadata)?,
        },
        kind::TIMESTAMP2 => Layout::Timestamp {
            digits: digits(metadata)?,
        },
        other => bytes(other, metadata)?,
    })
}

fn digits(metadata: &mut Fields<'_>) -> Result<u8> {
    match metadata.u8()? {
        digits @ 0..=6 => Ok(digits),
        _ => Err(error::protocol(
            "a time has more than six digits behind the point",
        )),
    }
}

fn bytes(kind: u8, metadata: &mut Fields<'_>) -> Result<Layout> {
    let behind = |prefix, holds| Layout::Bytes { prefix, holds };
    let of_length = |length: u16, holds| behind(if length < 256 { 1 } else { 2 }, holds);
    Ok(match kind {
        kind::VARCHAR | kind::VAR_STRING => of_length(metadata.u16()?, Holds::Variable),
        kind::VARCHAR_COMPRESSED => of_length(metadata.u16()?, Holds::Compressed),
        kind::STRING | kind::ENUM | kind::SET => return string(metadata),
        kind::TINY_BLOB | kind::MEDIUM_BLOB | kind::LONG_BLOB | kind::BLOB => {
            behind(prefix(metadata)?, Holds::Large)
        }
        kind::BLOB_COMPRESSED => behind(prefix(metadata)?, Holds::Compressed),
        kind::JSON => behind(prefix(metadata)?, Holds::Json),
        kind::GEOMETRY => behind(prefix(metadata)?, Holds::Geometry),
        kind::VECTOR => behind(prefix(metadata)?, Holds::Vector),
        _ => {
            let what = "the binlog has a column of a type that is not known";
            return Err(Error::new(&error::PROTOCOL, what).context("type", kind));
        }
    })
}

fn prefix(metadata: &mut Fields<'_>) -> Result<u8> {
    match metadata.u8()? {
        prefix @ 1..=4 => Ok(prefix),
        _ => Err(error::protocol(
            "a column has lengths of an impossible length",
        )),
    }
}

/// The type that is really meant, and a length, whose two highest bits stand upside down in that of the type.
fn string(metadata: &mut Fields<'_>) -> Result<Layout> {
    let (real, length) = (metadata.u8()?, metadata.u8()?);
    let bytes = match (real, length) {
        (kind::ENUM, 1..=2) | (kind::SET, 1..=8) => length,
        (kind::ENUM | kind::SET, _) => {
            return Err(error::protocol(
                "a column has members of an impossible length",
            ));
        }
        _ => 0,
    };
    Ok(match real {
        kind::ENUM => Layout::Enum { bytes },
        kind::SET => Layout::Set { bytes },
        _ => {
            let high = u16::from(real & 0x30 ^ 0x30) << 4;
            let long = high | u16::from(length) > 255;
            Layout::Bytes {
                prefix: if long { 2 } else { 1 },
                holds: Holds::Fixed,
            }
        }
    })
}

#[inline]
fn int<'a>(bytes: u8, unsigned: bool, image: &mut Fields<'a>) -> Result<Value<'a>> {
    let signed = |number: i64, bits: u32| (number << (64 - bits)) >> (64 - bits);
    let number = match bytes {
        1 => i64::from(image.u8()?),
        2 => i64::from(image.u16()?),
        3 => i64::from(image.u24()?),
        4 => i64::from(image.u32()?),
        _ => {
            let number = image.u64()?;
            return Ok(match unsigned && number > i64::MAX.cast_unsigned() {
                true => Value::Unsigned(number),
                false => Value::Int(number.cast_signed()),
            });
        }
    };
    Ok(Value::Int(match unsigned {
        true => number,
        false => signed(number, u32::from(bytes) * 8),
    }))
}

/// Up to eight bytes.
fn unsigned_le(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts(types: &[u8], metadata: &[u8]) -> Result<Vec<Layout>> {
        Layout::of(&TableMap {
            id: 1,
            database: "d",
            name: "t",
            types,
            metadata,
            nullable: &[],
            optional: &[],
        })
    }

    #[test]
    fn types_tell_layouts() {
        let types = [3, 15, 15, 246, 254, 254, 254, 16, 18, 252, 245];
        let metadata = [20, 0, 0, 1, 10, 2, 0xfe, 80, 247, 1, 248, 8, 3, 1, 6, 2, 4];
        let found = layouts(&types, &metadata).unwrap();
        let behind = |prefix, holds| Layout::Bytes { prefix, holds };
        assert_eq!(
            found,
            [
                Layout::Int {
                    bytes: 4,
                    unsigned: false
                },
                behind(1, Holds::Variable),
                behind(2, Holds::Variable),
                Layout::Decimal {
                    precision: 10,
                    scale: 2
                },
                behind(1, Holds::Fixed),
                Layout::Enum { bytes: 1 },
                Layout::Set { bytes: 8 },
                Layout::Bit { bits: 11 },
                Layout::DateTime { digits: 6 },
                behind(2, Holds::Large),
                behind(4, Holds::Json),
            ]
        );
        for end in 0..metadata.len() {
            assert!(layouts(&types, &metadata[..end]).is_err(), "{end}");
        }
        // CHAR(200) in utf8mb4 has up to 800 bytes.
        assert_eq!(
            layouts(&[254], &[0xce, 0x20]).unwrap(),
            [behind(2, Holds::Fixed)]
        );
        assert!(layouts(&[99], &[]).is_err());
    }

    #[test]
    fn integers_have_the_sign_that_they_are_declared_with() {
        fn take(bytes: u8, unsigned: bool, image: &[u8]) -> Value<'_> {
            let layout = Layout::Int { bytes, unsigned };
            layout.take(&mut Fields(image)).unwrap()
        }
        assert_eq!(take(1, false, &[0xff]), Value::Int(-1));
        assert_eq!(take(1, true, &[0xff]), Value::Int(255));
        assert_eq!(take(3, false, &[0, 0, 0x80]), Value::Int(-8_388_608));
        assert_eq!(take(3, true, &[0, 0, 0x80]), Value::Int(8_388_608));
        assert_eq!(take(8, true, &[0xff; 8]), Value::Unsigned(u64::MAX));
        assert_eq!(take(8, false, &[0xff; 8]), Value::Int(-1));
    }

    #[test]
    fn every_prefix_of_a_value_fails_politely() {
        let all = [
            (
                Layout::Int {
                    bytes: 8,
                    unsigned: false,
                },
                8,
            ),
            (
                Layout::Decimal {
                    precision: 20,
                    scale: 6,
                },
                10,
            ),
            (Layout::Bit { bits: 11 }, 2),
            (Layout::Time { digits: 6 }, 6),
            (Layout::DateTime { digits: 3 }, 7),
            (Layout::Timestamp { digits: 1 }, 5),
            (Layout::OldDateTime, 8),
            (Layout::Set { bytes: 3 }, 3),
            (
                Layout::Bytes {
                    prefix: 2,
                    holds: Holds::Variable,
                },
                5,
            ),
        ];
        for (layout, width) in all {
            // A length of three, or a sign and zeros.
            let is_behind = matches!(layout, Layout::Bytes { .. });
            let image = [if is_behind { 3 } else { 0x80 }, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            for end in 0..width {
                assert!(
                    layout.take(&mut Fields(&image[..end])).is_err(),
                    "{layout:?} {end}"
                );
            }
            let mut fields = Fields(&image);
            layout.take(&mut fields).unwrap();
            assert_eq!(image.len() - fields.rest().len(), width, "{layout:?}");
        }
    }
}

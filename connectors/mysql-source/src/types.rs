//! From a declared type to a schema and the operation that makes its cells.

use std::sync::Arc;

use cdc::{
    data::{self, named},
    modes::{BinaryMode, DecimalMode, TimePrecision},
    times::{self, Shown},
};
use connect_core::{Form, Schema, Type, choice};

use crate::{
    charset::Charset,
    convert::{BytesOp, Op},
    declared::{Declared, is_geometry},
};

choice! {
    /// `bigint.unsigned.handling.mode`
    pub enum BigUnsigned {
        /// 64 bits with a sign: the upper half is negative.
        Long = "long",
        /// A decimal.
        Precise = "precise",
    }
}

/// How values are shown.
#[derive(Debug, Clone, Copy)]
pub struct Modes {
    /// `decimal.handling.mode`
    pub decimal: DecimalMode,
    /// `time.precision.mode`
    pub time: TimePrecision,
    /// `binary.handling.mode`
    pub binary: BinaryMode,
    /// `bigint.unsigned.handling.mode`
    pub big_unsigned: BigUnsigned,
    /// `enable.time.adjuster`: years of two digits are those around 2000.
    pub adjusts_years: bool,
}

/// What becomes of a column.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its schema, required unless the type has none that is.
    pub schema: Schema,
    /// How its values become cells.
    pub op: Op,
}

/// The longest `FLOAT(p)` that has four bytes.
const SINGLE_BITS: u32 = 24;
/// Digits of the largest unsigned number of 64 bits.
const BIG_DIGITS: u32 = 20;

impl Modes {
    /// What becomes of a column of a type and, for texts, a character set; `None` for a type that is not known.
    pub fn shape(&self, declared: &Declared, charset: Option<Charset>) -> Option<Shape> {
        let text = charset.filter(|charset| *charset != Charset::Binary);
        let name = declared.name.as_str();
        Some(match name {
            "json" => shape(named(Type::String, "io.debezium.data.Json"), json(text)),
            "enum" => self.members(declared, "Enum", Op::Enum),
            "set" => self.members(declared, "EnumSet", Op::Set),
            "year" => shape(named(Type::Int32, "io.debezium.time.Year"), Op::Int),
            "bit" => bits(declared.length.unwrap_or(1)),
            "date" => self.date(),
            "time" => self.time(declared.length.unwrap_or(0)),
            "datetime" => self.date_time(declared.length.unwrap_or(0)),
            "timestamp" => {
                let digits = declared.length.unwrap_or(0).min(6) as usize;
                let schema = named(Type::String, "io.debezium.time.ZonedTimestamp");
                shape(schema, Op::Timestamp(digits))
            }
            "uuid" => shape(named(Type::String, "io.debezium.data.Uuid"), Op::Uuid),
            "inet4" => shape(Schema::of(Type::String), Op::Inet4),
            "inet6" => shape(Schema::of(Type::String), Op::Inet6),
            "vector" => shape(data::vector("FloatVector", Type::Float32), Op::Vector),
            "point" => shape(data::point(), Op::Point),
            name if is_geometry(name) => {
                let schema = data::geometry("Geometry", Form::Plain);
                shape(schema.optional(), Op::Geometry)
            }
            _ => {
                return self
                    .number(declared)
                    .or_else(|| self.string(declared, text));
            }
        })
    }

    fn number(&self, declared: &Declared) -> Option<Shape> {
        let int = |ty| shape(Schema::of(ty), Op::Int);
        Some(match (declared.name.as_str(), declared.unsigned) {
            ("tinyint" | "smallint", false) | ("tinyint", true) => int(Type::Int16),
            ("smallint", true) | ("mediumint", _) | ("int" | "integer", false) => int(Type::Int32),
            ("int" | "integer", true) | ("bigint", false) => int(Type::Int64),
            ("bigint", true) => match self.big_unsigned {
                BigUnsigned::Long => int(Type::Int64),
                BigUnsigned::Precise => shape(data::decimal(Some(BIG_DIGITS), 0), Op::Digits),
            },
            ("float", _) if declared.scale.is_none() && has_single_bits(declared) => {
                shape(Schema::of(Type::Float32), Op::Float)
            }
            ("float" | "double" | "real", _) => shape(Schema::of(Type::Float64), Op::Float),
            ("decimal" | "numeric", _) => self.decimal(declared),
            _ => return None,
        })
    }

    fn decimal(&self, declared: &Declared) -> Shape {
        let (precision, scale) = (
            declared.length.unwrap_or(10),
            declared.scale.unwrap_or_default(),
        );
        let digits = |digits: u32| u8::try_from(digits).unwrap_or(u8::MAX);
        let (p, s) = (digits(precision), digits(scale));
        match self.decimal {
            DecimalMode::Precise => shape(data::decimal(Some(precision), scale), Op::Decimal(p, s)),
            DecimalMode::String => shape(Schema::of(Type::String), Op::Decimal(p, s)),
            DecimalMode::Double => shape(Schema::of(Type::Float64), Op::DecimalAsDouble(p, s)),
        }
    }

    fn string(&self, declared: &Declared, text: Option<Charset>) -> Option<Shape> {
        let name = declared.name.as_str();
        if matches!(name, "char" | "varchar") || name.ends_with("text") {
            // `CHAR … CHARACTER SET binary` is told as BINARY: a text without character set is not asked for here.
            let op = Op::Text(text.unwrap_or(Charset::Utf8));
            return Some(shape(Schema::of(Type::String), op));
        }
        // The server cuts the zeros at the end of `BINARY(n)`.
        let width = match name {
            "binary" => declared.length.unwrap_or(1) as usize,
            "varbinary" => 0,
            name if name.ends_with("blob") => 0,
            _ => return None,
        };
        let (ty, op) = match self.binary {
            BinaryMode::Bytes => (Type::Bytes, BytesOp::Plain),
            BinaryMode::Hex => (Type::String, BytesOp::Hex),
            BinaryMode::Base64 => (Type::String, BytesOp::Base64(false)),
            BinaryMode::Base64UrlSafe => (Type::String, BytesOp::Base64(true)),
        };
        Some(shape(Schema::of(ty), Op::Bytes(op, width)))
    }

    fn members(
        &self,
        declared: &Declared,
        name: &str,
        op: impl FnOnce(Arc<[String]>) -> Op,
    ) -> Shape {
        let schema = named(Type::String, &format!("io.debezium.data.{name}"))
            .parameter("allowed", allowed(&declared.members));
        shape(schema, op(declared.members.clone().into()))
    }

    fn date(&self) -> Shape {
        let (schema, is_text) = times::date(self.time);
        let op = match is_text {
            true => Op::IsoDate(self.adjusts_years),
            false => Op::Date(self.adjusts_years),
        };
        shape(schema, op)
    }

    fn time(&self, digits: u32) -> Shape {
        let (schema, shown) = times::time(self.time, digits as usize);
        let op = match shown {
            Shown::Count(divide, times) => Op::Time(divide, times),
            Shown::Iso => Op::IsoTime,
        };
        shape(schema, op)
    }

    fn date_time(&self, digits: u32) -> Shape {
        let (schema, shown) = times::timestamp(self.time, digits as usize);
        let op = match shown {
            Shown::Count(divide, times) => Op::DateTime(self.adjusts_years, divide, times),
            Shown::Iso => Op::IsoDateTime(self.adjusts_years),
        };
        shape(schema, op)
    }
}

fn shape(schema: Schema, op: Op) -> Shape {
    Shape { schema, op }
}

/// MySQL's JSON is binary, MariaDB's a text.
fn json(text: Option<Charset>) -> Op {
    text.map_or(Op::Json, Op::Text)
}

/// With commas between them, and a backslash before those within.
fn allowed(members: &[String]) -> String {
    let escaped = |member: &String| member.replace('\\', "\\\\").replace(',', "\\,");
    let members: Vec<String> = members.iter().map(escaped).collect();
    members.join(",")
}

fn has_single_bits(declared: &Declared) -> bool {
    declared.length.is_none_or(|bits| bits <= SINGLE_BITS)
}

fn bits(length: u32) -> Shape {
    match length {
        0 | 1 => shape(Schema::of(Type::Bool), Op::Bit),
        length => shape(data::bits(length), Op::Bits),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The defaults.
    pub(crate) const MODES: Modes = Modes {
        decimal: DecimalMode::Precise,
        time: TimePrecision::AdaptiveTimeMicroseconds,
        binary: BinaryMode::Bytes,
        big_unsigned: BigUnsigned::Long,
        adjusts_years: true,
    };

    fn of(modes: Modes, declared: &str) -> Shape {
        let shape = modes.shape(&Declared::parse(declared), Some(Charset::Utf8));
        shape.unwrap_or_else(|| panic!("{declared} is not known"))
    }

    fn kind(modes: Modes, declared: &str) -> (Type, String) {
        let schema = of(modes, declared).schema;
        (schema.ty, schema.name.unwrap_or_default().to_string())
    }

    #[test]
    fn integers_are_as_wide_as_their_values() {
        let ty = |declared| kind(MODES, declared).0;
        assert_eq!(ty("tinyint(1)"), Type::Int16);
        assert_eq!(ty("smallint unsigned"), Type::Int32);
        assert_eq!(ty("mediumint unsigned"), Type::Int32);
        assert_eq!(ty("int"), Type::Int32);
        assert_eq!(ty("int(10) unsigned zerofill"), Type::Int64);
        assert_eq!(ty("bigint unsigned"), Type::Int64);
        let precise = Modes {
            big_unsigned: BigUnsigned::Precise,
            ..MODES
        };
        let schema = of(precise, "bigint unsigned").schema;
        assert_eq!(
            schema.parameter_value("connect.decimal.precision"),
            Some("20")
        );
    }

    #[test]
    fn floats_are_single_where_the_server_keeps_four_bytes() {
        let ty = |declared| kind(MODES, declared).0;
        assert_eq!(ty("float"), Type::Float32);
        assert_eq!(ty("float(7,3)"), Type::Float64, "as Debezium has it");
        assert_eq!(ty("double"), Type::Float64);
    }

    #[test]
    fn times_follow_their_mode() {
        let name = |modes, declared| kind(modes, declared).1;
        assert_eq!(name(MODES, "time"), "io.debezium.time.MicroTime");
        assert_eq!(name(MODES, "datetime(3)"), "io.debezium.time.Timestamp");
        assert_eq!(
            name(MODES, "datetime(6)"),
            "io.debezium.time.MicroTimestamp"
        );
        assert_eq!(
            name(MODES, "timestamp(6)"),
            "io.debezium.time.ZonedTimestamp"
        );
        let connect = Modes {
            time: TimePrecision::Connect,
            ..MODES
        };
        assert_eq!(name(connect, "date"), "org.apache.kafka.connect.data.Date");
    }

    #[test]
    fn texts_and_bytes_are_told_apart() {
        assert_eq!(kind(MODES, "mediumtext").0, Type::String);
        assert_eq!(kind(MODES, "longblob").0, Type::Bytes);
        let hex = Modes {
            binary: BinaryMode::Hex,
            ..MODES
        };
        assert_eq!(kind(hex, "varbinary(3)").0, Type::String);
        assert_eq!(of(MODES, "binary(4)").op, Op::Bytes(BytesOp::Plain, 4));
        let json = |charset| MODES.shape(&Declared::parse("json"), charset);
        assert_eq!(json(None).map(|shape| shape.op), Some(Op::Json));
        let text = json(Some(Charset::Utf8)).map(|shape| shape.op);
        assert_eq!(text, Some(Op::Text(Charset::Utf8)), "MariaDB's");
    }

    #[test]
    fn members_are_told_in_order() {
        let schema = of(MODES, "set('a','b''c')").schema;
        assert!(schema.is("io.debezium.data.EnumSet"));
        assert_eq!(schema.parameter_value("allowed"), Some("a,b'c"));
        let unknown = Declared::parse("row");
        assert!(MODES.shape(&unknown, None).is_none());
    }
}

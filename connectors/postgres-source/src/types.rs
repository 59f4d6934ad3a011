//! From a PostgreSQL type to a schema and the operation that makes its cells.

mod array;
mod extension;
pub(crate) mod oid;

use cdc::{
    binary::push_base64,
    data::{self, named},
    modes::{BinaryMode, DecimalMode, TimePrecision},
    times::{self, Shown},
};
use connect_core::{Field, Form, Schema, Type, Value};
use rustc_hash::FxHashMap;

use crate::{
    config::{HstoreMode, IntervalMode, PostgresConfig},
    convert::Op,
};

/// How values are shown.
#[derive(Debug, Clone)]
pub(crate) struct Modes {
    decimal: DecimalMode,
    time: TimePrecision,
    binary: BinaryMode,
    hstore: HstoreMode,
    interval: IntervalMode,
    money_digits: u16,
    include_unknown: bool,
    placeholder: Vec<u8>,
}

/// A type that is not the server's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Custom {
    /// An enum with its labels, in order.
    Enum(Vec<String>),
    /// A domain over a type with a modifier.
    Domain(u32, i32),
    /// An array of a type.
    Array(u32),
    /// A type of an extension, known by its name.
    Named(String),
}

/// The types of a database that are not the server's own, by oid.
pub(crate) type Customs = FxHashMap<u32, Custom>;

/// What becomes of a column.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Its schema, required unless the type has none that is; names, defaults and the like are added to it.
    pub schema: Schema,
    /// How its text becomes a cell.
    pub op: Op,
    /// The text of a value that means nothing: for functions as defaults, and for nulls where none may be.
    pub zero: &'static str,
}

/// A domain over a domain over … ends somewhere.
const DEPTH: usize = 16;

impl Modes {
    /// As configured.
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        let placeholder = match config.placeholder.strip_prefix("hex:") {
            Some(hex) => connect_core::decimal::unhex(hex.as_bytes()),
            None => config.placeholder.clone().into_bytes(),
        };
        Self {
            decimal: config.decimal_mode,
            time: config.time_precision,
            binary: config.binary_mode,
            hstore: config.hstore_mode,
            interval: config.interval_mode,
            money_digits: config.money_digits,
            include_unknown: config.include_unknown,
            placeholder,
        }
    }

    /// What stands for null where none may be: Debezium's zeros, which are not those of computed defaults.
    pub(crate) fn fallback(&self, op: &Op, zero: &str, modifier: i32) -> (Op, String) {
        let decimals = |zero: &str, scale: usize| match scale {
            0 => zero.to_owned(),
            scale => format!("{zero}.{:0<scale$}", ""),
        };
        match op {
            Op::Text => (Op::Text, String::new()),
            Op::ZonedTimestamp(_) => (Op::ZonedTimestamp(0), zero.to_owned()),
            Op::NumericText => {
                let scale = digits(modifier).and_then(|(_, scale)| usize::try_from(scale).ok());
                (Op::NumericText, decimals("0", scale.unwrap_or(0)))
            }
            Op::Money(None) => (
                Op::Money(None),
                decimals("0", usize::from(self.money_digits)),
            ),
            op => (op.clone(), zero.to_owned()),
        }
    }

    /// What becomes of a column of a type; `None` when it is left out.
    pub(crate) fn shape(&self, customs: &Customs, type_oid: u32, modifier: i32) -> Option<Shape> {
        self.shape_within(customs, type_oid, modifier, DEPTH)
    }

    fn shape_within(
        &self,
        customs: &Customs,
        type_oid: u32,
        modifier: i32,
        depth: usize,
    ) -> Option<Shape> {
        let depth = depth.checked_sub(1)?;
        if let Some((_, item)) = oid::ARRAYS.iter().find(|(array, _)| *array == type_oid) {
            return self.array(self.shape_within(customs, *item, modifier, depth)?);
        }
        let known = match customs.get(&type_oid) {
            Some(Custom::Enum(labels)) => Some(self.enumeration(labels)),
            Some(Custom::Domain(base, base_modifier)) => {
                return self.shape_within(customs, *base, *base_modifier, depth);
            }
            Some(Custom::Array(item)) => {
                return self.array(self.shape_within(customs, *item, modifier, depth)?);
            }
            Some(Custom::Named(name)) => self.extension(name),
            None => self.builtin(type_oid, modifier),
        };
        known.or_else(|| self.include_unknown.then(|| self.unknown()))
    }

    fn builtin(&self, type_oid: u32, modifier: i32) -> Option<Shape> {
        Some(match type_oid {
            oid::BOOL => plain(Type::Bool, Op::Bool, "f"),
            oid::INT2 => plain(Type::Int16, Op::Int, "0"),
            oid::INT4 => plain(Type::Int32, Op::Int, "0"),
            oid::INT8 | oid::OID => plain(Type::Int64, Op::Int, "0"),
            oid::FLOAT4 => plain(Type::Float32, Op::Float, "0"),
            oid::FLOAT8 => plain(Type::Float64, Op::Float, "0"),
            oid::NUMERIC => self.numeric(modifier),
            oid::MONEY => self.money(),
            oid::CHAR | oid::NAME | oid::TEXT | oid::BPCHAR | oid::VARCHAR => self.text(None, ""),
            oid::JSON | oid::JSONB => self.text(Some("io.debezium.data.Json"), "{}"),
            oid::XML => self.text(Some("io.debezium.data.Xml"), ""),
            oid::UUID => self.text(
                Some("io.debezium.data.Uuid"),
                "00000000-0000-0000-0000-000000000000",
            ),
            oid::TSVECTOR => self.text(Some("io.debezium.data.Tsvector"), ""),
            oid::INET | oid::CIDR | oid::MACADDR | oid::MACADDR8 => self.text(None, ""),
            oid::INT4RANGE..=oid::INT8RANGE if is_range(type_oid) => self.text(None, ""),
            oid::BYTEA => self.bytea(),
            oid::BIT | oid::VARBIT => bits(modifier),
            oid::DATE => self.date(),
            oid::TIME => self.time(modifier),
            oid::TIMESTAMP => self.timestamp(modifier),
            oid::TIMESTAMPTZ => Shape {
                schema: named(Type::String, "io.debezium.time.ZonedTimestamp"),
                op: Op::ZonedTimestamp(precision(modifier)),
                zero: "1970-01-01 00:00:00+00",
            },
            oid::TIMETZ => Shape {
                schema: named(Type::String, "io.debezium.time.ZonedTime"),
                op: Op::ZonedTime,
                zero: "00:00:00+00",
            },
            oid::INTERVAL => self.interval(),
            oid::POINT => point(),
            _ => return None,
        })
    }

    fn text(&self, name: Option<&str>, zero: &'static str) -> Shape {
        let schema = match name {
            Some(name) => named(Type::String, name),
            None => Schema::of(Type::String),
        };
        let absent = Value::Str(self.placeholder_text());
        Shape {
            schema: schema.absent(absent),
            op: Op::Text,
            zero,
        }
    }

    fn enumeration(&self, labels: &[String]) -> Shape {
        let mut shape = self.text(Some("io.debezium.data.Enum"), "");
        shape.schema = shape.schema.parameter("allowed", labels.join(","));
        shape
    }

    fn numeric(&self, modifier: i32) -> Shape {
        match (self.decimal, digits(modifier)) {
            (DecimalMode::String, _) => Shape {
                op: Op::NumericText,
                ..self.text(None, "0")
            },
            (DecimalMode::Double, _) => plain(Type::Float64, Op::Float, "0"),
            (DecimalMode::Precise, Some((precision, scale))) => Shape {
                schema: data::decimal(Some(precision), scale),
                op: Op::Decimal,
                zero: "0",
            },
            (DecimalMode::Precise, None) => {
                let mut schema = Schema::structure([
                    Field::new("scale", Schema::of(Type::Int32)),
                    Field::new("value", Schema::of(Type::Bytes)),
                ])
                .named("io.debezium.data.VariableScaleDecimal", 1);
                schema.doc = Some("Variable scaled decimal".into());
                Shape {
                    schema,
                    op: Op::VariableDecimal,
                    zero: "0",
                }
            }
        }
    }

    fn money(&self) -> Shape {
        match self.decimal {
            DecimalMode::Precise => Shape {
                schema: data::decimal(None, u32::from(self.money_digits)),
                op: Op::Money(Some(self.money_digits)),
                zero: "$0",
            },
            DecimalMode::Double => plain(Type::Float64, Op::Money(None), "$0"),
            DecimalMode::String => plain(Type::String, Op::Money(None), "$0"),
        }
    }

    fn bytea(&self) -> Shape {
        let schema = |ty| Schema::of(ty);
        let (schema, op, absent) = match self.binary {
            BinaryMode::Bytes => (
                schema(Type::Bytes).form(Form::Hex),
                Op::Hex,
                Value::Bytes(self.placeholder.clone()),
            ),
            BinaryMode::Hex => {
                let hex: String = self
                    .placeholder
                    .iter()
                    .map(|b| format!("{b:02x}"))
                    .collect();
                (schema(Type::String), Op::Hex, Value::Str(hex))
            }
            BinaryMode::Base64 | BinaryMode::Base64UrlSafe => {
                let for_addresses = self.binary == BinaryMode::Base64UrlSafe;
                let mut text = Vec::new();
                push_base64(&self.placeholder, for_addresses, &mut text);
                let text = String::from_utf8_lossy(&text).into_owned();
                (
                    schema(Type::String),
                    Op::Base64(for_addresses),
                    Value::Str(text),
                )
            }
        };
        Shape {
            schema: schema.absent(absent),
            op,
            zero: "\\x",
        }
    }

    fn unknown(&self) -> Shape {
        let op = match self.binary {
            BinaryMode::Bytes => Op::Text,
            BinaryMode::Hex => Op::HexOfText,
            BinaryMode::Base64 => Op::Base64OfText(false),
            BinaryMode::Base64UrlSafe => Op::Base64OfText(true),
        };
        let mut schema = self.bytea().schema;
        schema.form = Form::default();
        Shape {
            schema,
            op,
            zero: "",
        }
    }

    fn date(&self) -> Shape {
        let (schema, is_text) = times::date(self.time);
        Shape {
            schema,
            op: if is_text { Op::IsoDate } else { Op::Date },
            zero: "1970-01-01",
        }
    }

    fn time(&self, modifier: i32) -> Shape {
        let (schema, shown) = times::time(self.time, precision(modifier));
        Shape {
            schema,
            op: match shown {
                Shown::Count(divide, times) => Op::Time(divide, times),
                Shown::Iso => Op::IsoTime,
            },
            zero: "00:00:00",
        }
    }

    fn timestamp(&self, modifier: i32) -> Shape {
        let (schema, shown) = times::timestamp(self.time, precision(modifier));
        Shape {
            schema,
            op: match shown {
                Shown::Count(divide, times) => Op::Timestamp(divide, times),
                Shown::Iso => Op::IsoTimestamp,
            },
            zero: "1970-01-01 00:00:00",
        }
    }

    fn interval(&self) -> Shape {
        let (schema, op) = match self.interval {
            IntervalMode::Numeric => (
                named(Type::Int64, "io.debezium.time.MicroDuration"),
                Op::IntervalMicros,
            ),
            IntervalMode::String => (
                named(Type::String, "io.debezium.time.Interval"),
                Op::IntervalText,
            ),
        };
        Shape {
            schema,
            op,
            zero: "PT0S",
        }
    }
}

fn plain(ty: Type, op: Op, zero: &'static str) -> Shape {
    Shape {
        schema: Schema::of(ty),
        op,
        zero,
    }
}

fn is_range(type_oid: u32) -> bool {
    matches!(
        type_oid,
        oid::INT4RANGE
            | oid::NUMRANGE
            | oid::TSRANGE
            | oid::TSTZRANGE
            | oid::DATERANGE
            | oid::INT8RANGE
    )
}

/// Precision and scale out of the modifier of a numeric; `None` when it has none, or a scale that no decimal text has.
fn digits(modifier: i32) -> Option<(u32, u32)> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    // 11 bits with a sign: a negative scale counts whole places.
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    let scale = u32::try_from(scale).ok()?;
    Some(((packed.cast_unsigned() >> 16) & 0xffff, scale))
}

/// Digits behind the point of a time or timestamp; 6 when none are given.
fn precision(modifier: i32) -> usize {
    usize::try_from(modifier).map_or(6, |digits| digits.min(6))
}

fn bits(modifier: i32) -> Shape {
    if modifier == 1 {
        return plain(Type::Bool, Op::Bit, "0");
    }
    let length = if modifier > 1 { modifier } else { i32::MAX };
    Shape {
        schema: data::bits(length.cast_unsigned()),
        op: Op::Bits,
        zero: "0",
    }
}

fn point() -> Shape {
    Shape {
        schema: data::point(),
        op: Op::Point,
        zero: "(0,0)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{Config, schema::logical};

    fn modes(more: &[(&str, &str)]) -> Modes {
        let base = [
            ("topic.prefix", "p"),
            ("database.hostname", "h"),
            ("database.user", "u"),
            ("database.dbname", "d"),
        ];
        let all = base.iter().chain(more);
        let given = all
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Modes::new(&PostgresConfig::parse(&given).unwrap())
    }

    fn shape(modes: &Modes, type_oid: u32, modifier: i32) -> Shape {
        modes
            .shape(&Customs::default(), type_oid, modifier)
            .unwrap()
    }

    #[test]
    fn numeric_follows_its_modifier_and_the_mode() {
        let numeric_10_2 = (10 << 16 | 2) + 4;
        let schema = shape(&modes(&[]), oid::NUMERIC, numeric_10_2).schema;
        assert_eq!(schema.parameter_value("scale"), Some("2"));
        assert_eq!(
            schema.parameter_value("connect.decimal.precision"),
            Some("10")
        );
        let negative_scale = (5 << 16 | 0x7fe) + 4;
        for modifier in [-1, negative_scale] {
            assert_eq!(
                shape(&modes(&[]), oid::NUMERIC, modifier).op,
                Op::VariableDecimal
            );
        }
        let text = modes(&[("decimal.handling.mode", "string")]);
        assert_eq!(shape(&text, oid::NUMERIC, -1).op, Op::NumericText);
    }

    #[test]
    fn times_adapt_to_their_precision() {
        let name = |modes: &Modes, type_oid, modifier| {
            shape(modes, type_oid, modifier)
                .schema
                .name
                .unwrap()
                .to_string()
        };
        let adaptive = modes(&[]);
        assert_eq!(
            name(&adaptive, oid::TIMESTAMP, 3),
            "io.debezium.time.Timestamp"
        );
        assert_eq!(
            name(&adaptive, oid::TIMESTAMP, -1),
            "io.debezium.time.MicroTimestamp"
        );
        assert_eq!(name(&adaptive, oid::TIME, 0), "io.debezium.time.Time");
        let connect = modes(&[("time.precision.mode", "connect")]);
        assert_eq!(name(&connect, oid::TIMESTAMP, 6), logical::TIMESTAMP);
    }

    #[test]
    fn arrays_enums_and_domains_are_resolved() {
        let customs = Customs::from_iter([
            (20_000, Custom::Enum(vec!["a".into(), "b".into()])),
            (20_001, Custom::Array(20_000)),
            (20_002, Custom::Domain(oid::VARCHAR, 14)),
            (20_003, Custom::Domain(20_003, -1)),
            (20_004, Custom::Named("hstore".into())),
        ]);
        let modes = modes(&[]);
        let shape = |type_oid| modes.shape(&customs, type_oid, -1);
        assert_eq!(
            shape(20_000).unwrap().schema.parameter_value("allowed"),
            Some("a,b")
        );
        let items_of = |type_oid| match shape(type_oid).unwrap().schema.ty {
            Type::Array(item) => item.optional,
            other => panic!("{other:?}"),
        };
        assert!(!items_of(20_001) && items_of(1007), "as Debezium's");
        assert_eq!(shape(20_002).unwrap().op, Op::Text);
        assert!(shape(20_003).is_none(), "a domain over itself ends");
        assert_eq!(shape(20_004).unwrap().op, Op::HstoreJson);
        assert!(shape(30_000).is_none());
    }

    #[test]
    fn the_placeholder_has_the_type_of_its_column() {
        let modes = modes(&[("unavailable.value.placeholder", "hex:4142")]);
        let absent = |type_oid| shape(&modes, type_oid, -1).schema.absent.unwrap();
        assert_eq!(absent(oid::TEXT), Value::Str("AB".into()));
        assert_eq!(absent(oid::BYTEA), Value::Bytes(b"AB".to_vec()));
        assert_eq!(absent(1009), Value::Array(vec![Value::Str("AB".into())]));
        assert_eq!(
            absent(1007),
            Value::Array(vec![Value::Int(65), Value::Int(66)])
        );
    }
}

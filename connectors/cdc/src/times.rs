//! Schemas of dates and times (`time.precision.mode`), and the unit in which they are counted.

use connect_core::{Schema, Type, schema::logical};

use crate::modes::TimePrecision;

/// How a time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As a number: microseconds divided by the first, times the second.
    Count(i64, i64),
    /// As ISO 8601 text.
    Iso,
}

const MILLIS: Shown = Shown::Count(1000, 1);
const MICROS: Shown = Shown::Count(1, 1);
const NANOS: Shown = Shown::Count(1, 1000);

/// A date: its schema, and whether it is text instead of days.
pub fn date(mode: TimePrecision) -> (Schema, bool) {
    match mode {
        TimePrecision::Connect => (named(Type::Int32, logical::DATE), false),
        TimePrecision::IsoString => (named(Type::String, "io.debezium.time.IsoDate"), true),
        _ => (named(Type::Int32, "io.debezium.time.Date"), false),
    }
}

/// A time with so many digits behind the point.
pub fn time(mode: TimePrecision, digits: usize) -> (Schema, Shown) {
    match mode {
        TimePrecision::Adaptive if digits <= 3 => {
            (named(Type::Int32, "io.debezium.time.Time"), MILLIS)
        }
        TimePrecision::Connect => (named(Type::Int32, logical::TIME), MILLIS),
        TimePrecision::IsoString => (named(Type::String, "io.debezium.time.IsoTime"), Shown::Iso),
        TimePrecision::Nanoseconds => (named(Type::Int64, "io.debezium.time.NanoTime"), NANOS),
        _ => (named(Type::Int64, "io.debezium.time.MicroTime"), MICROS),
    }
}

/// A timestamp with so many digits behind the point.
pub fn timestamp(mode: TimePrecision, digits: usize) -> (Schema, Shown) {
    use TimePrecision::{Adaptive, AdaptiveTimeMicroseconds, Connect, IsoString, Nanoseconds};
    match mode {
        Adaptive | AdaptiveTimeMicroseconds if digits <= 3 => {
            (named(Type::Int64, "io.debezium.time.Timestamp"), MILLIS)
        }
        Connect => (named(Type::Int64, logical::TIMESTAMP), MILLIS),
        IsoString => (
            named(Type::String, "io.debezium.time.IsoTimestamp"),
            Shown::Iso,
        ),
        Nanoseconds => (named(Type::Int64, "io.debezium.time.NanoTimestamp"), NANOS),
        _ => (
            named(Type::Int64, "io.debezium.time.MicroTimestamp"),
            MICROS,
        ),
    }
}

fn named(ty: Type, name: &str) -> Schema {
    Schema::of(ty).named(name, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name((schema, _): (Schema, Shown)) -> String {
        schema.name.unwrap_or_default().to_string()
    }

    #[test]
    fn precision_decides_where_it_is_asked() {
        assert_eq!(
            name(time(TimePrecision::Adaptive, 3)),
            "io.debezium.time.Time"
        );
        assert_eq!(
            name(time(TimePrecision::Adaptive, 4)),
            "io.debezium.time.MicroTime"
        );
        let micros = TimePrecision::AdaptiveTimeMicroseconds;
        assert_eq!(name(time(micros, 0)), "io.debezium.time.MicroTime");
        assert_eq!(name(timestamp(micros, 3)), "io.debezium.time.Timestamp");
        assert_eq!(timestamp(micros, 6).1, MICROS);
        assert_eq!(timestamp(TimePrecision::Nanoseconds, 0).1, NANOS);
        assert!(date(TimePrecision::IsoString).1);
    }
}

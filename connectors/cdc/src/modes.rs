//! The ways in which values can be shown, with Debezium's property values.

use connect_core::{
    choice,
    config::{Kind, ParseValue, Width},
};

choice! {
    /// `decimal.handling.mode`
    pub enum DecimalMode {
        /// Kafka Connect's `Decimal`, exact.
        Precise = "precise",
        /// Text, exact.
        String = "string",
        /// A double, rounded.
        Double = "double",
    }
}

choice! {
    /// `time.precision.mode`
    pub enum TimePrecision {
        /// By the precision of the column.
        Adaptive = "adaptive",
        /// The same, but times always in microseconds.
        AdaptiveTimeMicroseconds = "adaptive_time_microseconds",
        /// Kafka Connect's own types, in milliseconds.
        Connect = "connect",
        /// ISO 8601 text.
        IsoString = "isostring",
        /// Microseconds.
        Microseconds = "microseconds",
        /// Nanoseconds.
        Nanoseconds = "nanoseconds",
    }
}

choice! {
    /// `binary.handling.mode`
    pub enum BinaryMode {
        /// Bytes.
        Bytes = "bytes",
        /// Base64 text.
        Base64 = "base64",
        /// Base64 text with the alphabet for addresses.
        Base64UrlSafe = "base64-url-safe",
        /// Hex text.
        Hex = "hex",
    }
}

choice! {
    /// `event.converting.failure.handling.mode`
    pub enum Failing {
        /// A null, and a line in the log.
        Warn = "warn",
        /// The task fails.
        Fail = "fail",
        /// A null.
        Skip = "skip",
    }
}

choice! {
    /// `event.processing.failure.handling.mode`
    pub enum Processing {
        /// The task fails.
        Fail = "fail",
        /// The event is left out, with a line in the log.
        Warn = "warn",
        /// The event is left out.
        Skip = "skip",
        /// The event is left out.
        Ignore = "ignore",
    }
}

/// `skipped.operations`: which kinds of change are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedOperations {
    /// `c`
    pub create: bool,
    /// `u`
    pub update: bool,
    /// `d`
    pub delete: bool,
    /// `t`
    pub truncate: bool,
}

impl ParseValue for SkippedOperations {
    const KIND: Kind = Kind::List;
    const WIDTH: Width = Width::Short;
    fn parse_value(text: &str) -> Result<Self, String> {
        let mut skipped = Self::default();
        for letter in text.split(',').map(str::trim).filter(|l| !l.is_empty()) {
            match letter {
                "none" => {}
                "c" => skipped.create = true,
                "u" => skipped.update = true,
                "d" => skipped.delete = true,
                "t" => skipped.truncate = true,
                _ => {
                    return Err("Must be none, or a list of the letters c, u, d and t".to_owned());
                }
            }
        }
        Ok(skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_operations_are_letters_or_none() {
        let skipped = SkippedOperations::parse_value("t, u").unwrap();
        assert!(skipped.truncate && skipped.update && !skipped.create && !skipped.delete);
        assert_eq!(
            SkippedOperations::parse_value("none").unwrap(),
            SkippedOperations::default()
        );
        assert!(SkippedOperations::parse_value("x").is_err());
    }
}

//! Text to values, with Kafka Connect's messages.

use std::time::Duration;

use super::{Kind, Properties, Width};
use crate::{Finding, Secret};

/// A type that a property can have.
pub trait ParseValue: Sized {
    /// Kafka Connect's type.
    const KIND: Kind;
    /// How long a form field should be.
    const WIDTH: Width = Width::Medium;
    /// The only values allowed; empty for any.
    const ALLOWED: &'static [&'static str] = &[];
    /// Parses it, or says why not in Kafka Connect's words.
    fn parse_value(text: &str) -> Result<Self, String>;
}

/// A duration given in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub Duration);

/// A whole number of at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Positive(pub u32);

/// A comma-separated list; blanks around items are dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List(pub Vec<String>);

impl ParseValue for String {
    const KIND: Kind = Kind::String;
    fn parse_value(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl ParseValue for bool {
    const KIND: Kind = Kind::Boolean;
    const WIDTH: Width = Width::Short;
    fn parse_value(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("Expected value to be either true or false".to_owned()),
        }
    }
}

macro_rules! integers {
    ($($ty:ty, $kind:ident, $name:literal;)*) => {$(
        impl ParseValue for $ty {
            const KIND: Kind = Kind::$kind;
            const WIDTH: Width = Width::Short;
            fn parse_value(text: &str) -> Result<Self, String> {
                let number: i128 =
                    text.trim().parse().map_err(|_| concat!("Not a number of type ", $name).to_owned())?;
                <$ty>::try_from(number).map_err(|_| {
                    format!("Value must be between {} and {}", <$ty>::MIN, <$ty>::MAX)
                })
            }
        }
    )*};
}

integers! {
    i16, Short, "SHORT";
    u16, Int, "INT";
    i32, Int, "INT";
    u32, Int, "INT";
    i64, Long, "LONG";
    u64, Long, "LONG";
}

impl ParseValue for Positive {
    const KIND: Kind = Kind::Int;
    const WIDTH: Width = Width::Short;
    fn parse_value(text: &str) -> Result<Self, String> {
        match u32::parse_value(text)? {
            0 => Err("Value must be at least 1".to_owned()),
            number => Ok(Self(number)),
        }
    }
}

impl ParseValue for f64 {
    const KIND: Kind = Kind::Double;
    const WIDTH: Width = Width::Short;
    fn parse_value(text: &str) -> Result<Self, String> {
        text.trim()
            .parse()
            .map_err(|_| "Not a number of type DOUBLE".to_owned())
    }
}

impl ParseValue for Secret {
    const KIND: Kind = Kind::Password;
    fn parse_value(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }
}

impl ParseValue for Millis {
    const KIND: Kind = Kind::Long;
    const WIDTH: Width = Width::Short;
    fn parse_value(text: &str) -> Result<Self, String> {
        let ms: i64 = i64::parse_value(text)?;
        let ms = u64::try_from(ms).map_err(|_| "Value must be at least 0".to_owned())?;
        Ok(Self(Duration::from_millis(ms)))
    }
}

impl ParseValue for List {
    const KIND: Kind = Kind::List;
    const WIDTH: Width = Width::Long;
    fn parse_value(text: &str) -> Result<Self, String> {
        let items = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        Ok(Self(items.map(str::to_owned).collect()))
    }
}

impl<T: ParseValue> ParseValue for Option<T> {
    const KIND: Kind = T::KIND;
    const WIDTH: Width = T::WIDTH;
    const ALLOWED: &'static [&'static str] = T::ALLOWED;
    fn parse_value(text: &str) -> Result<Self, String> {
        T::parse_value(text).map(Some)
    }
}

/// Reads a property that must be given.
pub fn read_required<T: ParseValue>(
    given: &Properties,
    key: &str,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    match given.get(key) {
        Some(text) => parse(key, text, findings),
        None => {
            findings.push(Finding::missing(key));
            None
        }
    }
}

/// Reads a property that may be missing; an empty text counts as missing.
pub fn read_optional<T: ParseValue>(
    given: &Properties,
    key: &str,
    findings: &mut Vec<Finding>,
) -> Option<Option<T>> {
    match given.get(key).filter(|text| !text.is_empty()) {
        Some(text) => parse::<T>(key, text, findings).map(Some),
        None => Some(None),
    }
}

/// Reads a property that has a default.
pub fn read_default<T: ParseValue>(
    given: &Properties,
    key: &str,
    default: &str,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    parse(
        key,
        given.get(key).map_or(default, String::as_str),
        findings,
    )
}

fn parse<T: ParseValue>(key: &str, text: &str, findings: &mut Vec<Finding>) -> Option<T> {
    match T::parse_value(text) {
        Ok(value) => Some(value),
        Err(why) => {
            let shown = if T::KIND == Kind::Password {
                "[hidden]"
            } else {
                text
            };
            findings.push(Finding::invalid(key, shown, &why));
            None
        }
    }
}

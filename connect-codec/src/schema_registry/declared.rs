//! Properties as lines of a table: how they are listed, and how booleans and numbers among them are read.

use connect_core::{
    Finding, Properties,
    config::{Importance, Key, Kind, ParseValue, Width, read_default},
};

use crate::keys::key;

/// Name, type, default, importance, documentation.
pub(crate) type Line = (
    &'static str,
    Kind,
    Option<&'static str>,
    Importance,
    &'static str,
);

/// Tables of properties, with what is given for them.
pub(crate) struct Declared<'a> {
    pub(crate) given: &'a Properties,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Declared<'a> {
    pub(crate) fn new(given: &'a Properties) -> Self {
        Self {
            given,
            findings: Vec::new(),
        }
    }

    /// A property with the default that its line has; what does not hold is noted, and `fallback` taken.
    pub(crate) fn read<T: ParseValue>(&mut self, lines: &[Line], name: &str, fallback: T) -> T {
        let line = lines.iter().find(|line| line.0 == name);
        let default = line.and_then(|line| line.2).unwrap_or_default();
        read_default(self.given, name, default, &mut self.findings).unwrap_or(fallback)
    }

    /// A text that may be missing or empty.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.given.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
    }

    /// Notes what does not hold.
    pub(crate) fn invalid(&mut self, name: &str, value: &str, why: &str) {
        self.findings.push(Finding::invalid(name, value, why));
    }
}

/// The lines as Kafka Connect's answers have them.
pub(crate) fn keys(lines: &[Line]) -> impl Iterator<Item = Key> {
    lines.iter().map(|line| {
        let (name, kind, default, importance, documentation) = *line;
        Key {
            width: Width::None,
            ..key(name, kind, default, importance, documentation)
        }
    })
}

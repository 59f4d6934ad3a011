//! The choices of properties that all sources have.

use connect_core::{
    Finding, choice,
    config::{Kind, List, ParseValue, Width},
};

choice! {
    /// `snapshot.tables.order.by.row.count`
    pub enum TableOrder {
        /// By their names.
        Disabled = "disabled",
        /// Small tables first.
        Ascending = "ascending",
        /// Large tables first.
        Descending = "descending",
    }
}

choice! {
    /// `incremental.snapshot.watermarking.strategy`
    pub enum Watermarking {
        /// A row opens the window of a chunk, another closes it.
        InsertInsert = "insert_insert",
        /// A row opens the window of a chunk, its deletion closes it.
        InsertDelete = "insert_delete",
    }
}

/// `snapshot.max.threads`: at least one, at most so many that a server still has connections for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(pub u16);

/// More than this many connections help no server.
const MAX_THREADS: u16 = 64;

impl ParseValue for Threads {
    const KIND: Kind = Kind::Int;
    const WIDTH: Width = Width::Short;

    fn parse_value(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(number @ 1..=MAX_THREADS) => Ok(Self(number)),
            _ => Err(format!("Must be a number from 1 to {MAX_THREADS}")),
        }
    }
}

/// What a `snapshot.mode` comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four questions with yes and no"
)]
pub struct Policy {
    /// Whether tables are read when nothing is stored.
    pub first: bool,
    /// Whether they are read at every start.
    pub always: bool,
    /// Whether they are read when the stored position cannot be continued.
    pub on_loss: bool,
    /// Whether changes are streamed.
    pub streams: bool,
}

/// Adds a finding for a mode that is a Java class.
pub fn no_custom(modes: &[(&str, bool)], findings: &mut Vec<Finding>) {
    for (key, _) in modes.iter().copied().filter(|(_, is_custom)| *is_custom) {
        let why =
            "A custom mode is a Java class, and no Java runs here: choose one of the other modes";
        findings.push(Finding::invalid(key, "custom", why));
    }
}

/// What is given of signals and notifications.
#[derive(Debug, Clone, Copy)]
pub struct Channels<'a> {
    /// `signal.enabled.channels`
    pub signals: &'a List,
    /// `signal.data.collection`
    pub signal_table: Option<&'a str>,
    /// `notification.enabled.channels`
    pub notifications: &'a List,
    /// `notification.sink.topic.name`
    pub notification_topic: Option<&'a str>,
}

impl Channels<'_> {
    /// What does not go together, and what has no effect here.
    pub fn rules(&self, findings: &mut Vec<Finding>) {
        let signals = ["source", "kafka", "file"];
        known("signal.enabled.channels", self.signals, &signals, findings);
        let key = "notification.enabled.channels";
        known(key, self.notifications, &["sink", "log"], findings);
        let is_sink = self.notifications.0.iter().any(|name| name == "sink");
        if is_sink && self.notification_topic.is_none() {
            findings.push(Finding::error(
                "notification.sink.topic.name",
                "Notification topic name must be provided when kafka notification channel is enabled",
            ));
        }
        if let Some(name) = self.signal_table
            && signal_table(name).is_none()
        {
            let why = "It must be the name of one table, <schema>.<table>";
            findings.push(Finding::invalid("signal.data.collection", name, why));
        }
    }
}

fn known(key: &str, given: &List, known: &[&str], findings: &mut Vec<Finding>) {
    let is_known = |name: &&String| known.contains(&name.as_str());
    for name in given.0.iter().filter(|name| !is_known(name)) {
        let what = format!(
            "\"{key}\" has \"{name}\", which has no effect here; known are {}",
            known.join(", ")
        );
        findings.push(Finding::warning(key, what));
    }
}

/// Schema and table of `signal.data.collection`; a database before them is left out.
pub fn signal_table(name: &str) -> Option<(&str, &str)> {
    let (schema, table) = name.trim().rsplit_once('.')?;
    let schema = schema.rsplit('.').next()?;
    (!schema.is_empty() && !table.is_empty()).then_some((schema, table))
}

/// `database.initial.statements`: separated by `;`, where `;;` is a semicolon itself.
pub fn statements(text: Option<&str>) -> Vec<String> {
    let text = text.unwrap_or_default().replace(";;", "\0");
    let statements = text
        .split(';')
        .map(|s| s.replace('\0', ";").trim().to_owned());
    statements.filter(|s| !s.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_bounded_and_statements_are_told_apart() {
        assert_eq!(Threads::parse_value("4"), Ok(Threads(4)));
        assert!(Threads::parse_value("0").is_err() && Threads::parse_value("65").is_err());
        assert_eq!(
            statements(Some("SET a = 1; SET b = ';;' ;")),
            ["SET a = 1", "SET b = ';'"]
        );
        assert_eq!(signal_table("db.public.s"), Some(("public", "s")));
        assert_eq!(signal_table("s"), None);
    }
}

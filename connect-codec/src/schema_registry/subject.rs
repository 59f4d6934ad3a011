//! Under which name a schema is registered.

use connect_core::{Error, Result};

use crate::error::NO_RECORD_NAME;

/// A strategy for the names of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// `topic-key` and `topic-value`.
    Topic,
    /// The full name of the record.
    Record,
    /// `topic-` and the full name of the record.
    TopicRecord,
}

const ALL: [(&str, Strategy); 4] = [
    ("TopicNameStrategy", Strategy::Topic),
    ("RecordNameStrategy", Strategy::Record),
    ("TopicRecordNameStrategy", Strategy::TopicRecord),
    // Confluent's default since 8.2: the topic's, where nobody has told the registry otherwise.
    ("AssociatedNameStrategy", Strategy::Topic),
];

impl Strategy {
    /// By its class name, with or without the package.
    pub(crate) fn of_class(class: &str) -> Option<Self> {
        let simple = class.trim().rsplit('.').next()?;
        ALL.iter()
            .find(|(name, _)| *name == simple)
            .map(|(_, strategy)| *strategy)
    }

    /// The subject of a schema. `record` is its full name, if it has one.
    pub(crate) fn subject(self, topic: &str, is_key: bool, record: Option<&str>) -> Result<String> {
        let named = || {
            record.ok_or_else(|| {
                Error::new(
                    &NO_RECORD_NAME,
                    "a subject is named after the record, and the schema is no record with a name",
                )
                .context("topic", topic)
            })
        };
        Ok(match self {
            Self::Topic if is_key => format!("{topic}-key"),
            Self::Topic => format!("{topic}-value"),
            Self::Record => named()?.to_owned(),
            Self::TopicRecord => format!("{topic}-{}", named()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_those_of_confluent() {
        let class = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy";
        let strategy = Strategy::of_class(class).unwrap();
        let subject = strategy.subject("t", true, Some("a.B")).unwrap();
        assert_eq!(subject, "t-a.B");
        let record = Strategy::of_class("RecordNameStrategy").unwrap();
        assert_eq!(record.subject("t", true, Some("a.B")).unwrap(), "a.B");
        let topic = Strategy::of_class("TopicNameStrategy").unwrap();
        assert_eq!(topic.subject("t", true, None).unwrap(), "t-key");
        assert_eq!(topic.subject("t", false, None).unwrap(), "t-value");
        assert!(record.subject("t", false, None).is_err());
        assert!(Strategy::of_class("com.example.Mine").is_none());
    }
}

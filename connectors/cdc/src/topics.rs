//! Topic and schema names.

use std::sync::Arc;

use crate::adjust::Adjustment;

/// Kafka's longest topic name.
const MAX_TOPIC: usize = 249;

/// The names that belong to one table: `<prefix>.<schema>.<table>` and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    /// The topic; illegal characters are replaced by `_`.
    pub topic: Arc<str>,
    /// `<topic>.Key`
    pub key: Arc<str>,
    /// `<topic>.Value`
    pub value: Arc<str>,
    /// `<topic>.Envelope`
    pub envelope: Arc<str>,
}

impl TableNames {
    /// The names of `<prefix><delimiter><first><delimiter><second>`.
    pub fn new(prefix: &str, delimiter: &str, first: &str, second: &str) -> Self {
        let topic = sanitised(&[prefix, first, second].join(delimiter));
        Self {
            key: format!("{topic}.Key").into(),
            value: format!("{topic}.Value").into(),
            envelope: format!("{topic}.Envelope").into(),
            topic: topic.into(),
        }
    }

    /// The same with other names of schemas.
    #[must_use]
    pub fn adjusted(self, by: Adjustment) -> Self {
        let adjusted = |name: &str| by.schema(name).into();
        Self {
            key: adjusted(&self.key),
            value: adjusted(&self.value),
            envelope: adjusted(&self.envelope),
            topic: self.topic,
        }
    }
}

/// `<heartbeat prefix><delimiter><prefix>`, or the one topic that was named for all.
pub fn heartbeat_topic(
    named: Option<&str>,
    heartbeat_prefix: &str,
    delimiter: &str,
    prefix: &str,
) -> Arc<str> {
    match named.filter(|topic| !topic.is_empty()) {
        Some(topic) => sanitised(topic).into(),
        None => sanitised(&[heartbeat_prefix, prefix].join(delimiter)).into(),
    }
}

/// `<prefix><delimiter><name>`
pub fn transaction_topic(prefix: &str, delimiter: &str, name: &str) -> Arc<str> {
    sanitised(&[prefix, name].join(delimiter)).into()
}

/// Whether a `topic.prefix` can stand in topic names as it is.
pub fn is_prefix(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_legal)
}

/// Every character that a topic must not have becomes `_`; longer names are cut.
fn sanitised(name: &str) -> String {
    name.chars()
        .map(|c| if is_legal(c) { c } else { '_' })
        .take(MAX_TOPIC)
        .collect()
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_schema_topic_naming_strategy() {
        let names = TableNames::new("shop", ".", "public", "order lines");
        assert_eq!(&*names.topic, "shop.public.order_lines");
        assert_eq!(&*names.key, "shop.public.order_lines.Key");
        assert_eq!(&*names.envelope, "shop.public.order_lines.Envelope");
        assert_eq!(
            &*heartbeat_topic(None, "__debezium-heartbeat", "-", "shop"),
            "__debezium-heartbeat-shop"
        );
    }

    #[test]
    fn long_names_are_cut_and_letters_of_other_scripts_replaced() {
        assert_eq!(sanitised(&"é".repeat(400)), "_".repeat(249));
        assert!(is_prefix("a-b.c_1") && !is_prefix("a b") && !is_prefix(""));
    }
}

//! Topic and schema names.

use std::sync::Arc;

use crate::adjust::{Adjustment, push_escape};

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
    /// The names that hang on a topic.
    pub(crate) fn of(topic: String) -> Self {
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
pub(crate) fn sanitised(name: &str) -> String {
    name.chars()
        .map(|c| if is_legal(c) { c } else { '_' })
        .take(MAX_TOPIC)
        .collect()
}

/// The same, where they become `_u` and their number in hex, and so does an underscore.
pub(crate) fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for unit in name.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok(c) if is_legal(c) && c != '_' => out.push(c),
            _ => push_escape(unit, &mut out),
        }
    }
    out.truncate(MAX_TOPIC);
    out
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hang_on_the_topic() {
        let names = TableNames::of("shop.public.order_lines".to_owned());
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
        assert_eq!(escaped("a_b.é漢"), "a_u005fb._u00e9_u6f22");
        assert_eq!(escaped(&"é".repeat(400)).len(), 249);
        assert!(is_prefix("a-b.c_1") && !is_prefix("a b") && !is_prefix(""));
    }
}

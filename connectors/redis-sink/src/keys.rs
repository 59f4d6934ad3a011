//! The Redis key of a record.

use std::{collections::HashSet, sync::Arc};

use connect_core::{
    Datum, Error, Result, batch::Row, change::source_of, json::write_integer, template::Template,
};

use crate::{
    config::{Kind, RedisConfig, StreamId},
    error::KEY,
};

/// Makes keys from records by the template.
pub(crate) struct Keys {
    template: Template,
    separator: String,
    /// A stream per partition, since offsets of several partitions do not ascend in one stream.
    by_partition: bool,
    /// Topics that have sent envelopes, so that their tombstones say nothing new.
    enveloped: HashSet<Arc<str>>,
}

impl Keys {
    /// The keys that a configuration asks for.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self> {
        let template = config.template().map_err(Error::config)?;
        Ok(Self {
            by_partition: config.kind == Kind::Stream
                && config.stream_id == StreamId::Offset
                && !template.has("partition"),
            separator: config.separator.clone(),
            template,
            enveloped: HashSet::new(),
        })
    }

    /// The key of a row that is written.
    pub(crate) fn written(
        &mut self,
        row: Row<'_>,
        after: Datum<'_>,
        key: &mut Vec<u8>,
    ) -> Result<()> {
        key.clear();
        if self.template.reads_row()
            && source_of(row).is_some()
            && !self.enveloped.contains(row.topic())
        {
            self.enveloped.insert(Arc::clone(row.topic()));
        }
        self.template
            .render(row, Some(after), key)
            .map_err(nameless)
    }

    /// The key that the row had before, when it may have been another one. A source that does not send the old row
    /// leaves this unknown.
    pub(crate) fn moved_from(
        &self,
        row: Row<'_>,
        before: Option<Datum<'_>>,
        key: &mut Vec<u8>,
    ) -> bool {
        key.clear();
        self.template.reads_row()
            && before.is_some()
            && self.template.render(row, before, key).is_ok()
    }

    /// The key of a row that is gone; `Ok(false)` when this is the tombstone after a delete that told all.
    pub(crate) fn deleted(
        &self,
        row: Row<'_>,
        before: Option<Datum<'_>>,
        key: &mut Vec<u8>,
    ) -> Result<bool> {
        key.clear();
        let side = before.or_else(|| Some(row.key()));
        match self.template.render(row, side, key) {
            Ok(()) => Ok(true),
            Err(_) if row.value().is_null() && self.enveloped.contains(row.topic()) => Ok(false),
            Err(err) => Err(nameless(err)),
        }
    }

    /// The key of the stream that a record goes to.
    pub(crate) fn stream(&self, row: Row<'_>, key: &mut Vec<u8>) -> Result<()> {
        key.clear();
        self.template
            .render(row, Some(row.value()), key)
            .map_err(nameless)?;
        let partition = row.record().partition;
        if self.by_partition && partition > 0 {
            key.extend_from_slice(self.separator.as_bytes());
            write_integer(i64::from(partition), key);
        }
        Ok(())
    }

    /// The pattern (of `SCAN … MATCH`) of all keys of a topic.
    pub(crate) fn pattern(&self, topic: &str) -> String {
        let (before, after) = self.template.frame(topic).unwrap_or_default();
        format!("{}*{}", escaped(&before), escaped(&after))
    }
}

fn nameless(err: Error) -> Error {
    Error::new(&KEY, "the record gives no Redis key").caused_by(err)
}

fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_mean_only_themselves() {
        assert_eq!(super::escaped("a*[b]"), "a\\*\\[b\\]");
    }
}

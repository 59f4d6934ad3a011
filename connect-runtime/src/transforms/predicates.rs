//! Predicates: which records a transform applies to.

use std::cell::RefCell;

use connect_core::{
    Batch, Finding, Properties,
    config::{Config, Rules},
    java_regex::JavaRegex,
    route::RouteId,
    transform::Predicate,
};
use rustc_hash::FxHashMap;

use super::reshape::is_null;

connect_core::config! {
    /// A predicate which is true for records with a topic name that matches the configured regular expression.
    pub(super) struct TopicNameMatchesConfig;
    group "Topic name matches" {
        /// A Java regular expression for matching against the name of a record's topic.
        pattern: String = required, "pattern", Medium;
    }
}

impl Rules for TopicNameMatchesConfig {
    fn rules(&self) -> Vec<Finding> {
        not_empty("pattern", &self.pattern)
    }
}

connect_core::config! {
    /// A predicate which is true for records with at least one header with the configured name.
    pub(super) struct HasHeaderKeyConfig;
    group "Has header key" {
        /// The header name.
        name: String = required, "name", Medium;
    }
}

impl Rules for HasHeaderKeyConfig {
    fn rules(&self) -> Vec<Finding> {
        not_empty("name", &self.name)
    }
}

/// Topics seen whose answer is kept.
const MOST_ROUTES: usize = 4096;

/// `TopicNameMatches`
pub(super) struct TopicNameMatches {
    regex: JavaRegex,
    seen: RefCell<FxHashMap<RouteId, bool>>,
}

/// `HasHeaderKey`
pub(super) struct HasHeaderKey {
    name: String,
}

/// `RecordIsTombstone`
pub(super) struct RecordIsTombstone;

impl TopicNameMatches {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = TopicNameMatchesConfig::parse(settings)?;
        let regex = JavaRegex::new(&config.pattern)
            .map_err(|why| vec![Finding::invalid("pattern", &config.pattern, &why)])?;
        Ok(Self {
            regex,
            seen: RefCell::default(),
        })
    }
}

impl HasHeaderKey {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = HasHeaderKeyConfig::parse(settings)?;
        Ok(Self { name: config.name })
    }
}

impl Predicate for TopicNameMatches {
    fn test(&self, batch: &Batch, index: usize) -> bool {
        let record = batch.records().get(index);
        let Some(route) = record.and_then(|record| batch.route(record.route)) else {
            return false;
        };
        let mut seen = self.seen.borrow_mut();
        if seen.len() >= MOST_ROUTES {
            seen.clear();
        }
        let answer = seen.entry(route.id());
        *answer.or_insert_with(|| self.regex.matches(route.topic()))
    }
}

impl Predicate for HasHeaderKey {
    fn test(&self, batch: &Batch, index: usize) -> bool {
        let headers = batch
            .records()
            .get(index)
            .map(|record| batch.headers(*record));
        headers.is_some_and(|all| all.iter().any(|header| *header.name == *self.name))
    }
}

impl Predicate for RecordIsTombstone {
    fn test(&self, batch: &Batch, index: usize) -> bool {
        let record = batch.records().get(index);
        record.is_some_and(|record| is_null(batch, record.value))
    }
}

fn not_empty(key: &str, text: &str) -> Vec<Finding> {
    match text.is_empty() {
        true => vec![Finding::invalid(key, "", "String must be non-empty")],
        false => Vec::new(),
    }
}

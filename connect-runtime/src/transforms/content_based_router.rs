//! Debezium's `ContentBasedRouter`: an expression tells the topic.

use connect_core::{
    Batch, Error, Finding, Properties, Result,
    config::{Config, Key, Rules, Width},
    transform::{Transform, Verdicts},
};

use super::{
    expression::{Answer, Applied, First, Languages, NullHandling},
    expression_filter::topics_finding,
    reshape::refuse,
    routes::Routes,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Routes records by an expression.
    pub(super) struct ContentBasedRouterConfig;
    group "Content based router" {
        /// A regex used for selecting the topic(s) to which this transformation should be applied.
        topics: Option<String> = none, "topic.regex", Low;
        /// An expression language used to evaluate the expression. Must begin with 'jsr223.' or 'wasm.', e.g.  'jsr223.groovy' or 'jsr223.graal.js' or 'wasm.chicory'.
        language: Option<String> = none, "language", High;
        /// An expression determining the new name of the topic the record should use. When null the record is delivered to the original topic.
        expression: Option<String> = none, "topic.expression", High;
        /// How to handle records with null value. Options are: keep - records are passed (the default),drop - records are removed,evaluate - the null records are passed for evaluation.
        nulls: NullHandling = "keep", "null.handling.mode", Low;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    ("topic.regex", Width::Long, "Topic regex"),
    ("language", Width::Medium, "Expression language"),
    ("topic.expression", Width::Medium, "Topic name expression"),
    ("null.handling.mode", Width::Short, "Handle null records"),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(ContentBasedRouterConfig::keys(), SHOWN)
}

impl Rules for ContentBasedRouterConfig {
    fn rules(&self) -> Vec<Finding> {
        let (language, text) = (self.language.as_deref(), self.expression.as_deref());
        let mut findings = Languages::findings(language, "topic.expression", text);
        findings.extend(topics_finding(self.topics.as_deref()));
        findings
    }
}

/// The transform.
pub(super) struct ContentBasedRouter {
    applied: Applied,
    routes: Routes,
}

impl ContentBasedRouter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ContentBasedRouterConfig::parse(settings)?;
        let (language, text) = (config.language.as_deref(), config.expression.as_deref());
        Ok(Self {
            applied: Applied::new(language, text, config.topics.as_deref(), config.nulls)?,
            routes: Routes::default(),
        })
    }

    /// Whether a record stays.
    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        match self.applied.first(batch, index) {
            First::Passes => return Ok(true),
            First::Goes => return Ok(false),
            First::Asked => {}
        }
        let topic = match self.applied.expression.answer(batch, index)? {
            Answer::Null => return Ok(true),
            Answer::Text(topic) if topic.is_empty() => {
                return Err(Error::record("An expression made an empty name of a topic"));
            }
            Answer::Text(topic) => topic,
            other => return Err(self.applied.expression.is_not(&other, "String")),
        };
        let old = batch
            .records()
            .get(index)
            .and_then(|record| batch.route(record.route));
        if let Some(old) = old {
            let new = self.routes.of(old, &topic);
            let route = batch.route_index(&new);
            if let Some(record) = batch.records_mut().get_mut(index) {
                record.route = route;
            }
        }
        Ok(true)
    }
}

impl Transform for ContentBasedRouter {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.applied.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            match self.one(batch, index) {
                Ok(true) => {}
                Ok(false) => verdicts.dropped.push(index),
                Err(err) => refuse(&mut verdicts, index, err)?,
            }
        }
        Ok(verdicts)
    }
}

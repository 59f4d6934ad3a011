//! Debezium's `Filter`: keeps the records for which an expression is true.

use connect_core::{
    Batch, Finding, Properties, Result,
    config::{Config, Key, Rules, Width},
    java_regex::JavaRegex,
    transform::{Transform, Verdicts},
};

use super::{
    expression::{Answer, Applied, First, Languages, NullHandling},
    reshape::refuse,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Filters records by an expression.
    pub(super) struct ExpressionFilterConfig;
    group "Filter" {
        /// A regex used for selecting the topic(s) to which this transformation should be applied.
        topics: Option<String> = none, "topic.regex", Low;
        /// An expression language used to evaluate the expression. Must begin with 'jsr223.' or 'wasm.', e.g.  'jsr223.groovy' or 'jsr223.graal.js' or 'wasm.chicory'.
        language: Option<String> = none, "language", High;
        /// An expression determining whether the record should be filtered out. When evaluated to true the record is removed.
        condition: Option<String> = none, "condition", High;
        /// How to handle records with null value. Options are: keep - records are passed (the default),drop - records are removed,evaluate - the null records are passed for evaluation.
        nulls: NullHandling = "keep", "null.handling.mode", Low;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    ("topic.regex", Width::Long, "Topic regex"),
    ("language", Width::Medium, "Expression language"),
    ("condition", Width::Medium, "Filtering condition"),
    ("null.handling.mode", Width::Short, "Handle null records"),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(ExpressionFilterConfig::keys(), SHOWN)
}

impl Rules for ExpressionFilterConfig {
    fn rules(&self) -> Vec<Finding> {
        let (language, text) = (self.language.as_deref(), self.condition.as_deref());
        let mut findings = Languages::findings(language, "condition", text);
        findings.extend(topics_finding(self.topics.as_deref()));
        findings
    }
}

/// What is wrong with `topic.regex`.
pub(super) fn topics_finding(topics: Option<&str>) -> Option<Finding> {
    let topics = topics?;
    let why = JavaRegex::new(topics).err()?;
    Some(Finding::invalid("topic.regex", topics, &why))
}

/// The transform.
pub(super) struct ExpressionFilter(Applied);

impl ExpressionFilter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ExpressionFilterConfig::parse(settings)?;
        let (language, condition) = (config.language.as_deref(), config.condition.as_deref());
        let applied = Applied::new(language, condition, config.topics.as_deref(), config.nulls)?;
        Ok(Self(applied))
    }

    /// Whether a record stays.
    fn keeps(&mut self, batch: &Batch, index: usize) -> Result<bool> {
        match self.0.first(batch, index) {
            First::Passes => return Ok(true),
            First::Goes => return Ok(false),
            First::Asked => {}
        }
        match self.0.expression.answer(batch, index)? {
            Answer::Bool(keeps) => Ok(keeps),
            other => Err(self.0.expression.is_not(&other, "Boolean")),
        }
    }
}

impl Transform for ExpressionFilter {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.0.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            match self.keeps(batch, index) {
                Ok(true) => {}
                Ok(false) => verdicts.dropped.push(index),
                Err(err) => refuse(&mut verdicts, index, err)?,
            }
        }
        Ok(verdicts)
    }
}

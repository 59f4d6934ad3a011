//! What a filter and a router of expressions share: to which records they apply.

use std::sync::Arc;

use connect_core::{Batch, Finding, Route, java_regex::JavaRegex};

use super::Expression;
use crate::transforms::{compiled::Compiled, reshape::is_null};

connect_core::choice! {
    /// What becomes of records without value.
    pub(in crate::transforms) enum NullHandling {
        /// They are left out.
        Drop = "drop",
        /// They pass.
        Keep = "keep",
        /// The expression tells.
        Evaluate = "evaluate",
    }
}

/// The property of the language.
pub(in crate::transforms) struct Languages;

impl Languages {
    /// What is wrong with an expression and its language.
    pub(in crate::transforms) fn findings(
        language: Option<&str>,
        key: &'static str,
        text: Option<&str>,
    ) -> Vec<Finding> {
        let required = [("language", language), (key, text)].into_iter();
        let missing: Vec<Finding> = required
            .filter(|(_, value)| value.is_none_or(str::is_empty))
            .map(|(key, _)| {
                let why = format!("The '{key}' value is invalid: A value is required");
                Finding::error(key, why)
            })
            .collect();
        match (language, text) {
            (Some(language), Some(text)) if missing.is_empty() => {
                let wrong = Expression::new(language, text).err();
                let key = if is_language(language) {
                    key
                } else {
                    "language"
                };
                wrong
                    .map(|why| Finding::error(key, why))
                    .into_iter()
                    .collect()
            }
            _ => missing,
        }
    }
}

fn is_language(language: &str) -> bool {
    matches!(
        language.trim(),
        "cel" | "jsr223.cel" | "jsr223.groovy" | "groovy"
    )
}

/// An expression with the records that it is for.
pub(in crate::transforms) struct Applied {
    pub(in crate::transforms) expression: Expression,
    topics: Option<JavaRegex>,
    nulls: NullHandling,
    matching: Compiled<bool>,
}

/// What becomes of a record before the expression is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transforms) enum First {
    /// It passes.
    Passes,
    /// It is left out.
    Goes,
    /// The expression tells.
    Asked,
}

impl Applied {
    /// From the properties.
    pub(in crate::transforms) fn new(
        language: Option<&str>,
        text: Option<&str>,
        topics: Option<&str>,
        nulls: NullHandling,
    ) -> Result<Self, Vec<Finding>> {
        let wrong = |key: &'static str| move |why: String| vec![Finding::error(key, why)];
        let (language, text) = (language.unwrap_or_default(), text.unwrap_or_default());
        let topics = topics.filter(|topics| !topics.is_empty());
        Ok(Self {
            expression: Expression::new(language, text).map_err(wrong("language"))?,
            topics: topics
                .map(JavaRegex::new)
                .transpose()
                .map_err(wrong("topic.regex"))?,
            nulls,
            matching: Compiled::default(),
        })
    }

    /// Forgets the batch before.
    pub(in crate::transforms) fn next_batch(&mut self) {
        self.matching.next_batch();
    }

    /// What becomes of the record at `index` before the expression is asked.
    pub(in crate::transforms) fn first(&mut self, batch: &Batch, index: usize) -> First {
        let Some(record) = batch.records().get(index) else {
            return First::Passes;
        };
        if let Some(topics) = &self.topics {
            let test = |route: &Arc<Route>| topics.matches(route.topic());
            if self
                .matching
                .of(batch, record.route, test)
                .is_none_or(|matches| !*matches)
            {
                return First::Passes;
            }
        }
        match self.nulls {
            NullHandling::Keep if is_null(batch, record.value) => First::Passes,
            NullHandling::Drop if is_null(batch, record.value) => First::Goes,
            _ => First::Asked,
        }
    }
}

//! The transforms of a connector in their order, each with the predicate that chooses its records.

use std::sync::Arc;

use connect_core::{
    Batch, Error, Properties, Result,
    transform::{Predicate, Transform, Verdicts},
};

use crate::worker_config::under;

/// The compiled chain of one task.
pub(crate) struct Chain(Vec<Step>);

struct Step {
    transform: Box<dyn Transform>,
    predicate: Option<Box<dyn Predicate>>,
    negate: bool,
    chosen: Vec<bool>,
}

/// A record that a transform could not handle. It is no longer in the batch.
pub(crate) struct Refused {
    /// What the caller knew it by, from the list of origins; without one its index in the batch of that moment.
    pub(crate) origin: u32,
    /// Its topic at that moment.
    pub(crate) topic: Arc<str>,
    /// Why.
    pub(crate) error: Error,
}

impl Chain {
    /// From `transforms` and `predicates` in a connector's resolved properties.
    pub(crate) fn new(config: &Properties) -> Result<Self> {
        let steps = aliases(config, "transforms").map(|alias| Step::new(alias, config));
        Ok(Self(steps.collect::<Result<_>>()?))
    }

    /// Transforms a batch in place. Records that are dropped or refused leave it, and leave `origins` (one per record, or empty) too.
    pub(crate) fn apply(
        &mut self,
        batch: &mut Batch,
        origins: &mut Vec<u32>,
    ) -> Result<Vec<Refused>> {
        let mut refused = Vec::new();
        for step in &mut self.0 {
            if batch.is_empty() {
                break;
            }
            let verdicts = step.apply(batch)?;
            leave_out(batch, origins, verdicts, &mut refused);
        }
        Ok(refused)
    }
}

impl Step {
    fn new(alias: &str, config: &Properties) -> Result<Self> {
        let mut settings = under(config, &format!("transforms.{alias}."));
        let class = settings.remove("type").unwrap_or_default();
        let negate = settings
            .remove("negate")
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        let predicate = match settings.remove("predicate").filter(|name| !name.is_empty()) {
            Some(name) => Some(predicate(&name, config)?),
            None => None,
        };
        Ok(Self {
            transform: registry::transform(&class, &settings)?,
            predicate,
            negate,
            chosen: Vec::new(),
        })
    }

    fn apply(&mut self, batch: &mut Batch) -> Result<Verdicts> {
        let Some(predicate) = &self.predicate else {
            return self.transform.apply(batch, &|_| true);
        };
        self.chosen.clear();
        let negate = self.negate;
        self.chosen
            .extend((0..batch.len()).map(|index| predicate.test(batch, index) != negate));
        let chosen = &self.chosen;
        self.transform
            .apply(batch, &|index| chosen.get(index).copied().unwrap_or(false))
    }
}

fn predicate(name: &str, config: &Properties) -> Result<Box<dyn Predicate>> {
    let mut settings = under(config, &format!("predicates.{name}."));
    let class = settings.remove("type").unwrap_or_default();
    registry::predicate(&class, &settings)
}

/// The aliases in a list property.
pub(crate) fn aliases<'a>(config: &'a Properties, list: &str) -> impl Iterator<Item = &'a str> {
    let list = config.get(list).map_or("", String::as_str);
    list.split(',')
        .map(str::trim)
        .filter(|alias| !alias.is_empty())
}

fn leave_out(
    batch: &mut Batch,
    origins: &mut Vec<u32>,
    verdicts: Verdicts,
    refused: &mut Vec<Refused>,
) {
    if verdicts.dropped.is_empty() && verdicts.refused.is_empty() {
        return;
    }
    let mut gone = vec![false; batch.len()];
    for index in verdicts.dropped {
        mark(&mut gone, index);
    }
    for (index, error) in verdicts.refused {
        mark(&mut gone, index);
        let topic = batch.rows().nth(index).map(|row| Arc::clone(row.topic()));
        let origin = origins.get(index).copied().unwrap_or(index as u32);
        refused.extend(topic.map(|topic| Refused {
            origin,
            topic,
            error,
        }));
    }
    let mut kept = gone.iter().map(|gone| !gone);
    batch.retain(|_| kept.next().unwrap_or(true));
    let mut kept = gone.iter().map(|gone| !gone);
    origins.retain(|_| kept.next().unwrap_or(true));
}

fn mark(gone: &mut [bool], index: usize) {
    if let Some(gone) = gone.get_mut(index) {
        *gone = true;
    }
}

mod registry {
    use super::{Error, Predicate, Properties, Result, Transform};

    pub(super) fn transform(class: &str, _settings: &Properties) -> Result<Box<dyn Transform>> {
        Err(Error::config(format!("Class {class} could not be found.")))
    }

    pub(super) fn predicate(class: &str, _settings: &Properties) -> Result<Box<dyn Predicate>> {
        Err(Error::config(format!("Class {class} could not be found.")))
    }
}

//! The transforms of a connector in their order, each with the predicate that chooses its records.

use std::sync::Arc;

use connect_core::{
    Batch, Error, Properties, Result,
    config::invalid,
    transform::{Predicate, Transform, Verdicts},
};

use crate::{
    dead_letters::Described,
    transforms::{self, Transforms},
    worker_config::under,
};

/// The compiled chain of one task.
pub(crate) struct Chain {
    steps: Vec<Step>,
    describes: bool,
}

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
    /// What it held at that moment, if the chain was told to describe what it refuses.
    pub(crate) seen: Option<Described>,
    /// Why.
    pub(crate) error: Error,
}

impl Chain {
    /// From `transforms` and `predicates` in a connector's resolved properties; `known` are the classes there are.
    pub(crate) fn new(known: &Transforms, config: &Properties) -> Result<Self> {
        let steps = aliases(config, "transforms").map(|alias| Step::new(alias, known, config));
        Ok(Self {
            steps: steps.collect::<Result<_>>()?,
            describes: false,
        })
    }

    /// The same, which tells what refused records held: nothing else is left of a source's record.
    pub(crate) fn describing(self, describes: bool) -> Self {
        Self { describes, ..self }
    }

    /// Transforms a batch in place. Records that are dropped or refused leave it, and leave `origins` (one per record, or empty) too.
    /// It waits only for transforms that have to ask somebody about what they have not seen before.
    pub(crate) async fn apply(
        &mut self,
        batch: &mut Batch,
        origins: &mut Vec<u32>,
    ) -> Result<Vec<Refused>> {
        let mut refused = Vec::new();
        for step in &mut self.steps {
            if batch.is_empty() {
                break;
            }
            step.prepare(batch).await?;
            let verdicts = step.apply(batch)?;
            leave_out(batch, origins, verdicts, (self.describes, &mut refused));
        }
        Ok(refused)
    }
}

impl Step {
    fn new(alias: &str, known: &Transforms, config: &Properties) -> Result<Self> {
        let (class, settings) = transform_settings(alias, config);
        let of_step = under(config, &format!("transforms.{alias}."));
        let negate = of_step
            .get("negate")
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        let predicate = match of_step.get("predicate").filter(|name| !name.is_empty()) {
            Some(name) => {
                let (class, settings) = predicate_settings(name, config);
                Some(transforms::predicate(&class, &settings).map_err(|f| invalid(&f))?)
            }
            None => None,
        };
        let transform = known.make(&class, &settings).map_err(|f| invalid(&f))?;
        Ok(Self {
            transform,
            predicate,
            negate,
            chosen: Vec::new(),
        })
    }

    /// Chooses the records, and waits for what the transform has to know of them.
    async fn prepare(&mut self, batch: &Batch) -> Result<()> {
        self.chosen.clear();
        if let Some(predicate) = &self.predicate {
            let chosen = |index| predicate.test(batch, index) != self.negate;
            self.chosen.extend((0..batch.len()).map(chosen));
        }
        let (transform, applies) = self.split();
        let waits = transform.prepare(batch, &applies);
        match waits {
            Some(waits) => waits.await,
            None => Ok(()),
        }
    }

    /// Transforms the records that were chosen.
    fn apply(&mut self, batch: &mut Batch) -> Result<Verdicts> {
        let (transform, applies) = self.split();
        transform.apply(batch, &applies)
    }

    /// The transform, and the records that it is for: all without a predicate.
    fn split(&mut self) -> (&mut dyn Transform, impl Fn(usize) -> bool) {
        let (chosen, all) = (&self.chosen, self.predicate.is_none());
        let applies = move |index: usize| all || chosen.get(index).copied().unwrap_or(false);
        (&mut *self.transform, applies)
    }
}

/// The class of a transform, and the properties that are its own.
pub(crate) fn transform_settings(alias: &str, config: &Properties) -> (String, Properties) {
    let mut settings = under(config, &format!("transforms.{alias}."));
    for ours in ["predicate", "negate", "plugin.version"] {
        settings.remove(ours);
    }
    (settings.remove("type").unwrap_or_default(), settings)
}

/// The class of a predicate, and the properties that are its own.
pub(crate) fn predicate_settings(alias: &str, config: &Properties) -> (String, Properties) {
    let mut settings = under(config, &format!("predicates.{alias}."));
    settings.remove("plugin.version");
    (settings.remove("type").unwrap_or_default(), settings)
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
    (describes, refused): (bool, &mut Vec<Refused>),
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
        let origin = origins.get(index).copied().unwrap_or(index as u32);
        refused.extend(batch.row(index).map(|row| Refused {
            origin,
            topic: Arc::clone(row.topic()),
            seen: describes.then(|| Described::of(row)),
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

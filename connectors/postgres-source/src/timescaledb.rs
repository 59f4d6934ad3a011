//! Debezium's `TimescaleDb`: changes of chunks go to the topic of their hypertable, those of a materialized hypertable to
//! that of its continuous aggregate.
//!
//! Which chunk is a part of what only the catalog of TimescaleDB tells, so a chunk that is seen for the first time is asked for,
//! before its records go on ([`Transform::prepare`]). All else is worked out per topic and schemas.

mod catalog;
mod config;
mod known;
mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use connect_core::{
    Batch, BoxFuture, Cell, Finding, HeaderRun, Properties, Record, Result, Route, Schema, Type,
    Verdict,
    compiled::Compiled,
    route::RouteId,
    transform::{Transform, TransformClass, Verdicts},
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::time::Instant;

use self::{
    config::TimescaleDbConfig,
    known::{Known, Table},
    plan::{Plan, Routed},
};
use crate::wire::Target;

/// The class.
pub(crate) const CLASS: TransformClass = TransformClass {
    class: "io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb",
    make: |given| Ok(Box::new(TimescaleDb::new(given)?)),
    keys: config::keys,
};

/// Routes of records that tell their table themselves; when there are more, all are forgotten and made again.
const MOST_ROUTES: usize = 4096;

/// The transform.
struct TimescaleDb {
    target: Target,
    statements: Vec<String>,
    schemas: Vec<String>,
    prefix: String,
    known: Known,
    plans: Compiled<Result<Option<Plan>>>,
    /// Where the routes of one chunk each go, as long as nothing is learnt.
    routed: Compiled<Option<Arc<Routed>>>,
    /// The same for routes of several tables.
    routed_by_chunk: FxHashMap<(RouteId, Table), Arc<Routed>>,
    /// The headers of this batch, by the route that records have got.
    runs: FxHashMap<RouteId, HeaderRun>,
    text: Arc<Schema>,
}

impl TimescaleDb {
    /// From its properties.
    fn new(given: &Properties) -> Result<Self, Vec<Finding>> {
        let config = TimescaleDbConfig::new(given)?;
        Ok(Self {
            target: config.target(),
            statements: cdc::options::statements(config.initial_statements.as_deref()),
            schemas: config.schemas.0,
            prefix: config.prefix,
            known: Known::default(),
            plans: Compiled::default(),
            routed: Compiled::default(),
            routed_by_chunk: FxHashMap::default(),
            runs: FxHashMap::default(),
            text: Arc::new(Schema::of(Type::String)),
        })
    }

    /// Gives each chunk of the batch to `each`, which says whether to go on; one of a route that has one is given at least once.
    fn chunks(
        &mut self,
        batch: &Batch,
        applies: &dyn Fn(usize) -> bool,
        each: &mut dyn FnMut(&Known, &Table) -> bool,
    ) {
        let mut last = None;
        for (index, record) in batch.records().iter().enumerate() {
            if last == Some(record.route) || !applies(index) {
                continue;
            }
            let schemas = &self.schemas;
            let plan = self
                .plans
                .of(batch, record.route, |route| Plan::new(route, schemas));
            let Some(Ok(Some(plan))) = plan.as_deref() else {
                last = Some(record.route);
                continue;
            };
            let of_record = match &plan.chunk {
                Some(_) => None,
                None => plan.chunk_of(batch, record.value, schemas),
            };
            if plan.chunk.is_some() {
                last = Some(record.route);
            }
            let chunk = plan.chunk.as_ref().or(of_record.as_ref());
            if chunk.is_some_and(|chunk| !each(&self.known, chunk)) {
                return;
            }
        }
    }

    /// Asks for these chunks.
    async fn learn(&mut self, batch: FxHashSet<Table>) -> Result<()> {
        let asked = self.known.question(batch);
        let found = catalog::owners(&self.target, &self.statements, &asked).await?;
        tracing::debug!(
            asked = asked.len(),
            found = found.len(),
            "chunks were looked up"
        );
        self.known.learn(asked, found, Instant::now());
        self.routed = Compiled::default();
        self.routed_by_chunk.clear();
        Ok(())
    }

    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<()> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(());
        };
        if record.value == Cell::Null {
            return Ok(());
        }
        let schemas = &self.schemas;
        let plan = self
            .plans
            .of(batch, record.route, |route| Plan::new(route, schemas));
        let plan = match plan.as_deref() {
            Some(Ok(Some(plan))) => plan,
            Some(Err(err)) => return Err(err.clone()),
            _ => return Ok(()),
        };
        let Some(event) = plan.event(batch, record.value) else {
            return Ok(());
        };
        let routed = match &plan.chunk {
            Some(chunk) => self.of_route(batch, record, plan, chunk),
            None => {
                let chunk = plan.chunk_of(batch, record.value, &self.schemas);
                chunk.and_then(|chunk| self.of_chunk(batch, record, plan, chunk))
            }
        };
        let Some(routed) = routed else {
            return Ok(());
        };
        let value = match &plan.chunk {
            // The schema of the route names the table.
            Some(_) => record.value,
            None => plan.rewritten(batch, event, &routed),
        };
        let headers = self.headers(batch, record, &routed);
        let route = batch.route_index(&routed.route);
        if let Some(place) = batch.records_mut().get_mut(index) {
            *place = Record {
                route,
                value,
                ..record
            }
            .with(headers);
        }
        Ok(())
    }

    /// Where the records of a route go that are all of one chunk; `None` when the catalog does not have it.
    fn of_route(
        &mut self,
        batch: &Batch,
        record: Record,
        plan: &Plan,
        chunk: &Table,
    ) -> Option<Arc<Routed>> {
        let (known, prefix) = (&self.known, &self.prefix);
        let routed = self.routed.of(batch, record.route, |route| {
            let owner = known.owner(chunk)?;
            Some(Arc::new(plan.routed(route, chunk, (owner, prefix))))
        });
        routed.as_deref().cloned().flatten()
    }

    /// The same of a record that tells its chunk itself.
    fn of_chunk(
        &mut self,
        batch: &Batch,
        record: Record,
        plan: &Plan,
        chunk: Table,
    ) -> Option<Arc<Routed>> {
        let route: &Arc<Route> = batch.route(record.route)?;
        let owner = self.known.owner(&chunk)?;
        let of = (route.id(), chunk);
        if let Some(known) = self.routed_by_chunk.get(&of) {
            return Some(Arc::clone(known));
        }
        let routed = Arc::new(plan.routed(route, &of.1, (owner, &self.prefix)));
        // Invariant 4: nothing unbounded.
        if self.routed_by_chunk.len() >= MOST_ROUTES {
            self.routed_by_chunk.clear();
        }
        self.routed_by_chunk.insert(of, Arc::clone(&routed));
        Some(routed)
    }

    fn headers(&mut self, batch: &mut Batch, record: Record, routed: &Routed) -> HeaderRun {
        if record.headers_len > 0 {
            return routed.run_behind(batch, record, &self.text);
        }
        let run = self.runs.entry(routed.route.id());
        *run.or_insert_with(|| routed.run(batch, &self.text))
    }
}

impl Transform for TimescaleDb {
    fn prepare(
        &mut self,
        batch: &Batch,
        applies: &dyn Fn(usize) -> bool,
    ) -> Option<BoxFuture<'_, Result<()>>> {
        self.plans.next_batch();
        let (now, mut due) = (Instant::now(), false);
        self.chunks(batch, applies, &mut |known, chunk| {
            due = known.is_due(chunk, now);
            !due
        });
        if !due {
            return None;
        }
        let mut all = FxHashSet::default();
        self.chunks(batch, applies, &mut |_, chunk| {
            all.insert(chunk.clone());
            true
        });
        Some(Box::pin(self.learn(all)))
    }

    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.plans.next_batch();
        self.routed.next_batch();
        self.runs.clear();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            match self.one(batch, index) {
                Err(err) if err.verdict() == Verdict::Reject => verdicts.refused.push((index, err)),
                other => other?,
            }
        }
        Ok(verdicts)
    }
}

//! What a transform has compiled, per route. Records of a batch find theirs by a plain index.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Batch, Route, route::RouteId};

/// Routes whose plans are kept; when there are more, all are forgotten and compiled again.
const MOST_ROUTES: usize = 4096;

/// Plans by route, and by the index that a route has in the current batch.
#[derive(Debug)]
pub struct Compiled<P> {
    by_route: FxHashMap<RouteId, Arc<P>>,
    by_index: Vec<Option<Arc<P>>>,
}

impl<P> Default for Compiled<P> {
    fn default() -> Self {
        Self {
            by_route: FxHashMap::default(),
            by_index: Vec::new(),
        }
    }
}

impl<P> Compiled<P> {
    /// Forgets the indices of the batch before.
    pub fn next_batch(&mut self) {
        self.by_index.clear();
    }

    /// The plan for the route of a record.
    pub fn of(
        &mut self,
        batch: &Batch,
        route: u32,
        compile: impl FnOnce(&Arc<Route>) -> P,
    ) -> Option<Arc<P>> {
        let index = route as usize;
        if let Some(Some(plan)) = self.by_index.get(index) {
            return Some(Arc::clone(plan));
        }
        let route = batch.route(route)?;
        // Invariant 4: nothing unbounded.
        if self.by_route.len() >= MOST_ROUTES {
            self.by_route.clear();
        }
        let plan = self.by_route.entry(route.id());
        let plan = Arc::clone(plan.or_insert_with(|| Arc::new(compile(route))));
        if self.by_index.len() <= index {
            self.by_index.resize(index + 1, None);
        }
        if let Some(place) = self.by_index.get_mut(index) {
            *place = Some(Arc::clone(&plan));
        }
        Some(plan)
    }
}

//! Topics made of values: a route for each topic that a route becomes.

use std::sync::Arc;

use connect_core::{Route, route::RouteId};
use rustc_hash::FxHashMap;

/// Topics that are kept; when there are more, all are forgotten and made again.
const MOST: usize = 4096;

/// Routes with other topics, by the route they were and the topic.
#[derive(Debug, Default)]
pub(super) struct Routes(FxHashMap<RouteId, FxHashMap<String, Arc<Route>>>, usize);

impl Routes {
    /// The same schemas in another topic.
    pub(super) fn of(&mut self, route: &Arc<Route>, topic: &str) -> Arc<Route> {
        if **route.topic() == *topic {
            return Arc::clone(route);
        }
        // Invariant 4: nothing unbounded.
        if self.1 >= MOST {
            self.0.clear();
            self.1 = 0;
        }
        let topics = self.0.entry(route.id()).or_default();
        if let Some(known) = topics.get(topic) {
            return Arc::clone(known);
        }
        let new = Route::new(topic, route.key().cloned(), route.value().cloned());
        topics.insert(topic.to_owned(), Arc::clone(&new));
        self.1 += 1;
        new
    }
}

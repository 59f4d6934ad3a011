//! The servers of the demo.

use std::thread;

use stack::{Kafka, Redis, Search, SearchOptions, Server, Stack};

use super::{Result, database::Database, options::Options, progress::Progress};

/// The database, Redis, the search engine, and Kafka if asked for. They end when this is dropped.
pub(super) struct Servers {
    pub(super) database: Box<dyn Database>,
    pub(super) redis: Redis,
    pub(super) search: Search,
    pub(super) kafka: Option<Kafka>,
    pub(super) stack: Stack,
}

impl Servers {
    /// Installs what is missing and starts all at once, with `meanwhile` beside them.
    pub(super) fn start<T>(
        options: &Options,
        progress: Progress,
        meanwhile: impl FnOnce() -> Result<T>,
    ) -> Result<(Self, T)> {
        let stack = Stack::new()?;
        let at = |server: &Server| format!("ready on port {}", server.port());
        let begin = &stack;
        let (database, redis, search, kafka, done) = thread::scope(|scope| {
            let source = options.source;
            let database = scope.spawn(move || {
                let start = || source.start(begin);
                progress.step(source.name(), start, |it| at(it.server()))
            });
            let redis = scope.spawn(move || progress.step("Redis", || begin.redis(), |it| at(it)));
            let search = scope.spawn(move || {
                progress.step(
                    "OpenSearch",
                    || begin.opensearch_or(SearchOptions::default().full_speed()),
                    |it| at(it),
                )
            });
            let kafka = options.kafka.then(|| {
                scope.spawn(move || progress.step("Kafka", || begin.kafka(), |it| at(it)))
            });
            let done = meanwhile();
            let joined = (database.join(), redis.join(), search.join());
            (
                joined.0,
                joined.1,
                joined.2,
                kafka.map(|it| it.join()),
                done,
            )
        });
        let panicked = |_| "a thread that starts a server panicked";
        let kafka = match kafka {
            Some(kafka) => Some(kafka.map_err(panicked)??),
            None => None,
        };
        let servers = Self {
            database: database.map_err(panicked)??,
            redis: redis.map_err(panicked)??,
            search: search.map_err(panicked)??,
            kafka,
            stack,
        };
        Ok((servers, done?))
    }
}

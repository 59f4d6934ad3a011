//! The watches over both sinks.

use std::time::Duration;

use super::{
    Result, heartbeat::Beats, lag::Watch, redis::RedisMirror, search::SearchMirror,
    servers::Servers, stop::Stop,
};

/// How often each sink is looked at. The search engine shows nothing new before its next refresh, once a second.
const REDIS_STEP: Duration = Duration::from_millis(2);
const SEARCH_STEP: Duration = Duration::from_millis(50);

/// A watch over Redis and one over the search engine.
pub(super) struct Watches {
    pub(super) all: [Watch; 2],
    stop: Stop,
}

impl Watches {
    /// Both begin.
    pub(super) fn start(servers: &Servers, beats: &Beats) -> Result<Self> {
        let stop = Stop::default();
        let prefix = servers.database.prefix();
        let redis = Box::new(RedisMirror::open(&servers.redis, prefix)?);
        let search = Box::new(SearchMirror::new(&servers.search, prefix));
        let all = [
            Watch::start(redis, REDIS_STEP, beats.clone(), stop.clone())?,
            Watch::start(search, SEARCH_STEP, beats.clone(), stop.clone())?,
        ];
        Ok(Self { all, stop })
    }

    /// Whether changes arrive in both.
    pub(super) fn are_streaming(&self) -> bool {
        self.all.iter().all(Watch::is_streaming)
    }

    /// Whether one of them ended before its time; [`Watches::end`] says why.
    pub(super) fn has_ended(&self) -> bool {
        self.all.iter().any(Watch::has_ended)
    }

    /// Ends both.
    pub(super) fn end(self) -> Result<()> {
        self.stop.set();
        let ended = self.all.map(Watch::join);
        ended.into_iter().collect()
    }
}

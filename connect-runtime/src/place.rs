//! This worker's place in the group: the one thing that everything that writes looks at.

use std::collections::BTreeMap;

use connect_log::{Lease, Standing};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Where this worker stands. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Place(watch::Receiver<Option<Standing>>);

/// What the workers of a group know of each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// `host:port`, as statuses name it.
    pub(crate) worker: String,
    /// When it was started, in milliseconds since 1970-01-01: two lives of a worker differ in it.
    pub(crate) started_ms: i64,
    /// Its version, for the log.
    pub(crate) version: String,
}

impl Card {
    pub(crate) fn new(worker: String) -> Self {
        Self {
            worker,
            started_ms: jiff::Timestamp::now().as_millisecond(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// As text. Strings and numbers always become JSON.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Place {
    pub(crate) fn new(standing: watch::Receiver<Option<Standing>>) -> Self {
        Self(standing)
    }

    /// For tests without a group.
    #[cfg(test)]
    pub(crate) fn alone() -> Self {
        let view = connect_log::View {
            generation: 1,
            me: "me".to_owned(),
            leader: "me".to_owned(),
            members: BTreeMap::from([("me".to_owned(), Card::new("me:1".to_owned()).text())]),
        };
        let lease = Lease::default();
        Self(watch::channel(Some(Standing { view, lease })).1)
    }

    /// As it is now.
    pub(crate) fn standing(&self) -> Option<Standing> {
        self.0.borrow().clone()
    }

    /// For who waits for changes.
    pub(crate) fn listen(&self) -> watch::Receiver<Option<Standing>> {
        self.0.clone()
    }

    /// The lease of this worker's present life; one that is lost when it is in no group.
    pub(crate) fn lease(&self) -> Lease {
        let standing = self.0.borrow();
        standing
            .as_ref()
            .map_or_else(Lease::lost, |standing| standing.lease.clone())
    }

    /// Waits until it is in the group.
    pub(crate) async fn taken(&self) {
        let mut standing = self.0.clone();
        if standing.wait_for(Option::is_some).await.is_err() {
            // The membership is gone, and so is this worker.
            std::future::pending().await
        }
    }
}

/// The workers of a view by their ids, and their names.
pub(crate) fn workers(members: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let name = |card: &String| serde_json::from_str::<Card>(card).map(|card| card.worker);
    members
        .iter()
        .map(|(id, card)| (id.clone(), name(card).unwrap_or_else(|_| id.clone())))
        .collect()
}

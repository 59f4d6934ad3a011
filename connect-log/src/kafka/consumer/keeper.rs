//! The task that keeps a reader going: it learns which broker has what, and keeps a link to each of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use connect_core::Error;
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout_at},
};

use super::{
    link, places,
    plan::{Shared, topics},
};
use crate::UNAUTHORIZED;

/// What is known of the cluster is believed for so long (Kafka's `metadata.max.age.ms`).
const AGE: Duration = Duration::from_secs(300);
/// While there is trouble it is looked this often whether it is over.
const LOOK: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Links by broker. They end with it.
#[derive(Default)]
struct Links(BTreeMap<i32, Link>);

struct Link(AbortHandle);

impl Drop for Link {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs for as long as it is polled; what it has started ends with it.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut links = Links::default();
    let mut changed = shared.watch();
    let mut learned = Instant::now();
    let mut pause = shared.settings.backoff;
    loop {
        changed.mark_unchanged();
        links.fit(&shared);
        let due = learned
            + if shared.cluster.health.trouble().is_some() {
                LOOK
            } else {
                AGE
            };
        if !is_ignorant(&shared) && Instant::now() < due {
            // It fails only when the reader is gone, and this with it.
            let _ = timeout_at(due.min(Instant::now() + LOOK), changed.changed()).await;
            continue;
        }
        learn(&shared).await;
        learned = Instant::now();
        if is_ignorant(&shared) {
            // A topic that is not there, or has no leader: others go on meanwhile.
            links.fit(&shared);
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        } else {
            pause = shared.settings.backoff;
        }
    }
}

/// Whether there is something to read of which it is not known where it is.
fn is_ignorant(shared: &Shared) -> bool {
    let plan = shared.plan();
    let unknown = plan.parts.keys().any(|of| plan.places.leader(of).is_none());
    unknown || plan.places.is_stale
}

async fn learn(shared: &Shared) {
    let wanted = topics(shared.plan().parts.keys());
    if wanted.is_empty() && shared.cluster.health.trouble().is_none() {
        shared.plan().places.is_stale = false;
        return;
    }
    shared.plan().places.is_stale = false;
    let error = match places::ask(&shared.cluster, &wanted).await {
        // The links look at their work anew.
        Ok(answer) => shared
            .change(|plan| plan.places.note(&wanted, &answer))
            .err(),
        Err(error) => Some(error),
    };
    if let Some(error) = error {
        tell(shared, error);
    }
}

/// A refusal is told; all else passes, or is told by the cluster's health.
fn tell(shared: &Shared, error: Error) {
    tracing::debug!(error = %error.report(), "a reader does not find its partitions");
    if error.code() == &UNAUTHORIZED && shared.cluster.health.trouble().is_none() {
        shared.fail(error);
    }
}

impl Links {
    /// A link to each broker that has something, and no other.
    fn fit(&mut self, shared: &Arc<Shared>) {
        let now = Instant::now();
        let wanted: std::collections::BTreeSet<i32> = {
            let plan = shared.plan();
            let broker = |(of, part): (&_, &super::plan::Part)| {
                let leader = plan.places.leader(of)?.broker;
                Some([leader, part.broker(leader, now)])
            };
            plan.parts.iter().filter_map(broker).flatten().collect()
        };
        self.0.retain(|broker, _| wanted.contains(broker));
        for broker in wanted {
            self.0.entry(broker).or_insert_with(|| {
                let serve = link::serve(Arc::clone(shared), broker);
                Link(tokio::spawn(serve).abort_handle())
            });
        }
    }
}

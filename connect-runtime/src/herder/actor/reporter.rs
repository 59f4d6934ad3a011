//! What a worker writes for the others: how far it is, and answers.

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Result};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    cluster::{RequestId, reply_entries, report_entry},
    error::BAD_REQUEST,
    herder::command::{Answer, Answered, Order},
    logs,
    seats::Report,
    shared::Shared,
};

/// How long the statuses of what has ended may take to be stored before that is told.
const STATUSES: Duration = Duration::from_secs(2);
/// How long another worker may let this one wait for a line of log.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long lines of log are gathered.
const GATHER: Duration = Duration::from_millis(200);
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// Writes every report that differs from the last one, also in a new life. Never ends.
pub(super) async fn run(shared: Arc<Shared>, mut wanted: watch::Receiver<Report>) {
    let mut standing = shared.place.listen();
    let mut written: Option<(String, Report)> = None;
    loop {
        let me = standing
            .borrow_and_update()
            .as_ref()
            .map(|standing| standing.view.me.clone());
        let report = wanted.borrow_and_update().clone();
        let next = me.map(|me| (me, report));
        let has_news = match (&written, &next) {
            (_, None) => false,
            (None, Some((_, report))) => *report != Report::default(),
            (written, next) => written != next,
        };
        if let Some((me, report)) = next.filter(|_| has_news) {
            // Others may tell of it from then on: this worker's last word has to be there before.
            let _stored_or_late = timeout(STATUSES, shared.statuses.flushed()).await;
            let entry = report_entry(&me, Some(&report));
            match shared.cluster.write(&[entry]).await {
                Ok(()) => written = Some((me, report)),
                Err(error) => {
                    tracing::debug!(%error, "this worker's report cannot be stored now");
                    sleep(RETRY_DELAY).await;
                    continue;
                }
            }
            continue;
        }
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            Ok(()) = standing.changed() => {}
        }
    }
}

/// Does what only this worker can do, and stores the answer.
pub(super) fn answer(shared: &Arc<Shared>, id: RequestId, order: Order) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let answered = Answered::of(carry_out(&shared, order).await);
        let entries = reply_entries(&id, Some(answered));
        if let Err(error) = shared.cluster.write(&entries).await {
            tracing::warn!(%error, "an answer to another worker cannot be stored");
        }
    });
}

/// Takes a question back; the leader does so when this fails and the worker is gone.
pub(super) fn take_back(shared: &Arc<Shared>, id: RequestId) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Err(error) = shared.cluster.take_back(&id).await {
            tracing::debug!(%error, "a question to another worker cannot be taken back");
        }
    });
}

async fn carry_out(shared: &Shared, order: Order) -> Result<Answer> {
    match order {
        Order::Signal { name, message } => {
            shared.ways.send(&name, message)?;
            Ok(Answer::Done)
        }
        Order::Logs {
            name,
            which,
            from,
            wait_ms,
        } => {
            if let Some(from) = from {
                let wait = Duration::from_millis(wait_ms).min(LONGEST_WAIT);
                shared.logs.wait(&name, from, wait).await;
                // Those that come together are told together.
                sleep(GATHER).await;
            }
            Ok(Answer::Logs(logs::here(shared, &name, &which, from)))
        }
        other => {
            let what = format!("A worker cannot be asked for {}", other.describe());
            Err(Error::new(&BAD_REQUEST, what))
        }
    }
}

//! Lines of a connector from all workers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use connect_core::{Error, Result};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{LINES, LogLine, Page, Which, follow};
use crate::{
    cluster::{Request, Whom},
    error::{BAD_REQUEST, TOO_MANY_FOLLOWERS},
    herder::{
        Herder,
        command::{Answer, Order},
        unexpected,
    },
    place::workers,
    shared::Shared,
};

/// How long another worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lines that a follower has not taken yet; the others wait where they are, and go when there are too many.
const AHEAD: usize = 16;

/// A connector's lines, by time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LogPage {
    /// Of all workers that have answered.
    pub lines: Vec<LogLine>,
    /// `host:port` of those that have not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<String>,
}

/// What who follows is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A line.
    Line(Box<LogLine>),
    /// So many lines were gone before they could be told.
    Missed(u64),
}

/// What a worker has answered; `None` is this one.
pub(super) type Heard = (Option<String>, Page);

impl Herder {
    /// What was logged of a connector and its tasks on all workers, the newest lines by time. 404 when there is no such connector.
    pub async fn logs(&self, name: &str, which: &Which) -> Result<LogPage> {
        self.shared.info(name)?;
        check(which)?;
        let (heard, unanswered) = from_all(&self.shared, name, which).await;
        let lines = heard.into_iter().flat_map(|(_, page)| page.lines);
        let lines = newest(lines.collect(), which.lines);
        Ok(LogPage { lines, unanswered })
    }

    /// The same, then every new line until the connector is deleted, the worker stops, or nobody listens any more. 404 when there is no such
    /// connector, 429 when too many follow.
    pub async fn follow_logs(&self, name: &str, which: &Which) -> Result<mpsc::Receiver<Told>> {
        self.shared.info(name)?;
        check(which)?;
        let place = self.shared.logs.follower().ok_or_else(|| {
            Error::new(
                &TOO_MANY_FOLLOWERS,
                "Too many requests follow logs on this worker",
            )
        })?;
        let (tell, told) = mpsc::channel(AHEAD);
        let mut follower = follow::Follower::new(&self.shared, name, which, tell);
        let begun = follower.begin().await;
        tokio::spawn(async move {
            follower.run(begun).await;
            drop(place);
        });
        Ok(told)
    }
}

fn check(which: &Which) -> Result<()> {
    match which.lines {
        0..=LINES => Ok(()),
        _ => {
            let what = format!("`lines` is at most {LINES}");
            Err(Error::new(&BAD_REQUEST, what))
        }
    }
}

/// The newest lines, in the order in which they were logged.
pub(super) fn newest(mut lines: Vec<LogLine>, count: usize) -> Vec<LogLine> {
    lines.sort_by(|a, b| a.time.cmp(&b.time));
    lines.drain(..lines.len().saturating_sub(count));
    lines
}

/// What every worker has, and the names of those that did not answer.
pub(super) async fn from_all(
    shared: &Arc<Shared>,
    name: &str,
    which: &Which,
) -> (Vec<Heard>, Vec<String>) {
    let mut heard = vec![(None, here(shared, name, which, None))];
    let others = others(shared);
    let mut missing: BTreeSet<&String> = others.keys().collect();
    let mut asked = JoinSet::new();
    for member in others.keys() {
        let order = Order::Logs {
            name: name.to_owned(),
            which: which.clone(),
            from: None,
            wait_ms: 0,
        };
        asked.spawn(ask(Arc::clone(shared), member.clone(), order, PATIENCE));
    }
    while let Some(answered) = asked.join_next().await {
        if let Ok((member, Ok(page))) = answered {
            missing.remove(&member);
            heard.push((Some(member), page));
        }
    }
    let unanswered = missing.into_iter().filter_map(|id| others.get(id).cloned());
    (heard, unanswered.collect())
}

/// What this worker has.
pub(crate) fn here(shared: &Shared, name: &str, which: &Which, from: Option<u64>) -> Page {
    let mut page = shared.logs.page(name, which, from);
    let worker = shared.config.worker_id();
    for line in &mut page.lines {
        line.worker.clone_from(&worker);
    }
    page
}

/// The other members of the group by their ids, and their names.
fn others(shared: &Shared) -> BTreeMap<String, String> {
    let standing = shared.place.standing();
    let mut others = standing
        .as_ref()
        .map_or_else(BTreeMap::new, |standing| workers(&standing.view.members));
    if let Some(standing) = &standing {
        others.remove(&standing.view.me);
    }
    others
}

/// Asks a member, and waits for so long at most.
pub(super) async fn ask(
    shared: Arc<Shared>,
    member: String,
    order: Order,
    limit: Duration,
) -> (String, Result<Page>) {
    let Some(standing) = shared.place.standing() else {
        let what = "This worker is not in its group now";
        return (member, Err(Error::new(&crate::error::MOVED, what)));
    };
    let request = Request {
        whom: Whom::Member(member.clone()),
        order,
    };
    let asking = shared.cluster.ask(&standing.view.me, &request);
    let answered = timeout(limit, asking).await.unwrap_or_else(|_| {
        let what = "Another worker did not answer in time";
        Err(Error::new(&crate::error::TIMEOUT, what))
    });
    let page = match answered.and_then(|answered| answered.result()) {
        Ok(Answer::Logs(page)) => Ok(page),
        Ok(other) => Err(unexpected(&other)),
        Err(error) => Err(error),
    };
    (member, page)
}

//! Reads on where the last page ended: here as lines come, on other workers by requests that wait for lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use connect_core::Result;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::interval,
};

use super::{
    LogLine, Page, Told, Which,
    request::{ask, from_all, here, newest},
};
use crate::{herder::command::Order, shared::Shared};

/// How long another worker waits for a line before it answers that there is none.
const WAIT: Duration = Duration::from_secs(10);
/// How much longer its answer may take.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked which workers have something of the connector.
const LOOK: Duration = Duration::from_secs(1);

/// Somebody who follows a connector.
pub(super) struct Follower {
    shared: Arc<Shared>,
    name: String,
    which: Which,
    tell: mpsc::Sender<Told>,
    /// The number of the next line of each other worker.
    next: BTreeMap<String, u64>,
    asking: BTreeSet<String>,
    asked: JoinSet<(String, Result<Page>)>,
}

/// What there is when somebody begins to follow.
pub(super) struct Begun {
    /// Tells of new lines here; none, if the worker stops.
    news: Option<watch::Receiver<u64>>,
    /// The number of the next line here.
    from: u64,
    lines: Vec<LogLine>,
}

impl Follower {
    pub(super) fn new(
        shared: &Arc<Shared>,
        name: &str,
        which: &Which,
        tell: mpsc::Sender<Told>,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            name: name.to_owned(),
            which: which.clone(),
            tell,
            next: BTreeMap::new(),
            asking: BTreeSet::new(),
            asked: JoinSet::new(),
        }
    }

    /// Asks every worker for the lines that are there; what comes after that is told too.
    pub(super) async fn begin(&mut self) -> Begun {
        let news = self.shared.logs.listen(&self.name);
        let (heard, _) = from_all(&self.shared, &self.name, &self.which).await;
        let (mut from, mut lines) = (0, Vec::new());
        for (member, page) in heard {
            match member {
                Some(member) => drop(self.next.insert(member, page.next)),
                None => from = page.next,
            }
            lines.extend(page.lines);
        }
        let lines = newest(lines, self.which.lines);
        Begun { news, from, lines }
    }

    /// Ends when the connector is gone, the worker stops, or nobody listens.
    pub(super) async fn run(mut self, begun: Begun) {
        let (Some(mut news), mut from) = (begun.news, begun.from) else {
            return;
        };
        if self.lines(begun.lines).await.is_none() {
            return;
        }
        let mut looks = interval(LOOK);
        loop {
            let page = here(&self.shared, &self.name, &self.which, Some(from));
            from = page.next;
            if self.pass(page).await.is_none() {
                return;
            }
            tokio::select! {
                // 1. Nobody listens any more.
                () = self.tell.closed() => return,
                // 2. There is a line here, or the connector is gone.
                changed = news.changed() => if changed.is_err() { return },
                // 3. Another worker has answered.
                Some(answered) = self.asked.join_next() => {
                    let Ok((member, page)) = answered else { continue };
                    if self.heard(member, page).await.is_none() { return }
                }
                // 4. It is time to look who has something to tell.
                _ = looks.tick() => self.ask_owners(),
            }
        }
    }

    async fn pass(&self, page: Page) -> Option<()> {
        if page.missed > 0 {
            self.tell.send(Told::Missed(page.missed)).await.ok()?;
        }
        self.lines(page.lines).await
    }

    async fn lines(&self, lines: Vec<LogLine>) -> Option<()> {
        for line in lines {
            self.tell.send(Told::Line(Box::new(line))).await.ok()?;
        }
        Some(())
    }

    /// One that does not answer is asked again when it is looked for the next time.
    async fn heard(&mut self, member: String, page: Result<Page>) -> Option<()> {
        self.asking.remove(&member);
        if let Ok(page) = page {
            self.next.insert(member.clone(), page.next);
            self.pass(page).await?;
            self.ask(member);
        }
        Some(())
    }

    /// Asks the workers that have a seat of the connector, and the one that leads.
    fn ask_owners(&mut self) {
        let Some(standing) = self.shared.place.standing() else {
            return;
        };
        let mut owners = BTreeSet::from([standing.view.leader.clone()]);
        {
            let known = self.shared.cluster.known();
            if let Some(assignment) = known.assignments.get(&self.name) {
                let seats = assignment.seats();
                owners.extend(seats.filter_map(|(_, seat)| seat.on.clone()));
                owners.extend(assignment.leaving.values().cloned());
            }
        }
        owners.remove(&standing.view.me);
        owners.retain(|member| standing.view.members.contains_key(member));
        for member in owners {
            self.ask(member);
        }
    }

    fn ask(&mut self, member: String) {
        if !self.asking.insert(member.clone()) {
            return;
        }
        let order = Order::Logs {
            name: self.name.clone(),
            which: self.which.clone(),
            from: Some(self.next.get(&member).copied().unwrap_or(0)),
            wait_ms: WAIT.as_millis() as u64,
        };
        let shared = Arc::clone(&self.shared);
        self.asked.spawn(ask(shared, member, order, WAIT + GRACE));
    }
}

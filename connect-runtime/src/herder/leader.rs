//! The one worker that decides: it makes tasks of connectors, gives them to workers, and does what is asked for.
//!
//! Every worker has this loop; it does something only while its worker leads. Then it holds the pen, with which it ends whoever led before,
//! and has read all that was written before it. What it writes counts for itself when it is durable, and for the others when they read it.

mod decide;
mod plan;

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{Error, Properties, Result};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep_until},
};

use super::{
    command::{Answer, Answered, Command, Order},
    lead::{Planned, Scene, lead},
};
use crate::{
    change::{Look, Scope},
    cluster::{RequestId, Whom, assignment_entry, reply_entries, report_entry},
    configs::ConfigRecord,
    error::MOVED,
    internal_topic::{Entry, Pen},
    place::workers,
    seats::Assignment,
    shared::Shared,
    stop::Stop,
};

/// How long the leader waits after an error of the log.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Requests that are served before what follows from them is done.
const REQUESTS: usize = 32;
/// Assignments that are written at once.
const AT_ONCE: usize = 500;
/// More rounds than this without an end are a defect.
const MAX_ROUNDS: usize = 100;

/// The leader's loop.
pub(crate) struct Leader {
    shared: Arc<Shared>,
    /// While this worker leads: as whom, and with what it writes.
    pen: Option<(String, Pen)>,
    plans: BTreeMap<String, Planned>,
    /// Tasks that wait until the present ones have ended everywhere.
    waiting: BTreeMap<String, Vec<Properties>>,
    look: Look,
    retry_at: Option<Instant>,
}

/// What a request comes to.
struct Decision {
    configs: Vec<ConfigRecord>,
    entries: Vec<Entry>,
    answer: Answer,
}

impl Leader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            look: shared.changes.look(),
            shared,
            pen: None,
            plans: BTreeMap::new(),
            waiting: BTreeMap::new(),
            retry_at: None,
        }
    }

    /// Leads whenever it is this worker's turn, until it is stopped.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, stop: Stop) {
        tokio::select! {
            biased;
            // 1. It is told to stop, and has done what was in hand.
            () = self.work(&mut commands, &stop) => {}
            // 2. What is in hand waits for a log that is away.
            () = stop.hard() => tracing::warn!("a request did not end in time and was dropped"),
        }
    }

    async fn work(&mut self, commands: &mut mpsc::Receiver<Command>, stop: &Stop) {
        let mut standing = self.shared.place.listen();
        self.turn().await;
        loop {
            let retry_at = self.retry_at;
            tokio::select! {
                biased;
                // 1. The worker is being stopped.
                () = stop.soft() => return,
                // 2. A request of this worker, and those that wait behind it.
                Some(command) = commands.recv() => {
                    self.serve(command).await;
                    for _ in 1..REQUESTS {
                        let Ok(command) = commands.try_recv() else { break };
                        self.serve(command).await;
                    }
                }
                // 3. Who leads may have changed, and who is there.
                Ok(()) = standing.changed() => self.look.add(&Scope::All),
                // 4. Something was written.
                Ok(()) = self.look.changed() => {}
                // 5. Another try after an error of the log.
                () = until(retry_at), if retry_at.is_some() => {}
            }
            self.turn().await;
        }
    }

    async fn serve(&mut self, Command { order, reply }: Command) {
        // Who asked may have gone.
        let _ = reply.send(self.obey(order, None).await);
    }

    /// Does everything that is to be done now.
    async fn turn(&mut self) {
        self.retry_at = None;
        if let Err(error) = self.try_turn().await {
            tracing::warn!(%error, "what is wanted cannot be done now");
            self.retry_at = Some(Instant::now() + RETRY_DELAY);
            self.look.add(&Scope::All);
        }
    }

    async fn try_turn(&mut self) -> Result<()> {
        if !self.take_pen().await? {
            return Ok(());
        }
        let mut looked_at = Scope::default();
        for _ in 0..MAX_ROUNDS {
            let mut is_done = !self.answer_others().await?;
            let scope = self.look.take();
            is_done &= !self.make_plans(&scope).await?;
            is_done &= !self.seat(&scope).await?;
            looked_at.join(&scope);
            if is_done {
                return self.clean_up(&looked_at).await;
            }
        }
        let what = "leading does not come to an end";
        Err(Error::new(&connect_core::error::INTERNAL, what))
    }

    /// Whether this worker leads, with the pen in its hand.
    async fn take_pen(&mut self) -> Result<bool> {
        let standing = self.shared.place.standing();
        let leading = standing.filter(|s| s.view.is_leader() && s.lease.holds());
        let Some(leading) = leading else {
            if self.pen.take().is_some() {
                tracing::info!("this worker does not lead any more");
            }
            return Ok(false);
        };
        if self
            .pen
            .as_ref()
            .is_some_and(|(me, _)| *me == leading.view.me)
        {
            return Ok(true);
        }
        self.pen = None;
        self.shared.stage.begin("taking over the lead");
        let shared = &self.shared;
        let group = &shared.config.group_id;
        let pen = Pen::take(&shared.log, group, &shared.by, &shared.numbers).await?;
        // Whoever led before cannot write any more: this is all there is.
        shared.configs.catch_up().await?;
        shared.cluster.catch_up().await?;
        self.plans.clear();
        self.waiting.clear();
        self.look.add(&Scope::All);
        self.pen = Some((leading.view.me, pen));
        self.forget_strangers();
        self.shared.stage.end();
        tracing::info!(
            members = leading.view.members.len(),
            "this worker leads its group"
        );
        Ok(true)
    }

    /// Statuses of connectors that nobody wants: they were deleted while nobody was there.
    fn forget_strangers(&self) {
        let desired = self.shared.desired.read();
        for name in self.shared.statuses.connectors(&Scope::All) {
            if !desired.connectors.contains_key(&name) {
                self.shared.statuses.remove_connector(&name);
            }
        }
    }

    /// Writes, then lets it count.
    async fn write(&mut self, configs: &[ConfigRecord], entries: &[Entry]) -> Result<()> {
        if configs.is_empty() && entries.is_empty() {
            return Ok(());
        }
        let Some((_, pen)) = &mut self.pen else {
            return Err(Error::new(&MOVED, "Another worker leads now"));
        };
        let records: Vec<Entry> = configs.iter().map(ConfigRecord::entry).collect();
        let shared = &self.shared;
        let parts = [
            (shared.configs.topic(), records.as_slice()),
            (shared.cluster.topic(), entries),
        ];
        match pen.write(&parts).await {
            Ok(first) => {
                shared.configs.wrote(configs, first);
                shared.cluster.wrote(entries, first + configs.len() as u64);
                Ok(())
            }
            Err(error) => {
                // What became of it is known to the next pen.
                self.pen = None;
                Err(error)
            }
        }
    }

    /// Does what is asked for; the answer is stored with it when another worker has asked.
    async fn obey(&mut self, order: Order, of: Option<&RequestId>) -> Result<Answer> {
        self.shared.stage.begin(order.describe());
        let obeyed = self.decide_and_write(order, of).await;
        self.shared.stage.end();
        obeyed
    }

    async fn decide_and_write(&mut self, order: Order, of: Option<&RequestId>) -> Result<Answer> {
        if matches!(order, Order::Ping) {
            return Ok(Answer::Done);
        }
        if !self.take_pen().await? {
            return Err(Error::new(&MOVED, "Another worker leads now"));
        }
        let decided = self.decide(&order).await;
        let answer = decided.as_ref().map(|decision| decision.answer.clone());
        let answer = answer.map_err(Clone::clone);
        let (configs, mut entries) = match decided {
            Ok(decision) => (decision.configs, decision.entries),
            Err(_) => Default::default(),
        };
        if let Some(id) = of {
            entries.extend(reply_entries(id, Some(Answered::of(answer.clone()))));
        }
        self.write(&configs, &entries).await?;
        if answer.is_ok() {
            self.follow_up(&order).await;
        }
        answer
    }

    /// Whether there was a request of another worker.
    async fn answer_others(&mut self) -> Result<bool> {
        let requests: Vec<(RequestId, Order)> = {
            let known = self.shared.cluster.known();
            let to_leader = known
                .requests
                .iter()
                .filter(|(_, r)| r.whom == Whom::Leader);
            to_leader
                .map(|(id, request)| (id.clone(), request.order.clone()))
                .collect()
        };
        let any = !requests.is_empty();
        for (id, order) in requests {
            if let Err(error) = self.obey(order, Some(&id)).await
                && self.pen.is_none()
            {
                return Err(error);
            }
        }
        Ok(any)
    }

    /// Gives seats to workers, and takes them; tells whether there was something to do. Then all are looked at, to be evened out.
    async fn seat(&mut self, scope: &Scope) -> Result<bool> {
        let Some(standing) = self.shared.place.standing() else {
            return Ok(false);
        };
        let workers = workers(&standing.view.members);
        let (changed, mut version) = {
            let desired = self.shared.desired.read();
            let known = self.shared.cluster.known();
            let scene = Scene {
                desired: &desired,
                assignments: &known.assignments,
                reports: &known.reports,
                workers: &workers,
                plans: &self.plans,
            };
            (lead(scene, scope), known.version)
        };
        if !changed.is_empty() && (!scope.is_all() || changed.len() > AT_ONCE) {
            self.look.add(&Scope::All);
        }
        let mut gone = Vec::new();
        let mut entries = Vec::new();
        for (name, assignment) in changed.into_iter().take(AT_ONCE) {
            version += 1;
            let assignment = assignment.map(|assignment| Assignment {
                version,
                ..assignment
            });
            entries.push(assignment_entry(&name, assignment.as_ref()));
            if assignment.is_none() {
                gone.push(name);
            }
        }
        self.write(&[], &entries).await?;
        for name in gone {
            self.shared.statuses.remove_connector(&name);
            self.plans.remove(&name);
        }
        Ok(!entries.is_empty())
    }

    /// Removes what members have left who are gone, and statuses of tasks that are no more.
    async fn clean_up(&mut self, scope: &Scope) -> Result<()> {
        let Some(standing) = self.shared.place.standing() else {
            return Ok(());
        };
        let members = &standing.view.members;
        let mut entries = Vec::new();
        {
            let known = self.shared.cluster.known();
            let gone = |member: &&String| !members.contains_key(*member);
            let reports = known.reports.keys().filter(gone);
            entries.extend(reports.map(|member| report_entry(member, None)));
            let requests = known.requests.keys().chain(known.replies.keys());
            let orphans = requests.filter(|id| gone(&&id.member));
            entries.extend(orphans.flat_map(|id| reply_entries(id, None)));
            for name in self.shared.statuses.connectors(scope) {
                let is_wanted = self.shared.desired.read().connectors.contains_key(&name);
                if !is_wanted && !known.assignments.contains_key(&name) {
                    self.shared.statuses.remove_connector(&name);
                }
            }
            for (name, assignment) in scope.of(&known.assignments) {
                if assignment.leaving.is_empty() {
                    let count = assignment.tasks.len() as u32;
                    self.shared.forget_tasks(name, count);
                }
            }
        }
        self.write(&[], &entries).await
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        sleep_until(at).await;
    }
}

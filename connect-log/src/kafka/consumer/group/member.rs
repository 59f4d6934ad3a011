//! The life of a member: it joins, stays, and leaves.

use std::{sync::Arc, time::Duration};

use connect_core::Error;
use kafka_protocol::{
    messages::{GroupId, LeaveGroupRequest, leave_group_request::MemberIdentity},
    protocol::StrBytes,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Group,
    join::{Joined, Role},
    pulse::Beat,
    standing::{Identity, Standing},
    watcher::Watcher,
};
use crate::{
    NOT_MEMBER, UNAVAILABLE,
    kafka::{
        consumer::plan::Shared,
        wire::{Kind, Peer},
    },
};

const LEAVE: i16 = 5;
/// Between two joins that follow each other.
const SHORT_PAUSE: Duration = Duration::from_millis(10);
/// Between two tries while the coordinator is away.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two tries while the coordinator refuses us: the reader is told each time.
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// The most that leaving may take. Else the group waits for the end of the session.
const GOODBYE: Duration = Duration::from_secs(5);

/// A member in its task.
pub(super) struct Life {
    pub(super) shared: Arc<Shared>,
    pub(super) group: Arc<Group>,
    pub(super) coordinator: Peer,
    pub(super) topics: watch::Receiver<Vec<String>>,
    /// When the coordinator last said that we are a member.
    pub(super) heard: Instant,
}

/// Joins the group for these topics and stays a member, until it is told that it is `closing`; then it leaves.
pub(in super::super) async fn run(
    shared: Arc<Shared>,
    group: Arc<Group>,
    topics: watch::Receiver<Vec<String>>,
    mut closing: watch::Receiver<bool>,
) {
    let settings = &shared.settings;
    // A join is answered when all others have joined, or have been waited for in vain.
    let longest = settings.group.poll + Duration::from_secs(5);
    let mut life = Life {
        coordinator: Peer::new(Kind::Group, group.name.clone()).within(longest),
        shared,
        group,
        topics,
        heard: Instant::now(),
    };
    tokio::select! {
        biased;
        // 1. The reader has been closed, or is gone.
        _ = closing.wait_for(|closing| *closing) => {}
        // 2. Another one has taken the place.
        () = life.stay() => return,
    }
    life.leave().await;
}

impl Life {
    pub(super) fn standing(&self) -> &Standing {
        &self.group.standing
    }

    /// Returns when there is no way back.
    async fn stay(&mut self) {
        loop {
            if self.is_forgotten() {
                self.step_out().await;
            }
            if !self.has_given_up().await {
                continue;
            }
            self.standing().joins(true);
            let joined = self.join().await;
            match joined {
                Ok(Joined::In(role)) => {
                    self.standing().joins(false);
                    self.shared.arrived.notify_one();
                    if self.beat_on(role).await == Beat::Replaced {
                        return self.replaced().await;
                    }
                }
                Ok(Joined::Again) => sleep(SHORT_PAUSE).await,
                Ok(Joined::Late) => self.late(),
                Ok(Joined::Out) => self.out(),
                Ok(Joined::Strangers) => self.strangers().await,
                Ok(Joined::Replaced) => return self.replaced().await,
                Err(error) => self.wait(error).await,
            }
        }
    }

    /// Gives up what has to be given up before a join. False when the reader does not do so.
    async fn has_given_up(&mut self) -> bool {
        let settings = &self.shared.settings.group;
        if !settings.is_cooperative() {
            self.standing().give_all_up();
        }
        self.shared.arrived.notify_one();
        while !self.standing().has_given_up() {
            if self.is_forgotten() {
                return false;
            }
            let pause = self.shared.settings.group.heartbeat;
            let moved = timeout(pause, self.group.standing.moved.notified()).await;
            // Members that take their time are still there.
            if moved.is_err() {
                let beat = self.beat().await;
                self.mind(beat);
            }
        }
        true
    }

    /// Until the group has to be joined again.
    async fn beat_on(&mut self, role: Role) -> Beat {
        let interval = self.shared.settings.group.heartbeat;
        let mut watcher = Watcher::start(&self.shared, role.watched);
        let mut next = Instant::now() + interval;
        loop {
            tokio::select! {
                // 1. The reader wants other topics.
                Ok(()) = self.topics.changed() => return Beat::Rejoin,
                // 2. There are other topics or partitions.
                () = watcher.changed() => return Beat::Rejoin,
                // 3. The reader has done something.
                () = self.group.standing.moved.notified() => {}
                // 4. The coordinator wants to hear that we live.
                () = sleep_until(next) => {
                    let beat = self.beat().await;
                    next = Instant::now() + if beat == Beat::Unknown { interval.min(PAUSE) } else { interval };
                    if !matches!(beat, Beat::Well | Beat::Unknown) {
                        self.mind(beat);
                        return beat;
                    }
                }
            }
            // Who has given something up joins again, so that another one gets it.
            if self.is_forgotten() || (role.gives_up && self.standing().has_given_up()) {
                return Beat::Rejoin;
            }
        }
    }

    fn is_forgotten(&self) -> bool {
        let limit = self.shared.settings.group.poll;
        self.standing().is_forgotten(limit)
    }

    /// The reader is not polled: others get its partitions, and it comes back when it is.
    async fn step_out(&mut self) {
        tracing::warn!(
            group = &*self.group.name,
            "a reader was not polled for longer than `max.poll.interval.ms`, and leaves its group until it is"
        );
        self.leave_group().await;
        self.out();
        while self.is_forgotten() {
            self.group.standing.moved.notified().await;
        }
    }

    /// Nothing is ours any more, when a heartbeat says so.
    fn mind(&mut self, beat: Beat) {
        match beat {
            Beat::Late => self.late(),
            Beat::Out => self.out(),
            Beat::Well | Beat::Rejoin | Beat::Replaced | Beat::Unknown => {}
        }
    }

    /// The group went on without us: nothing is ours any more, but our name may be.
    fn late(&mut self) {
        self.standing().lose();
        self.shared.arrived.notify_one();
    }

    /// The others share in another way: the reader is told until they are gone, or do as we do.
    async fn strangers(&mut self) {
        let what = "the group's other members share partitions in another way: set `partition.assignment.strategy` as they do";
        self.shared.fail(Error::new(&UNAVAILABLE, what));
        sleep(LONG_PAUSE).await;
    }

    /// Out of the group: nothing is ours any more.
    pub(super) fn out(&mut self) {
        self.standing().lose();
        self.standing().is(Identity {
            member: StrBytes::new(),
            generation: -1,
        });
        self.shared.arrived.notify_one();
    }

    /// Another one has our `group.instance.id`.
    async fn replaced(&mut self) {
        self.out();
        loop {
            let what = "another reader has the same `group.instance.id`: give each its own";
            self.shared.fail(Error::new(&NOT_MEMBER, what));
            sleep(LONG_PAUSE).await;
        }
    }

    async fn wait(&mut self, error: Error) {
        self.coordinator.forget();
        if self.heard.elapsed() > self.shared.settings.group.session {
            // The coordinator has given our partitions away, whether it can say so or not.
            self.late();
        }
        if error.code() == &UNAVAILABLE {
            tracing::debug!(error = %error.report(), "a reader cannot join its group");
            sleep(PAUSE).await;
        } else {
            self.shared.fail(error);
            sleep(LONG_PAUSE).await;
        }
    }

    /// Says goodbye. Who has an instance id keeps its place until the session ends (KIP-345).
    async fn leave(mut self) {
        if self.shared.settings.group.instance.is_none() {
            self.leave_group().await;
        }
    }

    async fn leave_group(&mut self) {
        let (identity, _) = self.standing().identity();
        if identity.member.is_empty() {
            return;
        }
        let member = MemberIdentity::default()
            .with_member_id(identity.member)
            .with_group_instance_id(self.shared.settings.group.instance.clone());
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(self.group.name.clone()))
            .with_members(vec![member]);
        let left = self
            .coordinator
            .ask_once(&self.shared.cluster, &request, LEAVE);
        match timeout(GOODBYE, left).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::debug!(error = %error.report(), "a reader could not leave its group")
            }
            Err(_) => tracing::debug!("a reader could not leave its group in time"),
        }
    }
}

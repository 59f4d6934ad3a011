//! A member of the group of workers, by Kafka's classic group protocol (KIP-62, KIP-345).
//!
//! The group is of type `connect`, as that of Kafka Connect's workers is, with another protocol in it: so a broker refuses us in a group
//! that has workers of Kafka Connect in it, and them in one of ours. A worker has an instance id: one that was killed and comes back
//! takes its place at once. What the leader assigns to every member is the view of the group, and nothing else.

mod requests;

use std::{sync::Arc, time::Duration};

use connect_core::{Error, Result};
use kafka_protocol::{ResponseError, protocol::StrBytes};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    client::Health,
    properties::Properties,
    wire::{Cluster, Dial, Kind, Peer, unavailable},
};
use crate::{
    Member, MemberSpec, View,
    member::{Lease, Standing},
};

/// Between two joins that follow each other.
const SHORT_PAUSE: Duration = Duration::from_millis(10);
/// Between two tries while the coordinator is away or refuses us.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two tries to join a group that others use in another way.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// Joins in the background, and stays a member until it is told to leave.
pub(super) fn join(config: &Properties, health: &Health, spec: MemberSpec) -> Result<Member> {
    let bootstrap = config.get("bootstrap.servers").unwrap_or_default();
    let mut dial = Dial::read(config)?;
    dial.setup = dial.setup.min(spec.session);
    dial.answer = spec.session;
    let heart = Cluster::new(bootstrap, dial.clone(), health.clone());
    // A join waits for the other members, who may be silent until their sessions end.
    dial.answer = spec.rebalance + Duration::from_secs(5);
    let joins = Cluster::new(bootstrap, dial, health.clone());
    let (standing, watched) = watch::channel(None);
    let (trouble, troubles) = watch::channel(None);
    let (leave, leaving) = watch::channel(false);
    let group = StrBytes::from_string(spec.group.clone());
    let life = Life {
        joins,
        join: Peer::new(Kind::Group, group.clone()),
        pulse: Pulse {
            cluster: heart,
            peer: Peer::new(Kind::Group, group),
            spec: Arc::new(spec),
            id: StrBytes::new(),
            generation: -1,
            lease: Lease::ended(),
            last_well: Instant::now(),
        },
        tries: 0,
        standing,
        trouble,
    };
    let task = tokio::spawn(life.run(leaving));
    Ok(Member::of(watched, troubles, leave, task))
}

/// What keeps a member in the group.
struct Pulse {
    cluster: Cluster,
    peer: Peer,
    spec: Arc<MemberSpec>,
    /// Empty before the coordinator has given one.
    id: StrBytes,
    generation: i32,
    lease: Lease,
    /// When the group was last known not to be formed anew.
    last_well: Instant,
}

/// A member's life.
struct Life {
    joins: Cluster,
    join: Peer,
    pulse: Pulse,
    /// Part of what a join carries: a join with a new number makes the group look at its members again.
    tries: u64,
    standing: watch::Sender<Option<Standing>>,
    trouble: watch::Sender<Option<String>>,
}

/// What a heartbeat tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    /// All is as it was.
    Well,
    /// The group is being formed anew.
    Rejoin,
    /// The group does not know us any more.
    Out,
    /// Another worker with our instance id is there.
    Replaced,
}

/// What joining gives.
enum Joined {
    /// The group as it is now.
    View(View),
    /// Once more, at once.
    Again,
    /// See [`Beat`].
    Out,
    Replaced,
}

impl Life {
    async fn run(mut self, mut leaving: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            // 1. It is told to leave; a dropped handle ends this task from outside.
            _ = leaving.wait_for(|leave| *leave) => {}
            // 2. Another worker has taken the place.
            () = self.stay() => return,
        }
        self.pulse.lease.lose();
        self.leave().await;
    }

    /// Joins and stays. Returns when there is no way back.
    async fn stay(&mut self) {
        loop {
            let joined = self.join_once().await;
            match joined {
                Ok(Joined::View(view)) => {
                    self.trouble.send_replace(None);
                    let lease = self.pulse.lease.clone();
                    self.standing.send_replace(Some(Standing { view, lease }));
                    if self.pulse.beat_on().await == Beat::Replaced {
                        return self.replaced();
                    }
                    // Out, or the group is formed anew: the next join tells which, and the lease tells the rest meanwhile.
                    if self.pulse.lease.is_lost() {
                        self.out();
                    }
                }
                Ok(Joined::Again) => sleep(SHORT_PAUSE).await,
                Ok(Joined::Out) => self.out(),
                Ok(Joined::Replaced) => return self.replaced(),
                Err(error) => self.wait(error).await,
            }
        }
    }

    /// Out of the group: the next life begins.
    fn out(&mut self) {
        self.pulse.lease.lose();
        if self.standing.send_replace(None).is_some() {
            tracing::warn!(
                group = self.pulse.spec.group,
                "this worker has fallen out of its group, and joins it again"
            );
        }
        self.pulse.id = StrBytes::new();
        self.pulse.generation = -1;
        self.pulse.lease = Lease::ended();
    }

    fn replaced(&mut self) {
        self.out();
        let why = format!(
            "Another worker with the same address has joined the group {}: give each worker its own \
             `rest.advertised.host.name` and `rest.advertised.port`, then start this one again",
            self.pulse.spec.group
        );
        tracing::error!("{why}");
        self.trouble.send_replace(Some(why));
    }

    /// Heartbeats go on meanwhile, so that the lease of a member that is known does not end.
    async fn wait(&mut self, error: Error) {
        let (is_new, pause) = match error.code() == &crate::UNAVAILABLE {
            true => (false, PAUSE),
            false => (self.trouble.borrow().is_none(), LONG_PAUSE),
        };
        if is_new {
            tracing::error!(error = %error.report(), "this worker cannot join its group");
        }
        self.trouble.send_replace(Some(error.report()));
        self.join.forget();
        sleep(pause).await;
    }

    /// Joins, and learns who else is there.
    async fn join_once(&mut self) -> Result<Joined> {
        self.tries += 1;
        let request = requests::join(&self.pulse.spec, &self.pulse.id, self.tries);
        let joined = {
            let Self {
                joins, join, pulse, ..
            } = self;
            let join = join.ask_once(joins, &request, requests::JOIN);
            let beats = pulse.beat_meanwhile();
            tokio::select! {
                biased;
                // 1. The group is formed.
                joined = join => joined?,
                // 2. Meanwhile the group has forgotten us.
                beat = beats => return Ok(match beat { Beat::Replaced => Joined::Replaced, _ => Joined::Out }),
            }
        };
        if let Some(other) = refused(joined.error_code)? {
            return Ok(match other {
                // The coordinator wants the id that it gives back.
                Refusal::NeedsId => {
                    self.pulse.id = joined.member_id;
                    Joined::Again
                }
                other => other.into(),
            });
        }
        if self.pulse.id != joined.member_id && self.pulse.generation >= 0 {
            self.out();
        }
        self.pulse.id = joined.member_id.clone();
        self.pulse.generation = joined.generation_id;
        self.sync(&joined).await
    }

    async fn sync(&mut self, joined: &requests::JoinAnswer) -> Result<Joined> {
        let request = requests::sync(&self.pulse.spec, joined);
        let sent = Instant::now();
        let synced = self.join.ask_once(&self.joins, &request, requests::SYNC);
        let synced = timeout(self.pulse.spec.session, synced).await;
        let synced = synced
            .unwrap_or_else(|_| Err(unavailable("the group's coordinator does not answer")))?;
        match refused(synced.error_code)? {
            None => {}
            // The leader has gone in between, or somebody has come.
            Some(Refusal::Rejoin | Refusal::NeedsId) => return Ok(Joined::Again),
            Some(other) => return Ok(other.into()),
        }
        self.pulse.well(sent);
        let Some((leader, members)) = requests::read_view(&synced.assignment) else {
            return Ok(Joined::Again);
        };
        let me = self.pulse.id.to_string();
        // A view from before this life: the place was taken without the others being asked.
        if members.get(&me) != Some(&self.pulse.spec.card) || !members.contains_key(&leader) {
            return Ok(Joined::Again);
        }
        Ok(Joined::View(View {
            generation: self.pulse.generation,
            me,
            leader,
            members,
        }))
    }

    /// Gives the place up. A member that is alone keeps it until its session ends: so it comes back without the wait of an empty group.
    async fn leave(mut self) {
        let is_alone = |standing: &Standing| standing.view.members.len() <= 1;
        let alone = self.standing.borrow().as_ref().is_some_and(is_alone);
        self.standing.send_replace(None);
        if self.pulse.id.is_empty() || alone {
            return;
        }
        let request = requests::leave(&self.pulse.spec, &self.pulse.id);
        let Pulse { cluster, peer, .. } = &mut self.pulse;
        match peer.ask_once(cluster, &request, requests::LEAVE).await {
            Ok(_) => tracing::info!("this worker has left its group"),
            Err(error) => tracing::warn!(%error, "this worker could not leave its group"),
        }
    }
}

impl Pulse {
    /// Until something other than well is told, or the coordinator does not answer for a session.
    async fn beat_on(&mut self) -> Beat {
        loop {
            sleep(self.spec.heartbeat).await;
            match self.beat().await {
                Some(Beat::Well) | None => {}
                Some(Beat::Out) => {
                    self.lease.lose();
                    return Beat::Out;
                }
                Some(other) => return other,
            }
        }
    }

    /// While a join waits: keeps the lease, and returns only when the group has forgotten us.
    async fn beat_meanwhile(&mut self) -> Beat {
        if self.generation < 0 {
            return std::future::pending().await;
        }
        loop {
            match self.beat().await {
                Some(beat @ (Beat::Out | Beat::Replaced)) => return beat,
                _ => sleep(self.spec.heartbeat).await,
            }
        }
    }

    /// One heartbeat. It renews the lease from when it was sent: the coordinator's clock of our silence began later. `None` when
    /// nobody answered.
    async fn beat(&mut self) -> Option<Beat> {
        let sent = Instant::now();
        let request = requests::heartbeat(&self.spec, &self.id, self.generation);
        let answer = self
            .peer
            .ask_once(&self.cluster, &request, requests::HEARTBEAT);
        let answer = timeout(self.spec.session / 2, answer).await;
        let code = match answer {
            Ok(Ok(answer)) => answer.error_code,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a heartbeat was not answered");
                return None;
            }
            Err(_) => return None,
        };
        let beat = match refused(code) {
            Ok(None) => Beat::Well,
            Ok(Some(Refusal::Rejoin)) => Beat::Rejoin,
            // After a join that was just completed; a member that is really late is told so by its next heartbeat.
            Ok(Some(Refusal::Late | Refusal::NeedsId)) => return Some(Beat::Rejoin),
            Ok(Some(Refusal::Out)) => return Some(Beat::Out),
            Ok(Some(Refusal::Replaced)) => return Some(Beat::Replaced),
            Err(_) => {
                self.peer.forget();
                return None;
            }
        };
        match beat {
            Beat::Well => self.well(sent),
            // A group that is formed anew leaves out who does not take part in time, though it is heard of.
            _ => self
                .lease
                .renew((sent + self.spec.session).min(self.last_well + self.spec.rebalance)),
        }
        Some(beat)
    }

    fn well(&mut self, sent: Instant) {
        self.last_well = sent;
        self.lease.renew(sent + self.spec.session);
    }
}

/// What a coordinator says instead of yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Rejoin,
    NeedsId,
    /// Of an earlier generation.
    Late,
    Out,
    Replaced,
}

impl From<Refusal> for Joined {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejoin | Refusal::NeedsId | Refusal::Late => Self::Again,
            Refusal::Out => Self::Out,
            Refusal::Replaced => Self::Replaced,
        }
    }
}

fn refused(code: i16) -> Result<Option<Refusal>> {
    let Some(kafka) = ResponseError::try_from_code(code) else {
        return Ok(None);
    };
    Ok(Some(match kafka {
        ResponseError::RebalanceInProgress => Refusal::Rejoin,
        ResponseError::MemberIdRequired => Refusal::NeedsId,
        ResponseError::IllegalGeneration => Refusal::Late,
        ResponseError::UnknownMemberId => Refusal::Out,
        ResponseError::FencedInstanceId => Refusal::Replaced,
        ResponseError::InconsistentGroupProtocol => {
            return Err(Error::new(
                &crate::GROUP_TAKEN,
                "the group has members of another kind",
            ));
        }
        _ => {
            let meaning = super::wire::verdict("join the group of workers", code);
            return Err(match meaning {
                super::wire::Verdict::Done => return Ok(None),
                super::wire::Verdict::Again(error)
                | super::wire::Verdict::OutOfOrder(error)
                | super::wire::Verdict::Never(error) => error,
            });
        }
    }))
}

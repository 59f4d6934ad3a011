//! Membership in the group of workers: who is there, who leads, and for how long that is sure.
//!
//! The log's own group protocol decides, so nobody else has to agree on anything. Three rules hold:
//!
//! 1. A [`View`] names every member and one leader; two members with the same generation have the same view.
//! 2. A member that was silent for the session's length is in no later view.
//! 3. A [`Lease`] ends before rule 2 can apply: whoever looks at it before it acts never acts beside its successor.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

/// How to be a member.
#[derive(Debug, Clone)]
pub struct MemberSpec {
    /// The group.
    pub group: String,
    /// Name for logs and the broker (`client.id`).
    pub client_id: String,
    /// Which worker this is: one that comes back under this id takes its own place at once, and no two may have the same.
    pub instance: Option<String>,
    /// What all members learn of this one. It differs between two lives of a worker.
    pub card: String,
    /// A member that is silent for so long is out of the group (`session.timeout.ms`).
    pub session: Duration,
    /// A member that is heard of but takes no part when the group is formed anew is out after so long (`rebalance.timeout.ms`).
    pub rebalance: Duration,
    /// How often a member is heard of (`heartbeat.interval.ms`).
    pub heartbeat: Duration,
}

/// Who is in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Grows with each change of the group.
    pub generation: i32,
    /// This member's id. It is new with each life of a member.
    pub me: String,
    /// The leader's id.
    pub leader: String,
    /// All members: their cards by their ids.
    pub members: BTreeMap<String, String>,
}

impl View {
    /// Whether this member leads.
    pub fn is_leader(&self) -> bool {
        self.me == self.leader
    }
}

/// Until when nobody else can have taken this member's place. Cheap to clone and to look at.
#[derive(Debug, Clone, Default)]
pub struct Lease(Arc<LeaseState>);

#[derive(Debug)]
struct LeaseState {
    began: Instant,
    /// Milliseconds after `began`.
    until_ms: AtomicU64,
    is_lost: AtomicBool,
}

impl Default for LeaseState {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            until_ms: AtomicU64::new(u64::MAX),
            is_lost: AtomicBool::new(false),
        }
    }
}

impl Lease {
    /// A lease that ends unless it is renewed.
    pub(crate) fn ended() -> Self {
        let lease = Self::default();
        lease.0.until_ms.store(0, Ordering::Release);
        lease
    }

    /// A lease that never holds: of somebody who is no member.
    pub fn lost() -> Self {
        let lease = Self::ended();
        lease.lose();
        lease
    }

    /// Whether it holds now.
    pub fn holds(&self) -> bool {
        let until = self.0.until_ms.load(Ordering::Acquire);
        let now = self.0.began.elapsed().as_millis();
        !self.0.is_lost.load(Ordering::Acquire) && now < u128::from(until)
    }

    /// Whether it will never hold again: somebody else may have taken over.
    pub fn is_lost(&self) -> bool {
        self.0.is_lost.load(Ordering::Acquire)
    }

    /// It holds until a moment. A lost one stays lost.
    pub(crate) fn renew(&self, until: Instant) {
        let millis = until.saturating_duration_since(self.0.began).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        self.0.until_ms.fetch_max(millis, Ordering::AcqRel);
    }

    /// It never holds again.
    pub(crate) fn lose(&self) {
        self.0.is_lost.store(true, Ordering::Release);
    }
}

/// One life in the group: an id that was given, the lease that belongs to it, and the views since.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Who is in the group.
    pub view: View,
    /// Of this member in this life. Another life has another one.
    pub lease: Lease,
}

/// A membership. Dropping it is being silent; [`Member::leave`] is polite.
#[derive(Debug)]
pub struct Member {
    standing: watch::Receiver<Option<Standing>>,
    trouble: watch::Receiver<Option<String>>,
    leave: Option<watch::Sender<bool>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// How long a member waits for the answer when it leaves.
const FAREWELL: Duration = Duration::from_secs(2);

impl Member {
    /// The only member there can be.
    pub(crate) fn alone(spec: &MemberSpec) -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let life = now.unwrap_or_default().as_nanos();
        let me = format!("{}-{}-{life}", spec.client_id, std::process::id());
        let view = View {
            generation: 1,
            leader: me.clone(),
            members: BTreeMap::from([(me.clone(), spec.card.clone())]),
            me,
        };
        let lease = Lease::default();
        // The senders may go: what they have sent stays.
        let (_, standing) = watch::channel(Some(Standing { view, lease }));
        let (_, trouble) = watch::channel(None);
        Self {
            standing,
            trouble,
            leave: None,
            task: Mutex::new(None),
        }
    }

    pub(crate) fn of(
        standing: watch::Receiver<Option<Standing>>,
        trouble: watch::Receiver<Option<String>>,
        leave: watch::Sender<bool>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            standing,
            trouble,
            leave: Some(leave),
            task: Mutex::new(Some(task)),
        }
    }

    /// Where this member stands: `None` before it is in the group, and again when it has fallen out of it.
    pub fn standing(&self) -> watch::Receiver<Option<Standing>> {
        self.standing.clone()
    }

    /// Why it is not in the group, as far as that is known.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Leaves the group, so that the others need not wait for the session's end.
    pub async fn leave(&self) {
        if let Some(leave) = &self.leave {
            leave.send_replace(true);
        }
        let task = self.task.lock().take();
        if let Some(task) = task {
            let abort = task.abort_handle();
            if timeout(FAREWELL, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(task) = &*self.task.lock() {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_holds_until_its_end() {
        let lease = Lease::ended();
        assert!(!lease.holds());
        lease.renew(Instant::now() + Duration::from_secs(6));
        assert!(lease.holds());
        tokio::time::advance(Duration::from_secs(7)).await;
        assert!(!lease.holds());
        lease.renew(Instant::now() + Duration::from_secs(6));
        assert!(lease.holds() && !lease.is_lost());
        lease.lose();
        lease.renew(Instant::now() + Duration::from_secs(60));
        assert!(!lease.holds() && lease.is_lost());
    }
}

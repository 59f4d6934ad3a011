//! Members of a group of workers on a real broker.

use std::{sync::Arc, time::Duration};

use connect_log::{Log, Member, MemberSpec, Standing, kafka::KafkaLog};
use tokio::time::timeout;

use super::broker::{log, unique};

/// A condition that is not met for so long never will be.
const PATIENCE: Duration = Duration::from_secs(60);

fn spec(group: &str, worker: &str, life: u32) -> MemberSpec {
    MemberSpec {
        group: group.to_owned(),
        client_id: worker.to_owned(),
        instance: Some(worker.to_owned()),
        card: format!("{worker}/{life}"),
        session: Duration::from_secs(6),
        rebalance: Duration::from_secs(30),
        heartbeat: Duration::from_millis(300),
    }
}

async fn join(log: &Arc<KafkaLog>, group: &str, worker: &str, life: u32) -> Member {
    log.join(spec(group, worker, life)).await.unwrap()
}

/// Waits until a member stands among these.
async fn among(member: &Member, cards: &[&str]) -> Standing {
    let mut standing = member.standing();
    let wanted = |standing: &Option<Standing>| {
        let members = standing.as_ref().map(|s| &s.view.members);
        let found: Option<Vec<&str>> =
            members.map(|all| all.values().map(String::as_str).collect());
        found.is_some_and(|mut found| {
            found.sort_unstable();
            found == cards
        })
    };
    let found = timeout(PATIENCE, standing.wait_for(wanted)).await;
    found.expect("the view in time").unwrap().clone().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_agree_on_who_is_there_and_who_leads() {
    let (log, group) = (log(), unique("workers"));
    let a = join(&log, &group, "a", 1).await;
    let alone = among(&a, &["a/1"]).await;
    assert!(alone.view.is_leader() && alone.lease.holds());
    let b = join(&log, &group, "b", 1).await;
    let c = join(&log, &group, "c", 1).await;
    let all = ["a/1", "b/1", "c/1"];
    let (of_a, of_b, of_c) = tokio::join!(among(&a, &all), among(&b, &all), among(&c, &all));
    assert_eq!(
        (&of_a.view.leader, &of_a.view.leader),
        (&of_b.view.leader, &of_c.view.leader)
    );
    assert!(of_a.view.is_leader(), "the leader stays while others come");
    // One leaves: the others go on, and the first of them leads.
    a.leave().await;
    let (of_b, of_c) = tokio::join!(among(&b, &["b/1", "c/1"]), among(&c, &["b/1", "c/1"]));
    assert_ne!(of_b.view.is_leader(), of_c.view.is_leader());
    assert!(of_b.lease.holds() && !of_a.lease.holds());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_member_is_out_when_its_lease_has_ended() {
    let (log, group) = (log(), unique("workers"));
    let a = join(&log, &group, "a", 1).await;
    let b = join(&log, &group, "b", 1).await;
    among(&a, &["a/1", "b/1"]).await;
    let of_b = among(&b, &["a/1", "b/1"]).await;
    drop(b);
    among(&a, &["a/1"]).await;
    assert!(!of_b.lease.holds());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_comes_back_takes_its_place_and_is_the_only_one_of_its_name() {
    let (log, group) = (log(), unique("workers"));
    let a = join(&log, &group, "a", 1).await;
    let b = join(&log, &group, "b", 1).await;
    let before = among(&a, &["a/1", "b/1"]).await;
    among(&b, &["a/1", "b/1"]).await;
    let again = join(&log, &group, "a", 2).await;
    let (of_again, of_b) = tokio::join!(among(&again, &["a/2", "b/1"]), among(&b, &["a/2", "b/1"]));
    assert_eq!(of_again.view.leader, of_b.view.leader);
    assert_ne!(of_again.view.me, before.view.me);
    // The first one is told, and keeps still.
    let mut standing = a.standing();
    timeout(PATIENCE, standing.wait_for(Option::is_none))
        .await
        .unwrap()
        .unwrap();
    assert!(before.lease.is_lost());
    assert!(
        a.trouble().unwrap().contains("same address"),
        "{:?}",
        a.trouble()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lone_worker_that_comes_back_leads_again() {
    let (log, group) = (log(), unique("workers"));
    let first = join(&log, &group, "a", 1).await;
    among(&first, &["a/1"]).await;
    drop(first);
    let second = join(&log, &group, "a", 2).await;
    assert!(among(&second, &["a/2"]).await.view.is_leader());
    second.leave().await;
    let third = join(&log, &group, "a", 3).await;
    assert!(among(&third, &["a/3"]).await.view.is_leader());
}

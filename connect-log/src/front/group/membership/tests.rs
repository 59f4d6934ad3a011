use std::time::Duration;

use super::*;

const SESSION: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn asks(id: &str, protocols: &[&str]) -> Joining {
    let protocols = protocols.iter();
    Joining {
        group: "g".to_owned(),
        id: text(id),
        instance: None,
        client_id: text("client"),
        address: text("127.0.0.1"),
        session: SESSION,
        patience: PATIENCE,
        protocol_type: text("consumer"),
        protocols: protocols
            .map(|name| (text(name), Bytes::from(format!("{name} of {id}"))))
            .collect(),
        twice: false,
    }
}

type Answer<T> = oneshot::Receiver<Result<T, Refusal>>;

fn wait<T>(step: Step<T>) -> Answer<T> {
    match step {
        Step::Wait(answer) => answer,
        Step::Now(_) => panic!("it is answered already"),
    }
}

fn told<T>(mut answer: Answer<T>) -> Result<T, Refusal> {
    answer.try_recv().expect("an answer")
}

fn error<T: std::fmt::Debug>(step: Step<T>) -> ResponseError {
    match step {
        Step::Now(told) => told.expect_err("an error").error,
        Step::Wait(answer) => told(answer).expect_err("an error").error,
    }
}

/// A group of two that reads: `a` leads, and has `all`, and `b` has `none`.
fn two(now: Instant) -> Membership {
    let mut group = Membership::default();
    let a = told(wait(group.join(&asks("", &["range"]), text("a"), now))).expect("joined");
    assert_eq!(
        (&*a.id, &*a.leader, a.generation, a.members.len()),
        ("a", "a", 1, 1)
    );
    let mut b = wait(group.join(&asks("", &["range"]), text("b"), now));
    assert!(b.try_recv().is_err(), "it waits for a");
    assert_eq!(
        group.heartbeat(&text("a"), 1, now),
        Err(ResponseError::RebalanceInProgress)
    );
    let a = told(wait(group.join(&asks("a", &["range"]), text("x"), now))).expect("joined");
    let b = told(b).expect("joined");
    assert_eq!((a.generation, b.generation), (2, 2));
    assert_eq!(
        (a.members.len(), b.members.len()),
        (2, 0),
        "the leader is told of all"
    );
    let of_b = wait(group.sync(&text("b"), 2, Vec::new(), now));
    let shared = vec![
        (text("a"), Bytes::from_static(b"all")),
        (text("b"), Bytes::from_static(b"none")),
    ];
    let of_a = told(wait(group.sync(&text("a"), 2, shared, now))).expect("synced");
    let of_b = told(of_b).expect("synced");
    assert_eq!(
        (&of_a.assignment[..], &of_b.assignment[..]),
        (&b"all"[..], &b"none"[..])
    );
    assert_eq!(group.phase, Phase::Stable);
    group
}

#[test]
fn two_members_share() {
    let now = Instant::now();
    let mut group = two(now);
    assert_eq!(group.heartbeat(&text("b"), 2, now), Ok(()));
    assert_eq!(
        group.heartbeat(&text("b"), 1, now),
        Err(ResponseError::IllegalGeneration)
    );
    assert_eq!(
        group.heartbeat(&text("c"), 2, now),
        Err(ResponseError::UnknownMemberId)
    );
    assert_eq!(group.may_commit(&text("b"), 2, now), Ok(()));
    assert_eq!(
        group.may_commit(&text("b"), 1, now),
        Err(ResponseError::IllegalGeneration)
    );
    let outside = group.may_commit(&text(""), -1, now);
    assert_eq!(
        outside,
        Err(ResponseError::UnknownMemberId),
        "it has members"
    );
    let again = group.sync(&text("b"), 2, Vec::new(), now);
    assert!(matches!(again, Step::Now(Ok(synced)) if synced.assignment[..] == *b"none"));
}

#[test]
fn who_is_silent_for_a_session_is_dead() {
    let now = Instant::now();
    let mut group = two(now);
    assert_eq!(group.expire(now), Some(now + SESSION));
    let later = now + SESSION - Duration::from_secs(1);
    assert_eq!(group.heartbeat(&text("b"), 2, later), Ok(()));
    let dead = now + SESSION;
    group.expire(dead);
    assert_eq!(group.members.len(), 1);
    // b is told, joins again and leads.
    assert_eq!(
        group.heartbeat(&text("b"), 2, dead),
        Err(ResponseError::RebalanceInProgress)
    );
    let b = told(wait(group.join(&asks("b", &["range"]), text("x"), dead))).expect("joined");
    assert_eq!((&*b.leader, b.generation), ("b", 3));
    assert_eq!(
        group.heartbeat(&text("a"), 2, dead),
        Err(ResponseError::UnknownMemberId)
    );
}

#[test]
fn who_does_not_come_back_in_time_is_left_behind() {
    let now = Instant::now();
    let mut group = two(now);
    let mut c = wait(group.join(&asks("", &["range"]), text("c"), now));
    let a = wait(group.join(&asks("a", &["range"]), text("x"), now));
    // b shows that it is alive, but does not join.
    let mut at = now;
    while at < now + PATIENCE {
        assert!(c.try_recv().is_err(), "it waits for b");
        group.expire(at);
        let alive = group.heartbeat(&text("b"), 2, at);
        assert_eq!(alive, Err(ResponseError::RebalanceInProgress));
        at += SESSION / 2;
    }
    group.expire(now + PATIENCE);
    assert_eq!(told(a).expect("joined").members.len(), 2);
    assert_eq!(told(c).expect("joined").generation, 3);
}

#[test]
fn a_leader_that_does_not_share_is_left_behind() {
    let now = Instant::now();
    let mut group = two(now);
    let c = wait(group.join(&asks("", &["range"]), text("c"), now));
    let b = wait(group.join(&asks("b", &["range"]), text("x"), now));
    told(wait(group.join(&asks("a", &["range"]), text("x"), now))).expect("joined");
    assert_eq!(
        (
            told(b).expect("b").generation,
            told(c).expect("c").generation
        ),
        (3, 3)
    );
    let of_b = wait(group.sync(&text("b"), 3, Vec::new(), now));
    let of_c = wait(group.sync(&text("c"), 3, Vec::new(), now));
    let mut at = now;
    while at < now + PATIENCE {
        assert_eq!(group.heartbeat(&text("a"), 3, at), Ok(()));
        group.expire(at);
        at += SESSION / 2;
    }
    group.expire(now + PATIENCE);
    for answer in [of_b, of_c] {
        let told = told(answer).expect_err("nothing was shared");
        assert_eq!(told.error, ResponseError::RebalanceInProgress);
    }
    assert!(!group.members.contains_key(&text("a")));
}

#[test]
fn who_leaves_makes_room_and_the_last_leaves_nothing() {
    let now = Instant::now();
    let mut group = two(now);
    assert_eq!(group.leave(&text("a"), None, now), Ok(()));
    assert_eq!(
        group.leave(&text("a"), None, now),
        Err(ResponseError::UnknownMemberId)
    );
    assert_eq!(
        group.heartbeat(&text("b"), 2, now),
        Err(ResponseError::RebalanceInProgress)
    );
    assert_eq!(group.leave(&text("b"), None, now), Ok(()));
    assert_eq!((group.len(), group.phase), (0, Phase::Empty));
    assert_eq!(group.expire(now), None);
    assert_eq!(group.may_commit(&text(""), -1, now), Ok(()));
}

#[test]
fn a_new_member_may_have_to_come_twice() {
    let now = Instant::now();
    let mut group = Membership::default();
    let mut first = asks("", &["range"]);
    first.twice = true;
    let Step::Now(Err(refusal)) = group.join(&first, text("a"), now) else {
        panic!("it is let in");
    };
    assert_eq!(
        (refusal.error, &*refusal.id),
        (ResponseError::MemberIdRequired, "a")
    );
    assert_eq!(group.expire(now), Some(now + SESSION));
    first.id = text("a");
    assert_eq!(
        told(wait(group.join(&first, text("x"), now)))
            .expect("joined")
            .leader,
        text("a")
    );
    // One that never comes is forgotten.
    first.id = text("");
    group.join(&first, text("b"), now);
    assert_eq!(group.len(), 2);
    group.expire(now + SESSION);
    let gone = asks("b", &["range"]);
    assert_eq!(
        error(group.join(&gone, text("x"), now)),
        ResponseError::UnknownMemberId
    );
}

#[test]
fn the_way_of_sharing_is_one_that_all_know_and_most_like() {
    let now = Instant::now();
    let mut group = Membership::default();
    wait(group.join(&asks("", &["sticky", "range"]), text("a"), now));
    let stranger = asks("", &["other"]);
    let refused = error(group.join(&stranger, text("s"), now));
    assert_eq!(refused, ResponseError::InconsistentGroupProtocol);
    let mut kind = asks("", &["range"]);
    kind.protocol_type = text("connect");
    let refused = error(group.join(&kind, text("s"), now));
    assert_eq!(refused, ResponseError::InconsistentGroupProtocol);
    let b = wait(group.join(&asks("", &["range", "other"]), text("b"), now));
    let again = asks("a", &["sticky", "range"]);
    let a = told(wait(group.join(&again, text("x"), now))).expect("joined");
    assert_eq!(
        (&*a.protocol, &*told(b).expect("joined").protocol),
        ("range", "range")
    );
    assert_eq!(a.members[1].2, Bytes::from_static(b"range of "));
}

#[test]
fn the_same_instance_comes_back_in_place_of_its_older_self() {
    let now = Instant::now();
    let mut group = Membership::default();
    let mut me = asks("", &["range"]);
    me.instance = Some(text("me"));
    me.twice = true;
    let joined = told(wait(group.join(&me, text("a"), now))).expect("joined");
    assert_eq!(&*joined.id, "a");
    let joined = told(wait(group.join(&me, text("b"), now))).expect("joined");
    assert_eq!((&*joined.id, group.members.len()), ("b", 1));
    me.id = text("a");
    let older = error(group.join(&me, text("x"), now));
    assert_eq!(older, ResponseError::FencedInstanceId);
    let leave = group.leave(&text(""), Some(&text("me")), now);
    assert_eq!((leave, group.len()), (Ok(()), 0));
}

use super::*;

fn begin(xid: u32, final_lsn: u64) -> Begin {
    Begin {
        final_lsn,
        committed_us: 0,
        xid,
    }
}

fn goal(lsn: u64, seen: &str, unseen: Unseen) -> Goal {
    let seen = Some(Arc::new(seen.parse().unwrap()));
    Goal { lsn, seen, unseen }
}

/// What a stream holds: transactions as id, commit LSN and number of changes. Each ends 5 behind its commit.
const LOG: &[(u32, u64, u64)] = &[
    (1, 100, 2),
    (4, 110, 2),
    (2, 120, 3),
    (3, 130, 1),
    (6, 140, 2),
];

/// Reads at most `limit` changes of the log from where a course stands; gives the changes that are sent.
fn read(course: &mut Course, limit: usize) -> Vec<(u32, u64)> {
    let from = course.place(None).at.commit_lsn;
    let mut sent = Vec::new();
    let mut changes = 0;
    for (xid, lsn, count) in LOG.iter().copied().filter(|(_, lsn, _)| *lsn >= from) {
        let begin = begin(xid, lsn);
        if course.stops_at(&begin) {
            return sent;
        }
        course.begin(&begin);
        for nth in 1..=count {
            if changes == limit {
                return sent;
            }
            changes += 1;
            if course.count(lsn - 10 + nth, Operation::Insert).unwrap() {
                sent.push((xid, nth));
            }
        }
        course.commit(lsn + 5);
    }
    course.keepalive(150);
    sent
}

fn xids(sent: &[(u32, u64)]) -> Vec<u32> {
    let mut xids: Vec<u32> = sent.iter().map(|(xid, _)| *xid).collect();
    xids.dedup();
    xids
}

#[test]
fn before_a_snapshot_comes_what_it_has_seen_and_after_it_the_rest() {
    let mut course = Course::new(Place::between(50));
    course.aim(goal(135, "4:5:4", Unseen::PassBy));
    assert_eq!(xids(&read(&mut course, 99)), [1, 2, 3]);
    assert!(course.reached());
    let place = course.place(None);
    assert_eq!(place.at.commit_lsn, 105, "transaction 4 comes later");
    let ahead = Cursor {
        tx_id: Some(3),
        ..Cursor::between(135)
    };
    assert_eq!(place.ahead.as_ref().unwrap().at, ahead);
    let mut course = Course::new(place);
    assert_eq!(xids(&read(&mut course, 99)), [4, 6]);
    assert_eq!(
        course.place(None),
        Place {
            ts_us: course.ts_us,
            last_commit: Some(145),
            ..Place::between(150)
        }
    );
}

#[test]
fn nothing_is_ahead_while_the_first_transaction_is_passed_by() {
    let mut course = Course::new(Place::between(50));
    course.aim(goal(135, "1:5:1", Unseen::PassBy));
    assert!(read(&mut course, 1).is_empty());
    assert_eq!(course.place(None), Place::between(50));
    course.commit(105);
    let place = course.place(None);
    assert_eq!(place.at.commit_lsn, 50);
    assert!(place.ahead.is_some());
}

#[test]
fn a_first_goal_ends_at_what_is_not_visible() {
    let mut course = Course::new(Place::between(50));
    course.aim(goal(135, "4:5:4", Unseen::Stop));
    assert_eq!(xids(&read(&mut course, 99)), [1]);
    assert!(course.reached() && !course.is_behind());
    assert_eq!(course.place(None).at.commit_lsn, 105);
    course.aim(goal(135, "5:7:", Unseen::PassBy));
    assert!(!course.reached());
    assert_eq!(xids(&read(&mut course, 99)), [4, 2, 3]);
    assert_eq!(course.place(None).ahead, None, "nothing was passed by");
    assert!(course.reached());
}

/// A task that dies after each number of changes, before, between and after the snapshot, with every position through
/// its text: each change is sent once.
#[test]
fn whatever_is_durable_is_not_sent_again() {
    let total: u64 = LOG.iter().map(|(_, _, count)| count).sum();
    for first in 0..=10 {
        for second in 0..=10 {
            let partition = Arc::from("{}");
            let again = |course: &Course| {
                let position = course.place(None).position(&partition);
                Course::new(Place::parse(&position.offset).unwrap())
            };
            let mut course = Course::new(Place::between(50));
            course.aim(goal(135, "2:5:2,4", Unseen::PassBy));
            let mut sent = read(&mut course, first);
            course = again(&course);
            if course.is_behind() {
                // The next try: transaction 2 has become visible, 4 has not.
                course.aim(goal(150, "4:7:4", Unseen::Stop));
                sent.extend(read(&mut course, second));
            } else {
                course.aim(goal(150, "4:7:4", Unseen::PassBy));
                sent.extend(read(&mut course, second));
            }
            course = again(&course);
            sent.extend(read(&mut course, 99));
            sent.sort_unstable();
            assert_eq!(sent.len() as u64, total, "{first}, {second}");
            sent.dedup();
            assert_eq!(
                sent.len() as u64,
                total,
                "{first}, {second}: something was sent twice"
            );
        }
    }
}

#[test]
fn messages_between_transactions_are_read_once() {
    let mut course = Course::new(Place::between(100));
    assert!(!course.message(99) && !course.message(100), "before");
    assert!(course.message(104) && !course.message(104));
    assert_eq!(course.place(None).at, Cursor::behind_message(104));
    let place = course.place(None);
    let position = place.position(&"{}".into());
    let mut course = Course::new(Place::parse(&position.offset).unwrap());
    assert_eq!(course.last_commit(), Some(104));
    assert!(!course.message(104) && course.message(120));
    course.begin(&begin(1, 120));
    let begun = course.place(None).at;
    assert_eq!(begun, Cursor::between(120), "the commit begins there");
    course.commit(125);
    assert!(course.message(126), "behind a commit, without a gap");
}

#[test]
fn messages_before_a_transaction_that_was_read_in_part_are_read_once() {
    let within = Cursor {
        commit_lsn: 100,
        lsn: 105,
        events: 1,
        tx_id: Some(2),
        last: Some(Operation::Insert),
    };
    let at = |at| Place {
        at,
        ..Place::default()
    };
    let mut course = Course::new(at(within));
    assert!(course.message(103));
    let mut course = Course::new(course.place(None));
    assert!(!course.message(103));
    course.begin(&begin(2, 120));
    assert!(
        !course.count(105, Operation::Insert).unwrap()
            && course.count(106, Operation::Insert).unwrap()
    );
}

#[test]
fn messages_behind_the_goal_are_left_and_those_before_it_are_not_sent_again() {
    let mut course = Course::new(Place::between(50));
    course.aim(goal(135, "4:5:4", Unseen::PassBy));
    course.begin(&begin(4, 110));
    course.commit(115);
    assert!(!course.stops_before(120) && course.message(120));
    assert!(!course.stops_before(135), "it ends where the goal is");
    assert!(course.stops_before(136) && course.reached());
    let mut course = Course::new(course.place(None));
    assert!(!course.message(108) && !course.message(120));
    assert!(course.message(136));
}

#[test]
fn quiet_servers_reach_the_goal_by_keepalives() {
    let mut course = Course::new(Place::between(50));
    course.aim(goal(100, "1:1:", Unseen::PassBy));
    course.keepalive(99);
    assert!(!course.reached());
    course.keepalive(100);
    assert!(course.reached());
}

#[test]
fn a_replay_may_repeat_what_was_read() {
    let mut first = Course::new(Place::between(50));
    assert_eq!(read(&mut first, 3), [(1, 1), (1, 2), (4, 1)]);
    let place = first.place(None);
    let mut again = Course::new(place.clone());
    // The connection that was recorded had begun earlier.
    again.at = Cursor::between(50);
    let sent = read(&mut again, usize::MAX);
    assert_eq!(sent[..2], [(4, 2), (2, 1)], "after {place:?}");
    assert_eq!(xids(&sent), [4, 2, 3, 6]);
}

use super::*;
use crate::binlog::MariaDbGtid;

/// Transactions of events of so many rows; each begins a hundred behind the one before it.
const LOG: &[&[u64]] = &[&[2], &[3, 1, 2], &[1], &[], &[2, 2]];

fn gtid(nth: usize) -> Gtid {
    Gtid::MariaDb(MariaDbGtid {
        domain: 0,
        server: 1,
        number: nth as u64 + 1,
    })
}

/// Where the `BEGIN` of a transaction lies.
fn begins(nth: usize) -> u64 {
    nth as u64 * 100 + 10
}

/// Where a course begins to read: by file and position, or behind the transactions that it has.
fn first(course: &Course, by_ids: bool) -> usize {
    let place = course.place(None);
    let is_behind = |nth: &usize| match (by_ids, &place.gtids) {
        (true, Some(Gtids::MariaDb(last))) => match gtid(*nth) {
            Gtid::MariaDb(gtid) => !last.has(&gtid),
            Gtid::MySql { .. } => false,
        },
        (true, _) => true,
        (false, _) => begins(*nth) >= place.pos,
    };
    (0..LOG.len()).find(is_behind).unwrap_or(LOG.len())
}

/// Reads until `limit` rows have been sent, from where the course stands; gives them as transaction, event and row.
fn read(course: &mut Course, by_ids: bool, limit: usize) -> Vec<(usize, usize, u64)> {
    let mut sent = Vec::new();
    for (nth, events) in LOG.iter().enumerate().skip(first(course, by_ids)) {
        let begin = begins(nth);
        if by_ids || course.place(None).pos < begin {
            course.announce(Some(gtid(nth)));
            course.complete(begin);
        }
        course.begin(begin);
        for (event, rows) in events.iter().enumerate() {
            for row in 0..*rows {
                if !course.wants(row) {
                    continue;
                }
                if sent.len() == limit {
                    return sent;
                }
                sent.push((nth, event, row));
                course.done(row + 1);
            }
            course.complete(begin + 10 * (event as u64 + 1));
        }
        course.end(begin + 90);
    }
    sent
}

fn again(course: &Course) -> Course {
    let position = course.place(None).position(&"{}".into());
    Course::new(Place::parse(&position.offset).unwrap())
}

/// A task that dies after each number of rows, twice, with every position through its text: each row is sent once.
#[test]
fn whatever_is_durable_is_not_sent_again() {
    let all: usize = LOG.iter().flat_map(|events| events.iter()).sum::<u64>() as usize;
    for by_ids in [false, true] {
        for (one, two) in (0..=all).flat_map(|one| (0..=all).map(move |two| (one, two))) {
            let mut course = Course::new(Place::between("b.1", 4, None));
            let mut sent = read(&mut course, by_ids, one);
            course = again(&course);
            sent.extend(read(&mut course, by_ids, two));
            course = again(&course);
            sent.extend(read(&mut course, by_ids, usize::MAX));
            assert_eq!(sent.len(), all, "{one}, {two}, by ids: {by_ids}");
            assert!(sent.is_sorted(), "{sent:?}");
            sent.dedup();
            assert_eq!(sent.len(), all, "{one}, {two}: something was sent twice");
        }
    }
}

/// A task that dies before it has come to what is new stands where it stood.
#[test]
fn a_position_does_not_go_back() {
    let mut course = Course::new(Place::between("b.1", 4, None));
    read(&mut course, false, 4);
    let place = course.place(None);
    assert_eq!((place.pos, place.events, place.rows), (110, 1, 2));
    let mut course = Course::new(place.clone());
    assert_eq!(course.place(None), place);
    course.begin(110);
    assert_eq!(course.place(None), place);
    assert!(!course.wants(1) && course.wants(2));
    course.done(3);
    assert_eq!(course.place(None).rows, 3);
    course.complete(140);
    assert_eq!(course.place(None).events, 2);
    course.end(190);
    assert_eq!(place.gtid.as_deref(), Some("0-1-2"));
    let ended = Place::between("b.1", 190, place.gtids);
    assert_eq!(course.place(None), ended, "its id did not come again");
}

#[test]
fn ids_belong_to_a_place_when_their_transaction_has_ended() {
    let mut course = Course::new(Place::between("b.1", 4, None));
    course.announce(Some(gtid(6)));
    course.begin(10);
    assert_eq!(course.place(None).gtids, None);
    assert_eq!(course.gtid(), Some(&gtid(6)));
    course.end(90);
    let text = |course: &Course| course.place(None).gtids.map(|gtids| gtids.to_string());
    assert_eq!(text(&course).as_deref(), Some("0-1-7"));
    // A statement without a transaction.
    course.announce(Some(gtid(7)));
    course.end(120);
    assert_eq!(text(&course).as_deref(), Some("0-1-8"));
    assert_eq!(course.place(None).pos, 120);
}

#[test]
fn files_are_followed_between_transactions() {
    let mut course = Course::new(Place::between("b.1", 700, None));
    course.rotate("b.2", 4);
    assert_eq!(course.place(None), Place::between("b.2", 4, None));
    // Asked by ids, the server begins in a file of its own, before the transaction that was read in part.
    let within = Place {
        events: 2,
        ..Place::between("b.1", 700, Some("0-1-7".parse().unwrap()))
    };
    let mut course = Course::new(within.clone());
    course.rotate("other.9", 4);
    course.complete(120);
    assert_eq!(course.place(None), within);
    course.begin(120);
    let place = course.place(None);
    assert_eq!((&*place.file, place.pos, place.events), ("other.9", 120, 2));
    course.note(7, 1_800_000_000);
    assert_eq!(course.place(None).server_id, 7);
}

/// After a failover: what was read in part comes behind another transaction.
#[test]
fn another_transaction_may_come_before_the_one_that_was_read_in_part() {
    let within = Place {
        events: 2,
        rows: 1,
        gtid: Some("0-1-7".into()),
        ..Place::between("b.1", 700, Some("0-1-5".parse().unwrap()))
    };
    let mut course = Course::new(within.clone());
    course.announce(Some(gtid(5)));
    course.begin(40);
    assert!(course.wants(0) && course.told_before().is_none());
    course.complete(60);
    course.done(2);
    let place = course.place(Some(&Counts::new("0-1-6".into())));
    assert_eq!(place.counts, None, "of the other one");
    assert_eq!((place.events, place.rows), (2, 1), "as before");
    assert_eq!(
        (place.gtid, place.gtids),
        (within.gtid.clone(), within.gtids)
    );
    course.end(90);
    let mut course = again(&course);
    course.announce(Some(gtid(6)));
    course.begin(110);
    assert!(!course.wants(0));
    course.complete(130);
    assert!(!course.wants(0) && course.wants(1));
    course.end(190);
    let ended = Place::between("b.1", 190, Some("0-1-7".parse().unwrap()));
    assert_eq!(course.place(None), ended);
}

//! Groups whose members come and go.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Message,
    consumer::{BaseConsumer, CommitMode, Consumer},
};

use super::{
    librdkafka::consumer,
    subject::{Subject, kept},
};

const LIMIT: Duration = Duration::from_secs(40);

fn member(subject: &Subject, strategy: &str) -> BaseConsumer {
    let more = [
        ("group.id", "sharers"),
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "300"),
        ("partition.assignment.strategy", strategy),
    ];
    let member = consumer(subject, &more);
    member.subscribe(&["shared"]).expect("subscribed");
    member
}

/// Polls all members until each has as many partitions as it should. What they read is thrown away.
fn until_shared(members: &[&BaseConsumer], shares: &[usize]) {
    let end = Instant::now() + LIMIT;
    loop {
        for member in members {
            if let Some(polled) = member.poll(Duration::from_millis(50)) {
                polled.expect("a record");
            }
        }
        let mut all = BTreeSet::new();
        let counts: Vec<_> = members
            .iter()
            .map(|member| {
                let mine = member.assignment().expect("an assignment");
                all.extend(mine.elements().iter().map(|of| of.partition()));
                mine.count()
            })
            .collect();
        let sum = counts.iter().sum::<usize>();
        if counts == shares && all.len() == sum {
            return;
        }
        assert!(Instant::now() < end, "{counts:?} instead of {shares:?}");
    }
}

fn members_share(strategy: &str) {
    let subject = Subject::start();
    subject.topic(kept("shared", 4));
    let one = member(&subject, strategy);
    until_shared(&[&one], &[4]);
    let two = member(&subject, strategy);
    until_shared(&[&one, &two], &[2, 2]);
    drop(two);
    until_shared(&[&one], &[4]);
}

#[test]
fn members_share_and_take_over() {
    members_share("range,roundrobin");
}

#[test]
fn members_share_cooperatively() {
    members_share("cooperative-sticky");
}

/// What a member committed is where its successor begins, also after a restart; a member that lives through the restart goes on.
#[test]
fn commits_outlive_the_front() {
    let mut subject = Subject::start();
    let topic = subject.topic(kept("shared", 1));
    subject.count_up(&topic, 0..100);
    let one = member(&subject, "range");
    let mut read = Vec::new();
    let next = |member: &BaseConsumer| {
        let end = Instant::now() + LIMIT;
        loop {
            assert!(Instant::now() < end, "no record in time");
            // While the front is away there are errors.
            if let Some(Ok(message)) = member.poll(Duration::from_millis(100)) {
                let commit = member.commit_message(&message, CommitMode::Sync);
                return (message.offset(), commit.is_ok());
            }
        }
    };
    for _ in 0..10 {
        let (offset, committed) = next(&one);
        assert!(committed);
        read.push(offset);
    }
    assert_eq!(read, (0..10).collect::<Vec<_>>());
    subject = subject.restart();
    // The member joins again by itself: it is not known any more.
    let end = Instant::now() + LIMIT;
    while !next(&one).1 {
        assert!(Instant::now() < end, "it does not come back");
    }
    drop(one);
    let log: &dyn connect_log::Log = &*subject.log;
    let committed = subject.run(log.group_offsets("sharers")).expect("offsets");
    let committed = committed.into_values().next().expect("one");
    assert!(committed > 10, "{committed}");
    let two = member(&subject, "range");
    assert_eq!(next(&two).0, committed);
}

/// A group that a sink of the worker reads in is not for others.
#[test]
fn a_group_of_the_worker_is_not_joined() {
    let subject = Subject::start();
    let topic = subject.topic(kept("shared", 1));
    subject.count_up(&topic, 0..10);
    let log: &dyn connect_log::Log = &*subject.log;
    let spec = connect_log::ReaderSpec {
        group: Some("sharers".to_owned()),
        ..Default::default()
    };
    let mut reader = subject.run(log.reader(spec)).expect("a reader");
    subject
        .run(reader.subscribe(&["shared".to_owned()]))
        .expect("subscribed");
    let outsider = member(&subject, "range");
    let end = Instant::now() + LIMIT;
    let error = loop {
        assert!(Instant::now() < end, "no error in time");
        match outsider.poll(Duration::from_millis(100)) {
            Some(Err(error)) => break error.to_string(),
            Some(Ok(message)) => panic!("it reads {}", message.offset()),
            None => {}
        }
    };
    assert!(error.contains("uthorization"), "{error}");
    drop((reader, Arc::clone(&topic)));
}

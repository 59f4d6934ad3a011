//! Kafka's own consumer, as its console consumer runs it.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use super::subject::{Given, Subject, kept};

const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const ALL_PARTS: &[&str] = &[
    "--formatter-property",
    "print.key=true",
    "--formatter-property",
    "print.timestamp=true",
    "--formatter-property",
    "print.partition=true",
    "--formatter-property",
    "print.offset=true",
    "--formatter-property",
    "print.headers=true",
    "--formatter-property",
    "key.separator=|",
];

fn consume(subject: &Subject, words: &[&str]) -> Vec<String> {
    let text = subject.tools().run(CONSUMER, words).expect("it reads");
    text.lines().map(str::to_owned).collect()
}

/// As it stands in every tutorial: it makes up a group, joins it and reads.
#[test]
fn the_console_consumer_reads_a_topic() {
    let subject = Subject::start();
    let topic = subject.topic(kept("console", 1));
    subject.append(
        &topic,
        &[
            Given {
                key: Some(b"k"),
                value: Some(b"v"),
                time: 1_600_000_000_123,
                headers: vec![("a", Some(b"1")), ("a", Some(b"2"))],
                ..Given::default()
            },
            Given {
                key: Some(b"gone"),
                value: None,
                time: 7,
                ..Given::default()
            },
            Given {
                key: None,
                value: Some("größer".as_bytes()),
                time: 8,
                ..Given::default()
            },
        ],
    );
    subject.count_up(&topic, 0..5000);
    let words = [
        &[
            "--topic",
            "console",
            "--from-beginning",
            "--max-messages",
            "5003",
        ],
        ALL_PARTS,
    ]
    .concat();
    let lines = consume(&subject, &words);
    assert_eq!(lines.len(), 5003, "{:?}", lines.first());
    assert_eq!(
        lines[0],
        "CreateTime:1600000000123|Partition:0|Offset:0|a:1,a:2|k|v"
    );
    assert_eq!(
        lines[1],
        "CreateTime:7|Partition:0|Offset:1|NO_HEADERS|gone|null"
    );
    assert_eq!(
        lines[2],
        "CreateTime:8|Partition:0|Offset:2|NO_HEADERS|null|größer"
    );
    assert!(lines[5002].ends_with("value number 4999 of a topic that is not small"));
}

/// A group goes on where it was, also after the log was closed and opened again.
#[test]
fn a_group_goes_on_after_a_restart() {
    let mut subject = Subject::start();
    let topic = subject.topic(kept("resumed", 1));
    subject.count_up(&topic, 0..100);
    let words = |count: &'static str| {
        [
            "--topic",
            "resumed",
            "--group",
            "readers",
            "--from-beginning",
            "--max-messages",
            count,
        ]
    };
    let first = consume(&subject, &words("40"));
    assert_eq!(first.len(), 40);
    subject = subject.restart();
    let second = consume(&subject, &words("60"));
    let all = [first, second].concat();
    for (number, line) in all.iter().enumerate() {
        assert!(
            line.starts_with(&format!("value number {number} ")),
            "{number}: {line}"
        );
    }
}

/// From an offset of a partition, without a group, and following what comes, until the front stops.
#[test]
fn a_partition_from_an_offset_followed() {
    let mut subject = Subject::start();
    let topic = subject.topic(kept("followed", 1));
    subject.count_up(&topic, 0..100);
    let words = [
        "--topic",
        "followed",
        "--partition",
        "0",
        "--offset",
        "95",
        "--isolation-level",
        "read_committed",
        "--max-messages",
        "15",
    ];
    let mut command = subject.tools().command(CONSUMER, &words).expect("java");
    let mut consumer = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(consumer.stdout.take().expect("its output")).lines();
    let mut next = |number: usize| {
        let line = lines.next().expect("a line").expect("text");
        assert!(
            line.starts_with(&format!("value number {number} ")),
            "{line}"
        );
    };
    (95..100).for_each(&mut next);
    for number in 100..110 {
        subject.count_up(&topic, number..number + 1);
        next(number);
    }
    assert!(consumer.wait().expect("it ends").success());
    subject.end();
}

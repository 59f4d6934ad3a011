//! kcat: the first thing people try.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use connect_log::{At, Log, TopicPartition, TopicSpec};

use super::subject::{Given, Subject, kept, output};

const ALL: &[&str] = &["-C", "-e", "-o", "beginning"];

fn read(subject: &Subject, topic: &str, more: &[&str]) -> Vec<String> {
    let words = [ALL, &["-t", topic], more].concat();
    let text = subject.kcat().run(&words).expect("kcat reads");
    text.lines().map(str::to_owned).collect()
}

/// Keys, values, nulls, empty values, headers, times, partitions, offsets.
#[test]
fn every_part_of_a_record_arrives() {
    let subject = Subject::start();
    let topic = subject.topic(kept("parts", 3));
    let bytes = Some(&b"\x00\xff"[..]);
    subject.append(
        &topic,
        &[
            Given {
                partition: Some(0),
                key: Some(b"k"),
                value: Some(b"v"),
                time: 1_600_000_000_123,
                headers: vec![("a", Some(b"1")), ("n", None), ("a", Some(b"2"))],
            },
            Given {
                partition: Some(2),
                key: Some(b"gone"),
                value: None,
                time: 1_600_000_000_124,
                ..Given::default()
            },
            Given {
                partition: Some(2),
                key: None,
                value: Some(b""),
                time: 5,
                ..Given::default()
            },
            Given {
                partition: Some(1),
                key: Some(b""),
                value: bytes,
                time: 6,
                ..Given::default()
            },
        ],
    );
    let format = "%p %o %T key %K %k value %S %s headers %h";
    let mut lines = read(&subject, "parts", &["-f", &format!("{format}\n")]);
    lines.sort();
    assert_eq!(
        lines[0],
        "0 0 1600000000123 key 1 k value 1 v headers a=1,n=NULL,a=2"
    );
    assert!(
        lines[1].starts_with("1 0 6 key 0  value 2 "),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "2 0 1600000000124 key 4 gone value -1  headers ");
    assert_eq!(lines[3], "2 1 5 key -1  value 0  headers ");
}

#[test]
fn it_lists_what_there_is() {
    let subject = Subject::start();
    subject.topic(kept("one", 2));
    subject.topic(kept("two", 1));
    let listed = subject.kcat().run(&["-L"]).expect("a list");
    assert!(
        listed.contains("topic \"one\" with 2 partitions"),
        "{listed}"
    );
    assert!(
        listed.contains("topic \"two\" with 1 partitions"),
        "{listed}"
    );
    let missing = subject.kcat().run(&["-L", "-t", "three"]).expect("a list");
    assert!(missing.contains("Unknown topic or partition"), "{missing}");
    let topics = subject.run(subject.log.topics()).expect("topics");
    assert_eq!(topics, ["one", "two"], "asking makes no topic");
}

#[test]
fn it_begins_at_an_offset_or_a_time() {
    let subject = Subject::start();
    let topic = subject.topic(kept("begin", 1));
    subject.count_up(&topic, 0..5000);
    let from = |start: &str| {
        let words = [
            "-C", "-e", "-t", "begin", "-p", "0", "-o", start, "-f", "%o\n",
        ];
        let text = subject.kcat().run(&words).expect("kcat reads");
        let mut lines = text.lines().map(str::to_owned);
        (lines.next(), lines.next_back())
    };
    let last = Some("4999".to_owned());
    assert_eq!(from("4321"), (Some("4321".to_owned()), last.clone()));
    assert_eq!(from("-10"), (Some("4990".to_owned()), last.clone()));
    assert_eq!(from("s@1700000001234"), (Some("1234".to_owned()), last));
    assert_eq!(from("end"), (None, None));
    let at = |time: &str| {
        subject
            .kcat()
            .run(&["-Q", "-t", &format!("begin:0:{time}")])
    };
    assert_eq!(
        at("1700000000077").expect("an offset").trim(),
        "begin [0] offset 77"
    );
    assert_eq!(
        at("1900000000000").expect("an offset").trim(),
        "begin [0] offset -1"
    );
}

/// A topic of many fetches arrives whole and in order.
#[test]
fn a_big_topic_arrives_whole() {
    let subject = Subject::start();
    let topic = subject.topic(kept("big", 1));
    subject.count_up(&topic, 0..100_000);
    let lines = read(&subject, "big", &["-f", "%o %s\n"]);
    assert_eq!(lines.len(), 100_000);
    for (number, line) in lines.iter().enumerate() {
        let expected = format!("{number} value number {number} of a topic that is not small");
        assert_eq!(*line, expected);
    }
}

#[test]
fn a_value_of_20_mb_arrives() {
    let subject = Subject::start();
    let spec = kept("large", 1).setting("max.message.bytes", "30000000");
    let topic = subject.topic(spec);
    let mut large = vec![0_u8; 20_000_000];
    let mut seed = 1_u64;
    for byte in &mut large {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (seed >> 56) as u8;
    }
    let small = Given {
        value: Some(b"small"),
        time: 1,
        ..Given::default()
    };
    let big = Given {
        value: Some(&large),
        time: 2,
        ..Given::default()
    };
    subject.append(&topic, std::slice::from_ref(&small));
    subject.append(&topic, &[big]);
    subject.append(&topic, &[small]);
    let sizes = read(&subject, "large", &["-f", "%S\n"]);
    assert_eq!(sizes, ["5", "20000000", "5"]);
    let words = [
        "-C", "-t", "large", "-o", "1", "-c", "1", "-p", "0", "-D", "",
    ];
    let output = subject.kcat().command(&words).output().expect("kcat reads");
    assert!(output.stdout == large, "{} bytes", output.stdout.len());
}

/// Compaction leaves gaps between records, and before the end.
#[test]
fn a_compacted_topic_has_gaps() {
    let subject = Subject::start();
    let spec = TopicSpec::new("compacted", 1)
        .compacted()
        .setting("delete.retention.ms", "0");
    let topic = subject.topic(spec);
    subject.count_up(&topic, 0..30_000);
    subject.run(subject.log.upkeep()).expect("compacted");
    let lines = read(&subject, "compacted", &["-f", "%o %k\n"]);
    assert!(lines.len() < 1000, "{} records are left", lines.len());
    let last = lines.last().expect("a record");
    assert_eq!(last, "29999 key-99");
    let mut keys: Vec<_> = lines
        .iter()
        .filter_map(|l| l.split_once(' '))
        .map(|(_, key)| key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100);
    // Now all are deleted, with the tombstones too: only a gap is left, and a reader comes to its end.
    let gone: Vec<String> = (0..100).map(|n| format!("key-{n}")).collect();
    let gone: Vec<_> = gone
        .iter()
        .map(|key| Given {
            key: Some(key.as_bytes()),
            time: 1_700_000_100_000,
            ..Given::default()
        })
        .collect();
    subject.append(&topic, &gone);
    for _ in 0..3 {
        subject.run(subject.log.upkeep()).expect("compacted");
    }
    let of = TopicPartition::new("compacted", 0);
    let end = subject
        .run(subject.log.offset_at(&of, At::Latest))
        .expect("an end");
    assert_eq!(end, 30_100);
    let left = read(&subject, "compacted", &["-f", "%o\n"]);
    assert!(left.is_empty(), "{left:?}");
    let from_within = subject
        .kcat()
        .run(&["-C", "-e", "-t", "compacted", "-p", "0", "-o", "17"]);
    from_within.expect("it comes to the end");
}

/// kcat waits at the end and prints what comes.
#[test]
fn it_follows_a_topic() {
    let subject = Subject::start();
    let topic = subject.topic(kept("tail", 1));
    subject.count_up(&topic, 0..10);
    let words = [
        "-C",
        "-u",
        "-t",
        "tail",
        "-o",
        "beginning",
        "-c",
        "510",
        "-f",
        "%o\n",
    ];
    let mut kcat = subject.kcat().command(&words);
    let mut kcat = kcat.stdout(Stdio::piped()).spawn().expect("kcat starts");
    let mut lines = BufReader::new(kcat.stdout.take().expect("its output")).lines();
    for expected in 0..10 {
        let line = lines.next().expect("a line").expect("text");
        assert_eq!(line, expected.to_string());
    }
    for round in 1..=50 {
        subject.count_up(&topic, round * 10..round * 10 + 10);
        for expected in round * 10..round * 10 + 10 {
            let line = lines.next().expect("a line").expect("text");
            assert_eq!(line, expected.to_string());
        }
    }
    assert!(kcat.wait().expect("it ends").success());
}

/// What is not committed is never seen, and what is committed appears at once.
#[test]
fn uncommitted_and_aborted_records_are_never_seen() {
    let subject = Subject::start();
    let topic = subject.topic(kept("all-or-none", 1));
    let spec = connect_log::AppenderSpec {
        transactional_id: Some("writer".to_owned()),
        ..Default::default()
    };
    let mut appender = subject
        .run(subject.log.appender(spec))
        .expect("an appender");
    let mut records = connect_core::Encoded::default();
    records.push(&topic, None, Some(b"aborted"), 1);
    subject.run(appender.append(&records)).expect("taken");
    for isolation in ["read_committed", "read_uncommitted"] {
        let isolation = format!("isolation.level={isolation}");
        assert!(read(&subject, "all-or-none", &["-X", &isolation]).is_empty());
    }
    subject.run(appender.abort()).expect("aborted");
    records.clear();
    records.push(&topic, None, Some(b"committed"), 1);
    subject.run(appender.append(&records)).expect("taken");
    assert!(read(&subject, "all-or-none", &[]).is_empty());
    subject.run(appender.commit(None)).expect("committed");
    for isolation in ["read_committed", "read_uncommitted"] {
        let isolation = format!("isolation.level={isolation}");
        assert_eq!(
            read(&subject, "all-or-none", &["-X", &isolation]),
            ["committed"]
        );
    }
}

/// Who wants to write is told why not, and nothing is written.
#[test]
fn writing_is_refused_clearly() {
    let subject = Subject::start();
    let topic = subject.topic(kept("read-only", 1));
    let folder = tempfile::tempdir().expect("a folder");
    let value = folder.path().join("value");
    std::fs::write(&value, "value").expect("a file");
    let value = value.display().to_string();
    let words = [
        "-P",
        "-t",
        "read-only",
        "-v",
        "-X",
        "message.timeout.ms=10000",
        &value,
    ];
    let (_, error) = output(&mut subject.kcat().command(&words));
    assert!(error.contains("Topic authorization failed"), "{error}");
    let of = TopicPartition::new(topic, 0);
    let end = subject
        .run(subject.log.offset_at(&of, At::Latest))
        .expect("an end");
    assert_eq!(end, 0);
}

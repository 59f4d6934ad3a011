use cdc::{adjust::Adjustment, transaction::TransactionTopic};

use super::*;
use crate::fuzz;

/// What stands in the server's log: transactions by the begins of their commits, and messages between them by their ends.
enum Logged {
    Transaction(u64, Vec<(u64, Vec<u8>)>),
    Message(u64, Vec<u8>),
}

const RELATION: &[u8] = b"R\0\0\0\x07public\0t\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff";
const OTHER: &[u8] = b"R\0\0\0\x08public\0u\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff";

fn insert(relation: u8, id: u8) -> Vec<u8> {
    [&[b'I', 0, 0, 0, relation][..], b"N\0\x01t\0\0\0\x01", &[id]].concat()
}

fn message(transactional: u8, content: u8) -> Vec<u8> {
    let head = [b'M', transactional, 0, 0, 0, 0, 0, 0, 0, 0];
    [&head[..], b"a\0\0\0\0\x01", &[content]].concat()
}

/// A transaction whose changes come `at` an LSN and later; it ends 5 behind its commit.
fn transaction(xid: u8, at: u64, commit: u64, changes: &[(u64, Vec<u8>)]) -> Logged {
    let (lsn, zero) = (commit.to_be_bytes(), [0; 8]);
    let begin = [b"B", &lsn[..], &zero, &[0, 0, 0, xid]].concat();
    let end = (commit + 5).to_be_bytes();
    let done = [b"C\0", &lsn[..], &end, &zero].concat();
    let mut all = vec![(at, begin), (0, RELATION.to_vec()), (0, OTHER.to_vec())];
    all.extend_from_slice(changes);
    all.push((commit + 5, done));
    Logged::Transaction(commit, all)
}

fn log() -> Vec<Logged> {
    vec![
        transaction(1, 60, 100, &[(60, insert(7, b'1')), (70, insert(8, b'1'))]),
        // Behind the commit, without a gap.
        Logged::Message(112, message(0, b'A')),
        Logged::Message(120, message(0, b'B')),
        // Behind the message, without a gap.
        Logged::Message(200, message(0, b'F')),
        transaction(
            2,
            90,
            200,
            &[
                (90, insert(7, b'2')),
                (90, insert(7, b'3')),
                (95, message(1, b'C')),
                (110, insert(8, b'4')),
                (130, insert(7, b'5')),
            ],
        ),
        transaction(3, 80, 210, &[]),
        Logged::Message(222, message(0, b'D')),
        Logged::Message(230, message(0, b'G')),
        transaction(
            4,
            150,
            230,
            &[(150, message(1, b'E')), (160, insert(7, b'6'))],
        ),
    ]
}

/// What the server sends when reading begins at an LSN.
fn sent_from(lsn: u64) -> Vec<(u64, Vec<u8>)> {
    let later = log().into_iter().filter(|logged| match logged {
        Logged::Transaction(at, _) => *at >= lsn,
        Logged::Message(end, _) => *end > lsn,
    });
    later
        .flat_map(|logged| match logged {
            Logged::Transaction(_, all) => all,
            Logged::Message(lsn, payload) => vec![(lsn, payload)],
        })
        .collect()
}

fn reader(place: Place) -> Transactions {
    let (relations, config, captured) = fuzz::parts().unwrap();
    let topic = TransactionTopic::new("t.transaction".into(), Adjustment::None);
    let messages = Messages::new(&config, captured.messages().clone());
    Transactions::new(relations, true, place).telling(Some(topic), messages)
}

/// Reads so many messages from a place on; gives the records and the place behind them, as its text brings it back.
fn read(place: Place, limit: usize) -> (Vec<String>, Place) {
    let mut out = Batch::default();
    let from = place.at.commit_lsn;
    let mut all = reader(place);
    all.begin_batch(&mut out);
    let sent = sent_from(from);
    for (index, (lsn, payload)) in (0u32..).zip(sent.iter().take(limit)) {
        let frame = Frame {
            bytes: payload,
            index,
        };
        match pgoutput::message(payload).unwrap() {
            Message::Relation(relation) => all.learn_without_catalog(relation).unwrap(),
            other => all.message(*lsn, other, frame, &mut out).unwrap(),
        }
        out.push_frame(payload.clone().into());
    }
    let shown = out.rows().map(|row| {
        let part = |name: &str| row.value().get(name).map(|part| part.to_value());
        let of_message = part("message").zip(part("op"));
        let parts = [
            part("after"),
            part("status"),
            part("id"),
            part("transaction"),
        ];
        let counts = (part("event_count"), part("data_collections"));
        let source = row.value().get("source");
        let sequence = source.and_then(|source| Some(source.get("sequence")?.to_value()));
        format!(
            "{} {:?} {of_message:?} {parts:?} {counts:?} {sequence:?}",
            row.topic(),
            row.key().to_value()
        )
    });
    let shown = shown.collect();
    let position = all.place().position(&"{}".into());
    (shown, Place::parse(&position.offset).unwrap())
}

#[test]
fn a_restart_anywhere_changes_no_record() {
    let (whole, _) = read(Place::between(50), usize::MAX);
    assert_eq!(whole.len(), 22, "{whole:#?}");
    for first in 0..=sent_from(0).len() {
        let (before, place) = read(Place::between(50), first);
        for second in 0..=sent_from(place.at.commit_lsn).len() {
            let (between, place) = read(place.clone(), second);
            let (rest, _) = read(place, usize::MAX);
            let all = [before.clone(), between, rest].concat();
            assert_eq!(all, whole, "{first}, {second}");
        }
    }
}

#[test]
fn without_a_place_within_a_transaction_it_is_told_from_its_begin() {
    let (all, place) = read(Place::between(190), usize::MAX);
    assert!(all[0].contains("t.message"), "{all:#?}");
    assert!(all[1].contains("BEGIN"), "{all:#?}");
    assert_eq!(place.counts, None);
}

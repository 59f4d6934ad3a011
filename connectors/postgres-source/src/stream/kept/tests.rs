use super::*;
use crate::pgoutput::{Message, Replicated, message, replicated};

/// A block of transaction `xid`: inserts of these transactions, each with a byte that tells it.
fn block(kept: &mut KeptTransactions, xid: u32, inserts: &[(u32, u8)]) -> Result<()> {
    let start = [&b"S"[..], &xid.to_be_bytes(), &[0]].concat();
    kept.take(u64::from(xid), &start)?;
    for (sub, told) in inserts {
        kept.take(100, &insert(*sub, *told))?;
    }
    kept.take(0, b"E").map(drop)
}

fn insert(xid: u32, told: u8) -> Vec<u8> {
    let row = [b'N', 0, 1, b't', 0, 0, 0, 1, told];
    [&b"I"[..], &xid.to_be_bytes(), &7_u32.to_be_bytes(), &row].concat()
}

fn abort(kept: &mut KeptTransactions, xid: u32, sub: u32) {
    let abort = [&b"A"[..], &xid.to_be_bytes(), &sub.to_be_bytes()].concat();
    assert!(matches!(kept.take(0, &abort), Ok(Taken::Yes)));
}

fn commit(kept: &mut KeptTransactions, xid: u32) -> Option<Frames> {
    let ends = [900_u64.to_be_bytes(), 950_u64.to_be_bytes()].concat();
    let commit = [
        &b"c"[..],
        &xid.to_be_bytes(),
        &[0],
        &ends,
        &5_u64.to_be_bytes(),
    ];
    match kept.take(950, &commit.concat()).unwrap() {
        Taken::Committed(frames) => Some(frames),
        _ => None,
    }
}

/// Begin, the bytes that the inserts tell, and commit, as read from the frames.
async fn replay(mut frames: Frames) -> String {
    let mut told = String::new();
    while frames.read_on().await.unwrap() {
        let mut at = 0;
        while let Some(framed) = frames.message_at(at).unwrap() {
            assert_eq!(framed.tag, b'd');
            let body = &frames.bytes()[framed.body.clone()];
            let Replicated::XLogData { lsn, payload } = replicated(body).unwrap() else {
                panic!("not data")
            };
            told.push(match message(payload).unwrap() {
                Message::Begin(begin) => {
                    assert_eq!((begin.final_lsn, begin.committed_us), (900, 5));
                    assert_eq!(lsn, u64::from(begin.xid), "where its first block began");
                    '<'
                }
                Message::Insert { .. } => char::from(*payload.last().unwrap()),
                Message::Commit(commit) => {
                    assert_eq!((commit.lsn, commit.end_lsn), (900, 950));
                    '>'
                }
                _ => panic!("an unknown message"),
            });
            at = framed.body.end;
        }
        frames.skip(at);
    }
    assert!(frames.bytes().is_empty());
    told
}

#[tokio::test]
async fn blocks_of_a_transaction_follow_each_other_between_begin_and_commit() {
    let mut kept = KeptTransactions::new(1 << 20);
    block(&mut kept, 5, &[(5, b'a'), (5, b'b')]).unwrap();
    block(&mut kept, 6, &[(6, b'x')]).unwrap();
    block(&mut kept, 5, &[(5, b'c')]).unwrap();
    let five = commit(&mut kept, 5).unwrap();
    assert_eq!(replay(five).await, "<abc>");
    let six = commit(&mut kept, 6).unwrap();
    assert_eq!(replay(six).await, "<x>");
    assert_eq!(kept.bytes, 0);
    assert!(
        commit(&mut kept, 5).is_none(),
        "all of it was filtered away"
    );
}

#[tokio::test]
async fn what_is_rolled_back_is_forgotten_with_what_lies_within() {
    let mut kept = KeptTransactions::new(1 << 20);
    block(&mut kept, 5, &[(5, b'a'), (8, b'b'), (7, b'c'), (9, b'd')]).unwrap();
    // Transaction 8 lies within 7, which had no changes of its own before.
    abort(&mut kept, 5, 9);
    abort(&mut kept, 5, 7);
    abort(&mut kept, 5, 8);
    abort(&mut kept, 5, 10);
    block(&mut kept, 5, &[(5, b'e'), (11, b'f')]).unwrap();
    let five = commit(&mut kept, 5).unwrap();
    assert_eq!(replay(five).await, "<aef>");

    block(&mut kept, 6, &[(6, b'x')]).unwrap();
    abort(&mut kept, 6, 6);
    assert_eq!(kept.bytes, 0);
    assert!(commit(&mut kept, 6).is_none());
}

#[tokio::test]
async fn a_large_transaction_lies_in_a_file() {
    let mut kept = KeptTransactions::new(1 << 30);
    let many = vec![(5, b'y'); 5_000];
    block(&mut kept, 5, &many).unwrap();
    block(&mut kept, 5, &[(6, b'z')]).unwrap();
    assert!(kept.running[&5].file.is_rolled());
    assert!(kept.piece.is_empty());
    abort(&mut kept, 5, 6);
    let five = commit(&mut kept, 5).unwrap();
    assert_eq!(replay(five).await, format!("<{}>", "y".repeat(5_000)));
}

#[test]
fn no_more_than_the_limit_is_kept() {
    let mut kept = KeptTransactions::new(1_000);
    block(&mut kept, 5, &[(5, b'a'); 10]).unwrap();
    abort(&mut kept, 5, 5);
    block(&mut kept, 6, &[(6, b'a'); 10]).unwrap();
    let error = block(&mut kept, 7, &[(7, b'a'); 20]).unwrap_err();
    assert_eq!(error.code().name, error::IN_PROGRESS.name);
}

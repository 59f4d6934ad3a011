use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use connect_core::{
    BoxFuture, Position, Watermark,
    keep::{Page, Reader, Store, Writer},
    meter::Meter,
    outside::Letter,
};
use tokio::io::{AsyncWriteExt, duplex};

use super::*;

/// Records in memory.
#[derive(Default)]
struct Shelf(Mutex<Vec<Letter>>);

impl Shelf {
    fn letters(&self) -> std::sync::MutexGuard<'_, Vec<Letter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct OnShelf(std::sync::Arc<Shelf>);

impl Writer for OnShelf {
    fn append<'a>(&'a mut self, key: &'a [u8], value: &'a [u8]) -> BoxFuture<'a, Result<()>> {
        let mut letters = self.0.letters();
        let offset = letters.len() as i64;
        letters.push(Letter {
            key: Some(key.to_vec()),
            value: Some(value.to_vec()),
            offset,
        });
        Box::pin(std::future::ready(Ok(())))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Reader for OnShelf {
    fn next(&mut self, _: Duration) -> BoxFuture<'_, Result<Page>> {
        let letters = self.0.letters().clone();
        let end = letters.last().map(|letter| letter.offset + 1);
        Box::pin(std::future::ready(Ok(Page { letters, end })))
    }
}

impl Store for OnShelf {
    fn name(&self) -> &str {
        "shelf"
    }

    fn positions(&self) -> Vec<Position> {
        Vec::new()
    }

    fn is_empty(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(std::future::ready(Ok(self.0.letters().is_empty())))
    }

    fn writer(&self) -> BoxFuture<'_, Result<Box<dyn Writer>>> {
        let writer: Box<dyn Writer> = Box::new(Self(self.0.clone()));
        Box::pin(std::future::ready(Ok(writer)))
    }

    fn reader(&self) -> BoxFuture<'_, Result<Option<Box<dyn Reader>>>> {
        let reader: Box<dyn Reader> = Box::new(Self(self.0.clone()));
        Box::pin(std::future::ready(Ok(Some(reader))))
    }

    fn forget(&self, before: Option<i64>) -> BoxFuture<'_, Result<()>> {
        let before = before.unwrap_or(i64::MAX);
        self.0.letters().retain(|letter| letter.offset >= before);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A message of the server with some bytes of pgoutput.
fn said(lsn: u64, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let len = u32::try_from(4 + 25 + payload.len()).unwrap();
    let (lsn, clock) = (lsn.to_be_bytes(), 0u64.to_be_bytes());
    let head: [&[u8]; 6] = [b"d", &len.to_be_bytes(), b"w", &lsn, &lsn, &clock];
    [head.concat(), payload].concat()
}

fn relation() -> Vec<u8> {
    said(0, &[b"R", &7u32.to_be_bytes(), b"s\0t\0d\0\0"])
}

/// A transaction with one row; it ends 8 behind its commit.
fn transaction(lsn: u64, bytes: usize) -> Vec<u8> {
    let (at, end, clock) = (lsn.to_be_bytes(), (lsn + 8).to_be_bytes(), [0; 8]);
    let row = vec![b'x'; bytes];
    let size = u32::try_from(bytes).unwrap().to_be_bytes();
    [
        said(lsn, &[b"B", &at, &clock, &1u32.to_be_bytes()]),
        said(lsn, &[b"I", &7u32.to_be_bytes(), b"N\0\x01t", &size, &row]),
        said(lsn, &[b"C\0", &at, &end, &clock]),
    ]
    .concat()
}

fn message(lsn: u64) -> Vec<u8> {
    let at = lsn.to_be_bytes();
    said(lsn, &[b"M\0", &at, b"p\0", &1u32.to_be_bytes(), b"x"])
}

/// Records what a server says, since LSN 50; gives what may be confirmed.
async fn record(shelf: &OnShelf, says: Vec<u8>) -> u64 {
    let (mut server, client) = duplex(1 << 20);
    let saying = tokio::spawn(async move { server.write_all(&says).await.unwrap() });
    let mut replication = Replication::replay(client, saying);
    let (durable, safe): (_, Watermark<Position>) = watermark();
    let writer = shelf.writer().await.unwrap();
    let begun = Recorder::begin(writer, 50, &Meter::default(), durable).await;
    let mut recorder = begun.unwrap();
    loop {
        if recorder.take(&mut replication).unwrap() {
            recorder.flush().await.unwrap();
        } else if replication.frames.read().await.is_err() {
            break;
        }
    }
    recorder.commit().await.unwrap();
    safe.latest().unwrap().order
}

/// Everything that comes back, without the last word.
async fn replay(shelf: &OnShelf, marks: &Marks) -> (u64, Vec<u8>) {
    let spool = Spool::open(shelf).await.unwrap().unwrap();
    let After::Session(session) = After::first(spool).await.unwrap() else {
        panic!("there is no session");
    };
    let since = session.since;
    let (mut replication, after) = session.replay(marks.clone());
    while replication.frames.read().await.is_ok() {}
    assert!(matches!(after.await.unwrap(), Ok(After::End(_))));
    let all = replication.frames.bytes().to_vec();
    (since, all.strip_suffix(b"c\0\0\0\x04").unwrap().to_vec())
}

#[tokio::test]
async fn what_was_said_comes_back_from_the_first_record_and_from_a_mark() {
    const LARGE: usize = 20 << 20;
    let shelf = OnShelf(std::sync::Arc::default());
    let parts = [
        relation(),
        transaction(100, LARGE),
        transaction(200, LARGE),
        transaction(300, 10),
    ];
    let said = parts.concat();
    assert_eq!(record(&shelf, said.clone()).await, 308);
    let marks = Marks::default();
    let (since, all) = replay(&shelf, &marks).await;
    assert!(since == 50 && all == said, "byte for byte");
    assert_eq!(marks.passed(207), None, "what is before it is not durable");
    let offset = marks.passed(208).unwrap();
    shelf.forget(Some(offset)).await.unwrap();
    let (since, rest) = replay(&shelf, &Marks::default()).await;
    let expected = [relation(), transaction(300, 10)].concat();
    assert!(
        since == 208 && rest == expected,
        "relations are announced again"
    );
    shelf.forget(Some(offset + 1)).await.unwrap();
    let spool = Spool::open(&shelf).await.unwrap().unwrap();
    let damaged = After::first(spool).await.unwrap_err();
    assert_eq!(damaged.code().name, "postgres.spill");
}

#[tokio::test]
async fn only_what_is_between_two_transactions_is_confirmed() {
    let shelf = OnShelf(std::sync::Arc::default());
    let whole = transaction(100, 10);
    let cut = whole.len() - 40;
    assert_eq!(record(&shelf, whole[..cut].to_vec()).await, 50);
    let behind = [whole, message(120)].concat();
    assert_eq!(
        record(&shelf, behind).await,
        120,
        "the next commit may begin where a message ends"
    );
}

//! Snapshots that are killed again and again: every key keeps its order, whatever was durable.

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use stack::{PgVersion, Postgres, PostgresOptions, Stack};

use crate::{
    harness::{Database, Source},
    history::{TABLE, Topic, assert_same, ordered, rows},
};

/// A server with prepared transactions, where a session can choose to wait for a replica that never comes.
pub(crate) fn database(version: PgVersion) -> Database {
    static STACK: OnceLock<Stack> = OnceLock::new();
    static V15: OnceLock<Postgres> = OnceLock::new();
    static V18: OnceLock<Postgres> = OnceLock::new();
    let stack = STACK.get_or_init(|| Stack::new().unwrap());
    let cell = match version {
        PgVersion::V15 => &V15,
        PgVersion::V18 => &V18,
    };
    let start = || {
        let options = PostgresOptions::new(version)
            .set("max_prepared_transactions", "20")
            .set("synchronous_standby_names", "nobody")
            .set("synchronous_commit", "local");
        stack.postgres_with(options).unwrap()
    };
    Database::on(cell.get_or_init(start).clone())
}

/// A psql that stays.
pub(crate) struct Session(Child);

impl Session {
    pub(crate) fn new(db: &Database, sql: &str) -> Self {
        let url = db.server.url();
        let (base, _) = url.rsplit_once('/').unwrap();
        let psql = Command::new(db.server.program("psql"))
            .args(["-Xq", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(format!("{base}/{}?application_name=session", db.name))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut session = Self(psql.unwrap());
        session.say(sql);
        session
    }

    pub(crate) fn say(&mut self, sql: &str) {
        let input = self.0.stdin.as_mut().unwrap();
        input.write_all(sql.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    /// Says a last word and waits for the end.
    pub(crate) fn end(mut self, sql: &str) {
        self.say(sql);
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for the session of a database to be in a state.
pub(crate) async fn session_is(db: &Database, condition: &str) {
    let sql = format!(
        "select count(*) from pg_stat_activity where application_name = 'session' \
         and datname = '{}' and {condition}",
        db.name
    );
    db.wait_until(condition, || db.sql(&sql).trim() == "1")
        .await;
}

/// Polls some times; takes what comes.
async fn poll(source: &mut Source, topic: &mut Topic, times: usize) {
    for _ in 0..times {
        let events = source.poll().await.unwrap();
        topic.append(events, source.batch().position().cloned());
    }
}

/// Rows of all parts of the table are changed, deleted and made again, keys change, a transaction has parts of its own.
fn changes(round: usize) -> String {
    let free = "id % 1000 not between 50 and 53";
    format!(
        "begin; update t set v = nextval('clock') where id % 97 = {round} and {free};
         savepoint a; update t set v = nextval('clock') where id % 89 = {round} and {free}; release a;
         savepoint b; update t set v = nextval('clock') where id % 83 = {round} and {free}; rollback to b; commit;
         insert into t (id) select id from generate_series(1, 20000) id where id % 101 = {round} - 1 and {free}
             on conflict do nothing;
         delete from t where id % 101 = {round} and {free};
         begin; delete from t where id = 10000 + {round}; insert into t (id) values (10000 + {round}); commit;
         update t set id = 40000 + id, v = nextval('clock') where id in ({round} + 1060, 18560 - {round});
         insert into t (id) values (-{round} - 1), (30000 + {round})"
    )
}

/// Transactions that stay open over several kills: one of a session, one prepared.
#[derive(Default)]
struct Spanning {
    open: Option<Session>,
    prepared: Option<usize>,
}

impl Spanning {
    async fn turn(&mut self, db: &Database, round: usize) {
        let touch = |rest: usize| {
            format!(
                "begin; update t set v = nextval('clock') where id % 1000 = {rest};
                 delete from t where id = {round} * 1000 + {rest} + 2;
                 insert into t (id) values (50000 + {round} * 10 + {rest});\n"
            )
        };
        match round % 3 {
            0 => {
                if let Some(prepared) = self.prepared.take() {
                    db.sql(&format!("commit prepared '{}_{prepared}'", db.name));
                }
                self.open = Some(Session::new(db, &touch(50)));
                session_is(db, "state = 'idle in transaction'").await;
            }
            1 => {
                db.sql(&format!(
                    "{} prepare transaction '{}_{round}'",
                    touch(51),
                    db.name
                ));
                self.prepared = Some(round);
            }
            _ => {
                if let Some(open) = self.open.take() {
                    open.end("commit;\n");
                }
            }
        }
    }

    fn end(self, db: &Database) {
        if let Some(open) = self.open {
            open.end("commit;\n");
        }
        if let Some(prepared) = self.prepared {
            db.sql(&format!("commit prepared '{}_{prepared}'", db.name));
        }
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

/// The properties of a try, by its number.
type Tries = fn(usize) -> &'static [(&'static str, &'static str)];

async fn killed_again_and_again(version: PgVersion, seed: u64, tries: Tries) {
    let db = database(version);
    db.sql(TABLE);
    db.sql("insert into t (id, pad) select id, 'pad' from generate_series(1, 20000) id");
    let (mut dice, mut topic, mut spanning) = (Dice(seed), Topic::default(), Spanning::default());
    let (mut stored, mut durable, mut unfinished) = (None, 0, 0);
    for round in 0..9 {
        let mut source = db.open_again(tries(round), stored).await;
        // The first try dies before any position is durable.
        let polls = 1 + dice.below(5);
        poll(&mut source, &mut topic, polls).await;
        db.sql(&changes(round * 2));
        spanning.turn(&db, round).await;
        poll(&mut source, &mut topic, dice.below(4)).await;
        drop(source);
        if round > 0 {
            durable += dice.below(topic.positions() + 1 - durable);
        }
        stored = topic.die(durable);
        let offset = stored.as_ref().map(|position| position.offset.to_string());
        let is_unfinished = offset.is_none_or(|offset| offset.contains("\"snapshot\""));
        unfinished += usize::from(is_unfinished);
        db.sql(&changes(round * 2 + 1));
    }
    assert!(
        unfinished > 3,
        "only {unfinished} deaths during the snapshot"
    );
    spanning.end(&db);
    let source = db.open_again(&[], stored).await;
    Box::pin(finish(&db, source, topic)).await;
}

/// The source goes on to the end; the topic tells the table, in order.
async fn finish(db: &Database, mut source: Source, mut topic: Topic) {
    source
        .streams(|events, position| topic.append(events, position))
        .await;
    db.sql("insert into t (id) values (99999)");
    while topic
        .events
        .last()
        .is_none_or(|event| event.key["id"] != 99999)
    {
        poll(&mut source, &mut topic, 1).await;
    }
    source.close().await;
    assert_same(&ordered(&topic.events), &rows(db));
}

#[tokio::test]
async fn a_killed_snapshot_keeps_the_order_of_every_key_15() {
    for seed in [3, 7] {
        Box::pin(killed_again_and_again(PgVersion::V15, seed, |_| &[])).await;
    }
}

/// Every try has another number of connections than the one before.
#[tokio::test]
async fn a_killed_snapshot_of_several_connections_keeps_the_order_of_every_key() {
    let tries: Tries = |round| match round % 4 {
        0 => &[("snapshot.max.threads", "3")],
        1 => &[],
        2 => &[
            ("snapshot.max.threads", "2"),
            ("snapshot.max.threads.multiplier", "4"),
        ],
        _ => &[("snapshot.max.threads.multiplier.public.t", "5")],
    };
    for (version, seed) in [(PgVersion::V15, 5), (PgVersion::V18, 11)] {
        Box::pin(killed_again_and_again(version, seed, tries)).await;
    }
}

#[tokio::test]
async fn a_killed_snapshot_keeps_the_order_of_every_key_18() {
    for seed in [1, 9] {
        Box::pin(killed_again_and_again(PgVersion::V18, seed, |_| &[])).await;
    }
}

/// A transaction whose commit is logged, and streamed, but not visible, since it waits for a replica; behind it one
/// that is visible: the order of the log is not the order of the snapshot.
async fn hidden_behind_a_replica(db: &Database) -> (Session, Topic) {
    db.sql(TABLE);
    db.sql("insert into t (id) select generate_series(1, 6000)");
    let mut topic = Topic::default();
    let mut source = db.open(&[], None).await;
    poll(&mut source, &mut topic, 1).await;
    drop(source);
    assert_eq!(topic.die(0), None);
    assert!(
        !topic.events.is_empty(),
        "some rows were read, and nothing is durable"
    );
    let hidden = "set synchronous_commit = on; begin; update t set v = nextval('clock') where id in (5, 5500);
        delete from t where id in (7, 5507); insert into t (id) values (7001); commit;\n";
    let session = Session::new(db, hidden);
    session_is(db, "wait_event = 'SyncRep'").await;
    db.sql(
        "begin; update t set v = nextval('clock') where id in (6, 5501);
         update t set v = nextval('clock') where id in (6, 5501);
         delete from t where id in (8, 5508); insert into t (id) values (7002); commit",
    );
    (session, topic)
}

/// What waits becomes visible.
async fn release(db: &Database, session: Session) {
    db.sql(&format!(
        "select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'session' \
         and datname = '{}'",
        db.name
    ));
    session.end("");
}

async fn committed_but_not_visible(version: PgVersion) {
    let db = database(version);
    let (session, mut topic) = hidden_behind_a_replica(&db).await;
    let mut source = db.open_again(&[], None).await;
    let of = |topic: &Topic, id: i64| {
        let events = topic.events.iter().filter(|event| event.key["id"] == id);
        events
            .map(|event| event.op().to_owned())
            .collect::<Vec<_>>()
    };
    while of(&topic, 7001).is_empty() {
        poll(&mut source, &mut topic, 1).await;
    }
    assert_eq!(
        of(&topic, 5500),
        ["r", "u"],
        "read without the change, then changed"
    );
    assert_eq!(
        of(&topic, 5501),
        ["u", "u", "r"],
        "changed, then read with the changes"
    );
    assert_eq!(of(&topic, 5507), ["r", "d", "tombstone"]);
    assert_eq!(of(&topic, 5508), ["d", "tombstone"]);
    release(&db, session).await;
    Box::pin(finish(&db, source, topic)).await;
}

#[tokio::test]
async fn what_is_logged_and_not_visible_comes_after_the_snapshot_15() {
    Box::pin(committed_but_not_visible(PgVersion::V15)).await;
}

#[tokio::test]
async fn what_is_logged_and_not_visible_comes_after_the_snapshot_18() {
    Box::pin(committed_but_not_visible(PgVersion::V18)).await;
}

/// The task dies every two polls meanwhile, everything durable; then nothing may come twice.
#[tokio::test]
async fn what_was_passed_by_is_remembered_over_deaths() {
    let db = database(PgVersion::V15);
    let (session, mut topic) = hidden_behind_a_replica(&db).await;
    let mut stored = None;
    let is_ahead = |topic: &mut Topic| {
        let stored = topic.die(topic.positions());
        stored.is_some_and(|position| position.offset.contains("ahead_seen"))
    };
    for _ in 0..20 {
        let mut source = db.open_again(&[], stored).await;
        poll(&mut source, &mut topic, 2).await;
        drop(source);
        if is_ahead(&mut topic) {
            break;
        }
        stored = topic.die(topic.positions());
    }
    assert!(is_ahead(&mut topic), "nothing was passed by");
    let stored = topic.die(topic.positions());
    let count = topic.events.len();
    let mut source = db.open_again(&[], stored.clone()).await;
    poll(&mut source, &mut topic, 3).await;
    drop(source);
    let stored = topic.die(topic.positions()).or(stored);
    assert_eq!(
        topic.events.len(),
        count,
        "the next part waits for what is not visible"
    );
    release(&db, session).await;
    let source = db.open_again(&[], stored).await;
    Box::pin(finish(&db, source, topic)).await;
}

/// Invariant 1: what was read before a snapshot may be confirmed only when it is durable.
#[tokio::test]
async fn the_slot_does_not_follow_what_was_read_before_a_snapshot() {
    let db = database(PgVersion::V18);
    db.sql(TABLE);
    db.sql("insert into t (id) values (1)");
    let source = db.open(&[], None).await;
    drop(source);
    db.sql("insert into t (id) values (2)");
    let mut source = db.open_again(&[], None).await;
    let (before, _) = db.confirmed_and_end();
    let mut topic = Topic::default();
    source
        .streams(|events, position| topic.append(events, position))
        .await;
    poll(&mut source, &mut topic, 2).await;
    source.close().await;
    assert_eq!(db.confirmed_and_end().0, before);
    // Nothing was durable, so everything comes again.
    topic.events.clear();
    assert_eq!(topic.die(0), None);
    Box::pin(finish(&db, db.open_again(&[], None).await, topic)).await;
}

//! The binlog as it comes.

use std::time::Duration;

use mysql_source::{
    binlog::{self, Event, Operation},
    config::SslMode,
    wire::{Connection, Dump, DumpFrom, DumpPlace, Look},
};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{VERSIONS, block_on, soon, target};

pub(super) async fn dump(mysql: &Mysql, place: DumpPlace<'_>) -> Dump {
    let target = target(mysql, "cdc", SslMode::Preferred);
    let connection = soon(Connection::open(&target)).await.unwrap();
    let from = DumpFrom {
        name: "tidewater test",
        place,
        server_id: 7001,
        uuid: "7a0d3d3e-0000-4000-8000-000000000001",
        heartbeat: Duration::from_secs(1),
        annotated: true,
    };
    soon(connection.dump(&from)).await.unwrap()
}

/// What an event is, in a word or a few.
fn told(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Rotate { file, pos } => format!("rotate {file} {pos}"),
        Event::Query(query) => String::from_utf8_lossy(query.sql).into_owned(),
        Event::Xid => "xid".into(),
        Event::Gtid(gtid) => match gtid.id {
            Some(id) => format!("gtid {id}"),
            None => "gtid".into(),
        },
        Event::TableMap(map) => format!("table {}.{} {:?}", map.database, map.name, map.types),
        Event::Rows(rows) => format!("{:?} {}", rows.operation, rows.columns),
        Event::Statement(sql) => format!("statement {}", String::from_utf8_lossy(sql)),
        Event::XaPrepare => "prepare".into(),
        Event::Payload(_) => "payload".into(),
        Event::Heartbeat => "heartbeat".into(),
        _ => return None,
    })
}

/// Reads events until `done` says so of one.
pub(super) async fn each(dump: &mut Dump, mut done: impl FnMut(&Event<'_>) -> bool) {
    let Dump { packets, checked } = dump;
    loop {
        let payload = loop {
            match packets.look_at(0).unwrap() {
                Look::Whole(payload) => break packets.take(payload.end).slice(payload),
                Look::Missing(_) => soon(packets.read()).await.unwrap(),
                Look::Large => break soon(packets.large()).await.unwrap(),
            }
        };
        assert_eq!(payload[0], 0, "{payload:?}");
        let event = &payload[1..];
        let header = binlog::header(event).unwrap();
        let body = binlog::body(event, &header, *checked).unwrap();
        let event = binlog::event(&header, body).unwrap();
        if let Event::Format(format) = event {
            *checked = format.checked;
        }
        if done(&event) {
            return;
        }
    }
}

/// Reads events until one is told as `last`.
async fn until(dump: &mut Dump, last: &str) -> Vec<String> {
    let mut events = Vec::new();
    each(dump, |event| {
        events.extend(told(event));
        events.last().is_some_and(|told| told == last)
    })
    .await;
    events
}

#[test]
fn the_binlog_tells_tables_rows_and_transactions() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        let (file, at) = mysql.binlog_end().unwrap();
        mysql
            .sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO t VALUES (1, 'a'), (2, 'b'); UPDATE t SET v = 'c'; DELETE FROM t WHERE id = 1; CREATE TABLE done (id INT)")
            .unwrap();
        let events = block_on(async {
            let mut dumped = dump(&mysql, DumpPlace::File(&file, at)).await;
            until(&mut dumped, "CREATE TABLE done (id INT)").await
        });
        assert!(events[0].starts_with("rotate "), "{events:?}");
        let of_table = |wanted: &str| {
            events
                .iter()
                .filter(|told| told.starts_with(wanted))
                .count()
        };
        assert_eq!(of_table("table inventory.t [3, 15]"), 3, "{events:?}");
        for operation in [Operation::Insert, Operation::Update, Operation::Delete] {
            assert_eq!(of_table(&format!("{operation:?} 2")), 1, "{events:?}");
        }
        assert_eq!((of_table("xid"), of_table("gtid ")), (3, 5), "{events:?}");
    }
}

#[test]
fn a_dump_goes_on_behind_a_gtid() {
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql(MysqlVersion::Mariadb1011).unwrap();
    mysql.sql("CREATE TABLE before_it (id INT)").unwrap();
    let at = mysql.sql("SELECT @@gtid_binlog_pos").unwrap();
    mysql.sql("CREATE TABLE behind_it (id INT)").unwrap();
    let events = block_on(async {
        let mut dumped = dump(&mysql, DumpPlace::MariaDbGtids(at.trim())).await;
        until(&mut dumped, "CREATE TABLE behind_it (id INT)").await
    });
    assert!(
        !events.iter().any(|told| told.contains("before_it")),
        "{events:?}"
    );
}

#[test]
fn heartbeats_come_and_tagged_ids_and_events_of_more_than_16_mib() {
    let stack = Stack::new().unwrap();
    let options = MysqlOptions::new(MysqlVersion::V97).set("max_allowed_packet", "64M");
    let mysql = stack.mysql_with(options).unwrap();
    let (file, at) = mysql.binlog_end().unwrap();
    mysql
        .sql("CREATE TABLE t (id INT, v LONGTEXT); SET gtid_next = 'AUTOMATIC:shop_1'; INSERT INTO t VALUES (1, 'small'); INSERT INTO t VALUES (2, REPEAT('x', 34000000)); CREATE TABLE done (id INT)")
        .unwrap();
    let events = block_on(async {
        let mut dumped = dump(&mysql, DumpPlace::File(&file, at)).await;
        let mut events = until(&mut dumped, "CREATE TABLE done (id INT)").await;
        events.extend(until(&mut dumped, "heartbeat").await);
        events
    });
    let uuid = mysql.sql("SELECT @@server_uuid").unwrap();
    for number in 1..=3 {
        let gtid = format!("gtid {}:shop_1:{number}", uuid.trim());
        assert!(events.contains(&gtid), "{gtid} in {events:?}");
    }
}

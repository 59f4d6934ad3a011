//! What the servers compress is what it was before.

use std::fmt::Write;

use mysql_source::{
    binlog::{self, EVENT_LIMIT, Event, Header, Image, Inflater, Payload, Rows},
    declared::Declared,
    layout::{Layout, Value},
    wire::{DumpPlace, Fields},
};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on,
    dumps::{dump, each},
};

/// The statement that ends what is read.
const DONE: &str = "ALTER TABLE t COMMENT 'done'";

/// A place in a file.
type Place = (String, u64);

/// What was compressed, and how much memory that took.
#[derive(Default)]
struct Seen {
    /// The contents of compressed transactions.
    payloads: Vec<Vec<u8>>,
    /// The parts of events that were compressed.
    parts: Vec<Vec<u8>>,
    /// The largest buffer.
    held: usize,
    /// How many bytes the events in compressed transactions had.
    bytes: usize,
}

/// Gives every event up to [`DONE`] as it was before it was compressed.
fn each_plain(mysql: &Mysql, (file, at): &Place, mut take: impl FnMut(&Event<'_>)) -> Seen {
    let mut seen = Seen::default();
    let mut payload = Payload::new(EVENT_LIMIT).unwrap();
    let mut inflater = Inflater::new(EVENT_LIMIT);
    let is_done =
        |event: &Event<'_>| matches!(event, Event::Query(query) if query.sql == DONE.as_bytes());
    block_on(async {
        let mut dumped = dump(mysql, DumpPlace::File(file, *at)).await;
        each(&mut dumped, |event| match *event {
            Event::Payload(bytes) => {
                let (mut input, mut done) = (bytes, false);
                payload.begin(Header::default()).unwrap();
                while let Some((header, body)) = payload.next(&mut input).unwrap() {
                    let event = binlog::event(&header, body).unwrap();
                    take(&event);
                    done |= is_done(&event);
                    seen.bytes += body.len();
                }
                payload.end().unwrap();
                seen.held = seen.held.max(payload.held());
                seen.payloads.push(bytes.to_vec());
                done
            }
            other => {
                match other {
                    Event::Rows(rows) if rows.compressed => seen.parts.push(rows.data.to_vec()),
                    Event::Query(query) if query.compressed => seen.parts.push(query.sql.to_vec()),
                    _ => {}
                }
                let event = inflater.event(other).unwrap();
                take(&event);
                is_done(&event)
            }
        })
        .await;
    });
    seen
}

/// The values of rows, as text: one line a row, bytes as hexadecimal digits.
fn values(rows: &Rows<'_>, layouts: &[Layout], out: &mut String) {
    let mut inflater = Inflater::new(EVENT_LIMIT);
    let mut data = Fields(rows.data);
    while !data.is_empty() {
        let nulls = Image(data.bytes(layouts.len().div_ceil(8)).unwrap());
        let columns = layouts.iter().enumerate().map(|(at, layout)| {
            if nulls.has(at) {
                return "NULL".to_owned();
            }
            match layout.take(&mut data).unwrap() {
                Value::Bytes(bytes) if layout.is_compressed() => {
                    hex(inflater.column(bytes).unwrap())
                }
                Value::Bytes(bytes) => hex(bytes),
                Value::Int(number) => number.to_string(),
                other => format!("{other:?}"),
            }
        });
        let row: Vec<String> = columns.collect();
        writeln!(out, "{}", row.join(" ")).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02X}").unwrap();
    }
    out
}

/// Turns compression on or off for the sessions that follow.
fn compress(mysql: &Mysql, on: bool) {
    let variable = match mysql.version().is_mariadb() {
        true => "log_bin_compress",
        false => "binlog_transaction_compression",
    };
    mysql.sql(&format!("SET GLOBAL {variable} = {on}")).unwrap();
}

/// Runs statements, and gives what the binlog tells of them.
fn told(mysql: &Mysql, sql: &str) -> (String, Seen) {
    let place = mysql.binlog_end().unwrap();
    mysql.sql(&format!("{sql}; {DONE}")).unwrap();
    let (mut out, mut layouts) = (String::new(), Vec::new());
    let seen = each_plain(mysql, &place, |event| match event {
        Event::Query(query) => {
            let sql = String::from_utf8_lossy(query.sql);
            writeln!(out, "{sql}").unwrap();
        }
        Event::TableMap(map) => layouts = Layout::of(map).unwrap(),
        Event::Rows(rows) => {
            writeln!(out, "{:?}", rows.operation).unwrap();
            values(rows, &layouts, &mut out);
        }
        Event::Xid => out.push_str("xid\n"),
        _ => {}
    });
    (out, seen)
}

#[test]
fn rows_are_the_same_compressed_or_not() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let options = match version.is_mariadb() {
            true => MysqlOptions::new(version).set("log_bin_compress_min_len", "10"),
            false => MysqlOptions::new(version),
        };
        let mysql = stack.mysql_with(options).unwrap();
        let sql = "DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, n DECIMAL(10,2), v LONGTEXT); \
            BEGIN; INSERT INTO t VALUES (1, 1.5, NULL), (2, NULL, REPEAT('ä', 300)), (3, -7, REPEAT('xyz', 100000)); \
            UPDATE t SET n = 3, v = CONCAT(v, REPEAT('b', 300)); DELETE FROM t WHERE id > 1; COMMIT; \
            INSERT INTO t VALUES (4, 4, 'a transaction more')";
        compress(&mysql, false);
        let (plain, seen) = told(&mysql, sql);
        assert!(seen.payloads.is_empty() && seen.parts.is_empty());
        compress(&mysql, true);
        let (same, seen) = told(&mysql, sql);
        assert!(plain == same, "{version}");
        assert_eq!(plain.matches("xid\n").count(), 2, "{version}");
        match version.is_mariadb() {
            true => assert!(seen.parts.len() > 6, "{}", seen.parts.len()),
            false => assert_eq!(seen.payloads.len(), 2),
        }
        every_prefix_fails(&seen);
    }
}

/// No prefix of what a server has compressed is taken for all of it.
fn every_prefix_fails(seen: &Seen) {
    let mut payload = Payload::new(EVENT_LIMIT).unwrap();
    for whole in &seen.payloads {
        for end in 0..whole.len() {
            payload.begin(Header::default()).unwrap();
            let mut input = &whole[..end];
            let ended = loop {
                match payload.next(&mut input) {
                    Ok(Some(_)) => {}
                    Ok(None) => break payload.end(),
                    Err(error) => break Err(error),
                }
            };
            assert!(ended.is_err(), "{end} of {}", whole.len());
        }
    }
    let mut inflater = Inflater::new(EVENT_LIMIT);
    for whole in &seen.parts {
        for end in 0..whole.len() {
            assert!(inflater.bytes(&whole[..end]).is_err(), "{end}");
        }
    }
}

#[test]
fn a_large_transaction_takes_little_memory() {
    let stack = Stack::new().unwrap();
    let options = MysqlOptions::new(MysqlVersion::V97).set("binlog_transaction_compression", "ON");
    let mysql = stack.mysql_with(options).unwrap();
    mysql
        .sql("CREATE TABLE t (id INT PRIMARY KEY, v BLOB)")
        .unwrap();
    let place = mysql.binlog_end().unwrap();
    let sql = "SET cte_max_recursion_depth = 100000; INSERT INTO t WITH RECURSIVE n (i) AS \
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) SELECT i, CONCAT(RANDOM_BYTES(600), REPEAT('x', 1500)) FROM n";
    mysql.sql(&format!("{sql}; {DONE}")).unwrap();
    let (mut layouts, mut ids) = (Vec::new(), Vec::new());
    let seen = each_plain(&mysql, &place, |event| match event {
        Event::TableMap(map) => layouts = Layout::of(map).unwrap(),
        Event::Rows(rows) => {
            let mut data = Fields(rows.data);
            while !data.is_empty() {
                data.u8().unwrap();
                let (id, text) = (layouts[0].take(&mut data), layouts[1].take(&mut data));
                let (Value::Int(id), Value::Bytes(text)) = (id.unwrap(), text.unwrap()) else {
                    panic!("another table")
                };
                assert!(text.len() == 2100 && text.ends_with(b"xx"));
                ids.push(id);
            }
        }
        _ => {}
    });
    assert_eq!(seen.payloads.len(), 1);
    // More than one packet.
    assert!(seen.payloads[0].len() > 16 << 20);
    assert!(seen.bytes > 64 << 20, "{} bytes", seen.bytes);
    assert!(ids.into_iter().eq(1..=40_000));
    assert!(seen.held < 1 << 20, "{} bytes held", seen.held);
}

#[test]
fn compressed_columns_have_the_values_that_the_server_shows() {
    let stack = Stack::new().unwrap();
    for version in [MysqlVersion::Mariadb1011, MysqlVersion::Mariadb118] {
        let mysql = stack.mysql_with(MysqlOptions::new(version)).unwrap();
        let columns = [
            "VARCHAR(1000) COMPRESSED",
            "VARCHAR(255) COMPRESSED CHARACTER SET latin1",
            "VARBINARY(200) COMPRESSED",
            "TINYTEXT COMPRESSED CHARACTER SET latin1",
            "TEXT COMPRESSED",
            "LONGBLOB COMPRESSED",
        ];
        let columns: Vec<String> = (0..)
            .zip(columns)
            .map(|(at, of)| format!("c{at} {of}"))
            .collect();
        let rows = [
            "NULL",
            "''",
            "'short'",
            "REPEAT('ab', 70)",
            "REPEAT('c', 200)",
        ];
        let rows: Vec<String> = (0..)
            .zip(rows)
            .map(|(id, value)| format!("({id}{})", format!(", {value}").repeat(columns.len())))
            .collect();
        let create = format!(
            "CREATE TABLE t (id INT PRIMARY KEY, {}) CHARACTER SET utf8mb4",
            columns.join(", ")
        );
        mysql.sql(&create).unwrap();
        layouts_fit(&mysql);
        let rows = rows.join(", ");
        for (wrap, on) in [("ON", false), ("OFF", false), ("OFF", true)] {
            compress(&mysql, on);
            let (found, _) = told(
                &mysql,
                &format!(
                    "DELETE FROM t; SET column_compression_zlib_wrap = {wrap}; INSERT INTO t VALUES {rows}, \
                     (9, '', '', '', '', REPEAT('text', 10000), REPEAT('blob', 50000))"
                ),
            );
            let (_, inserted) = found.rsplit_once("Insert\n").unwrap();
            let shown: Vec<String> = (0..columns.len())
                .map(|at| format!("IFNULL(HEX(c{at}), 'NULL')"))
                .collect();
            let shown = format!(
                "SELECT CONCAT_WS(' ', id, {}) FROM t ORDER BY id",
                shown.join(", ")
            );
            let shown = mysql.sql(&shown).unwrap();
            assert_eq!(shown.lines().count(), 6);
            for (line, shown) in inserted.lines().zip(shown.lines()) {
                assert!(line == shown, "{version} {wrap}: {shown:.200}\n{line:.200}");
            }
        }
    }
}

/// What the binlog says of the columns of `t` fits what the server says of them.
fn layouts_fit(mysql: &Mysql) {
    let place = mysql.binlog_end().unwrap();
    mysql
        .sql(&format!("INSERT INTO t (id) VALUES (8); {DONE}"))
        .unwrap();
    let declared = "SELECT COLUMN_TYPE FROM information_schema.columns WHERE TABLE_NAME = 't' ORDER BY ORDINAL_POSITION";
    let declared = mysql.sql(declared).unwrap();
    let mut maps = 0;
    each_plain(mysql, &place, |event| {
        if let Event::TableMap(map) = event {
            let layouts = Layout::of(map).unwrap();
            assert_eq!(layouts.len(), declared.lines().count());
            for (declared, layout) in declared.lines().zip(layouts) {
                assert_eq!(layout.is_compressed(), declared.contains("COMPRESSED"));
                assert!(Declared::parse(declared).fits(layout), "{declared}");
            }
            maps += 1;
        }
    });
    assert_eq!(maps, 1);
}

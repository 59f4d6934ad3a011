//! What becomes of values in rows of the binlog is what the server shows of them.

use std::sync::Arc;

use cdc::modes::{BinaryMode, DecimalMode, TimePrecision};
use connect_core::{Batch, Datum};
use mysql_source::{
    binlog::{Event, Image},
    charset::Charset,
    convert,
    declared::Declared,
    layout::Layout,
    types::{BigUnsigned, Modes, Shape},
    wire::{DumpPlace, Fields},
};
use stack::{Mysql, MysqlOptions, Stack};

use super::{
    VERSIONS, block_on,
    dumps::{dump, each},
};

/// Everything that can be is shown as text.
const MODES: Modes = Modes {
    decimal: DecimalMode::String,
    time: TimePrecision::IsoString,
    binary: BinaryMode::Hex,
    big_unsigned: BigUnsigned::Precise,
    adjusts_years: false,
};

/// A type, a value of it as SQL, and what shows that in the form that records have (`{}` is the column).
type Case = (&'static str, &'static str, &'static str);

const OF_BOTH: &[Case] = &[
    ("DECIMAL(65,30)", "-1.5", "{}"),
    ("DECIMAL(4,0)", "0", "{}"),
    ("CHAR(10) CHARACTER SET latin1", "'äß'", "{}"),
    ("VARCHAR(10) CHARACTER SET ucs2", "'漢字'", "{}"),
    ("MEDIUMTEXT", "'🦀'", "{}"),
    ("BINARY(6)", "x'00ff00'", "LOWER(HEX({}))"),
    ("VARBINARY(6)", "x'00ff00'", "LOWER(HEX({}))"),
    ("LONGBLOB", "x'c3'", "LOWER(HEX({}))"),
    ("ENUM('x','ä''z')", "'ä''z'", "{}"),
    ("SET('a','b','ü')", "'a,ü'", "{}"),
    ("DATE", "'2026-02-28'", "CONCAT({}, 'Z')"),
    (
        "TIME(3)",
        "'23:59:58.250'",
        "CONCAT(TRIM(TRAILING '0' FROM {}), 'Z')",
    ),
    (
        "DATETIME(6)",
        "'1000-01-01 01:02:03.000004'",
        "CONCAT(REPLACE({}, ' ', 'T'), 'Z')",
    ),
    (
        "TIMESTAMP(2) NULL",
        "'2026-11-23 12:34:56.7'",
        "CONCAT(REPLACE({}, ' ', 'T'), 'Z')",
    ),
    (
        "JSON",
        "'[1,{\"a\":null}]'",
        "REPLACE(REPLACE({}, ', ', ','), ': ', ':')",
    ),
];

const OF_MARIADB: &[Case] = &[
    ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", "{}"),
    ("UUID", "'01234567-89ab-7def-8123-456789abcdef'", "{}"),
    ("UUID", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "{}"),
    ("INET6", "'2001:db8::ff00:42:8329'", "{}"),
    ("INET6", "'::'", "{}"),
    ("INET6", "'::ffff:192.0.2.1'", "{}"),
    ("INET4", "'192.0.2.0'", "{}"),
];

fn create_and_fill(mysql: &Mysql, cases: &[Case]) {
    let columns = cases.iter().enumerate();
    let columns: Vec<String> = columns
        .map(|(at, case)| format!("c{at} {}", case.0))
        .collect();
    let values: Vec<&str> = cases.iter().map(|case| case.1).collect();
    let sql = format!(
        "SET time_zone = '+00:00'; CREATE TABLE t ({}) CHARACTER SET utf8mb4; INSERT INTO t VALUES ({})",
        columns.join(", "),
        values.join(", ")
    );
    mysql.sql(&sql).unwrap();
}

/// What becomes of the columns, as `information_schema` tells them.
fn shapes(mysql: &Mysql) -> Vec<Shape> {
    let sql = "SELECT COLUMN_TYPE, IFNULL(CHARACTER_SET_NAME, '') FROM information_schema.columns \
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't' ORDER BY ORDINAL_POSITION";
    let rows = mysql.sql(sql).unwrap();
    let shape = |line: &str| {
        let (declared, charset) = line.split_once('\t').unwrap();
        let shape = MODES.shape(&Declared::parse(declared), Charset::named(charset));
        shape.unwrap_or_else(|| panic!("{declared} is not known"))
    };
    rows.lines().map(shape).collect()
}

/// The cells of the row that was inserted, as text.
fn cells(mysql: &Mysql, shapes: &[Shape]) -> Vec<String> {
    let mut found = Vec::new();
    block_on(async {
        let first = mysql.binlogs().unwrap().remove(0);
        let mut dumped = dump(mysql, DumpPlace::File(&first, 4)).await;
        let mut layouts = Vec::new();
        each(&mut dumped, |event| {
            match event {
                Event::TableMap(map) if map.name == "t" => layouts = Layout::of(map).unwrap(),
                Event::Rows(rows) => {
                    let mut data = Fields(rows.data);
                    let nulls = Image(data.bytes(rows.columns.div_ceil(8)).unwrap());
                    assert_eq!(nulls.count(rows.columns), 0);
                    for (layout, shape) in layouts.iter().zip(shapes) {
                        let mut out = Batch::default();
                        let value = layout.take(&mut data).unwrap();
                        let cell = convert::cell(&shape.op, value, None, &mut out).unwrap();
                        let schema = Arc::new(shape.schema.clone());
                        let datum = Datum::of(&out, Some(&schema), cell);
                        found.push(datum.text().unwrap().into_owned());
                    }
                }
                _ => {}
            }
            !found.is_empty()
        })
        .await;
    });
    found
}

#[test]
fn cells_are_what_the_server_shows() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql_with(MysqlOptions::new(version)).unwrap();
        let more = if version.is_mariadb() {
            OF_MARIADB
        } else {
            &[]
        };
        let cases = [OF_BOTH, more].concat();
        create_and_fill(&mysql, &cases);
        let found = cells(&mysql, &shapes(&mysql));
        assert_eq!(found.len(), cases.len());
        for (at, (case, found)) in cases.iter().zip(&found).enumerate() {
            let shown = case.2.replace("{}", &format!("c{at}"));
            let sql = format!("SET time_zone = '+00:00'; SELECT {shown} FROM t");
            assert_eq!(
                found,
                mysql.sql(&sql).unwrap().trim_end(),
                "{case:?} on {version}"
            );
        }
    }
}

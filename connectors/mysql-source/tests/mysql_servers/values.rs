//! The values in rows of the binlog are those that the server itself shows.

use mysql_source::{
    binlog::{Event, Image, Metadata, Operation},
    layout::{Layout, Value},
    temporal::Date,
    wire::Fields,
};
use stack::{Mysql, MysqlOptions, MysqlVersion, Stack};

use super::{
    VERSIONS, block_on,
    dumps::{dump, each},
};
use mysql_source::wire::DumpPlace;

/// Types and the values of their columns, as SQL.
const COLUMNS: &[(&str, &[&str])] = &[
    ("TINYINT", &["-128", "127", "NULL", "0"]),
    ("TINYINT UNSIGNED", &["0", "255", "128", "1"]),
    ("SMALLINT", &["-32768", "32767", "-1", "0"]),
    ("SMALLINT UNSIGNED", &["65535", "32768", "0", "NULL"]),
    ("MEDIUMINT", &["-8388608", "8388607", "-1", "5"]),
    ("MEDIUMINT UNSIGNED", &["16777215", "8388608", "0", "5"]),
    ("INT", &["-2147483648", "2147483647", "-1", "0"]),
    ("INT UNSIGNED", &["4294967295", "2147483648", "0", "7"]),
    (
        "BIGINT",
        &["-9223372036854775808", "9223372036854775807", "-1", "0"],
    ),
    (
        "BIGINT UNSIGNED",
        &["18446744073709551615", "9223372036854775808", "0", "1"],
    ),
    ("DECIMAL(5,2)", &["-999.99", "999.99", "-0.01", "0.50"]),
    (
        "DECIMAL(65,30)",
        &[
            "-12345678901234567890123456789012345.123456789012345678901234567890",
            "1",
            "0",
            "NULL",
        ],
    ),
    (
        "DECIMAL(18,9)",
        &["123456789.987654321", "-0.000000001", "0", "-123456789"],
    ),
    ("DECIMAL(10,0)", &["-9999999999", "9999999999", "0", "-1"]),
    ("DOUBLE", &["-1.5", "1e100", "0", "0.1"]),
    ("BIT(1)", &["b'1'", "b'0'", "NULL", "b'1'"]),
    (
        "BIT(11)",
        &["b'10000000001'", "b'0'", "b'11111111111'", "b'1'"],
    ),
    ("BIT(64)", &["b'1'", "~0", "0", "NULL"]),
    ("YEAR", &["1901", "2155", "0", "2026"]),
    (
        "DATE",
        &[
            "'1000-01-01'",
            "'9999-12-31'",
            "'0000-00-00'",
            "'2026-00-15'",
        ],
    ),
    (
        "TIME",
        &["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"],
    ),
    (
        "TIME(1)",
        &["'-00:00:00.1'", "'12:34:56.7'", "'-01:00:00.9'", "NULL"],
    ),
    (
        "TIME(3)",
        &[
            "'-00:00:01.101'",
            "'838:59:58.999'",
            "'00:00:00.001'",
            "'-12:34:56.789'",
        ],
    ),
    (
        "TIME(6)",
        &[
            "'-00:00:00.000001'",
            "'-838:59:58.999999'",
            "'12:34:56.123456'",
            "'0'",
        ],
    ),
    (
        "DATETIME",
        &[
            "'1000-01-01 00:00:00'",
            "'9999-12-31 23:59:59'",
            "'0000-00-00 00:00:00'",
            "NULL",
        ],
    ),
    (
        "DATETIME(2)",
        &[
            "'2026-11-23 12:34:56.78'",
            "'2026-00-00 00:00:00.01'",
            "'1969-12-31 23:59:59.99'",
            "NULL",
        ],
    ),
    (
        "DATETIME(6)",
        &[
            "'2026-11-23 12:34:56.123456'",
            "'1000-01-01 00:00:00.000001'",
            "'0000-00-00'",
            "NULL",
        ],
    ),
    (
        "TIMESTAMP NULL",
        &[
            "'1970-01-01 00:00:01'",
            "'2038-01-19 03:14:07'",
            "'0000-00-00 00:00:00'",
            "NULL",
        ],
    ),
    (
        "TIMESTAMP(3) NULL",
        &[
            "'2026-11-23 12:34:56.789'",
            "'1970-01-01 00:00:01.001'",
            "'2000-02-29 00:00:00'",
            "NULL",
        ],
    ),
    (
        "TIMESTAMP(6) NULL",
        &[
            "'2026-11-23 12:34:56.123456'",
            "'2038-01-19 03:14:07.999999'",
            "NULL",
            "NULL",
        ],
    ),
    ("CHAR(10)", &["'a'", "''", "'äöü🦀'", "NULL"]),
    ("CHAR(255)", &["'b'", "REPEAT('ä', 255)", "''", "NULL"]),
    ("VARCHAR(20)", &["'v'", "''", "'漢字🦀'", "NULL"]),
    (
        "VARCHAR(300)",
        &["'w'", "REPEAT('x', 300)", "REPEAT('🦀', 300)", "NULL"],
    ),
    ("TINYTEXT", &["'t'", "REPEAT('t', 255)", "''", "NULL"]),
    ("TEXT", &["'t'", "REPEAT('t', 65535)", "''", "NULL"]),
    ("LONGTEXT", &["'t'", "REPEAT('t', 70000)", "''", "NULL"]),
    ("ENUM('x','y''z','w')", &["'x'", "'y''z'", "'w'", "NULL"]),
    (
        "SET('a','b','c','d','e','f','g','h','i')",
        &["'a'", "'a,i'", "''", "NULL"],
    ),
];

fn create_and_fill(mysql: &Mysql) {
    let columns: Vec<String> = COLUMNS
        .iter()
        .enumerate()
        .map(|(at, (declared, _))| format!("c{at} {declared}"))
        .collect();
    let rows: Vec<String> = (0..4)
        .map(|row| {
            let values: Vec<&str> = COLUMNS.iter().map(|(_, values)| values[row]).collect();
            format!("({row}, {})", values.join(", "))
        })
        .collect();
    let sql = format!(
        "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'; CREATE TABLE t (id INT PRIMARY KEY, {}) CHARACTER SET utf8mb4; INSERT INTO t VALUES {}",
        columns.join(", "),
        rows.join(", ")
    );
    mysql.sql(&sql).unwrap();
}

/// What the server shows of a column, one line a row.
fn shown(mysql: &Mysql, at: usize) -> Vec<String> {
    let (declared, _) = COLUMNS[at];
    let shown = match declared.split(['(', ' ']).next().unwrap() {
        "BIT" => format!("CONV(HEX(c{at}), 16, 10)"),
        "ENUM" | "SET" => format!("CAST(c{at} + 0 AS UNSIGNED)"),
        _ => format!("c{at}"),
    };
    let sql = format!("SET time_zone = '+00:00'; SELECT {shown} FROM t ORDER BY id");
    mysql
        .sql(&sql)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn fraction(us: i64, digits: u8) -> String {
    match digits {
        0 => String::new(),
        digits => format!(".{:06}", us % 1_000_000)[..=usize::from(digits)].to_owned(),
    }
}

fn date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

fn clock(us: i64, digits: u8) -> String {
    let seconds = us / 1_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}{}",
        seconds % 60,
        fraction(us, digits)
    )
}

/// A value as the server shows it.
fn text(mysql: &Mysql, layout: Layout, value: Value<'_>) -> String {
    let digits = match layout {
        Layout::Time { digits } | Layout::DateTime { digits } | Layout::Timestamp { digits } => {
            digits
        }
        _ => 0,
    };
    match value {
        Value::Int(number) if layout == Layout::Year => format!("{number:04}"),
        Value::Int(number) => number.to_string(),
        Value::Unsigned(number) | Value::Member(number) | Value::Members(number) => {
            number.to_string()
        }
        Value::Double(number) => mysql
            .sql(&format!("SELECT {number:e}"))
            .unwrap()
            .trim()
            .to_owned(),
        Value::Decimal(bytes) => {
            let Layout::Decimal { precision, scale } = layout else {
                panic!()
            };
            let mut out = Vec::new();
            mysql_source::decimal::push(bytes, precision, scale, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        }
        Value::Bits(bytes) => bytes
            .iter()
            .fold(0u64, |n, b| n << 8 | u64::from(*b))
            .to_string(),
        Value::Date(found) => date(found),
        Value::Time(us) if us < 0 => format!("-{}", clock(-us, digits)),
        Value::Time(us) => clock(us, digits),
        Value::DateTime(moment) => {
            format!("{} {}", date(moment.date), clock(moment.time_us, digits))
        }
        Value::Timestamp(None) => "0000-00-00 00:00:00".into(),
        Value::Timestamp(Some(us)) => {
            let sql = format!(
                "SET time_zone = '+00:00'; SELECT FROM_UNIXTIME({}.{:06})",
                us / 1_000_000,
                us % 1_000_000
            );
            let all = mysql.sql(&sql).unwrap();
            format!("{}{}", &all[..19], fraction(us, digits))
        }
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Value::Float(_) => panic!("no column is one"),
    }
}

/// The columns of the rows that were inserted, as the binlog has them.
fn logged(mysql: &Mysql) -> Vec<Vec<String>> {
    let (first, rows) = block_on(async {
        let first = mysql.binlogs().unwrap().remove(0);
        let mut dumped = dump(mysql, DumpPlace::File(&first, 4)).await;
        let (mut layouts, mut rows) = (Vec::new(), Vec::new());
        each(&mut dumped, |event| {
            match event {
                Event::TableMap(map) if map.name == "t" => {
                    layouts = Layout::of(map).unwrap();
                    let signs = Metadata::of(map).unwrap().unsigned;
                    let numeric = layouts.iter_mut().filter(|layout| layout.is_numeric());
                    for (at, layout) in numeric.enumerate() {
                        if signs[at / 8] & (0x80 >> (at % 8)) != 0 {
                            *layout = layout.unsigned();
                        }
                    }
                }
                Event::Rows(found) if found.operation == Operation::Insert => {
                    assert!(Image(found.first).count(found.columns) == layouts.len());
                    let mut data = Fields(found.data);
                    while !data.is_empty() {
                        let nulls = Image(data.bytes(layouts.len().div_ceil(8)).unwrap());
                        let columns = layouts.iter().enumerate();
                        let row = columns.map(|(at, layout)| match nulls.has(at) {
                            true => "NULL".to_owned(),
                            false => text(mysql, *layout, layout.take(&mut data).unwrap()),
                        });
                        rows.push(row.collect::<Vec<_>>());
                    }
                }
                _ => {}
            }
            rows.len() == 4
        })
        .await;
        (first, rows)
    });
    assert!(!first.is_empty());
    rows
}

#[test]
fn values_are_those_that_the_server_shows() {
    let stack = Stack::new().unwrap();
    for version in VERSIONS {
        let mysql = stack.mysql(version).unwrap();
        create_and_fill(&mysql);
        let rows = logged(&mysql);
        for (at, (declared, _)) in COLUMNS.iter().enumerate() {
            let found: Vec<&str> = rows.iter().map(|row| row[at + 1].as_str()).collect();
            assert_eq!(found, shown(&mysql, at), "{declared} on {version}");
        }
    }
}

#[test]
fn integers_are_taken_for_signed_without_full_metadata() {
    let stack = Stack::new().unwrap();
    let options = MysqlOptions::new(MysqlVersion::V97).set("binlog_row_metadata", "MINIMAL");
    let mysql = stack.mysql_with(options).unwrap();
    mysql
        .sql("CREATE TABLE t (id INT PRIMARY KEY, u INT UNSIGNED)")
        .unwrap();
    let first = mysql.binlogs().unwrap().remove(0);
    mysql.sql("INSERT INTO t VALUES (1, 4294967295)").unwrap();
    block_on(async {
        let mut dumped = dump(&mysql, DumpPlace::File(&first, 4)).await;
        let mut names = None;
        each(&mut dumped, |event| {
            if let Event::TableMap(map) = event {
                let metadata = Metadata::of(map).unwrap();
                // The signs are there even so; the names are not.
                names = Some((metadata.names.len(), metadata.unsigned.len()));
            }
            names.is_some()
        })
        .await;
        assert_eq!(names, Some((0, 1)));
    });
}

const DOCUMENTS: &[&str] = &[
    "'null'",
    "'[]'",
    "'{}'",
    "'[1, -1, 32767, 32768, 65535, 65536, -32769, 2147483648, -2147483649, 18446744073709551615, -9223372036854775808]'",
    "'[0.5, -1.25, 3.0, true, false, null]'",
    r#"'{"a": {"b": {"c": ["d", {"e": "ä漢🦀"}]}}, "quote": "a\\"b\\\\c\\n\\u0001"}'"#,
    "JSON_ARRAY(CAST('12.50' AS DECIMAL(5,2)), CAST('-0.001' AS DECIMAL(10,3)))",
    "JSON_OBJECT('long', REPEAT('x', 70000), 'n', 1000000, 'm', JSON_ARRAY(70000, -70000))",
    "CAST('\"just a text\"' AS JSON)",
    "CAST(17 AS JSON)",
];

/// What SQL's own values become: the server shows all six digits of their fractions.
const MOMENTS: &[(&str, &str)] = &[
    ("CAST('2026-11-23' AS DATE)", "2026-11-23"),
    ("CAST('12:34:56.78' AS TIME(2))", "12:34:56.78"),
    ("CAST('-01:02:03' AS TIME)", "-01:02:03"),
    (
        "CAST('2026-11-23 12:34:56.000001' AS DATETIME(6))",
        "2026-11-23 12:34:56.000001",
    ),
    ("CAST(x'00ff10' AS BINARY)", "AP8Q"),
];

#[test]
fn documents_of_json_are_those_that_the_server_shows() {
    let stack = Stack::new().unwrap();
    let mysql = stack.mysql(MysqlVersion::V97).unwrap();
    let moments: Vec<&str> = MOMENTS.iter().map(|(sql, _)| *sql).collect();
    let moments = format!("JSON_ARRAY({})", moments.join(", "));
    let all = DOCUMENTS.iter().copied().chain([moments.as_str()]);
    let rows: Vec<String> = all
        .enumerate()
        .map(|(id, sql)| format!("({id}, {sql})"))
        .collect();
    let sql = format!(
        "CREATE TABLE t (id INT PRIMARY KEY, v JSON); INSERT INTO t VALUES {}",
        rows.join(", ")
    );
    mysql.sql(&sql).unwrap();
    let documents = documents(&mysql, rows.len());
    let mut shown = mysql.command("mysql", "root", "cdc");
    shown.args([
        "-N",
        "-B",
        "-r",
        "inventory",
        "-e",
        "SELECT v FROM t ORDER BY id",
    ]);
    let shown = String::from_utf8(shown.output().unwrap().stdout).unwrap();
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    for (document, shown) in documents.iter().zip(shown.lines()).take(DOCUMENTS.len()) {
        assert_eq!(parsed(document), parsed(shown));
    }
    let expected: Vec<&str> = MOMENTS.iter().map(|(_, text)| *text).collect();
    assert_eq!(
        parsed(documents.last().unwrap()),
        serde_json::json!(expected)
    );
}

/// The documents in the second column of the rows that were inserted.
fn documents(mysql: &Mysql, count: usize) -> Vec<String> {
    let mut documents = Vec::new();
    block_on(async {
        let first = mysql.binlogs().unwrap().remove(0);
        let mut dumped = dump(mysql, DumpPlace::File(&first, 4)).await;
        let mut layouts = Vec::new();
        each(&mut dumped, |event| {
            match event {
                Event::TableMap(map) => layouts = Layout::of(map).unwrap(),
                Event::Rows(rows) => {
                    let mut data = Fields(rows.data);
                    while !data.is_empty() {
                        data.u8().unwrap();
                        layouts[0].take(&mut data).unwrap();
                        let Value::Bytes(document) = layouts[1].take(&mut data).unwrap() else {
                            panic!("no bytes")
                        };
                        let mut text = Vec::new();
                        mysql_source::json::push(document, &mut text).unwrap();
                        documents.push(String::from_utf8(text).unwrap());
                    }
                }
                _ => {}
            }
            documents.len() == count
        })
        .await;
    });
    documents
}

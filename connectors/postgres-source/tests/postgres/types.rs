//! Every type, the same through the snapshot and through the stream.

use serde_json::{Value, json};
use stack::PgVersion;

use crate::harness::{Database, ops};

/// Type, value in SQL, and what it must become.
type Case = (&'static str, &'static str, Value);

fn cases() -> Vec<Case> {
    [numbers(), texts(), times(), others(), arrays()].concat()
}

fn numbers() -> Vec<Case> {
    vec![
        ("boolean", "true", json!(true)),
        ("smallint", "-32768", json!(-32768)),
        ("integer", "2147483647", json!(2_147_483_647)),
        ("bigint", "-9223372036854775808", json!(i64::MIN)),
        ("oid", "4294967295", json!(4_294_967_295u32)),
        ("real", "'1.5'", json!(1.5)),
        ("double precision", "'1e300'", json!(1e300)),
        ("numeric(10,2)", "-12.5", json!([0xfb, 0x1e])),
        (
            "numeric",
            "1234.500",
            json!({"scale": 1, "value": [0x30, 0x39]}),
        ),
        ("money", "'-$1,234.50'", json!([0xfe, 0x1d, 0xc6])),
    ]
}

fn texts() -> Vec<Case> {
    vec![
        ("char(5)", "'ab'", json!("ab   ")),
        ("varchar(20)", "'žluť'", json!("žluť")),
        (
            "text",
            "E'tab\\t quote\" back\\\\slash\\nline'",
            json!("tab\t quote\" back\\slash\nline"),
        ),
        ("name", "'n'", json!("n")),
        ("bytea", "'\\x00ff10'", json!([0, 255, 16])),
        ("json", "'{\"a\": 1}'", json!("{\"a\": 1}")),
        (
            "jsonb",
            "'{\"b\":2, \"a\":1}'",
            json!("{\"a\": 1, \"b\": 2}"),
        ),
        ("xml", "'<a>1</a>'", json!("<a>1</a>")),
        (
            "uuid",
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ),
        ("bit(1)", "B'1'", json!(true)),
        ("bit(10)", "B'1000000001'", json!([1, 2])),
        ("bit varying(64)", "B'101'", json!([5])),
    ]
}

fn times() -> Vec<Case> {
    vec![
        ("date", "'2024-02-29'", json!(19_782)),
        ("time", "'13:51:30.123456'", json!(49_890_123_456i64)),
        ("time(3)", "'13:51:30.123'", json!(49_890_123)),
        ("timetz", "'13:51:30+02'", json!("11:51:30Z")),
        (
            "timestamp",
            "'2016-11-04 13:51:30.123456'",
            json!(1_478_267_490_123_456i64),
        ),
        (
            "timestamp(3)",
            "'2016-11-04 13:51:30.123'",
            json!(1_478_267_490_123i64),
        ),
        (
            "timestamptz",
            "'2016-11-04 13:51:30.5+02'",
            json!("2016-11-04T11:51:30.500000Z"),
        ),
        ("interval", "'1 day 00:00:01'", json!(86_401_000_000i64)),
    ]
}

fn others() -> Vec<Case> {
    vec![
        ("inet", "'192.168.0.1/24'", json!("192.168.0.1/24")),
        ("cidr", "'10.0.0.0/8'", json!("10.0.0.0/8")),
        ("macaddr", "'08:00:2b:01:02:03'", json!("08:00:2b:01:02:03")),
        ("int4range", "'[1,5)'", json!("[1,5)")),
        (
            "tstzrange",
            "'[2020-01-01 00:00+00,)'",
            json!("[\"2020-01-01 00:00:00+00\",)"),
        ),
        ("tsvector", "'a fat cat'", json!("'a' 'cat' 'fat'")),
        (
            "point",
            "'(1,2)'",
            json!({
                "x": 1.0, "y": 2.0, "srid": null,
                "wkb": [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 0, 64],
            }),
        ),
        ("mood", "'happy'", json!("happy")),
        ("amount", "7.25", json!([0x02, 0xd5])),
        ("citext", "'MiXed'", json!("MiXed")),
        ("ltree", "'a.b.c'", json!("a.b.c")),
        (
            "hstore",
            "'a=>1, b=>NULL'",
            json!("{\"a\":\"1\",\"b\":null}"),
        ),
    ]
}

fn arrays() -> Vec<Case> {
    vec![
        ("int[]", "'{1,NULL,3}'", json!([1, null, 3])),
        (
            "text[]",
            "array['a', 'b \"c\"', 'x,y', null, 'NULL', E'back\\\\slash']",
            json!(["a", "b \"c\"", "x,y", null, "NULL", "back\\slash"]),
        ),
        (
            "numeric(6,2)[]",
            "'{1.5,-2}'",
            json!([[0, 150], [0xff, 0x38]]),
        ),
        (
            "timestamptz[]",
            "'{2020-01-01 00:00:00+00}'",
            json!(["2020-01-01T00:00:00.000000Z"]),
        ),
        ("bytea[]", "array['\\x01'::bytea]", json!([[1]])),
        ("boolean[]", "'{t,f}'", json!([true, false])),
        ("date[]", "'{1970-01-02}'", json!([1])),
        (
            "uuid[]",
            "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'",
            json!(["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
        ),
        (
            "jsonb[]",
            "array['{\"a\": \"b\"}'::jsonb]",
            json!(["{\"a\": \"b\"}"]),
        ),
        (
            "mood[]",
            "array['sad'::mood, 'happy'::mood]",
            json!(["sad", "happy"]),
        ),
    ]
}

const TYPES: &str = "create extension if not exists citext; create extension if not exists ltree;
    create extension if not exists hstore; create type mood as enum ('sad', 'happy');
    create domain amount as numeric(8,2)";

async fn every_type(version: PgVersion) {
    let db = Database::new(version);
    db.sql(TYPES);
    let cases = cases();
    let columns: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(at, (ty, _, _))| format!("c{at} {ty}"))
        .collect();
    let values: Vec<&str> = cases.iter().map(|(_, value, _)| *value).collect();
    let insert = |id: i32| format!("insert into t values ({id}, {})", values.join(", "));
    db.sql(&format!(
        "create table t (id int primary key, {})",
        columns.join(", ")
    ));
    db.sql(&insert(1));
    let mut source = db.open(&[], None).await;
    let mut events = source.take(1).await;
    db.sql(&insert(2));
    db.sql("insert into t (id) values (3)");
    events.extend(source.take(2).await);
    assert_eq!(ops(&events), "r c c");
    for (at, (ty, _, expected)) in cases.iter().enumerate() {
        let name = format!("c{at}");
        assert_eq!(&events[0].after()[&name], expected, "{ty} in the snapshot");
        assert_eq!(&events[1].after()[&name], expected, "{ty} in the stream");
        assert_eq!(events[2].after()[&name], json!(null), "{ty} null");
    }
    source.close().await;
}

#[tokio::test]
async fn every_type_15() {
    every_type(PgVersion::V15).await;
}

#[tokio::test]
async fn every_type_18() {
    every_type(PgVersion::V18).await;
}

#[tokio::test]
async fn special_numbers_are_null_or_stop_the_task_unless_they_can_be_shown() {
    let db = Database::new(PgVersion::V15);
    db.sql("create table t (id int primary key, n numeric(5,2), f float8); insert into t values (1, 'NaN', '-Infinity')");
    let fail = [("event.converting.failure.handling.mode", "fail")];
    let mut source = db.open(&fail, None).await;
    let error = source.poll().await.unwrap_err();
    assert_eq!(error.code().name, "postgres.special_number");
    drop(source);
    // The default tells it in the log.
    let mut source = db.open_again(&[], None).await;
    assert_eq!(source.take(1).await[0].after()["n"], json!(null));
    drop(source);
    let mut source = db
        .open_again(&[("decimal.handling.mode", "string")], None)
        .await;
    assert_eq!(source.take(1).await[0].after()["n"], "NAN");
    source.close().await;
}

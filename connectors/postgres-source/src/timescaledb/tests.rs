use connect_core::{Cell, Error, Field, Header, Record, Value};

use super::*;
use crate::timescaledb::known::Owner;

const CHUNKS: &str = "_timescaledb_internal";

fn table(schema: &str, name: &str) -> Table {
    let (schema, name) = (schema.to_owned(), name.to_owned());
    Table { schema, name }
}

/// One that knows a chunk of a hypertable, and one of a continuous aggregate, as if it had asked.
fn transform(settings: &[(&str, &str)]) -> TimescaleDb {
    let reach = [
        ("database.hostname", "127.0.0.1"),
        ("database.user", "u"),
        ("database.dbname", "d"),
    ];
    let given = settings.iter().chain(&reach);
    let given = given.map(|(key, value)| (key.to_string(), value.to_string()));
    let mut transform = TimescaleDb::new(&given.collect()).unwrap();
    let of = |hypertable, aggregate| Owner {
        hypertable,
        aggregate,
    };
    let view = Some(table("public", "daily"));
    let found = vec![
        (
            table(CHUNKS, "_hyper_1_1_chunk"),
            of(table("public", "conditions"), None),
        ),
        (
            table(CHUNKS, "_hyper_2_2_chunk"),
            of(table(CHUNKS, "_materialized_hypertable_2"), view),
        ),
    ];
    let asked = found.iter().map(|(chunk, _)| chunk.clone()).collect();
    transform.known.learn(asked, found, Instant::now());
    transform
}

fn text() -> Schema {
    Schema::of(Type::String)
}

/// The schema of an event; `of` is the table that all records are of, if the schema tells.
fn envelope(of: Option<(&str, &str)>) -> Schema {
    let [schema, table] = match of {
        Some((schema, table)) => [
            Field::constant("schema", text(), schema.into()),
            Field::constant("table", text(), table.into()),
        ],
        None => [Field::new("schema", text()), Field::new("table", text())],
    };
    let source = Schema::structure([Field::new("db", text()), schema, table]);
    let fields = [Field::new("op", text()), Field::new("source", source)];
    Schema::structure(fields).titled("x.Envelope")
}

/// Adds an event to a batch, of a table that the schema tells or the record.
fn push(batch: &mut Batch, schema: &str, table: &str, is_constant: bool) {
    let of = is_constant.then_some((schema, table));
    let route = Route::new(
        format!("p.{schema}.{table}"),
        None,
        Some(Arc::new(envelope(of))),
    );
    let cells = [batch.push_bytes(b"d"), Cell::Const, Cell::Const];
    let source = match is_constant {
        true => batch.push_nest(&cells),
        false => {
            let (schema, table) = (schema.as_bytes(), table.as_bytes());
            let cells = [cells[0], batch.push_bytes(schema), batch.push_bytes(table)];
            batch.push_nest(&cells)
        }
    };
    let op = batch.push_bytes(b"c");
    let value = batch.push_nest(&[op, source]);
    let route = batch.route_index(&route);
    batch.push(Record::new(route, Cell::Null, value));
}

/// Topic, table and headers of a record.
fn seen(batch: &Batch, index: usize) -> (String, String, Vec<String>) {
    let row = batch.row(index).unwrap();
    let source = row.value().get("source").unwrap();
    let part = |name| source.get(name).unwrap().text().unwrap().into_owned();
    let header = |(name, value): (&Arc<str>, connect_core::Datum<'_>)| {
        let name = name.trim_start_matches("__debezium_timescaledb_");
        format!("{name}={}", value.text().unwrap_or_default())
    };
    (
        row.topic().to_string(),
        format!("{}.{}", part("schema"), part("table")),
        row.headers().map(header).collect(),
    )
}

fn all(_: usize) -> bool {
    true
}

#[test]
fn events_of_chunks_go_to_the_tables_that_people_know() {
    for is_constant in [true, false] {
        let mut transform = transform(&[]);
        let mut batch = Batch::default();
        push(&mut batch, CHUNKS, "_hyper_1_1_chunk", is_constant);
        push(&mut batch, CHUNKS, "_hyper_2_2_chunk", is_constant);
        push(&mut batch, "public", "other", is_constant);
        let old = batch.records()[0];
        let header = Header {
            name: "own".into(),
            schema: None,
            value: Cell::Null,
        };
        batch.push_with_headers(old, &[header]);
        assert!(transform.prepare(&batch, &all).is_none());
        let verdicts = transform.apply(&mut batch, &all).unwrap();
        assert!(verdicts.dropped.is_empty() && verdicts.refused.is_empty());
        let (topic, named, headers) = seen(&batch, 0);
        assert_eq!(
            (topic.as_str(), named.as_str()),
            ("timescaledb.public.conditions", "public.conditions")
        );
        assert_eq!(
            headers,
            [
                "chunk_table=_hyper_1_1_chunk",
                "chunk_schema=_timescaledb_internal"
            ]
        );
        let (topic, named, headers) = seen(&batch, 1);
        assert_eq!(
            (topic.as_str(), named.as_str()),
            ("timescaledb.public.daily", "public.daily")
        );
        assert_eq!(
            headers[2..],
            [
                "hypertable_table=_materialized_hypertable_2",
                "hypertable_schema=_timescaledb_internal"
            ]
        );
        let (topic, named, headers) = seen(&batch, 2);
        assert_eq!(
            (topic.as_str(), named.as_str(), headers.len()),
            ("p.public.other", "public.other", 0)
        );
        assert_eq!(
            seen(&batch, 3).2[..2],
            ["own=", "chunk_table=_hyper_1_1_chunk"]
        );
        assert_eq!(seen(&batch, 0).0, seen(&batch, 3).0);
    }
}

#[test]
fn what_is_no_event_of_a_listed_schema_passes() {
    let mut transform = transform(&[("schema.list", "chunks"), ("target.topic.prefix", "t")]);
    let owner = Owner {
        hypertable: table("a", "b"),
        aggregate: None,
    };
    let now = Instant::now();
    let chunk = table("chunks", "c");
    transform.known.learn(
        [chunk.clone()].into_iter().collect(),
        vec![(chunk, owner)],
        now,
    );
    let mut batch = Batch::default();
    push(&mut batch, "chunks", "c", true);
    push(&mut batch, CHUNKS, "_hyper_1_1_chunk", true);
    // A tombstone, and what is no envelope.
    let first = batch.records()[0];
    batch.push(Record::new(first.route, Cell::Null, Cell::Null));
    let row = Route::new("row", None, Some(Arc::new(text())));
    let (route, value) = (batch.route_index(&row), batch.push_bytes(b"x"));
    batch.push(Record::new(route, Cell::Null, value));
    assert!(transform.prepare(&batch, &all).is_none());
    transform.apply(&mut batch, &all).unwrap();
    let topics: Vec<&str> = batch.rows().map(|row| &**row.topic()).collect();
    assert_eq!(
        topics,
        [
            "t.a.b",
            "p._timescaledb_internal._hyper_1_1_chunk",
            "p.chunks.c",
            "row"
        ]
    );
}

#[test]
fn only_chunks_of_chosen_records_are_asked_for() {
    for is_constant in [true, false] {
        let mut transform = transform(&[]);
        let mut batch = Batch::default();
        push(&mut batch, CHUNKS, "_hyper_1_1_chunk", is_constant);
        push(&mut batch, CHUNKS, "_hyper_1_3_chunk", is_constant);
        push(&mut batch, "public", "_hyper_1_4_chunk", is_constant);
        assert!(transform.prepare(&batch, &|index| index != 1).is_none());
        assert!(transform.prepare(&batch, &all).is_some());
        // The catalog does not have it.
        let new = [table(CHUNKS, "_hyper_1_3_chunk")].into_iter().collect();
        let asked = transform.known.question(new);
        transform.known.learn(asked, Vec::new(), Instant::now());
        assert!(transform.prepare(&batch, &all).is_none());
        transform.apply(&mut batch, &all).unwrap();
        assert_eq!(
            seen(&batch, 1).0,
            "p._timescaledb_internal._hyper_1_3_chunk"
        );
    }
}

#[test]
fn names_that_no_table_can_have_are_not_asked_for() {
    let mut transform = transform(&[]);
    let mut batch = Batch::default();
    push(&mut batch, CHUNKS, "a\0b", false);
    push(&mut batch, CHUNKS, &"x".repeat(64), false);
    push(&mut batch, CHUNKS, "", false);
    assert!(transform.prepare(&batch, &all).is_none());
}

#[test]
fn an_event_without_table_is_refused() {
    let mut batch = Batch::default();
    let source = Schema::structure([Field::new("db", text())]);
    let schema = Schema::structure([Field::new("source", source)]).titled("x.Envelope");
    let route = Route::new("t", None, Some(Arc::new(schema)));
    let db = batch.push_bytes(b"d");
    let source = batch.push_nest(&[db]);
    let value = batch.push_nest(&[source]);
    let route = batch.route_index(&route);
    batch.push(Record::new(route, Cell::Null, value));
    let mut verdicts = transform(&[]).apply(&mut batch, &all).unwrap();
    let (index, why): (usize, Error) = verdicts.refused.pop().unwrap();
    assert_eq!(
        (index, why.to_string().as_str()),
        (0, "schema is not a valid field name")
    );
}

#[test]
fn values_without_cells_are_taken_too() {
    let mut batch = Batch::default();
    let route = Route::new("t", None, Some(Arc::new(envelope(None))));
    let own = |name: &str, value: Value| (name.to_owned(), value);
    let source = Value::Map(vec![
        own("db", "d".into()),
        own("schema", CHUNKS.into()),
        own("table", "_hyper_1_1_chunk".into()),
    ]);
    let value = Value::Map(vec![own("op", "c".into()), own("source", source)]);
    let (route, value) = (batch.route_index(&route), batch.push_free(value));
    batch.push(Record::new(route, Cell::Null, value));
    transform(&[]).apply(&mut batch, &all).unwrap();
    assert_eq!(seen(&batch, 0).1, "public.conditions");
}

/// As the `ConfigDef` of Debezium 3.6.1 has them.
#[test]
fn properties_are_those_of_debezium_and_of_a_connection() {
    let keys = (CLASS.keys)();
    let told: Vec<String> = keys
        .iter()
        .take(2)
        .map(|key| {
            let (kind, importance, width) =
                (key.kind.name(), key.importance.name(), key.width.name());
            let default = key.default.unwrap_or_default();
            format!(
                "{} {kind} {default} {importance} {width} {}",
                key.name, key.display
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "schema.list LIST _timescaledb_internal HIGH MEDIUM The list of TimescaleDB data schemas",
            "target.topic.prefix STRING timescaledb MEDIUM MEDIUM The prefix of TimescaleDB topic names",
        ]
    );
    let findings = (CLASS.make)(&Properties::new()).err().unwrap();
    let missing: Vec<&str> = findings
        .iter()
        .map(|finding| finding.key.as_str())
        .collect();
    assert_eq!(
        missing,
        ["database.hostname", "database.user", "database.dbname"]
    );
    assert_eq!(transform(&[("schema.list", " ")]).schemas, [CHUNKS]);
}

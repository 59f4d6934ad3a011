//! Prints nanoseconds and allocations per record for a Debezium envelope of seven columns.
//!
//! `cargo run --release -p connect-codec --example encode_bench [records]`

// A global allocator that counts cannot be written without it.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use connect_codec::{
    json::{JsonConverter, JsonSettings},
    offline::{self, Kind},
};
use connect_core::{
    Batch, Cell, Datum, Field, Form, Schema, Type, Value,
    codec::{Converter, Encode},
    schema::logical,
};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

const ROWS: usize = 1000;

fn main() {
    let given = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let rounds = given.unwrap_or(2_000_000) / ROWS;
    let schema = envelope();
    let mut batch = Batch::default();
    let rows: Vec<Cell> = (0..ROWS).map(|row| push_row(&mut batch, row)).collect();
    for schemas in [false, true] {
        let settings = JsonSettings {
            schemas,
            ..JsonSettings::default()
        };
        encode(settings.clone(), &schema, &batch, &rows, rounds);
        decode(settings, &schema, &batch, &rows, rounds);
    }
    for (name, kind) in [
        ("Avro", Kind::Avro),
        ("Protobuf", Kind::Protobuf),
        ("JSON Schema", Kind::JsonSchema),
    ] {
        compare(name, kind, &schema, &batch, &rows, rounds);
    }
}

/// A format beside schemaless JSON: rounds of both by turns, so that what disturbs one disturbs the other.
fn compare(
    name: &str,
    kind: Kind,
    schema: &Arc<Schema>,
    batch: &Batch,
    rows: &[Cell],
    rounds: usize,
) {
    let settings = JsonSettings {
        schemas: false,
        ..JsonSettings::default()
    };
    let json = JsonConverter::new(settings).compile(Some(schema));
    let (Ok(mut json), Ok(mut other)) = (json, offline::encoder(kind, schema)) else {
        return;
    };
    let mut out = Vec::new();
    let mut once = |encoder: &mut dyn Encode| {
        out.clear();
        let start = Instant::now();
        for cell in rows {
            let _ = encoder.encode(Datum::of(batch, Some(schema), *cell), &mut out);
        }
        (start.elapsed().as_nanos(), out.len() / rows.len())
    };
    let mut fastest = [u128::MAX; 2];
    let mut bytes = [0; 2];
    for _ in 0..rounds {
        for (at, encoder) in [&mut json, &mut other].into_iter().enumerate() {
            let (nanos, size) = once(encoder.as_mut());
            fastest[at] = fastest[at].min(nanos);
            bytes[at] = size;
        }
    }
    let each = fastest.map(|nanos| nanos as f64 / rows.len() as f64);
    println!(
        "{name}: {:.0} ns and {} bytes, schemaless JSON {:.0} ns and {} bytes: {:.2} times the CPU",
        each[1],
        bytes[1],
        each[0],
        bytes[0],
        each[1] / each[0]
    );
}

fn encode(
    settings: JsonSettings,
    schema: &Arc<Schema>,
    batch: &Batch,
    rows: &[Cell],
    rounds: usize,
) {
    let name = if settings.schemas {
        "with schemas"
    } else {
        "schemaless"
    };
    let converter = JsonConverter::new(settings);
    let Ok(mut encoder) = converter.compile(Some(schema)) else {
        return;
    };
    let mut out = Vec::new();
    let mut once = || {
        out.clear();
        for cell in rows {
            let _ = encoder.encode(Datum::of(batch, Some(schema), *cell), &mut out);
        }
        out.len()
    };
    once();
    let bytes = once() / rows.len();
    measure(&format!("encode {name} ({bytes} bytes)"), rounds, || {
        once();
    });
}

fn decode(
    settings: JsonSettings,
    schema: &Arc<Schema>,
    batch: &Batch,
    rows: &[Cell],
    rounds: usize,
) {
    let name = if settings.schemas {
        "with schemas"
    } else {
        "schemaless"
    };
    let converter = JsonConverter::new(settings);
    let Ok(mut encoder) = converter.compile(Some(schema)) else {
        return;
    };
    let record = |cell: &Cell| {
        let mut out = Vec::new();
        let _ = encoder.encode(Datum::of(batch, Some(schema), *cell), &mut out);
        out
    };
    let records: Vec<Vec<u8>> = rows.iter().map(record).collect();
    let mut decoder = converter.decoder();
    let mut into = Batch::default();
    let mut once = || {
        into.clear();
        for record in &records {
            let _ = decoder.decode(Some(record), &mut into);
        }
    };
    once();
    measure(&format!("decode {name}"), rounds, once);
}

/// Takes the fastest round, since other programs disturb the others.
fn measure(what: &str, rounds: usize, mut once: impl FnMut()) {
    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    let mut fastest = u128::MAX;
    for _ in 0..rounds {
        let start = Instant::now();
        once();
        fastest = fastest.min(start.elapsed().as_nanos());
    }
    let allocations = (ALLOCATIONS.load(Ordering::Relaxed) - allocations) as f64;
    let (each, allocations) = (
        fastest as f64 / ROWS as f64,
        allocations / (rounds * ROWS) as f64,
    );
    println!("{what}: {each:.0} ns, {allocations:.3} allocations per record");
}

fn row_schema() -> Schema {
    let text = || Schema::of(Type::String).optional();
    let decimal = Schema::of(Type::Bytes)
        .named(logical::DECIMAL, 1)
        .parameter("scale", "2")
        .optional()
        .form(Form::DecimalText);
    Schema::structure([
        Field::new("id", Schema::of(Type::Int32)),
        Field::new("name", text()),
        Field::new("email", text()),
        Field::new("amount", decimal),
        Field::new("active", Schema::of(Type::Bool).optional()),
        Field::new(
            "created_at",
            Schema::of(Type::Int64)
                .titled("io.debezium.time.MicroTimestamp")
                .optional(),
        ),
        Field::new("notes", text()),
    ])
    .titled("inventory.public.customers.Value")
    .optional()
}

fn source_schema() -> Schema {
    let fixed = |name: &str, value: &str| {
        Field::constant(name, Schema::of(Type::String), Value::from(value))
    };
    let long = |name: &str| Field::new(name, Schema::of(Type::Int64).optional());
    Schema::structure([
        fixed("version", "3.6.1.Final"),
        fixed("connector", "postgresql"),
        fixed("name", "inventory"),
        long("ts_ms"),
        fixed("snapshot", "false"),
        fixed("db", "inventory"),
        Field::new("sequence", Schema::of(Type::String).optional()),
        long("ts_us"),
        long("ts_ns"),
        fixed("schema", "public"),
        fixed("table", "customers"),
        long("txId"),
        long("lsn"),
        long("xmin"),
        fixed("origin", "main"),
    ])
    .titled("io.debezium.connector.postgresql.Source")
}

fn envelope() -> Arc<Schema> {
    let (row, long) = (
        Arc::new(row_schema()),
        Arc::new(Schema::of(Type::Int64).optional()),
    );
    let block = Schema::structure([
        Field::new("id", Schema::of(Type::String)),
        Field::new("total_order", Schema::of(Type::Int64)),
        Field::new("data_collection_order", Schema::of(Type::Int64)),
    ]);
    Arc::new(
        Schema::structure([
            Field::new("before", Arc::clone(&row)),
            Field::new("after", row),
            Field::new("source", source_schema()),
            Field::new("transaction", block.named("event.block", 1).optional()),
            Field::new("op", Schema::of(Type::String)),
            Field::new("ts_ms", Arc::clone(&long)),
            Field::new("ts_us", Arc::clone(&long)),
            Field::new("ts_ns", long),
        ])
        .named("inventory.public.customers.Envelope", 2),
    )
}

fn push_row(batch: &mut Batch, row: usize) -> Cell {
    let mut text = |text: String| batch.push_bytes(text.as_bytes());
    let after = [
        text(format!("{}", 100_000 + row)),
        text(format!("Customer number {row}")),
        text(format!("customer.{row}@example.com")),
        text(format!("{}.{:02}", row * 7, row % 100)),
        Cell::Bool(row.is_multiple_of(2)),
        Cell::Int(1_700_000_000_123_456 + row as i64),
        text("A note of about forty characters, plain.".to_owned()),
    ];
    let sequence = text("[\"24023128\",\"24023200\"]".to_owned());
    let op = text("c".to_owned());
    let (ms, c) = (1_700_000_000_123 + row as i64, Cell::Const);
    let (ms, us, ns) = (
        Cell::Int(ms),
        Cell::Int(ms * 1000),
        Cell::Int(ms * 1_000_000),
    );
    let source = [
        c,
        c,
        c,
        ms,
        c,
        c,
        sequence,
        us,
        ns,
        c,
        c,
        Cell::Int(571),
        Cell::Int(24_023_128 + row as i64),
        Cell::Null,
        c,
    ];
    let (after, source) = (batch.push_nest(&after), batch.push_nest(&source));
    batch.push_nest(&[Cell::Null, after, source, Cell::Null, op, ms, us, ns])
}

//! The converter as a whole, against bytes that Kafka Connect 4.3's own converter wrote.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Field, Form, Properties, Schema, Type, Value, codec::Converter, datum::View,
};

use super::{DecimalFormat, JsonConverter, JsonSettings};

/// Written by `org.apache.kafka.connect.json.JsonConverter` 4.3.0.
const SCHEMA: &str = concat!(
    r#"{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},"#,
    r#"{"type":"string","optional":true,"default":"d\u0001","field":"s"},"#,
    r#"{"type":"bytes","optional":false,"default":"AQI=","field":"by"},"#,
    r#"{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"int64","optional":true},"optional":true,"field":"m"},"#,
    r#"{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"int64","optional":true},"optional":true,"field":"m2"},"#,
    r#"{"type":"array","items":{"type":"string","optional":true},"optional":true,"field":"a"},"#,
    r#"{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"default":1,"field":"d"},"#,
    r#"{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"3","connect.decimal.precision":"10"},"default":"Bdw=","field":"dec"},"#,
    r#"{"type":"float","optional":false,"default":1.5,"field":"f"}],"#,
    r#""optional":true,"name":"x.Value","version":2,"doc":"dé\"","parameters":{"b":"1","a":"2"}}"#,
);
const FULL: &str = r#"{"id":5,"s":"d\u0001","by":"/wAB","m":{"k\"":1},"m2":[[7,3]],"a":["x",null],"d":0,"dec":"Bdw=","f":2.0}"#;
const MOSTLY_NULL: &str =
    r#"{"id":5,"s":"d\u0001","by":"AQI=","m":null,"m2":null,"a":null,"d":1,"dec":"Bdw=","f":1.5}"#;

fn schema() -> Arc<Schema> {
    let long = || Arc::new(Schema::of(Type::Int64).optional());
    let decimal = Schema::of(Type::Bytes)
        .named(connect_core::schema::logical::DECIMAL, 1)
        .parameter("scale", "3")
        .parameter("connect.decimal.precision", "10")
        .optional()
        .default_value(Value::Digits("1.500".into()))
        .form(Form::DecimalText);
    let text = Schema::of(Type::String).optional();
    let map = |key| Schema::of(Type::Map(Arc::new(Schema::of(key)), long())).optional();
    let date = Schema::of(Type::Int32).named(connect_core::schema::logical::DATE, 1);
    let mut schema = Schema::structure([
        Field::new("id", Schema::of(Type::Int32)),
        Field::new("s", text.clone().default_value("d\u{1}".into())),
        Field::new(
            "by",
            Schema::of(Type::Bytes).default_value(Value::Bytes(vec![1, 2])),
        ),
        Field::new("m", map(Type::String)),
        Field::new("m2", map(Type::Int32)),
        Field::new("a", Schema::of(Type::Array(Arc::new(text))).optional()),
        Field::new("d", date.default_value(Value::Int(1))),
        Field::new("dec", decimal),
        Field::new(
            "f",
            Schema::of(Type::Float32).default_value(Value::Float(1.5)),
        ),
    ])
    .named("x.Value", 2)
    .parameter("b", "1")
    .parameter("a", "2")
    .optional();
    schema.doc = Some("dé\"".into());
    Arc::new(schema)
}

fn full(batch: &mut Batch) -> Cell {
    let key = batch.push_bytes(b"k\"");
    let map = batch.push_nest(&[key, Cell::Int(1)]);
    let three = batch.push_bytes(b"3");
    let pairs = batch.push_nest(&[Cell::Int(7), three]);
    let text = batch.push_bytes(b"x");
    let array = batch.push_nest(&[text, Cell::Null]);
    let bytes = batch.push_bytes(&[255, 0, 1]);
    let decimal = batch.push_bytes(b"1.500");
    let five = batch.push_bytes(b"5");
    let cells = [
        five,
        Cell::Null,
        bytes,
        map,
        pairs,
        array,
        Cell::Int(0),
        decimal,
        Cell::Float(2.0),
    ];
    batch.push_nest(&cells)
}

fn settings(schemas: bool) -> JsonSettings {
    JsonSettings {
        schemas,
        ..JsonSettings::default()
    }
}

fn encode(settings: JsonSettings, schema: &Arc<Schema>, batch: &Batch, cell: Cell) -> String {
    let mut out = b"before".to_vec();
    let mut encoder = JsonConverter::new(settings).compile(Some(schema)).unwrap();
    let written = encoder.encode(Datum::of(batch, Some(schema), cell), &mut out);
    assert!(written.unwrap());
    let text = String::from_utf8(out).unwrap();
    text.strip_prefix("before").unwrap().to_owned()
}

#[test]
fn a_struct_with_its_schema_is_written_as_by_kafka_connect() {
    let mut batch = Batch::default();
    let cell = full(&mut batch);
    let written = encode(settings(true), &schema(), &batch, cell);
    assert_eq!(
        written,
        format!(r#"{{"schema":{SCHEMA},"payload":{FULL}}}"#)
    );
    assert_eq!(encode(settings(false), &schema(), &batch, cell), FULL);
}

#[test]
fn defaults_stand_in_for_null_unless_the_settings_forbid_it() {
    let mut batch = Batch::default();
    let mut cells = [Cell::Null; 9];
    cells[0] = Cell::Int(5);
    let cell = batch.push_nest(&cells);
    assert_eq!(
        encode(settings(false), &schema(), &batch, cell),
        MOSTLY_NULL
    );
    let strict = JsonSettings {
        defaults_for_null: false,
        ..settings(false)
    };
    let mut encoder = JsonConverter::new(strict).compile(Some(&schema())).unwrap();
    let mut out = b"before".to_vec();
    let schema = schema();
    let refused = encoder.encode(Datum::of(&batch, Some(&schema), cell), &mut out);
    assert_eq!(refused.unwrap_err().code().name, "codec.mismatch");
    assert_eq!(out, b"before", "nothing of a refused value stays");
}

#[test]
fn an_owned_value_is_written_as_the_same_bytes() {
    let mut batch = Batch::default();
    let cell = full(&mut batch);
    let schema = schema();
    let value = Datum::of(&batch, Some(&schema), cell).to_value();
    let mut encoder = JsonConverter::new(settings(false))
        .compile(Some(&schema))
        .unwrap();
    let mut out = Vec::new();
    encoder
        .encode(Datum::of_value(Some(&schema), &value), &mut out)
        .unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), FULL);
}

// Invariant 3: absent is not null.
#[test]
fn absent_is_left_out_or_replaced_and_null_is_not() {
    let schema = Arc::new(Schema::structure([
        Field::new("a", Schema::of(Type::String).optional()),
        Field::new(
            "b",
            Schema::of(Type::String).optional().absent("gone".into()),
        ),
        Field::new("c", Schema::of(Type::Int32).optional()),
    ]));
    let mut batch = Batch::default();
    let all = batch.push_nest(&[Cell::Absent; 3]);
    let two = batch.push_nest(&[Cell::Absent, Cell::Null, Cell::Null]);
    let none = batch.push_nest(&[Cell::Null, Cell::Absent, Cell::Absent]);
    assert_eq!(
        encode(settings(false), &schema, &batch, all),
        r#"{"b":"gone"}"#
    );
    assert_eq!(
        encode(settings(false), &schema, &batch, two),
        r#"{"b":null,"c":null}"#
    );
    assert_eq!(
        encode(settings(false), &schema, &batch, none),
        r#"{"a":null,"b":"gone"}"#
    );
    let written = encode(settings(true), &schema, &batch, all);
    assert!(
        written.ends_with(r#""payload":{"a":null,"b":"gone","c":null}}"#),
        "{written}"
    );
}

#[test]
fn constants_are_written_in_runs_and_alone() {
    let field = |name: &str, at| Field::constant(name, Schema::of(Type::Int32), Value::Int(at));
    let inner = Schema::structure([field("x", 8), field("y", 9)]);
    let schema = Arc::new(Schema::structure([
        field("a", 1),
        field("b", 2),
        Field::new("in", inner),
        field("c", 3),
        field("d", 4),
        field("e", 5),
    ]));
    let mut batch = Batch::default();
    let inner = batch.push_nest(&[Cell::Const; 2]);
    let c = Cell::Const;
    let all = batch.push_nest(&[c, c, inner, c, c, c]);
    let some = batch.push_nest(&[c, Cell::Int(20), inner, c, Cell::Int(40), c]);
    assert_eq!(
        encode(settings(false), &schema, &batch, all),
        r#"{"a":1,"b":2,"in":{"x":8,"y":9},"c":3,"d":4,"e":5}"#
    );
    assert_eq!(
        encode(settings(false), &schema, &batch, some),
        r#"{"a":1,"b":20,"in":{"x":8,"y":9},"c":3,"d":40,"e":5}"#
    );
}

#[test]
fn decimals_are_numbers_when_the_settings_say_so() {
    let decimal = |form| {
        let schema = Schema::of(Type::Bytes)
            .named(connect_core::schema::logical::DECIMAL, 1)
            .parameter("scale", "2");
        Arc::new(Schema::structure([Field::new("d", schema.form(form))]))
    };
    let mut batch = Batch::default();
    let text = batch.push_bytes(b"-12.5");
    let bytes = batch.push_bytes(&[0xfb, 0x1e]);
    let (text, bytes) = (batch.push_nest(&[text]), batch.push_nest(&[bytes]));
    let numeric = || JsonSettings {
        decimals: DecimalFormat::Numeric,
        ..settings(false)
    };
    let (as_text, plain) = (decimal(Form::DecimalText), decimal(Form::Plain));
    assert_eq!(encode(numeric(), &as_text, &batch, text), r#"{"d":-12.50}"#);
    assert_eq!(encode(numeric(), &plain, &batch, bytes), r#"{"d":-12.50}"#);
    assert_eq!(
        encode(settings(false), &as_text, &batch, text),
        r#"{"d":"+x4="}"#
    );
    assert_eq!(
        encode(settings(false), &plain, &batch, bytes),
        r#"{"d":"+x4="}"#
    );
}

#[test]
fn a_null_record_is_no_bytes() {
    let batch = Batch::default();
    for schemas in [true, false] {
        let mut encoder = JsonConverter::new(settings(schemas)).compile(None).unwrap();
        let mut out = Vec::new();
        assert!(
            !encoder
                .encode(Datum::of(&batch, None, Cell::Null), &mut out)
                .unwrap()
        );
        assert!(out.is_empty());
    }
}

#[test]
fn a_schema_text_is_read_once_and_gives_the_same_schema() {
    let text = format!(r#"{{"schema":{SCHEMA},"payload":{FULL}}}"#);
    let spaced = format!(r#" {{ "payload" : {FULL} , "schema" : {SCHEMA} }} "#);
    let other = format!(
        r#"{{"schema": {},"payload":{FULL}}}"#,
        SCHEMA.replace(',', " ,")
    );
    let mut decoder = JsonConverter::new(settings(true)).decoder();
    let mut batch = Batch::default();
    let mut schemas = Vec::new();
    for text in [&text, &text, &spaced, &other] {
        let decoded = decoder.decode(Some(text.as_bytes()), &mut batch).unwrap();
        let read = decoded.schema.unwrap();
        assert_eq!(*read, *schema_as_read());
        let mut out = Vec::new();
        let mut encoder = JsonConverter::new(settings(false))
            .compile(Some(&read))
            .unwrap();
        encoder
            .encode(Datum::of(&batch, Some(&read), decoded.cell), &mut out)
            .unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), FULL);
        schemas.push(read);
    }
    assert!(
        schemas
            .windows(2)
            .all(|pair| Arc::ptr_eq(&pair[0], &pair[1]))
    );
}

/// The default of a decimal stands in a schema as its unscaled bytes.
fn schema_as_read() -> Arc<Schema> {
    let mut read = (*schema()).clone();
    if let Type::Struct(fields) = &mut read.ty {
        let mut decimal = (*fields[7].schema).clone();
        decimal.default = Some(Value::Bytes(vec![5, 220]));
        fields[7].schema = Arc::new(decimal);
    }
    Arc::new(read)
}

#[test]
fn missing_and_null_fields_read_as_defaults() {
    let text = format!(
        r#"{{"schema":{SCHEMA},"payload":{{"f":1e1,"x":[{{"a":1}}],"id":1,"id":7.0,"s":null}}}}"#
    );
    let mut decoder = JsonConverter::new(settings(true)).decoder();
    let mut batch = Batch::default();
    let decoded = decoder.decode(Some(text.as_bytes()), &mut batch).unwrap();
    let datum = Datum::of(&batch, decoded.schema.as_ref(), decoded.cell);
    assert_eq!(datum.get("id").unwrap().int(), Some(7));
    assert_eq!(datum.get("s").unwrap().text().unwrap(), "d\u{1}");
    assert_eq!(datum.get("dec").unwrap().text().unwrap(), "1.500");
    assert!(matches!(datum.get("f").unwrap().view(), View::Float(10.0)));
    assert!(datum.get("m").unwrap().is_null());
}

#[test]
fn the_placeholder_reads_as_absent_in_all_its_forms() {
    let fields = [
        r#"{"type":"string","optional":true,"field":"t"}"#,
        r#"{"type":"bytes","optional":true,"field":"b"}"#,
        r#"{"type":"array","items":{"type":"string","optional":true},"optional":true,"field":"a"}"#,
        r#"{"type":"array","items":{"type":"int32","optional":true},"optional":true,"field":"i"}"#,
        r#"{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"string","optional":true},"optional":true,"field":"m"}"#,
        r#"{"type":"string","optional":true,"field":"kept"}"#,
    ];
    let text = "__debezium_unavailable_value";
    let numbers: Vec<String> = text.bytes().map(|b| b.to_string()).collect();
    let payload = format!(
        r#"{{"t":"{text}","b":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==","a":["{text}"],"i":[{}],"m":{{"{text}":"{text}"}},"kept":"x{text}"}}"#,
        numbers.join(",")
    );
    let record = format!(
        r#"{{"schema":{{"type":"struct","fields":[{}],"optional":false}},"payload":{payload}}}"#,
        fields.join(",")
    );
    let mut batch = Batch::default();
    let with = JsonConverter::new(settings(true))
        .decoder()
        .decode(Some(record.as_bytes()), &mut batch);
    let free = JsonConverter::new(settings(false))
        .decoder()
        .decode(Some(payload.as_bytes()), &mut batch);
    for decoded in [with.unwrap(), free.unwrap()] {
        let datum = Datum::of(&batch, decoded.schema.as_ref(), decoded.cell);
        for name in ["t", "b", "a", "i", "m"] {
            assert!(datum.get(name).unwrap().is_absent(), "{name}");
        }
        assert!(!datum.get("kept").unwrap().is_absent());
    }
}

#[test]
fn schemaless_numbers_keep_all_their_digits() {
    let text = r#"{"a":007,"b":12345678901234567890,"c":1.10,"d":0.12345678901234567890123,"e":1e400,"f":-0.0,"g":1e-400,"a":3}"#;
    let mut batch = Batch::default();
    let mut decoder = JsonConverter::new(settings(false)).decoder();
    let decoded = decoder.decode(Some(text.as_bytes()), &mut batch).unwrap();
    let value = Datum::of(&batch, None, decoded.cell).to_value();
    let digits = |text: &str| Value::Digits(text.into());
    let expected = [
        ("a", Value::Int(3)),
        ("b", digits("12345678901234567890")),
        ("c", Value::Float(1.1)),
        ("d", digits("0.12345678901234567890123")),
        ("e", digits("1e400")),
        ("f", Value::Float(-0.0)),
        ("g", digits("1e-400")),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(value, Value::Map(expected.to_vec()));
}

#[test]
fn a_fixed_schema_reads_payloads_alone() {
    let given = Properties::from([("schema.content".into(), SCHEMA.into())]);
    let converter = JsonConverter::from_properties(&given).unwrap();
    let mut batch = Batch::default();
    let decoded = converter
        .decoder()
        .decode(Some(FULL.as_bytes()), &mut batch)
        .unwrap();
    assert_eq!(*decoded.schema.unwrap(), *schema_as_read());
}

#[test]
fn every_prefix_of_a_record_fails_politely() {
    let full = format!(r#"{{"schema":{SCHEMA},"payload":{FULL}}}"#);
    for (schemas, text) in [(true, full.as_str()), (false, FULL)] {
        let mut decoder = JsonConverter::new(settings(schemas)).decoder();
        let mut batch = Batch::default();
        for end in 1..text.len() {
            let prefix = &text.as_bytes()[..end];
            let err = decoder.decode(Some(prefix), &mut batch).unwrap_err();
            assert!(err.code().name.starts_with("codec."), "{err:?}");
        }
        assert!(decoder.decode(Some(text.as_bytes()), &mut batch).is_ok());
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "[".repeat(100_000);
    let schema = r#"{"type":"array","items":"#.repeat(10_000);
    let mut batch = Batch::default();
    for (schemas, text) in [
        (false, deep.clone()),
        (false, r#"{"a":"#.repeat(100_000)),
        (true, format!(r#"{{"schema":null,"payload":{deep}"#)),
        (true, format!(r#"{{"schema":{schema}"#)),
    ] {
        let mut decoder = JsonConverter::new(settings(schemas)).decoder();
        let err = decoder
            .decode(Some(text.as_bytes()), &mut batch)
            .unwrap_err();
        assert_eq!(err.code().name, "codec.json_syntax");
    }
}

#[test]
fn plain_json_under_schemas_enable_says_what_to_do() {
    let mut decoder = JsonConverter::new(settings(true)).decoder();
    for text in [
        "{}",
        "1",
        r#"{"schema":null}"#,
        r#"{"schema":null,"payload":1,"x":2}"#,
    ] {
        let err = decoder
            .decode(Some(text.as_bytes()), &mut Batch::default())
            .unwrap_err();
        assert_eq!(err.code().name, "codec.no_envelope", "{text}");
    }
}

#[test]
fn a_null_with_a_schema_is_written_and_one_without_is_none() {
    let optional = Arc::new(Schema::of(Type::Int32).optional());
    let written = |schemas: bool, schema: Option<&Arc<Schema>>| {
        let converter = JsonConverter::new(JsonSettings {
            schemas,
            ..JsonSettings::default()
        });
        let (batch, mut out) = (Batch::default(), Vec::new());
        let datum = Datum::of(&batch, schema, Cell::Null);
        let mut encoder = converter.compile(schema).unwrap();
        let some = encoder.encode(datum, &mut out).unwrap();
        some.then(|| String::from_utf8(out).unwrap())
    };
    assert_eq!(written(true, None), None);
    assert_eq!(written(false, None), None);
    assert_eq!(written(false, Some(&optional)).as_deref(), Some("null"));
    assert_eq!(
        written(true, Some(&optional)).as_deref(),
        Some(r#"{"schema":{"type":"int32","optional":true},"payload":null}"#)
    );
}

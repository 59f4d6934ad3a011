use std::sync::Arc;

use connect_core::{Batch, Field, Record, Route, Schema, Type, Value};

use super::{Answer, Expression};

/// An update of a table, with a header.
fn event() -> Batch {
    let int = || Schema::of(Type::Int32).optional();
    let text = || Schema::of(Type::String).optional();
    let row = Schema::structure([
        Field::new("id", int()),
        Field::new("name", text()),
        Field::new("note", text().default_value("none".into())),
        Field::new("price", Schema::of(Type::Float64).optional()),
        Field::new("tags", Schema::of(Type::Array(Arc::new(text()))).optional()),
    ])
    .optional();
    let source = Schema::structure([Field::new("table", text())]);
    let schema = Schema::structure([
        Field::new("before", row.clone()),
        Field::new("after", row),
        Field::new("source", source),
        Field::new("op", text()),
    ])
    .named("s.orders.Envelope", 2);
    let after = [
        ("id", Value::Int(2)),
        ("name", "Zoë".into()),
        ("price", Value::Float(2.5)),
        ("tags", Value::Array(vec!["a".into(), "b".into()])),
    ];
    let after = Value::Map(after.map(|(name, value)| (name.to_owned(), value)).into());
    let value = Value::Map(vec![
        ("after".into(), after),
        (
            "source".into(),
            Value::Map(vec![("table".into(), "orders".into())]),
        ),
        ("op".into(), "u".into()),
    ]);
    let mut batch = Batch::default();
    let route = Route::new("s.orders", None, Some(Arc::new(schema.clone())));
    let value = batch.push_value(&value, Some(&schema));
    let record = Record::new(batch.route_index(&route), connect_core::Cell::Null, value);
    let header = connect_core::Header {
        name: "origin".into(),
        schema: Some(Arc::new(text())),
        value: batch.push_bytes(b"eu"),
    };
    batch.push_with_headers(record, &[header]);
    batch
}

fn answer(language: &str, text: &str) -> Result<Answer, String> {
    let mut expression = Expression::new(language, text)?;
    expression
        .answer(&event(), 0)
        .map_err(|err| err.to_string())
}

/// What holds of the event, in Groovy and in CEL.
const TRUE: &[(&str, &str)] = &[
    (
        "value.op == 'u' && value.after.id == 2",
        "value.op == 'u' && value.after.id == 2",
    ),
    (
        "value.source.table.equals('orders')",
        "value.source.table == 'orders'",
    ),
    ("value.before == null", "value.before == null"),
    ("value.before?.id == null", "!has(value.after.missing)"),
    ("!value.before", "value.before == null"),
    ("value.after.name =~ /^Z/", "value.after.name.matches('^Z')"),
    (
        "value.after.name.matches('Z.*')",
        "matchesAll(value.after.name, 'Z.*')",
    ),
    (
        "value.after.name ==~ 'Z..'",
        "value.after.name.startsWith('Zo')",
    ),
    (
        "value.after.note.contains('on')",
        "value.after.note.contains('on')",
    ),
    ("value.after.tags.contains('b')", "'b' in value.after.tags"),
    ("value.after.id in [1, 2]", "value.after.id in [1, 2]"),
    (
        "value.after.price > 2 && value.after.id < 2.5",
        "value.after.price > 2.0",
    ),
    (
        "header.origin.value == 'eu'",
        "headers.origin.value == 'eu'",
    ),
    ("topic.endsWith('orders')", "topic.endsWith('orders')"),
    (
        "valueSchema.name.endsWith('.Envelope')",
        "valueSchema.version == 2",
    ),
    (
        "value.after['id'] + 1 == 3",
        "value['after']['id'] + 1 == 3",
    ),
    (
        "return value.after.id / 4 == 0.5;",
        "value.after.tags.exists(tag, tag == 'b')",
    ),
    (
        "value.get('op') == \"u\"",
        "value.after.tags.filter(t, t != 'a').size() == 1",
    ),
    (
        "value.after.name.toLowerCase() == 'zoë'",
        "lower(value.after.name) == 'zoë'",
    ),
    ("(value.before ?: value.after).id == 2", "key == null"),
    (
        "value.op != 'd' || value.before.id == 1",
        "value.op in ['c', 'u']",
    ),
];

#[test]
fn groovy_and_cel_see_a_record_alike() {
    for (groovy, cel) in TRUE {
        assert_eq!(
            answer("jsr223.groovy", groovy),
            Ok(Answer::Bool(true)),
            "{groovy}"
        );
        assert_eq!(answer("cel", cel), Ok(Answer::Bool(true)), "{cel}");
    }
}

#[test]
fn texts_are_put_together_as_groovy_does() {
    for (groovy, made) in [
        ("value.op == 'u' ? 'updates' : null", Some("updates")),
        ("value.op == 'c' ? 'creates' : null", None),
        ("'orders-' + value.after.id", Some("orders-2")),
        ("value.source.table + '_' + value.op", Some("orders_u")),
        (
            "\"${topic}.${value.after.id}.$value.op\"",
            Some("s.orders.2.u"),
        ),
        ("value.after.id + value.source.table", Some("2orders")),
        ("'is ' + value.before?.name", Some("is null")),
        ("value.before?.name ?: 'none'", Some("none")),
        ("value.after?.name?.toUpperCase()", Some("ZOË")),
        ("'it\\'s'", Some("it's")),
    ] {
        let expected = made.map_or(Answer::Null, |text| Answer::Text(text.to_owned()));
        assert_eq!(answer("jsr223.groovy", groovy), Ok(expected), "{groovy}");
    }
}

#[test]
fn what_is_not_understood_is_told_before_a_record_comes() {
    for (language, text, why) in [
        ("jsr223.groovy", "def x = 1; x", "is not understood"),
        (
            "jsr223.groovy",
            "value.after.tags.each { it }",
            "is not understood",
        ),
        (
            "jsr223.groovy",
            "value.after.name.replaceAll('a', 'b')",
            "replaceAll",
        ),
        ("jsr223.groovy", "foo.bar == 1", "foo is not understood"),
        ("jsr223.groovy", "value.op == 'u", "has no end"),
        ("jsr223.groovy", "value.", "ends after a dot"),
        ("jsr223.graal.js", "true", "language=cel"),
        ("wasm.chicory", "true", "language=cel"),
        ("cel", "value.op ==", "not valid"),
        ("cel", "vlaue.op == 'u'", "no variable vlaue"),
        ("cel", "[1].all(x, [1].all(y, true))", "within each other"),
    ] {
        let wrong = answer(language, text).unwrap_err();
        assert!(wrong.contains(why), "{text}: {wrong}");
    }
    for opening in ["(", "!", "-", "[", "'", "\"${", "true ? "] {
        assert!(answer("jsr223.groovy", &opening.repeat(5000)).is_err());
    }
    let long = format!("value{}", "?.a".repeat(60));
    assert!(
        answer("jsr223.groovy", &long)
            .unwrap_err()
            .contains("too long")
    );
}

#[test]
fn what_fails_for_a_record_is_an_error_of_it() {
    for text in [
        "value.before.id == 2",
        "value.after.missing == 1",
        "value.op + 1",
    ] {
        let wrong = answer("cel", text).unwrap_err();
        assert!(
            wrong.contains("Error while evaluating expression"),
            "{wrong}"
        );
    }
}

proptest::proptest! {
    // Invariant 5: bytes from outside never panic.
    #[test]
    fn no_text_is_too_strange(text in "[a-z.?:!=~&|+/'\"${}()\\[\\] 0-9\\\\é-]{0,60}") {
        for language in ["cel", "jsr223.groovy"] {
            if let Ok(mut expression) = Expression::new(language, &text) {
                let _ = expression.answer(&event(), 0);
            }
        }
    }
}

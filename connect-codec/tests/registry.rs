//! Converters with a real schema registry: what is registered, looked up, refused, and over TLS.

#![allow(clippy::unwrap_used)]

use std::{
    net::TcpListener,
    sync::{Arc, LazyLock},
};

use connect_core::{
    Batch, Datum, Error, Field, Properties, Result, Schema, Type, Value, Verdict,
    codec::{Converter, Decode},
};
use serde_json::{Value as Json, json};
use stack::{SchemaRegistry, Stack, certificates};

const CLASSES: [&str; 3] = ["AvroConverter", "ProtobufConverter", "JsonSchemaConverter"];

struct Scene {
    registry: SchemaRegistry,
    _stack: Stack,
}

/// A registry that no test stops. Tests have subjects of their own.
fn scene() -> &'static Scene {
    static SCENE: LazyLock<Scene> = LazyLock::new(own_scene);
    &SCENE
}

fn own_scene() -> Scene {
    let stack = Stack::new().unwrap();
    Scene {
        registry: stack.schema_registry_of_its_own().unwrap(),
        _stack: stack,
    }
}

impl Scene {
    fn converter(&self, class: &str, is_key: bool, more: &[(&str, &str)]) -> Arc<dyn Converter> {
        let mut settings = Properties::from([("schema.registry.url".into(), self.registry.url())]);
        settings.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        connect_codec::converter(class, is_key, &settings).unwrap()
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Json {
        let answer = self.registry.request(method, path, body).unwrap();
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

fn row(name: &str, fields: &[&str]) -> Arc<Schema> {
    let field = |name: &&str| Field::new(*name, Schema::of(Type::Int32));
    let fields: Vec<Field> = fields.iter().map(field).collect();
    Arc::new(Schema::structure(fields).titled(format!("shop.{name}")))
}

fn value(schema: &Schema) -> Value {
    let fields = schema.fields().iter().zip(7..);
    Value::Map(
        fields
            .map(|(field, n)| (field.name.to_string(), Value::Int(n)))
            .collect(),
    )
}

async fn write(converter: &dyn Converter, topic: &str, schema: &Arc<Schema>) -> Result<Vec<u8>> {
    let mut encoder = converter.encoder(topic, Some(schema)).await?;
    let mut out = Vec::new();
    encoder.encode(Datum::of_value(Some(schema), &value(schema)), &mut out)?;
    Ok(out)
}

async fn read(decoder: &mut dyn Decode, bytes: &[u8]) -> Result<Value> {
    if !decoder.knows(Some(bytes)) {
        decoder.learn(bytes).await?;
    }
    let mut batch = Batch::default();
    let decoded = decoder.decode(Some(bytes), &mut batch)?;
    Ok(Datum::of(&batch, decoded.schema.as_ref(), decoded.cell).to_value())
}

fn code(result: Result<Vec<u8>>) -> (&'static str, Verdict, Error) {
    let error = result.err().unwrap();
    (error.code().name, error.verdict(), error)
}

fn id(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[1..5].try_into().unwrap())
}

#[tokio::test]
async fn schemas_are_registered_once_under_the_name_that_the_strategy_gives() {
    let scene = scene();
    for class in CLASSES {
        let strategies = [
            ("TopicNameStrategy", format!("{class}-key")),
            ("RecordNameStrategy", format!("shop.{class}")),
            ("TopicRecordNameStrategy", format!("{class}-shop.{class}")),
        ];
        for (strategy, subject) in strategies {
            let converter =
                scene.converter(class, true, &[("key.subject.name.strategy", strategy)]);
            let schema = row(class, &["a", "b"]);
            let bytes = write(&*converter, class, &schema).await.unwrap();
            assert_eq!(write(&*converter, class, &schema).await.unwrap(), bytes);
            let latest = scene.ask("GET", &format!("/subjects/{subject}/versions/latest"), "");
            assert_eq!(latest["id"], id(&bytes), "{class} {strategy}");
            let seen = read(&mut *converter.decoder(), &bytes).await.unwrap();
            assert_eq!(seen, value(&schema), "{class}");
        }
    }
}

#[tokio::test]
async fn without_registering_a_schema_has_to_be_there() {
    let scene = scene();
    for class in CLASSES {
        let topic = format!("looked-up-{class}");
        let off = ("auto.register.schemas", "false");
        let (old, new) = (row(class, &["a"]), row(class, &["a", "b"]));
        let looks = scene.converter(class, false, &[off]);
        let (name, verdict, error) = code(write(&*looks, &topic, &old).await);
        assert_eq!(
            (name, verdict),
            ("codec.schema_missing", Verdict::Fail),
            "{error:?}"
        );
        let registers = scene.converter(class, false, &[]);
        let first = write(&*registers, &topic, &old).await.unwrap();
        assert_eq!(write(&*looks, &topic, &old).await.unwrap(), first);
        // The newest schema of the subject, and one by its number, whatever the source's is.
        let (number, loose) = (id(&first).to_string(), "compatibility.strict");
        let latest = [
            off,
            ("use.latest.version", "true"),
            (&*format!("latest.{loose}"), "false"),
        ];
        let fixed = [
            off,
            ("use.schema.id", &*number),
            (&*format!("id.{loose}"), "false"),
        ];
        for more in [latest, fixed] {
            let converter = scene.converter(class, false, &more);
            let bytes = write(&*converter, &topic, &new).await.unwrap();
            assert_eq!(bytes[..5], first[..5], "{class}");
        }
    }
}

#[tokio::test]
async fn a_schema_that_is_not_compatible_is_told_in_the_registrys_words() {
    let scene = scene();
    let converter = scene.converter("AvroConverter", false, &[]);
    write(&*converter, "strict", &row("R", &["a"]))
        .await
        .unwrap();
    scene.ask(
        "PUT",
        "/config/strict-value",
        &json!({"compatibility": "BACKWARD"}).to_string(),
    );
    let (name, verdict, error) = code(write(&*converter, "strict", &row("R", &["a", "b"])).await);
    assert_eq!(
        (name, verdict),
        ("codec.schema_incompatible", Verdict::Fail)
    );
    let told = error.report();
    assert!(
        told.contains("strict-value") && told.contains("message = "),
        "{told}"
    );
}

#[tokio::test]
async fn another_address_is_taken_and_a_registry_that_is_away_is_asked_again() {
    let scene = own_scene();
    // Nobody listens there: the port was free a moment ago.
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let urls = format!("http://{dead},{}", scene.registry.url());
    let converter = scene.converter("AvroConverter", false, &[("schema.registry.url", &urls)]);
    let bytes = write(&*converter, "t", &row("R", &["a"])).await.unwrap();
    scene.registry.stop().unwrap();
    let (name, verdict, _) = code(write(&*converter, "t", &row("S", &["a"])).await);
    assert_eq!(
        (name, verdict),
        ("codec.registry_unreachable", Verdict::Retry)
    );
    let error = converter.decoder().learn(&bytes).await.err().unwrap();
    assert_eq!(error.verdict(), Verdict::Retry);
}

#[tokio::test]
async fn records_of_others_are_refused_one_by_one() {
    let scene = scene();
    let converter = scene.converter("AvroConverter", false, &[]);
    let mut decoder = converter.decoder();
    for bytes in [&b"\0\0\x0f\xff\xff12"[..], b"{}", b"", b"\0\0"] {
        let error = read(&mut *decoder, bytes).await.err().unwrap();
        assert_eq!(error.verdict(), Verdict::Reject, "{error:?}");
    }
    let json = scene.converter("JsonSchemaConverter", false, &[]);
    let bytes = write(&*json, "others", &row("R", &["a"])).await.unwrap();
    let error = read(&mut *decoder, &bytes).await.err().unwrap();
    assert_eq!(error.code().name, "codec.schema_kind");
}

#[tokio::test]
async fn tls_trusts_whom_the_properties_name() {
    let scene = scene();
    let ca = certificates().unwrap().join("ca.pem");
    let (url, text) = (
        scene.registry.tls_url(),
        std::fs::read_to_string(&ca).unwrap(),
    );
    let url = ("schema.registry.url", url.as_str());
    let file = (
        "schema.registry.ssl.truststore.location",
        ca.to_str().unwrap(),
    );
    let inline = ("schema.registry.ssl.truststore.certificates", text.as_str());
    for trusted in [file, inline] {
        let converter = scene.converter("AvroConverter", false, &[url, trusted]);
        write(&*converter, "tls", &row("R", &["a"])).await.unwrap();
    }
    let strangers = scene.converter("AvroConverter", false, &[url]);
    let (name, _, _) = code(write(&*strangers, "tls", &row("R", &["a"])).await);
    assert_eq!(name, "codec.registry_unreachable");
}

#[test]
fn all_findings_are_told() {
    let given = [
        ("schema.registry.url", "nowhere"),
        ("auto.register.schemas", "perhaps"),
        ("connect.meta.data", "x"),
    ];
    let given = given.map(|(n, v)| (n.to_owned(), v.to_owned()));
    let findings = connect_codec::converter("AvroConverter", false, &given.into())
        .err()
        .unwrap();
    assert_eq!(findings.len(), 3, "{findings:?}");
}

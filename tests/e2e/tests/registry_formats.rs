//! Avro, Protobuf and JSON Schema with a real registry: tables change while they are streamed, others read what we write, sinks
//! too; the registry goes away and comes back, and refuses a schema.

use std::{sync::Arc, time::Duration};

use e2e::{
    Outcome, Rest,
    configs::{IMPATIENT, postgres_source, redis_sink, with},
    registered,
};
use serde_json::{Value, json};
use stack::{
    Kcat, PgVersion, Postgres, PostgresOptions, Program, SchemaRegistry, Server, Stack, binary,
    wait_until,
};

const LIMIT: Duration = Duration::from_secs(120);
/// Topics' prefix, the registry's name of the format, Confluent's converter.
const FORMATS: [(&str, &str, &str); 3] = [
    ("avro", "AVRO", "io.confluent.connect.avro.AvroConverter"),
    (
        "proto",
        "PROTOBUF",
        "io.confluent.connect.protobuf.ProtobufConverter",
    ),
    (
        "schema",
        "JSON",
        "io.confluent.connect.json.JsonSchemaConverter",
    ),
];

struct Scene {
    postgres: Postgres,
    registry: SchemaRegistry,
    rest: Rest,
    kcat: Kcat,
    _worker: Arc<Server>,
    _home: tempfile::TempDir,
}

fn scene(stack: &Stack) -> Outcome<Scene> {
    let home = tempfile::tempdir()?;
    let mut program = Program::new("tidewater", binary("tidewater")?);
    let (rest, kafka) = (program.claim_port()?, program.claim_port()?);
    let mut program = program
        .arg("worker")
        .arg("--data-dir")
        .arg(home.path().join("log").as_os_str())
        .arg("--set")
        .arg(format!("listeners=http://127.0.0.1:{rest}"))
        .arg("--kafka-listen")
        .arg(kafka.to_string());
    for (name, value) in IMPATIENT {
        program = program.arg("--set").arg(format!("{name}={value}"));
    }
    Ok(Scene {
        postgres: stack.postgres_with(PostgresOptions::new(PgVersion::V15))?,
        registry: stack.schema_registry_of_its_own()?,
        _worker: stack.program(program.ready_http(rest, "/health"))?,
        rest: Rest::new(rest),
        kcat: Kcat::at(&format!("127.0.0.1:{kafka}"))?,
        _home: home,
    })
}

impl Scene {
    fn converted(&self, config: Value, class: &str) -> Value {
        let url = self.registry.url();
        with(
            config,
            &[
                ("key.converter", class),
                ("key.converter.schema.registry.url", &url),
                ("value.converter", class),
                ("value.converter.schema.registry.url", &url),
            ],
        )
    }

    fn source(&self, prefix: &str, class: &str) -> Value {
        let config = postgres_source(&self.postgres, prefix, "public.people");
        let config = with(config, &[("decimal.handling.mode", "precise")]);
        self.converted(config, class)
    }
}

#[test]
fn tables_change_while_they_are_streamed() -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack)?;
    let redis = stack.redis()?;
    scene.postgres.psql_as_cdc(
        "create table people (id int primary key, name text, price numeric(10,2), born date, big bigint, ok boolean, \
         raw bytea, at timestamptz); alter table people replica identity full; \
         insert into people values (1, 'Ada ü', -12.50, '1815-12-10', 9007199254740993, true, '\\x00ff', '2024-01-02T03:04:05.678901Z')",
    )?;
    for (prefix, _, class) in FORMATS {
        scene.rest.create(prefix, &scene.source(prefix, class))?;
        let sink = redis_sink(&redis, &format!("{prefix}\\.public\\.people"));
        scene
            .rest
            .create(&format!("{prefix}-redis"), &scene.converted(sink, class))?;
        scene.rest.wait_for(prefix, "RUNNING")?;
        scene.rest.wait_for_stream(prefix)?;
    }
    scene.postgres.psql_as_cdc(
        "alter table people add column mail text default 'none'; insert into people values (2, null, 0.00, null, -1, false, null, null, 'b@c'); \
         update people set price = 99999999.99 where id = 1; delete from people where id = 2",
    )?;
    for (prefix, kind, _) in FORMATS {
        let hash = format!("{prefix}.public.people:1");
        wait_until(&format!("{hash} to change"), LIMIT, || {
            let price = redis.cli(&["HGET", &hash, "price"]).unwrap_or_default();
            Ok(price.trim() == "99999999.99")
        })
        .map_err(|error| {
            format!(
                "{error}: {:?} {:?}",
                scene.rest.trace(prefix),
                scene.rest.trace(&format!("{prefix}-redis"))
            )
        })?;
        assert_eq!(redis.cli(&["HGET", &hash, "mail"])?.trim(), "none");
        assert_eq!(
            redis.cli(&["HGET", &hash, "big"])?.trim(),
            "9007199254740993"
        );
        let seen = registered::values(
            &scene.kcat,
            &format!("{prefix}.public.people"),
            kind,
            &scene.registry,
        )?;
        check(kind, &seen);
    }
    Ok(())
}

/// What others read of the four changes.
fn check(kind: &str, seen: &[Value]) {
    assert_eq!(seen.len(), 4, "{kind}: {seen:#?}");
    assert_ne!(
        seen[0]["id"], seen[1]["id"],
        "{kind}: the table has changed"
    );
    assert_eq!(seen[1]["id"], seen[3]["id"], "{kind}");
    let ops: Vec<&str> = seen
        .iter()
        .filter_map(|one| one["value"]["op"].as_str())
        .collect();
    assert_eq!(ops, ["r", "c", "u", "d"], "{kind}");
    let (first, updated) = (&seen[0]["value"]["after"], &seen[2]["value"]["after"]);
    let [born, price, high, big] = match kind {
        // Days since 1970 without a logical type, unscaled bytes, and Protobuf's JSON has texts for large numbers.
        "AVRO" => [
            json!(-56_270),
            json!("-12.50"),
            json!("99999999.99"),
            json!(9_007_199_254_740_993_i64),
        ],
        "PROTOBUF" => {
            let decimal = |value: &str, precision: u32| json!({"value": value, "precision": precision, "scale": 2});
            [
                json!(-56_270),
                decimal("+x4=", 4),
                decimal("AlQL4/8=", 10),
                json!("9007199254740993"),
            ]
        }
        _ => [
            json!(-56_270),
            json!("+x4="),
            json!("AlQL4/8="),
            json!(9_007_199_254_740_993_i64),
        ],
    };
    assert_eq!(
        (&first["born"], &first["price"], &first["big"]),
        (&born, &price, &big),
        "{kind}"
    );
    assert_eq!(
        (&updated["price"], &updated["mail"]),
        (&high, &json!("none")),
        "{kind}"
    );
    assert_eq!(
        (&first["name"], &first["ok"], &first["raw"]),
        (&json!("Ada ü"), &json!(true), &json!("AP8=")),
        "{kind}"
    );
    assert_eq!(seen[1]["value"]["after"]["mail"], "b@c", "{kind}");
    assert_eq!(seen[3]["value"]["before"]["mail"], "b@c", "{kind}");
}

#[test]
fn a_registry_that_is_away_is_waited_for_and_one_that_refuses_is_told() -> Outcome {
    let stack = Stack::new()?;
    let scene = scene(&stack)?;
    let (prefix, kind, class) = FORMATS[0];
    scene
        .postgres
        .psql_as_cdc("create table people (id int primary key); insert into people values (1)")?;
    scene.registry.stop()?;
    scene.rest.create(prefix, &scene.source(prefix, class))?;
    scene
        .rest
        .wait_for_trouble(prefix, "the schema registry does not answer")?;
    scene.registry.start()?;
    scene.rest.wait_for(prefix, "RUNNING")?;
    scene.rest.wait_for_stream(prefix)?;
    let subject = "avro.public.people-value";
    let strict = json!({"compatibility": "BACKWARD"}).to_string();
    let answer = scene
        .registry
        .request("PUT", &format!("/config/{subject}"), &strict)?;
    assert_eq!(answer.status, 200, "{answer:?}");
    scene.postgres.psql_as_cdc(
        "alter table people add column must int not null default 1; alter table people alter column must drop default; \
         insert into people values (2, 2)",
    )?;
    scene
        .rest
        .wait_for_failure(prefix, "not compatible with those before it")?;
    let trace = scene.rest.trace(prefix)?;
    assert!(
        trace.contains(subject) && trace.contains("409") && trace.contains("PUT /config/SUBJECT"),
        "{trace}"
    );
    let loose = json!({"compatibility": "NONE"}).to_string();
    scene
        .registry
        .request("PUT", &format!("/config/{subject}"), &loose)?;
    scene.rest.must(
        "POST",
        &format!("/connectors/{prefix}/restart?includeTasks=true"),
    )?;
    scene.rest.wait_for(prefix, "RUNNING")?;
    wait_until("the refused row to be written", LIMIT, || {
        let seen = registered::values(&scene.kcat, "avro.public.people", kind, &scene.registry);
        Ok(seen.is_ok_and(|seen| {
            seen.last()
                .is_some_and(|last| last["value"]["after"]["must"] == 2)
        }))
    })?;
    Ok(())
}

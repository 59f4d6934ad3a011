//! Kafka Connect's words about configurations and requests.

mod connectors;

use connect_runtime::{ConfigInfos, GivenConfig, PluginKind};
use connectors::{
    counting::Upstream,
    worker::{Worker, counting, given, refused},
};
use serde_json::json;

const INVALID_TAIL: &str = "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`";

fn with<'a>(config: Vec<(&'a str, &'a str)>, more: &[(&'a str, &'a str)]) -> GivenConfig {
    given(&[config, more.to_vec()].concat())
}

#[tokio::test]
async fn what_is_refused_is_told_in_kafka_connects_words() {
    let worker = Worker::start(&[]).await;
    let herder = &worker.herder;
    herder
        .create("src", given(&counting("validation-1")), None)
        .await
        .unwrap();
    let create =
        async |name: &str, config: GivenConfig| refused(herder.create(name, config, None).await);
    let source = || counting("validation-1");
    let nameless = "Invalid value  for configuration name: String may not be empty";
    let refusals = [
        (
            create("src", given(&source())).await,
            (409, "Connector src already exists".to_owned()),
        ),
        (create("", given(&source())).await, one(nameless)),
        (
            create("a", with(source(), &[("name", "b")])).await,
            (
                400,
                "Connector name configuration (b) doesn't match connector name in the URL (a)"
                    .to_owned(),
            ),
        ),
        (
            create("bad", given(&[("tasks.max", "1")])).await,
            (
                400,
                "Connector config {name=bad, tasks.max=1} contains no connector type".to_owned(),
            ),
        ),
    ];
    for (found, expected) in refusals {
        assert_eq!(found, expected);
    }
    let (status, unknown) = create("bad", given(&[("connector.class", "com.example.Nope")])).await;
    assert_eq!(status, 400);
    assert!(unknown.starts_with("Failed to find any class that implements Connector and which name matches com.example.Nope, available connectors are: PluginDesc{klass=class test.CollectingSinkConnector"), "{unknown}");
    worker.stop().await;
}

/// The answer to a configuration with one error.
fn one(what: &str) -> (u16, String) {
    (400, errors_found(1, what))
}

fn errors_found(count: u32, what: &str) -> String {
    format!(
        "Connector configuration is invalid and contains the following {count} error(s):\n{what}{INVALID_TAIL}"
    )
}

#[tokio::test]
async fn invalid_values_are_told_in_kafka_connects_words() {
    let worker = Worker::start(&[]).await;
    let herder = &worker.herder;
    let source = || counting("validation-2");
    herder.create("src", given(&source()), None).await.unwrap();
    let create = async |config: GivenConfig| refused(herder.create("bad", config, None).await);
    let text = "Invalid value abc for configuration tasks.max: Not a number of type INT\n\
        Invalid value null for configuration tasks.max: Value must be non-null";
    let (_, two) = create(with(source(), &[("tasks.max", "abc")])).await;
    assert_eq!(two, errors_found(2, text));
    let mut null = given(&[
        ("connector.class", "test.CountingSourceConnector"),
        ("upstream", "x"),
    ]);
    null.insert("x".to_owned(), None);
    let text = "Null value can not be supplied as the configuration value.\n\
        Missing required configuration \"topic\" which has no default value.";
    assert_eq!(create(null).await.1, errors_found(2, text));
    assert_eq!(
        create(with(source(), &[("errors.tolerance", "maybe")])).await,
        one(
            "Invalid value maybe for configuration errors.tolerance: String must be one of: none, all"
        )
    );
    let required = with(source(), &[("exactly.once.support", "required")]);
    assert_eq!(create(required).await.0, 400);
    let patch = given(&[("tasks.max", "-3")]);
    assert_eq!(
        refused(herder.patch_config("src", patch).await),
        one("Invalid value -3 for configuration tasks.max: Value must be at least 1")
    );
    worker.stop().await;
}

#[tokio::test]
async fn unknown_names_are_404_in_the_words_of_each_request() {
    let worker = Worker::start(&[]).await;
    let h = &worker.herder;
    let answers = [
        (
            "Connector nope not found",
            vec![
                refused(h.info("nope").await),
                refused(h.delete("nope").await),
                refused(h.task_configs("nope").await),
                refused(h.offsets("nope").await),
                refused(h.reset_offsets("nope").await),
                refused(h.patch_config("nope", GivenConfig::new()).await),
            ],
        ),
        (
            "No status found for connector nope",
            vec![refused(h.status("nope").await)],
        ),
        (
            "No status found for task nope-0",
            vec![refused(h.task_status("nope", 0).await)],
        ),
        (
            "Unknown connector nope",
            vec![
                refused(h.pause("nope").await),
                refused(h.resume("nope").await),
                refused(h.stop("nope").await),
            ],
        ),
        (
            "Unknown connector: nope",
            vec![
                refused(h.restart("nope", false, false).await),
                refused(h.restart_task("nope", 0).await),
            ],
        ),
        (
            "Unknown plugin Nope.",
            vec![refused(h.plugin_keys("Nope", None).await)],
        ),
    ];
    for (what, answers) in answers {
        for answer in answers {
            assert_eq!(answer, (404, what.to_owned()));
        }
    }
    assert_eq!(h.topics("nope").await.unwrap(), Vec::<String>::new());
    worker.stop().await;
}

fn errors<'a>(infos: &'a ConfigInfos, key: &str) -> Vec<&'a str> {
    let config = infos.configs.iter().find(|config| config.value.name == key);
    config
        .map(|c| c.value.errors.iter().map(String::as_str).collect())
        .unwrap_or_default()
}

fn valid() -> GivenConfig {
    with(
        counting("v"),
        &[
            ("name", "v1"),
            ("upstream.password", "hunter2"),
            ("unknown", "z"),
        ],
    )
}

async fn validated(worker: &Worker) -> ConfigInfos {
    let validating = worker.herder.validate("CountingSource", valid());
    validating.await.expect("a validation")
}

#[tokio::test]
async fn validation_lists_every_key_in_kafka_connects_order() {
    let worker = Worker::start(&[]).await;
    let infos = validated(&worker).await;
    assert_eq!(infos.error_count, 0);
    assert_eq!(infos.name, "test.CountingSourceConnector");
    let names: Vec<&str> = infos
        .configs
        .iter()
        .map(|config| config.value.name.as_str())
        .collect();
    assert_eq!(
        names[..5],
        [
            "name",
            "connector.class",
            "connector.plugin.version",
            "tasks.max",
            "tasks.max.enforce"
        ]
    );
    assert_eq!(
        names[names.len() - 6..],
        [
            "transaction.boundary.interval.ms",
            "offsets.storage.topic",
            "upstream",
            "topic",
            "batch.size",
            "upstream.password"
        ]
    );
    assert_eq!(
        infos.groups,
        [
            "Common",
            "Transforms",
            "Predicates",
            "Error Handling",
            "Topic Creation",
            "Exactly Once Support",
            "offsets.topic"
        ]
    );
    worker.stop().await;
}

#[tokio::test]
async fn validation_describes_keys_and_hides_secrets() {
    let worker = Worker::start(&[]).await;
    let mismatch = worker.herder.validate("CollectingSink", valid()).await;
    let what = "Included connector type test.CountingSourceConnector does not match request type CollectingSink";
    assert_eq!(refused(mismatch), (400, what.to_owned()));
    let infos = validated(&worker).await;
    let json = serde_json::to_value(&infos).unwrap();
    assert!(!json.to_string().contains("hunter2"), "Invariant 7");
    assert_eq!(
        json["configs"][3],
        json!({
            "definition": {"name": "tasks.max", "type": "INT", "required": false, "default_value": "1", "importance": "HIGH",
                "documentation": json["configs"][3]["definition"]["documentation"], "group": "Common", "order_in_group": 4,
                "width": "SHORT", "display_name": "Tasks max", "dependents": []},
            "value": {"name": "tasks.max", "value": "1", "recommended_values": [], "errors": [], "visible": true}
        })
    );
    worker.stop().await;
}

#[tokio::test]
async fn rules_over_several_properties() {
    let worker = Worker::start(&[("connector.client.config.override.policy", "none")]).await;
    let validate = async |more: &[(&str, &str)]| {
        let config = [
            &[
                ("connector.class", "CollectingSink"),
                ("name", "s"),
                ("destination", "d"),
            ],
            more,
        ]
        .concat();
        worker
            .herder
            .validate("CollectingSink", given(&config))
            .await
            .unwrap()
    };
    let neither = validate(&[]).await;
    assert_eq!(neither.error_count, 2);
    assert_eq!(
        errors(&neither, "topics"),
        ["Must configure one of topics or topics.regex"]
    );
    let both = validate(&[("topics", "a"), ("topics.regex", "b.*")]).await;
    assert_eq!(
        errors(&both, "topics.regex"),
        ["topics and topics.regex are mutually exclusive options, but both are set."]
    );
    let letters = validate(&[
        ("topics", "a,d"),
        ("errors.deadletterqueue.topic.name", "d"),
    ])
    .await;
    assert_eq!(
        errors(&letters, "topics"),
        [
            "The DLQ topic 'd' may not be included in the list of topics ('topics=[a, d]') consumed by the connector"
        ]
    );
    let twice = validate(&[("topics", "a"), ("transforms", "x,x")]).await;
    assert!(errors(&twice, "transforms")[0].ends_with("Duplicate alias provided."));
    let overridden =
        validate(&[("topics", "a"), ("consumer.override.max.poll.records", "1")]).await;
    assert_eq!(
        errors(&overridden, "consumer.override.max.poll.records"),
        [
            "The 'None' policy does not allow 'max.poll.records' to be overridden in the connector configuration."
        ]
    );
    let converter = validate(&[("topics", "a"), ("value.converter", "com.example.Nope")]).await;
    assert_eq!(
        errors(&converter, "value.converter"),
        [
            "Invalid value com.example.Nope for configuration value.converter: Class com.example.Nope could not be found."
        ]
    );
    assert_eq!(validate(&[("topics", "a")]).await.error_count, 0);
    worker.stop().await;
}

#[tokio::test]
async fn transforms_and_predicates_are_validated_with_their_prefix() {
    let worker = Worker::start(&[]).await;
    let validate = async |more: &[(&str, &str)]| {
        let config = with([counting("v"), vec![("name", "v1")]].concat(), more);
        worker
            .herder
            .validate("CountingSource", config)
            .await
            .unwrap()
    };
    let untyped = validate(&[("transforms", "a")]).await;
    assert_eq!(
        untyped.groups.last().map(String::as_str),
        Some("Transforms: a")
    );
    assert_eq!(
        errors(&untyped, "transforms.a.type"),
        ["Missing required configuration \"transforms.a.type\" which has no default value."]
    );
    let class = (
        "transforms.a.type",
        "org.apache.kafka.connect.transforms.RegexRouter",
    );
    let bare = validate(&[("transforms", "a"), class]).await;
    assert_eq!(
        errors(&bare, "transforms.a.regex"),
        ["Missing required configuration \"transforms.a.regex\" which has no default value."]
    );
    let stray = validate(&[
        ("transforms", "a"),
        class,
        ("transforms.a.regex", "x"),
        ("transforms.a.replacement", "y"),
        ("transforms.a.predicate", "p"),
    ])
    .await;
    assert_eq!(stray.error_count, 1);
    assert_eq!(errors(&stray, "transforms.a.predicate").len(), 1);
    worker.stop().await;
}

#[tokio::test]
async fn plugins_and_their_keys() {
    let worker = Worker::start(&[]).await;
    let plugins = worker.herder.plugins().await;
    assert_eq!(
        (plugins[0].class.as_str(), plugins[0].kind),
        ("test.CollectingSinkConnector", PluginKind::Sink)
    );
    assert_eq!(plugins[1].kind, PluginKind::Source);
    assert!(
        plugins
            .iter()
            .any(|p| p.class == "org.apache.kafka.connect.json.JsonConverter"
                && p.kind == PluginKind::Converter)
    );
    let keys = worker
        .herder
        .plugin_keys("CountingSource", None)
        .await
        .unwrap();
    assert_eq!(keys[0].name, "upstream", "the plugin's own come first");
    assert_eq!(keys[4].name, "name");
    let keys = worker
        .herder
        .plugin_keys("org.apache.kafka.connect.json.JsonConverter", None)
        .await
        .unwrap();
    assert!(keys.iter().any(|key| key.name == "schemas.enable"));
    worker.stop().await;
}

#[tokio::test]
async fn placeholders_are_resolved_for_tasks_and_stored_unresolved() {
    let worker = Worker::start(&[]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "upstream=placeholders-1\n").unwrap();
    let placeholder = format!("${{file:{}:upstream}}", file.path().display());
    let upstream = Upstream::named("placeholders-1");
    upstream.set(|state| state.rows = 3);
    let config = [
        ("connector.class", "CountingSource"),
        ("topic", "placeholders-1"),
        ("upstream", placeholder.as_str()),
    ];
    worker.create("src", &config).await;
    upstream.told(3).await;
    assert_eq!(
        worker.herder.info("src").await.unwrap().config["upstream"],
        placeholder
    );
    assert_eq!(
        worker.herder.task_configs("src").await.unwrap()[0].1["upstream"],
        placeholder
    );
    worker.stop().await;
}

#[tokio::test]
async fn numbers_have_the_names_of_dashboards_for_kafka_connect() {
    let worker = Worker::start(&[]).await;
    let upstream = Upstream::named("metrics-1");
    upstream.set(|state| state.rows = 7);
    worker.create("src", &counting("metrics-1")).await;
    upstream.told(7).await;
    let text = worker.herder.metrics_text().await;
    for line in [
        "kafka_connect_worker_connector_count 1",
        "kafka_connect_worker_connector_running_task_count{connector=\"src\"} 1",
        "kafka_connect_connector_status{connector=\"src\",status=\"running\"} 1",
        "kafka_connect_source_task_source_record_poll_total{connector=\"src\",task=\"0\"} 7",
        "kafka_connect_source_task_source_record_write_total{connector=\"src\",task=\"0\"} 7",
        "tidewater_task_test_opened_at{connector=\"src\",task=\"0\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    worker.stop().await;
}

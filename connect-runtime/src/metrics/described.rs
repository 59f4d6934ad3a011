//! What Kafka Connect tells in words, as labels of a number that is 1: classes and versions.

use connect_core::Properties;

use super::page::Page;
use crate::{
    answers::TaskId,
    chain::{aliases, predicate_settings, transform_settings},
    worker_config::WorkerConfig,
};

/// The version of everything that is built in.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A connector's class, and its plugin's version.
pub(super) fn connector(page: &mut Page, name: &str, config: &Properties, version: Option<&str>) {
    let mut put = |what: &str, value: &str| {
        let labels = [("connector", name), (what, value)];
        page.put(&format!("kafka_connect_connector_{what}"), &labels, 1.0);
    };
    if let Some(class) = config.get("connector.class") {
        put("class", class);
    }
    if let Some(version) = version {
        put("version", version);
    }
}

/// A task's converters, transforms and predicates.
pub(super) fn task(page: &mut Page, id: &TaskId, config: &Properties, worker: &WorkerConfig) {
    let number = id.task.to_string();
    let of_task = [
        ("connector", id.connector.as_str()),
        ("task", number.as_str()),
    ];
    let converters = [
        ("key", &worker.key_converter),
        ("value", &worker.value_converter),
        ("header", &worker.header_converter),
    ];
    for (of, default) in converters {
        let class = config.get(&format!("{of}.converter")).unwrap_or(default);
        let name = format!("kafka_connect_connector_task_{of}_converter");
        put(page, &name, &of_task, class);
    }
    for alias in aliases(config, "transforms") {
        let (class, _) = transform_settings(alias, config);
        let labels = [of_task[0], of_task[1], ("transform", alias)];
        put(page, "kafka_connect_connector_transform", &labels, &class);
    }
    for alias in aliases(config, "predicates") {
        let (class, _) = predicate_settings(alias, config);
        let labels = [of_task[0], of_task[1], ("predicate", alias)];
        put(page, "kafka_connect_connector_predicate", &labels, &class);
    }
}

fn put(page: &mut Page, name: &str, labels: &[(&str, &str)], class: &str) {
    for (what, value) in [("class", class), ("version", VERSION)] {
        let labels: Vec<_> = labels.iter().copied().chain([(what, value)]).collect();
        page.put(&format!("{name}_{what}"), &labels, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_labels() {
        let config = [
            ("connector.class", "com.example.Sink"),
            (
                "value.converter",
                "org.apache.kafka.connect.storage.StringConverter",
            ),
            ("transforms", "a, b"),
            ("transforms.a.type", "com.example.A"),
            ("transforms.b.type", "com.example.B"),
            ("transforms.b.predicate", "p"),
            ("predicates", "p"),
            ("predicates.p.type", "com.example.P"),
        ];
        let config = config.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Properties::from(config);
        let mut page = Page::default();
        connector(&mut page, "c", &config, None);
        task(
            &mut page,
            &TaskId::new("c", 1),
            &config,
            &WorkerConfig::default(),
        );
        let text = page.text();
        for line in [
            "class{connector=\"c\",class=\"com.example.Sink\"} 1",
            "task_key_converter_class{connector=\"c\",task=\"1\",class=\"org.apache.kafka.connect.json.JsonConverter\"} 1",
            "task_value_converter_class{connector=\"c\",task=\"1\",class=\"org.apache.kafka.connect.storage.StringConverter\"} 1",
            "transform_class{connector=\"c\",task=\"1\",transform=\"b\",class=\"com.example.B\"} 1",
            "predicate_class{connector=\"c\",task=\"1\",predicate=\"p\",class=\"com.example.P\"} 1",
        ] {
            let line = format!("kafka_connect_connector_{line}");
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(!text.contains("kafka_connect_connector_version"), "{text}");
    }
}

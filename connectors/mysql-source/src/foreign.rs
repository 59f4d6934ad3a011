//! Properties of Debezium that mean nothing here, or not yet: accepted with a warning that says why, or refused where leaving
//! them out would lose or change what is sent.

use connect_core::{Finding, Properties};

use crate::config::MySqlConfig;

/// Without effect: how the key begins, and why.
const WITHOUT_EFFECT: [(&str, &str); 20] = [
    ("schema.history.internal", NO_HISTORY),
    ("ddl.parser.type", NO_HISTORY),
    ("database.jdbc.", "no Java driver connects"),
    ("database.protocol", "no Java driver connects"),
    ("driver.", "no Java driver connects"),
    ("max.queue.size", NO_QUEUE),
    ("queue.provider.type", NO_QUEUE),
    ("poll.interval.ms", "changes are sent when they come"),
    ("query.fetch.size", "rows are streamed"),
    ("snapshot.fetch.size", "rows are streamed"),
    ("min.row.count.to.stream.results", "rows are streamed"),
    (
        "connect.keep.alive.interval.ms",
        "the server's heartbeats tell whether it is there",
    ),
    (
        "use.nongraceful.disconnect",
        "connections are closed at once",
    ),
    ("binlog.buffer.size", "the server logs no half transactions"),
    (
        "executor.shutdown.timeout.ms",
        "no threads wait for each other",
    ),
    ("custom.metric.tags", NO_JMX),
    ("statistics.metrics.enabled", NO_JMX),
    (
        "topic.cache.size",
        "names of topics are made once per table",
    ),
    ("errors.max.retries", RETRIES),
    ("retriable.restart.connector.wait.ms", RETRIES),
];

const NO_HISTORY: &str = "schemas come from the binlog and the server; there is no history of them";
const NO_QUEUE: &str = "batches go straight to the log, and are bounded there";
const NO_JMX: &str = "metrics are Prometheus's, with labels of their own";
const RETRIES: &str = "the worker tries again, without end, and waits longer each time";

/// Refused, but for these values: the key, the values, and why.
const REFUSED: [(&str, &[&str], &str); 5] = [
    ("post.processors", &[""], JAVA),
    (
        "snapshot.query.mode",
        &["select_all"],
        "custom modes are Java classes",
    ),
    (
        "event.deserialization.failure.handling.mode",
        &["fail"],
        "events that cannot be read are never left out",
    ),
    ("database.ssl.keystore", &[""], PEM),
    ("database.ssl.truststore", &[""], PEM),
];

const JAVA: &str = "it is a Java class, and no Java runs here";
const PEM: &str = "give PEM files in database.ssl.ca, database.ssl.cert and database.ssl.key";

/// What is given and has no effect.
pub(crate) fn warnings(config: &MySqlConfig) -> Vec<Finding> {
    let why_of = |key: &String| {
        let mut known = WITHOUT_EFFECT
            .iter()
            .filter(|_| key != "driver.useCompression");
        let known = known.find(|(start, _)| key.starts_with(start));
        known.map(|(_, why)| (key.clone(), *why))
    };
    let given = config.rest.keys().filter_map(why_of);
    given
        .map(|(key, why)| Finding::warning(&key, format!("\"{key}\" has no effect here: {why}")))
        .collect()
}

/// What is given and cannot be done.
pub(crate) fn errors(given: &Properties) -> Vec<Finding> {
    let refused = |(key, values, why): &(&str, &[&str], &str)| {
        let value = given.get(*key)?.trim();
        let is_known = values.iter().any(|known| known.eq_ignore_ascii_case(value));
        (!is_known).then(|| Finding::invalid(key, value, why))
    };
    REFUSED.iter().filter_map(refused).collect()
}

#[cfg(test)]
mod tests {
    use connect_core::Config;

    use super::*;
    use crate::config::tests::given;

    #[test]
    fn what_is_without_effect_is_told_and_what_changes_records_is_refused() {
        let config = MySqlConfig::parse(&given(&[
            ("schema.history.internal.kafka.topic", "history"),
            ("poll.interval.ms", "100"),
        ]));
        let told = warnings(&config.unwrap());
        let keys: Vec<&str> = told.iter().map(|finding| finding.key.as_str()).collect();
        assert_eq!(
            keys,
            ["poll.interval.ms", "schema.history.internal.kafka.topic"]
        );
        assert!(told.iter().all(|finding| !finding.is_error()));
        let wrong = MySqlConfig::parse(&given(&[
            ("post.processors", "reselect"),
            ("database.ssl.keystore", "/some/file.jks"),
        ]));
        let keys: Vec<String> = wrong.unwrap_err().into_iter().map(|f| f.key).collect();
        assert_eq!(keys, ["post.processors", "database.ssl.keystore"]);
    }
}

//! Properties of Debezium that mean nothing here: accepted with a warning that says why, or refused where leaving them out
//! would lose or change what is sent.

use connect_core::{Finding, Properties};

/// Without effect: the key, and why.
const WITHOUT_EFFECT: [(&str, &str); 25] = [
    ("max.queue.size", NO_QUEUE),
    ("max.queue.size.in.bytes", NO_QUEUE),
    ("queue.provider.type", NO_QUEUE),
    ("poll.interval.ms", "changes are sent when they come"),
    ("query.fetch.size", "rows are streamed"),
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
    (
        "guardrail.collections.max",
        "the number of tables is not limited",
    ),
    (
        "guardrail.collections.limit.action",
        "the number of tables is not limited",
    ),
    ("errors.max.retries", RETRIES),
    ("retriable.restart.connector.wait.ms", RETRIES),
    ("slot.max.retries", RETRIES),
    ("slot.retry.delay.ms", RETRIES),
    ("lsn.flush.timeout.ms", "confirming waits for nothing"),
    ("lsn.flush.timeout.action", "confirming waits for nothing"),
    (
        "schema.refresh.mode",
        "the stream itself tells when a table has changed",
    ),
    (
        "include.schema.changes",
        "PostgreSQL does not log what changes tables",
    ),
    (
        "include.schema.comments",
        "PostgreSQL does not log what changes tables",
    ),
    (
        "internal.slot.seek.to.known.offset.on.start",
        "the stored position is checked at every start",
    ),
    (
        "internal.create.slot.command.timeout",
        "`database.query.timeout.ms` is the limit",
    ),
    ("snapshot.mode.custom.name", "custom modes are Java classes"),
    (
        "snapshot.locking.mode.custom.name",
        "custom modes are Java classes",
    ),
    (
        "snapshot.query.mode.custom.name",
        "custom modes are Java classes",
    ),
];

const NO_QUEUE: &str = "batches go straight to the log, and are bounded there";
const NO_JMX: &str = "metrics are Prometheus's, with labels of their own";
const RETRIES: &str = "the worker tries again, without end, and waits longer each time";

/// Refused, but for these values: the key, the values, and why.
const REFUSED: [(&str, &[&str], &str); 6] = [
    (
        "lsn.flush.mode",
        &["connector", "connector_and_driver"],
        "the slot is moved on by this connector; nothing else may have to",
    ),
    (
        "flush.lsn.source",
        &["true"],
        "the slot is moved on by this connector; nothing else may have to",
    ),
    (
        "xmin.fetch.interval.ms",
        &["0"],
        "`source.xmin` is not told",
    ),
    (
        "snapshot.query.mode",
        &["select_all"],
        "custom modes are Java classes",
    ),
    ("converters", &[""], JAVA),
    (
        "sourceinfo.struct.maker",
        &["io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"],
        JAVA,
    ),
];

const JAVA: &str = "it is a Java class, and no Java runs here";

/// What is given and has no effect.
pub(crate) fn warnings(given: &Properties) -> Vec<Finding> {
    let known = WITHOUT_EFFECT.iter();
    let given = known.filter(|(key, _)| given.contains_key(*key));
    given
        .map(|(key, why)| Finding::warning(*key, format!("\"{key}\" has no effect here: {why}")))
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
    use super::*;

    #[test]
    fn what_is_without_effect_is_told_and_what_changes_records_is_refused() {
        let given = |all: &[(&str, &str)]| -> Properties {
            let all = all
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            all.collect()
        };
        let told = warnings(&given(&[("poll.interval.ms", "20"), ("tasks.max", "1")]));
        assert_eq!(told.len(), 1);
        assert!(!told[0].is_error() && told[0].key == "poll.interval.ms");
        let fine = [
            ("lsn.flush.mode", "connector"),
            ("xmin.fetch.interval.ms", "0"),
            ("converters", ""),
        ];
        assert!(errors(&given(&fine)).is_empty());
        let wrong = [
            ("lsn.flush.mode", "manual"),
            ("converters", "isbn"),
            ("flush.lsn.source", "false"),
        ];
        assert_eq!(errors(&given(&wrong)).len(), 3);
    }
}

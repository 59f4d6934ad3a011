//! Numbers of database sources by Debezium's names, as its own example for Prometheus' JMX exporter gives them:
//! `debezium_metrics_<attribute>{plugin,name,context}`.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

use connect_core::Properties;

use super::{TaskMetrics, now_ms, page::Page};

/// The classes that have such numbers, and how Debezium calls their plugin.
const PLUGINS: [(&str, &str); 3] = [
    ("PostgresConnector", "postgres"),
    ("MySqlConnector", "mysql"),
    ("MariaDbConnector", "mariadb"),
];

/// Ours, Debezium's, in the context `streaming`.
const STREAMING: [(&str, &str); 6] = [
    ("connected", "Connected"),
    ("milliseconds-behind-source", "MilliSecondsBehindSource"),
    ("events-seen-total", "TotalNumberOfEventsSeen"),
    ("create-events-seen-total", "TotalNumberOfCreateEventsSeen"),
    ("update-events-seen-total", "TotalNumberOfUpdateEventsSeen"),
    ("delete-events-seen-total", "TotalNumberOfDeleteEventsSeen"),
];

/// The same in the context `snapshot`.
const SNAPSHOT: [(&str, &str); 6] = [
    ("snapshot-running", "SnapshotRunning"),
    ("snapshot-completed", "SnapshotCompleted"),
    ("snapshot-duration-seconds", "SnapshotDurationInSeconds"),
    ("snapshot-rows-scanned", "RowsScanned"),
    ("snapshot-total-table-count", "TotalTableCount"),
    ("snapshot-remaining-table-count", "RemainingTableCount"),
];

/// Puts what a task shows, if it is of a database source. All are shown from the start on, 0 before there is anything.
pub(super) fn put(page: &mut Page, config: &Properties, task: &TaskMetrics) {
    let class = config.get("connector.class").map_or("", String::as_str);
    let short = class.rsplit('.').next().unwrap_or(class);
    let Some((_, plugin)) = PLUGINS.iter().find(|(name, _)| *name == short) else {
        return;
    };
    let server = config.get("topic.prefix").map_or("", String::as_str);
    let shown: BTreeMap<&str, i64> = task.meter.read().into_iter().collect();
    let number = |name: &str| shown.get(name).copied().unwrap_or(0);
    for (context, numbers) in [("streaming", &STREAMING), ("snapshot", &SNAPSHOT)] {
        let labels = [("plugin", *plugin), ("name", server), ("context", context)];
        let mut put = |name: &str, value: i64| {
            page.put(&format!("debezium_metrics_{name}"), &labels, value as f64);
        };
        for (ours, theirs) in numbers {
            put(theirs, number(ours));
        }
        put(
            "NumberOfErroneousEvents",
            task.errors.load(Relaxed).cast_signed(),
        );
        if context == "streaming" {
            let since = match number("last-event-timestamp-ms") {
                0 => -1,
                at => (now_ms() - at).max(0),
            };
            put("MilliSecondsSinceLastEvent", since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_database_sources_have_them() {
        let shown = |class: &str| {
            let mut page = Page::default();
            let config = [("connector.class", class), ("topic.prefix", "p")];
            let config = config.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let task = TaskMetrics::default();
            task.meter.gauge("milliseconds-behind-source").set(7);
            put(&mut page, &Properties::from(config), &task);
            page.text()
        };
        let text = shown("io.debezium.connector.mysql.MySqlConnector");
        let line = "debezium_metrics_MilliSecondsBehindSource{plugin=\"mysql\",name=\"p\",context=\"streaming\"} 7";
        assert!(text.contains(line), "{text}");
        assert!(text.contains(
            "MilliSecondsSinceLastEvent{plugin=\"mysql\",name=\"p\",context=\"streaming\"} -1"
        ));
        assert!(
            text.contains("SnapshotCompleted{plugin=\"mysql\",name=\"p\",context=\"snapshot\"} 0")
        );
        assert_eq!(shown("io.tidewater.connector.redis.RedisSinkConnector"), "");
    }
}

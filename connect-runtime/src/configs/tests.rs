use super::*;

/// Every kind of record, as a Kafka Connect 4.3 wrote it.
const WRITTEN: &[(&str, &str)] = &[
    (
        "connector-src",
        r#"{"properties":{"connector.class":"org.apache.kafka.connect.file.FileStreamSourceConnector","file":"/data/in.txt","name":"src","tasks.max":"1","topic":"ft"}}"#,
    ),
    (
        "target-state-src",
        r#"{"state":"PAUSED","state.v2":"STOPPED"}"#,
    ),
    (
        "target-state-src",
        r#"{"state":"PAUSED","state.v2":"PAUSED"}"#,
    ),
    (
        "target-state-src",
        r#"{"state":"STARTED","state.v2":"STARTED"}"#,
    ),
    ("tasks-fencing-src", r#"{"task-count":1}"#),
    (
        "task-src-0",
        r#"{"properties":{"file":"/data/in.txt","task.class":"org.apache.kafka.connect.file.FileStreamSourceTask"}}"#,
    ),
    ("task-a-b-12", r#"{"properties":{"x":"y"}}"#),
    ("commit-src", r#"{"tasks":1}"#),
    (
        "restart-connector-src",
        r#"{"include-tasks":true,"only-failed":false}"#,
    ),
    ("logger-cluster-org.apache", r#"{"level":"INFO"}"#),
];

fn record(key: &str, value: Option<&str>) -> Option<ConfigRecord> {
    ConfigRecord::parse(key.as_bytes(), value.map(str::as_bytes))
}

#[test]
fn records_are_kafka_connects_byte_for_byte() {
    for (key, value) in WRITTEN {
        let parsed = record(key, Some(value)).unwrap_or_else(|| panic!("{key} {value}"));
        let (again_key, again_value) = parsed.entry();
        assert_eq!(std::str::from_utf8(&again_key).unwrap(), *key);
        assert_eq!(std::str::from_utf8(&again_value.unwrap()).unwrap(), *value);
    }
    for key in ["connector-src2", "target-state-src2"] {
        let (again, value) = record(key, None).unwrap().entry();
        assert_eq!(
            (again.as_slice(), value),
            (key.as_bytes(), None),
            "a tombstone"
        );
    }
}

#[test]
fn a_tasks_name_ends_at_the_last_dash() {
    let parsed = record("task-a-b-12", Some(r#"{"properties":{}}"#));
    assert_eq!(
        parsed,
        Some(ConfigRecord::Task(
            TaskId::new("a-b", 12),
            Properties::new()
        ))
    );
}

#[test]
fn records_of_others_and_broken_ones_are_left_alone() {
    for (key, value) in [
        (
            "session-key",
            r#"{"key":"lW+t","algorithm":"HmacSHA256","creation-timestamp":1795367359083}"#,
        ),
        ("connector-x", r#"{"no":"properties"}"#),
        ("commit-x", r#"{"tasks":-1}"#),
        ("task-x", r#"{"properties":{}}"#),
        ("target-state-x", r#"{"state":"WHAT"}"#),
    ] {
        assert_eq!(record(key, Some(value)), None, "{key}");
    }
    for (key, value) in WRITTEN {
        for cut in 0..value.len() {
            assert_eq!(record(key, value.get(..cut)), None, "a prefix of {value}");
        }
    }
}

#[test]
fn workers_before_3_5_wrote_only_the_old_state() {
    let parsed = record("target-state-x", Some(r#"{"state":"PAUSED"}"#));
    assert_eq!(
        parsed,
        Some(ConfigRecord::Target(
            "x".into(),
            Some(crate::answers::TargetState::Paused)
        ))
    );
}

fn reading() -> Reading {
    Reading {
        own: Own::new(&"me".into()),
        revision: 0,
        tasks: BTreeMap::new(),
        targets: BTreeMap::new(),
    }
}

fn loaded(records: &[(&str, &str)]) -> Desired {
    let mut parsed: Vec<_> = records
        .iter()
        .filter_map(|(k, v)| record(k, Some(v)))
        .collect();
    parsed.sort_by_key(ConfigRecord::rank);
    let (mut desired, mut reading) = (Desired::default(), reading());
    for record in parsed {
        reading.apply(&mut desired, record, 0);
    }
    desired
}

#[test]
fn tasks_count_only_when_their_commit_is_complete() {
    let connector = ("connector-c", r#"{"properties":{"name":"c"}}"#);
    let task = |i| (["task-c-0", "task-c-1"][i], r#"{"properties":{"a":"b"}}"#);
    let two = ("commit-c", r#"{"tasks":2}"#);
    assert_eq!(
        loaded(&[connector, task(0), task(1), two]).connectors["c"]
            .tasks
            .len(),
        2
    );
    assert_eq!(
        loaded(&[connector, task(0), two]).connectors["c"]
            .tasks
            .len(),
        0
    );
    assert_eq!(
        loaded(&[connector, task(0), task(1)]).connectors["c"]
            .tasks
            .len(),
        0
    );
    assert!(
        loaded(&[task(0), task(1), two]).connectors.is_empty(),
        "its connector is deleted"
    );
}

#[test]
fn a_task_whose_configuration_stays_keeps_its_revision() {
    let (mut desired, mut reading) = (Desired::default(), reading());
    let config = |value: &str| Properties::from([("a".to_owned(), value.to_owned())]);
    let mut revisions = |records: Vec<ConfigRecord>| {
        for record in records {
            reading.apply(&mut desired, record, 0);
        }
        let tasks = desired.connectors["c"].tasks.iter();
        tasks.map(|task| task.revision).collect::<Vec<u64>>()
    };
    let tasks = |second: &str| {
        vec![
            ConfigRecord::Task(TaskId::new("c", 0), config("1")),
            ConfigRecord::Task(TaskId::new("c", 1), config(second)),
            ConfigRecord::Commit("c".to_owned(), 2),
        ]
    };
    let connector = ConfigRecord::Connector("c".into(), Some(config("1")));
    assert!(revisions(vec![connector]).is_empty());
    let before = revisions(tasks("1"));
    let after = revisions(tasks("2"));
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
}

#[test]
fn an_initial_state_waits_for_its_connector() {
    let (mut desired, mut reading) = (Desired::default(), reading());
    let target = ConfigRecord::Target("c".into(), Some(TargetState::Stopped));
    reading.apply(&mut desired, target, 0);
    assert!(desired.connectors.is_empty());
    let connector = ConfigRecord::Connector("c".into(), Some(Properties::new()));
    reading.apply(&mut desired, connector, 0);
    assert_eq!(desired.connectors["c"].target, TargetState::Stopped);
    assert!(reading.targets.is_empty());
}

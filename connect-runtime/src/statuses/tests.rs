use super::*;

#[test]
fn records_are_kafka_connects_byte_for_byte() {
    for value in [
        r#"{"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:38083","generation":2,"version":"4.3.0"}"#,
        r#"{"state":"UNASSIGNED","trace":null,"worker_id":"127.0.0.1:38083","generation":8,"version":null}"#,
        r#"{"state":"FAILED","trace":"a: b\n\tat c","worker_id":"127.0.0.1:38083","generation":18,"version":"4.3.0"}"#,
    ] {
        let status = Status::parse(value.as_bytes()).unwrap();
        assert_eq!(std::str::from_utf8(&status.bytes()).unwrap(), value);
        for cut in 0..value.len() {
            assert_eq!(Status::parse(&value.as_bytes()[..cut]), None);
        }
    }
    let used =
        r#"{"topic":{"name":"ft","connector":"src","task":0,"discoverTimestamp":1795367433764}}"#;
    let parsed = TopicUse::parse(used.as_bytes()).unwrap();
    assert_eq!(std::str::from_utf8(&parsed.bytes()).unwrap(), used);
}

#[test]
fn keys_are_kafka_connects() {
    for (key, parsed) in [
        ("status-connector-a-b", StatusKey::Connector("a-b".into())),
        ("status-task-a-b-3", StatusKey::Task(TaskId::new("a-b", 3))),
        (
            "status-topic-ft:connector-src",
            StatusKey::Topic("ft".into(), "src".into()),
        ),
    ] {
        assert_eq!(StatusKey::parse(key.as_bytes()), Some(parsed.clone()));
        assert_eq!(std::str::from_utf8(&parsed.bytes()).unwrap(), key);
    }
    for other in [
        "",
        "status-",
        "status-task-a",
        "status-task-a-b",
        "status-topic-x",
        "x",
    ] {
        assert_eq!(StatusKey::parse(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn older_workers_wrote_no_version() {
    let old = r#"{"state":"RUNNING","trace":null,"worker_id":"h:1","generation":2}"#;
    assert_eq!(Status::parse(old.as_bytes()).unwrap().version, None);
}

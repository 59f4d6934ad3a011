//! Kafka's connectors for files, end to end: lines of a file become records, and records lines of another.

use std::{fs, io::Write, path::Path, time::Duration};

use e2e::{LogKind, Outcome, Worker, WorkerOptions};
use serde_json::json;
use stack::{Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

fn append(path: &Path, text: &str) -> Outcome {
    let mut file = fs::File::options().create(true).append(true).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

fn wait_for(path: &Path, text: &str) -> Outcome {
    let mut last = String::new();
    let waited = wait_until("the lines to come out", LIMIT, || {
        last = fs::read_to_string(path).unwrap_or_default();
        Ok(last == text)
    });
    waited.map_err(|error| format!("{error}; there were {last:?}").into())
}

#[test]
fn lines_go_through_a_topic_and_survive_a_kill() -> Outcome {
    let stack = Stack::new()?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded).exactly_once())?;
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("in.txt"), folder.path().join("out.txt"));
    append(&from, "a\nb\r\nü x\nhalf")?;
    let rest = worker.rest();
    // By the names that tutorials use.
    rest.create(
        "in",
        &json!({"connector.class": "FileStreamSource", "topic": "lines", "file": from}),
    )?;
    rest.create(
        "out",
        &json!({"connector.class": "FileStreamSink", "topics": "lines", "file": to}),
    )?;
    wait_for(&to, "a\nb\nü x\n")?;
    append(&from, " line\n")?;
    wait_for(&to, "a\nb\nü x\nhalf line\n")?;
    // What was flushed need not come again; so the sink rests while the worker is killed.
    rest.must("PUT", "/connectors/out/stop")?;
    wait_until("the sink to stop", LIMIT, || {
        Ok(rest.states("out").is_ok_and(|states| states == ["STOPPED"]))
    })?;
    worker.server().kill9()?;
    append(&from, "later\n")?;
    worker.server().start()?;
    rest.must("PUT", "/connectors/out/resume")?;
    wait_for(&to, "a\nb\nü x\nhalf line\nlater\n")?;
    let records = worker.stop_and_read("lines")?;
    let values: Vec<&str> = records.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        values,
        ["\"a\"", "\"b\"", "\"ü x\"", "\"half line\"", "\"later\""]
    );
    Ok(())
}

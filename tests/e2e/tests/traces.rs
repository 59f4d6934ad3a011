//! Traces on request: spans of batches and requests, as a collector gets them.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use e2e::{Collector, LogKind, Outcome, Worker, WorkerOptions, configs::file_source};
use serde_json::{Value, json};
use stack::{Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const PARENT: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The names of what is directly below a span, in order of their names.
fn below(spans: &[Value], of: &Value) -> Vec<String> {
    let children = spans.iter().filter(|span| span["parent"] == of["span"]);
    let mut names: Vec<String> = children
        .map(|span| span["name"].as_str().unwrap_or("").to_owned())
        .collect();
    names.sort();
    names
}

fn batch<'a>(spans: &'a [Value], name: &str, connector: &str) -> Option<&'a Value> {
    let is_it = |span: &&Value| {
        span["name"] == name && span["attributes"]["tidewater.connector"] == connector
    };
    spans.iter().find(is_it)
}

/// A source and a sink of files, and what they copy.
struct Copying {
    worker: Worker,
    folder: tempfile::TempDir,
    _stack: Stack,
}

impl Copying {
    fn start(options: WorkerOptions) -> Outcome<Self> {
        let stack = Stack::new()?;
        let worker = Worker::start(&stack, options)?;
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("in"), "one\ntwo\nthree\n")?;
        let rest = worker.rest();
        rest.create("from", &file_source(&path("in"), "lines"))?;
        let sink = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "tasks.max": "1",
            "topics": "lines",
            "file": path("out"),
        });
        rest.create("to", &sink)?;
        wait_until("the lines to be copied", LIMIT, || {
            let copied = fs::read_to_string(folder.path().join("out"));
            Ok(copied.is_ok_and(|text| text == "one\ntwo\nthree\n"))
        })?;
        Ok(Self {
            worker,
            folder,
            _stack: stack,
        })
    }
}

fn options(collector: &Collector) -> WorkerOptions {
    let options = WorkerOptions::on(LogKind::Embedded).exactly_once();
    options.set("otel.exporter.otlp.endpoint", &collector.endpoint())
}

/// A request that is within a trace of its client.
fn ask_within(address: &str) -> Outcome {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let request = format!(
        "GET /connectors/none HTTP/1.0\r\nHost: a\r\ntraceparent: 00-{PARENT}-00f067aa0ba902b7-01\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}

#[test]
fn batches_and_requests_are_traced_and_records_carry_their_trace() -> Outcome {
    let collector = Collector::start()?;
    let options = options(&collector)
        .set("tracing.headers", "true")
        .set("otel.service.name", "copies");
    let copying = Copying::start(options)?;
    let address = copying.worker.rest().address().to_owned();
    ask_within(&address)?;
    copying.worker.server().stop()?;
    let spans = collector.spans()?;
    let source = batch(&spans, "source batch", "from").ok_or("no batch of the source")?;
    let stages = below(&spans, source);
    for stage in ["append", "encode", "poll", "transform"] {
        assert!(stages.iter().any(|name| name == stage), "{stages:?}");
    }
    // A transaction that does not end with its batch is committed in the same trace.
    assert!(stages.iter().any(|name| name == "commit"), "{stages:?}");
    assert_eq!(source["attributes"]["messaging.batch.message_count"], 3);
    assert_eq!(source["resource"]["service.name"], "copies");
    assert_eq!(source["resource"]["service.instance.id"], address.as_str());
    let sink = batch(&spans, "sink batch", "to").ok_or("no batch of the sink")?;
    assert_eq!(sink["trace"], source["trace"], "{sink}");
    assert_eq!(sink["parent"], source["span"], "{sink}");
    assert_eq!(sink["links"], json!([source["trace"]]));
    let stages = below(&spans, sink);
    assert_eq!(stages, ["commit", "decode", "read", "transform", "write"]);
    let commit = batch(&spans, "commit", "to").ok_or("no commit of the sink")?;
    assert_eq!(below(&spans, commit), ["commit", "flush"]);
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).count();
    assert_eq!(named("POST /connectors"), 2);
    let of_client = spans.iter().find(|span| span["trace"] == PARENT);
    let of_client = of_client.ok_or("the client's trace has no span")?;
    assert_eq!(of_client["name"], "GET /connectors/{name}");
    assert_eq!(of_client["parent"], "00f067aa0ba902b7");
    let status = &of_client["attributes"]["http.response.status_code"];
    assert_eq!(*status, 404);
    Ok(())
}

#[test]
fn records_carry_nothing_unless_it_is_asked_for() -> Outcome {
    let collector = Collector::start()?;
    let copying = Copying::start(options(&collector))?;
    copying.worker.server().stop()?;
    let spans = collector.spans()?;
    let source = batch(&spans, "source batch", "from").ok_or("no batch of the source")?;
    let sink = batch(&spans, "sink batch", "to").ok_or("no batch of the sink")?;
    assert_ne!(sink["trace"], source["trace"]);
    assert_eq!(sink["links"], json!([]));
    assert_eq!(sink["resource"]["service.name"], "tidewater");
    Ok(())
}

#[test]
fn what_is_not_sampled_is_not_sent_and_a_collector_that_is_away_harms_nobody() -> Outcome {
    let collector = Collector::start()?;
    let copying = Copying::start(options(&collector).set("otel.traces.sampler.arg", "0"))?;
    copying.worker.server().stop()?;
    assert_eq!(collector.spans()?, Vec::<Value>::new());
    let away = WorkerOptions::on(LogKind::Embedded);
    let away = away.set("otel.exporter.otlp.endpoint", "http://127.0.0.1:1");
    let copying = Copying::start(away)?;
    fs::write(copying.folder.path().join("in"), "one\ntwo\nthree\nfour\n")?;
    wait_until("another line", LIMIT, || {
        let copied = fs::read_to_string(copying.folder.path().join("out"));
        Ok(copied.is_ok_and(|text| text.ends_with("four\n")))
    })?;
    Ok(())
}

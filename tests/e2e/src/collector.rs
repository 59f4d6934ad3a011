//! A collector of spans: takes OTLP over HTTP, and has it read by OpenTelemetry's own messages in Python.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;
use stack::python_otlp;

use crate::Outcome;

/// Reads bodies, each behind its length, and prints their spans as JSON.
const READER: &str = r#"
import json, struct, sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

def attributes(of):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of}

data, at, spans = sys.stdin.buffer.read(), 0, []
while at < len(data):
    (length,) = struct.unpack_from(">I", data, at)
    request = ExportTraceServiceRequest.FromString(data[at + 4:at + 4 + length])
    at += 4 + length
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                spans.append({
                    "name": span.name, "kind": span.kind, "trace": span.trace_id.hex(), "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(), "attributes": attributes(span.attributes),
                    "links": [link.trace_id.hex() for link in span.links], "status": span.status.code,
                    "took": span.end_time_unix_nano - span.start_time_unix_nano,
                    "resource": attributes(resource.resource.attributes),
                })
print(json.dumps(spans))
"#;

/// The collector; its thread ends with the test's process.
pub struct Collector {
    port: u16,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    /// Bodies, each behind its length.
    bodies: Vec<u8>,
    /// What was sent otherwise.
    strange: Vec<String>,
}

impl Collector {
    /// Listens on a free port of 127.0.0.1.
    pub fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let taken = Arc::new(Mutex::new(Taken::default()));
        let taking = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is its own business.
                let _ = take(stream, &taking);
            }
        });
        Ok(Self { port, taken })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All spans so far.
    pub fn spans(&self) -> Outcome<Vec<Value>> {
        let bodies = {
            let taken = self.taken.lock().map_err(|_| "the collector panicked")?;
            if !taken.strange.is_empty() {
                return Err(format!("strange requests: {:?}", taken.strange).into());
            }
            taken.bodies.clone()
        };
        Ok(serde_json::from_str(&python_otlp(READER, &bodies)?)?)
    }
}

fn take(mut stream: TcpStream, taken: &Mutex<Taken>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if let Ok(mut taken) = taken.lock() {
        let is_otlp = head.starts_with("post /v1/traces ")
            && head.contains("content-type: application/x-protobuf");
        match is_otlp {
            true => {
                taken.bodies.extend((length as u32).to_be_bytes());
                taken.bodies.extend(body);
            }
            false => taken.strange.push(head),
        }
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes())
}

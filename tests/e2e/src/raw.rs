//! Requests byte by byte, as no decent client sends them.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;
use stack::Answer;

use crate::Outcome;

/// No answer may take longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A request to a worker at a port of 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Raw {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Raw {
    /// A request without a body.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body that is called JSON.
    #[must_use]
    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub fn send(&self, port: u16) -> Outcome<Answer> {
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n",
            self.method, self.path
        );
        let length = format!("Content-Length: {}\r\n\r\n", self.body.len());
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let mut bytes = (head + &headers.collect::<String>() + &length).into_bytes();
        bytes.extend_from_slice(&self.body);
        send(port, &bytes)
            .map_err(|error| format!("{} {}: {error}", self.method, shortened(&self.path)).into())
    }
}

/// Sends bytes as they are and reads the whole answer.
pub fn send(port: u16, bytes: &[u8]) -> Outcome<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    // A server that refuses early may close before it has read all.
    let written = stream.write_all(bytes);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let text = String::from_utf8(answer)?;
    let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer {
            status,
            body: body.to_owned(),
        })
    });
    parsed.ok_or_else(|| {
        format!("no HTTP answer: {text:?}, written {written:?}, read {read:?}").into()
    })
}

/// Fails unless the answer is an error in Kafka Connect's form, with a message.
pub fn is_refusal(answer: &Answer) -> Outcome {
    let told: Value = serde_json::from_str(&answer.body).map_err(|error| {
        format!(
            "{} {:?} is no error of ours: {error}",
            answer.status, answer.body
        )
    })?;
    let message = told["message"].as_str().unwrap_or_default();
    if told["error_code"] == answer.status && !message.is_empty() && !message.contains("panicked") {
        return Ok(());
    }
    Err(format!("{} {}", answer.status, answer.body).into())
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

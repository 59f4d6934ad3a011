//! The recording client: JSON is accepted, and sent where there is a body.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::entry::{Answer, Entry};

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(100);

/// Sends the request of an entry.
pub fn send(server: SocketAddr, entry: &Entry) -> Answer {
    let mut stream = TcpStream::connect(server).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    stream.write_all(&request(server, entry)).expect("it reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it answers");
    answer(&String::from_utf8(bytes).expect("text"))
}

fn request(server: SocketAddr, entry: &Entry) -> Vec<u8> {
    let mut headers = vec![("Accept", "application/json")];
    if entry.body.is_some() {
        headers.push(("Content-Type", "application/json"));
    }
    headers.retain(|(name, _)| entry.headers.iter().all(|(own, _)| own != name));
    headers.extend(entry.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    let headers: String = headers
        .iter()
        .map(|(n, v)| format!("{n}: {v}\r\n"))
        .collect();
    let body = entry.body.as_deref().unwrap_or_default();
    let (method, path, length) = (&entry.method, &entry.path, body.len());
    // HTTP/1.0: the answer is not chunked and ends with the connection.
    format!(
        "{method} {path} HTTP/1.0\r\nHost: {server}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.and_then(|s| s.parse().ok()).expect("a status"),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
        is_cut: false,
    }
}

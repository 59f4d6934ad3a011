//! A request to a server on loopback: enough of HTTP/1.1 to ask whether it is ready and to drive a REST API in tests.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{Error, Result, error::While};

const LIMIT: Duration = Duration::from_secs(60);

/// An answer: status and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

/// Sends one request with a JSON body (none when empty) to `host:port` and reads the whole answer. Any status is `Ok`.
pub fn http(method: &str, address: &str, path: &str, body: &str) -> Result<Answer> {
    let what = || format!("{method} http://{address}{path}");
    let mut stream = TcpStream::connect(address).while_(what)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let length = body.len();
    // HTTP/1.0: the answer comes unchunked and ends with the connection.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Accept: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).while_(what)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).while_(what)?;
    parse(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| Error::new(format!("{}: no HTTP answer", what())))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_body() {
        let answer = parse("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 404,
                body: "{\"a\":1}".into()
            }
        );
        assert_eq!(parse("garbage"), None);
    }
}

//! A client that follows the log of a connector.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::{Outcome, Rest};

/// A new line does not take longer.
const LIMIT: Duration = Duration::from_secs(60);

/// The answer to `GET /connectors/NAME/logs?follow=true`, as it comes.
pub struct Following(BufReader<TcpStream>);

impl Following {
    /// Asks for lines from now on.
    pub fn start(rest: &Rest, name: &str) -> Outcome<Self> {
        let mut stream = TcpStream::connect(rest.address())?;
        stream.set_read_timeout(Some(LIMIT))?;
        // HTTP/1.0: the body comes as it is, and ends with the connection.
        let request =
            format!("GET /connectors/{name}/logs?lines=0&follow=true HTTP/1.0\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut following = Self(BufReader::new(stream));
        let status = following.line()?.unwrap_or_default();
        if !status.contains(" 200 ") {
            return Err(format!("{name} cannot be followed: {status}").into());
        }
        while following.line()?.is_some_and(|header| !header.is_empty()) {}
        Ok(following)
    }

    /// The next line with this message.
    pub fn until(&mut self, message: &str) -> Outcome<Value> {
        while let Some(text) = self.line()? {
            if text.is_empty() {
                continue;
            }
            let line: Value = serde_json::from_str(&text)?;
            if line["message"] == message {
                return Ok(line);
            }
        }
        Err(format!("the body ends before {message:?}").into())
    }

    /// Reads until the worker ends it.
    pub fn until_end(&mut self) -> Outcome {
        while self.line()?.is_some() {}
        Ok(())
    }

    fn line(&mut self) -> Outcome<Option<String>> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end().to_owned()))
    }
}

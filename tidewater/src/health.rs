//! `tidewater health`: asks a running worker how it is, for containers that have no other client.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    process::ExitCode,
    time::Duration,
};

use crate::{Failure, cli::Health};

/// For the connection, and for each read and write.
const LIMIT: Duration = Duration::from_secs(4);
/// An answer is some hundred bytes.
const LARGEST: u64 = 64 * 1024;

/// Prints what the worker says of itself; ends with 0 when `GET /health` answers 200.
pub(crate) fn run(options: &Health) -> Result<ExitCode, Failure> {
    let address = &options.address;
    let answer = ask(address).map_err(|error| {
        format!(
            "{address}: {error}; name the worker's address, as in: tidewater health 127.0.0.1:8083"
        )
    })?;
    let (status, body) = parts(&answer).ok_or_else(|| {
        format!("{address} does not answer as a worker does; a listener with TLS needs a second one with http:// for this")
    })?;
    println!("{body}");
    Ok(if status == 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn ask(address: &str) -> Result<String, Failure> {
    let mut last = "there is no such host".into();
    for at in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&at, LIMIT) {
            Ok(connection) => return exchange(connection, address),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last.into())
}

fn exchange(mut connection: TcpStream, host: &str) -> Result<String, Failure> {
    connection.set_read_timeout(Some(LIMIT))?;
    connection.set_write_timeout(Some(LIMIT))?;
    write!(
        connection,
        "GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    connection.take(LARGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Status and body of an answer in HTTP/1.
fn parts(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    Some((status.parse().ok()?, body.trim()))
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn every_prefix_of_an_answer_is_a_status_or_none() {
        let whole = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parts(whole), Some((503, "{}")));
        for end in 0..whole.len() {
            assert!(parts(&whole[..end]).is_none_or(|(status, _)| status == 503));
        }
        assert_eq!(parts("\u{15}\u{3}\r\n\r\n"), None);
        assert_eq!(parts("HTTP/1.1 x\r\n\r\n"), None);
    }
}

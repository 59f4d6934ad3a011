//! A connection to Redis (RESP2).

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::Result;

const LIMIT: Duration = Duration::from_secs(60);

/// What Redis answered; its errors are errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Null,
    Integer(i64),
    Text(Vec<u8>),
    List(Vec<Reply>),
}

/// A connection.
pub(super) struct Resp {
    stream: BufReader<TcpStream>,
}

impl Resp {
    /// Connects to `redis://[user:password@]host:port/database`.
    pub(super) fn connect(url: &str) -> Result<Self> {
        let wrong = || format!("not redis://user:password@host:port/database: {url}");
        let rest = url.strip_prefix("redis://").ok_or_else(wrong)?;
        let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (address, database) = place.split_once('/').unwrap_or((place, "0"));
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_nodelay(true)?;
        let mut resp = Self {
            stream: BufReader::new(stream),
        };
        match login.split_once(':') {
            Some(("", password)) => _ = resp.ask(&["AUTH", password])?,
            Some((user, password)) => _ = resp.ask(&["AUTH", user, password])?,
            None => {}
        }
        resp.ask(&["SELECT", database])?;
        Ok(resp)
    }

    /// One command and its answer.
    pub(super) fn ask(&mut self, words: &[&str]) -> Result<Reply> {
        let mut replies = self.ask_all([words.to_vec()])?;
        replies.pop().ok_or_else(|| "no answer of Redis".into())
    }

    /// Many commands in one go, and their answers.
    pub(super) fn ask_all<'a>(
        &mut self,
        commands: impl IntoIterator<Item = Vec<&'a str>>,
    ) -> Result<Vec<Reply>> {
        let mut text = String::new();
        let mut count = 0;
        for words in commands {
            count += 1;
            text += &format!("*{}\r\n", words.len());
            for word in words {
                text += &format!("${}\r\n{word}\r\n", word.len());
            }
        }
        self.stream.get_mut().write_all(text.as_bytes())?;
        (0..count).map(|_| read(&mut self.stream)).collect()
    }
}

fn read(from: &mut impl BufRead) -> Result<Reply> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or("Redis hung up")?;
    match kind {
        "+" => Ok(Reply::Text(rest.into())),
        "-" => Err(format!("Redis: {rest}").into()),
        ":" => Ok(Reply::Integer(rest.parse()?)),
        "$" | "*" if rest == "-1" => Ok(Reply::Null),
        "$" => {
            let length: usize = rest.parse()?;
            let mut bytes = Vec::new();
            from.take(length as u64 + 2).read_to_end(&mut bytes)?;
            match bytes.strip_suffix(b"\r\n") {
                Some(text) if text.len() == length => Ok(Reply::Text(text.to_vec())),
                _ => Err("Redis hung up within an answer".into()),
            }
        }
        "*" => {
            let items = (0..rest.parse::<u32>()?).map(|_| read(from));
            items.collect::<Result<_>>().map(Reply::List)
        }
        _ => Err(format!("not an answer of Redis: {line}").into()),
    }
}

impl Reply {
    /// Text, and nothing for anything else.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// The items of a list, and none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_answer_is_read_and_no_prefix_of_one() {
        let bytes = b"*4\r\n$3\r\na\r\n\r\n:-7\r\n$-1\r\n+OK\r\n";
        let expected = [
            Reply::Text(b"a\r\n".to_vec()),
            Reply::Integer(-7),
            Reply::Null,
            Reply::Text(b"OK".to_vec()),
        ];
        assert_eq!(read(&mut &bytes[..]).unwrap().items(), expected);
        // The last line may lack its end.
        for length in 0..bytes.len() - 4 {
            assert!(read(&mut &bytes[..length]).is_err(), "{length}");
        }
        assert!(read(&mut &b"-NOAUTH no\r\n"[..]).is_err());
    }
}

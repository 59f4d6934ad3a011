//! Redis's protocol: commands out, replies (RESP2 and RESP3) in.

use connect_core::json::write_integer;

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// `+OK`
    Ok,
    /// `+QUEUED`
    Queued,
    /// Any other text.
    Text(String),
    /// An error, as Redis says it.
    Error(String),
    /// An integer.
    Int(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Null.
    Null,
    /// An array or set; a map as keys and values by turns.
    Array(Vec<Reply>),
}

/// Bytes that are no reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Replies nest at most this deep; `COMMAND INFO` needs five.
const DEPTH: u32 = 16;

impl Reply {
    /// Reads one reply off the front; `None` when it is not complete. With it goes the number of bytes it took.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let mut reader = Reader { bytes, at: 0 };
        let reply = reader.reply(DEPTH)?;
        Ok(reply.map(|reply| (reply, reader.at)))
    }

    /// The text of a text or bytes reply.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Self::Ok => Some("OK"),
            _ => None,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn reply(&mut self, depth: u32) -> Result<Option<Reply>, Malformed> {
        let Some(line) = self.line()? else {
            return Ok(None);
        };
        let (kind, rest) = line.split_first().ok_or(Malformed)?;
        match kind {
            b'+' => Ok(Some(simple(rest))),
            b'-' => Ok(Some(Reply::Error(lossy(rest)))),
            b':' => Ok(Some(Reply::Int(number(rest)?))),
            b'$' | b'=' => self.bulk(rest, Reply::Bytes),
            b'!' => self.bulk(rest, |bytes| Reply::Error(lossy(&bytes))),
            b'_' => Ok(Some(Reply::Null)),
            b'#' => Ok(Some(Reply::Int(i64::from(rest == b"t")))),
            b',' | b'(' => Ok(Some(Reply::Text(lossy(rest)))),
            b'*' | b'~' => self.array(rest, 1, depth),
            b'%' => self.array(rest, 2, depth),
            // An attribute precedes the reply it belongs to; pushes belong to none. We ask for neither.
            b'|' => Ok(match self.array(rest, 2, depth)? {
                Some(_) => self.reply(depth.checked_sub(1).ok_or(Malformed)?)?,
                None => None,
            }),
            b'>' => Ok(match self.array(rest, 1, depth)? {
                Some(_) => self.reply(depth.checked_sub(1).ok_or(Malformed)?)?,
                None => None,
            }),
            _ => Err(Malformed),
        }
    }

    fn line(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        /// No line that matters is longer.
        const LONGEST: usize = 64 * 1024;
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let Some(end) = rest.iter().take(LONGEST).position(|b| *b == b'\n') else {
            return if rest.len() < LONGEST {
                Ok(None)
            } else {
                Err(Malformed)
            };
        };
        self.at += end + 1;
        let line = rest.get(..end).unwrap_or(&[]);
        line.strip_suffix(b"\r").map(Some).ok_or(Malformed)
    }

    fn bulk(
        &mut self,
        len: &[u8],
        make: impl FnOnce(Vec<u8>) -> Reply,
    ) -> Result<Option<Reply>, Malformed> {
        let Ok(len) = usize::try_from(number(len)?) else {
            return Ok(Some(Reply::Null));
        };
        let end = self.at.checked_add(len).ok_or(Malformed)?;
        match self.bytes.get(end..end.checked_add(2).ok_or(Malformed)?) {
            None => Ok(None),
            Some(b"\r\n") => {
                let bytes = self.bytes.get(self.at..end).ok_or(Malformed)?.to_vec();
                self.at = end + 2;
                Ok(Some(make(bytes)))
            }
            Some(_) => Err(Malformed),
        }
    }

    fn array(&mut self, len: &[u8], each: usize, depth: u32) -> Result<Option<Reply>, Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed)?;
        let Ok(len) = usize::try_from(number(len)?) else {
            return Ok(Some(Reply::Null));
        };
        let mut items = Vec::new();
        for _ in 0..len.checked_mul(each).ok_or(Malformed)? {
            match self.reply(depth)? {
                Some(item) => items.push(item),
                None => return Ok(None),
            }
        }
        Ok(Some(Reply::Array(items)))
    }
}

fn simple(text: &[u8]) -> Reply {
    match text {
        b"OK" => Reply::Ok,
        b"QUEUED" => Reply::Queued,
        _ => Reply::Text(lossy(text)),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn number(digits: &[u8]) -> Result<i64, Malformed> {
    let text = std::str::from_utf8(digits).map_err(|_| Malformed)?;
    text.parse().map_err(|_| Malformed)
}

/// Appends the head of a command of `words` words, its name among them.
pub(crate) fn command(words: usize, out: &mut Vec<u8>) {
    out.push(b'*');
    write_integer(words as i64, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends one word of a command.
pub(crate) fn word(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'$');
    write_integer(bytes.len() as i64, out);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends a command whose words are at hand.
pub(crate) fn whole(words: &[&[u8]], out: &mut Vec<u8>) {
    command(words.len(), out);
    words.iter().for_each(|w| word(w, out));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(bytes: &[u8]) -> Reply {
        let (reply, taken) = Reply::parse(bytes).unwrap().unwrap();
        assert_eq!(taken, bytes.len());
        reply
    }

    const SAMPLES: &[&[u8]] = &[
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":-12\r\n",
        b"$5\r\nhe\r\no\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"_\r\n",
        b"*3\r\n:1\r\n$1\r\na\r\n*1\r\n+QUEUED\r\n",
        b"%1\r\n+server\r\n+redis\r\n",
        b"~1\r\n#t\r\n",
        b",1.5\r\n",
        b"!5\r\nERR x\r\n",
        b"|1\r\n+ttl\r\n:1\r\n:7\r\n",
    ];

    #[test]
    fn replies_are_read() {
        assert_eq!(parsed(SAMPLES[0]), Reply::Ok);
        assert_eq!(parsed(SAMPLES[1]), Reply::Error("ERR no".into()));
        assert_eq!(parsed(SAMPLES[3]), Reply::Bytes(b"he\r\no".to_vec()));
        assert_eq!(parsed(SAMPLES[4]), Reply::Null);
        assert_eq!(parsed(SAMPLES[11]), Reply::Error("ERR x".into()));
        assert_eq!(parsed(SAMPLES[12]), Reply::Int(7));
        let nested = Reply::Array(vec![
            Reply::Int(1),
            Reply::Bytes(b"a".to_vec()),
            Reply::Array(vec![Reply::Queued]),
        ]);
        assert_eq!(parsed(SAMPLES[7]), nested);
    }

    #[test]
    fn every_prefix_waits_for_more() {
        for sample in SAMPLES {
            for end in 0..sample.len() {
                assert_eq!(
                    Reply::parse(&sample[..end]),
                    Ok(None),
                    "{end} of {sample:?}"
                );
            }
        }
    }

    #[test]
    fn endless_nesting_is_refused() {
        assert_eq!(Reply::parse(&b"*1\r\n".repeat(1000)), Err(Malformed));
        assert_eq!(Reply::parse(&b"|0\r\n".repeat(1000)), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Reply::parse(&bytes);
        }

        #[test]
        fn near_replies_are_read_or_refused(bytes in "[-+:$*%~_#,(!=|>0-9\r\n ]{0,40}") {
            let _ = Reply::parse(bytes.as_bytes());
        }
    }
}

//! Bytes cut into lines at `\n`, `\r\n` and `\r`.

/// Bytes that were read and not yet given as lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    at: usize,
}

impl Lines {
    /// Adds what was read.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line, without its end, and how many bytes it took with it. A `\r` at the end of what was read waits for more,
    /// since a `\n` may follow.
    pub(super) fn next(&mut self) -> Option<(&[u8], usize)> {
        let from = self.at;
        let rest = &self.bytes[from..];
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        let ends = match (rest[end], rest.get(end + 1)) {
            (b'\r', None) => return None,
            (b'\r', Some(b'\n')) => 2,
            _ => 1,
        };
        let taken = end + ends;
        self.at += taken;
        Some((&self.bytes[from..from + end], taken))
    }

    /// How many bytes wait for the end of their line.
    pub(super) fn waiting(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The line that has no end, which will never come. Its bytes are gone then.
    pub(super) fn last(&mut self) -> Option<Vec<u8>> {
        let rest = self.bytes.split_off(self.at);
        self.bytes.clear();
        self.at = 0;
        let line = rest.strip_suffix(b"\r").unwrap_or(&rest);
        (!rest.is_empty()).then(|| line.to_vec())
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&str]) -> Vec<(String, usize)> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.extend(piece.as_bytes());
            while let Some((line, taken)) = lines.next() {
                found.push((String::from_utf8_lossy(line).into_owned(), taken));
            }
        }
        found
    }

    #[test]
    fn lines_end_in_three_ways_wherever_reads_are_cut() {
        let expected = [("a", 2), ("b", 3), ("", 1), ("ü", 3)];
        let expected: Vec<_> = expected.map(|(l, n)| (l.to_owned(), n)).into();
        assert_eq!(all(&["a\nb\r\n\rü\nrest"]), expected);
        assert_eq!(all(&["a", "\nb\r", "\n\r", "ü\nre", "st"]), expected);
        assert!(all(&["no end\r"]).is_empty());
    }
}

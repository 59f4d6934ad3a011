//! A file that is read to its end, and on when it grows. It may be absent, be replaced by another (rotation), or be cut.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
};

use connect_core::{Error, Result};

use super::lines::Lines;
use crate::error::{LINE, READ};

/// The longest line, in bytes.
const LONGEST: usize = 16 << 20;
/// Bytes of one read.
const READ_BYTES: usize = 64 << 10;

/// Gives lines; `false` when it wants no more for now.
pub(super) type Push<'a> = dyn FnMut(&[u8]) -> bool + Send + 'a;

/// A file that is followed.
#[derive(Debug)]
pub(super) struct Tail {
    path: String,
    file: Option<File>,
    lines: Lines,
    /// Behind the last line that was given.
    position: u64,
}

impl Tail {
    /// The file at a path, which may not exist yet, from a position on.
    pub(super) fn new(path: String, position: u64) -> Self {
        Self {
            path,
            file: None,
            lines: Lines::default(),
            position,
        }
    }

    /// Its path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The number of bytes before the next line.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Gives lines to `push` until it wants no more or the file's end is reached. Says whether it gave any.
    pub(super) fn read(&mut self, push: &mut Push<'_>) -> Result<bool> {
        if !self.open()? {
            return Ok(false);
        }
        let mut given = false;
        loop {
            while let Some((line, taken)) = self.lines.next() {
                self.position += taken as u64;
                given = true;
                if !push(line) {
                    return Ok(true);
                }
            }
            if self.lines.waiting() > LONGEST {
                let what = format!("A line of {} is longer than {LONGEST} bytes", self.path);
                return Err(Error::new(&LINE, what));
            }
            if self.fill()? == 0 {
                return Ok(self.follow(push)? || given);
            }
        }
    }

    /// Whether the file is there.
    fn open(&mut self) -> Result<bool> {
        if self.file.is_some() {
            return Ok(true);
        }
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unreadable(error)),
        };
        let about = file.metadata().map_err(unreadable)?;
        // What is no regular file, such as a pipe, has no length and cannot be sought in.
        if about.is_file() {
            if about.len() < self.position {
                tracing::warn!(file = %self.path, "the file is shorter than it was; it is read from its start");
                self.position = 0;
            }
            file.seek(SeekFrom::Start(self.position))
                .map_err(unreadable)?;
        }
        self.lines.clear();
        self.file = Some(file);
        Ok(true)
    }

    fn fill(&mut self) -> Result<usize> {
        let Some(file) = &mut self.file else {
            return Ok(0);
        };
        let mut bytes = vec![0; READ_BYTES];
        let read = file.read(&mut bytes).map_err(unreadable)?;
        self.lines.extend(&bytes[..read]);
        Ok(read)
    }

    /// At the end: when the path names another file by now, that one is read from its start, after the last line of the old one,
    /// which may have no end. A file that was cut is read from its start, too. Says whether it gave a line.
    fn follow(&mut self, push: &mut Push<'_>) -> Result<bool> {
        let (Some(file), Ok(named)) = (&self.file, fs::metadata(&self.path)) else {
            // Between two files there may be none for a moment.
            return Ok(false);
        };
        let ours = file.metadata().map_err(unreadable)?;
        let is_other = (ours.dev(), ours.ino()) != (named.dev(), named.ino());
        let read = self.position + self.lines.waiting() as u64;
        if !is_other && (!ours.is_file() || ours.len() >= read) {
            return Ok(false);
        }
        // What was written to the old file until now comes first.
        if is_other && self.fill()? > 0 {
            return Ok(false);
        }
        let last = self.lines.last().filter(|_| is_other);
        if let Some(line) = &last {
            push(line);
        }
        self.file = None;
        self.position = 0;
        Ok(last.is_some())
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(&READ, "The file cannot be read").caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(tail: &mut Tail) -> Vec<String> {
        let mut found = Vec::new();
        let mut push = |line: &[u8]| {
            found.push(String::from_utf8_lossy(line).into_owned());
            true
        };
        tail.read(&mut push).unwrap();
        // What `follow` has opened comes with the next read.
        tail.read(&mut push).unwrap();
        found
    }

    #[test]
    fn a_file_is_followed_through_its_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut tail = Tail::new(path.display().to_string(), 0);
        assert!(read(&mut tail).is_empty());
        fs::write(&path, "a\nb\nha").unwrap();
        assert_eq!(read(&mut tail), ["a", "b"]);
        assert_eq!(tail.position(), 4);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"lf\n").unwrap();
        assert_eq!(read(&mut tail), ["half"]);
        file.write_all(b"old end").unwrap();
        fs::rename(&path, folder.path().join("f.1")).unwrap();
        assert!(read(&mut tail).is_empty());
        fs::write(&path, "new\n").unwrap();
        assert_eq!(read(&mut tail), ["old end", "new"]);
        assert_eq!(tail.position(), 4);
        fs::write(&path, "c\n").unwrap();
        assert_eq!(read(&mut tail), ["c"]);
        assert_eq!(tail.position(), 2);
    }

    #[test]
    fn reading_goes_on_behind_a_position_unless_the_file_is_shorter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "a\nb\n").unwrap();
        assert_eq!(read(&mut Tail::new(path.display().to_string(), 2)), ["b"]);
        let mut beyond = Tail::new(path.display().to_string(), 9);
        assert_eq!(read(&mut beyond), ["a", "b"]);
    }
}

//! A connection to the database: its client behind pipes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use super::Result;

/// The line after which the client has answered a question.
pub(super) const END: &str = "--end-of-answer--";

/// A connection that lasts. One thread uses it.
pub(super) struct Session {
    client: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    question: fn(&str) -> String,
    changed: fn(&str) -> Option<u64>,
}

impl Session {
    /// Connects. `question` makes statements the client's input, which prints [`END`] when all is done; `changed` finds
    /// numbers of rows in what it prints.
    pub(super) fn open(
        mut client: Command,
        question: fn(&str) -> String,
        changed: fn(&str) -> Option<u64>,
    ) -> Result<Self> {
        let mut client = client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(to), Some(from)) = (client.stdin.take(), client.stdout.take()) else {
            return Err("the client has no pipes".into());
        };
        Ok(Self {
            client,
            to,
            from: BufReader::new(from),
            question,
            changed,
        })
    }

    /// Runs statements, and returns how many rows they inserted, updated and deleted. They end with `;`.
    pub(super) fn run(&mut self, sql: &str) -> Result<u64> {
        // One write: half a question is never answered.
        let question = (self.question)(sql);
        let asked = self.to.write_all(question.as_bytes());
        let mut rows = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if asked.is_err() || self.from.read_line(&mut line)? == 0 {
                return Err(self.last_words().into());
            }
            match line.trim_end() {
                END => return Ok(rows),
                tag => rows += (self.changed)(tag).unwrap_or(0),
            }
        }
    }

    fn last_words(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut errors) = self.client.stderr.take() {
            // What can be read of it is what there is to say.
            let _ = errors.read_to_string(&mut text);
        }
        format!("the client ended: {}", text.trim())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

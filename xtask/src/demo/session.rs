//! A connection to the database: psql behind pipes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use stack::Postgres;

use super::Result;

const END: &str = "--end-of-answer--";

/// A connection that lasts. One thread uses it.
pub(super) struct Session {
    psql: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Session {
    /// Connects as the owner of the tables.
    pub(super) fn open(postgres: &Postgres) -> Result<Self> {
        let mut psql = Command::new(postgres.program("psql"))
            .args(["-XAt", "-v", "ON_ERROR_STOP=1", "-d", &postgres.cdc_url()])
            .env("PGAPPNAME", "demo")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(to), Some(from)) = (psql.stdin.take(), psql.stdout.take()) else {
            return Err("psql has no pipes".into());
        };
        Ok(Self {
            psql,
            to,
            from: BufReader::new(from),
        })
    }

    /// Runs statements, and returns how many rows they inserted, updated and deleted. They end with `;`.
    pub(super) fn run(&mut self, sql: &str) -> Result<u64> {
        // One write: half a question is never answered.
        let question = format!("{sql}\n\\echo {END}\n");
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
                tag => rows += changed(tag).unwrap_or(0),
            }
        }
    }

    fn last_words(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut errors) = self.psql.stderr.take() {
            // What can be read of it is what there is to say.
            let _ = errors.read_to_string(&mut text);
        }
        format!("psql ended: {}", text.trim())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// The rows of a command tag: `INSERT 0 3`, `UPDATE 1`, `DELETE 0`.
fn changed(tag: &str) -> Option<u64> {
    let (command, rest) = tag.split_once(' ')?;
    match command {
        "INSERT" => rest.strip_prefix("0 ")?.parse().ok(),
        "UPDATE" | "DELETE" => rest.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn rows_are_counted_from_tags() {
        let tags = ["BEGIN", "INSERT 0 3", "UPDATE 1", "DELETE 0", "SELECT 5"];
        assert_eq!(tags.map(changed), [None, Some(3), Some(1), Some(0), None]);
    }
}

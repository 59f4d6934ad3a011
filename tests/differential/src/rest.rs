//! The same requests for Kafka Connect and for Tidewater, one after the other, and every difference in what they answer.
//!
//! A request is an entry of a file of `rest`. What cannot be equal is masked in `rest/mask.rs` and nowhere else.

mod compare;
mod mask;
mod request;
mod worker;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use e2e::Outcome;

pub use request::{Request, parse};
pub use worker::RestSide;

use compare::differences;
use worker::Told;

/// For how long an answer to a look may differ: what was asked before may be about to come.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Both sides, Kafka Connect first.
pub struct RestPair {
    /// Kafka Connect.
    pub theirs: RestSide,
    /// Tidewater.
    pub ours: RestSide,
}

impl RestPair {
    /// Sends every request to both; gives what is wrong, one text for each request.
    pub fn run(&self, requests: &[Request]) -> Outcome<Vec<String>> {
        let headings = fs::read_to_string(Path::new("../../docs/compatibility.md"))?;
        let mut wrong = Vec::new();
        for request in requests {
            eprintln!("{} {} ({})", request.method, request.path, request.name);
            let found = self.one(request, &headings)?;
            let place = format!("{} ({} {})", request.name, request.method, request.path);
            wrong.extend(found.iter().map(|what| format!("{place}: {what}")));
            for wait in &request.waits {
                for (side, who) in [(&self.theirs, "Kafka Connect"), (&self.ours, "Tidewater")] {
                    let waited = side.wait(wait);
                    wrong.extend(waited.err().map(|error| format!("{place}: {who}: {error}")));
                }
            }
        }
        Ok(wrong)
    }

    fn one(&self, request: &Request, headings: &str) -> Outcome<Vec<String>> {
        let is_look = request.method == "GET" && request.path.starts_with("/connectors");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (theirs, ours) = (self.theirs.send(request)?, self.ours.send(request)?);
            let found = judge(request, &theirs, &ours, headings);
            if found.is_empty() || !is_look || Instant::now() > deadline {
                return Ok(found);
            }
            std::thread::park_timeout(PAUSE);
        }
    }
}

/// What is wrong: differences without a reason, or a reason without a difference.
fn judge(request: &Request, theirs: &Told, ours: &Told, headings: &str) -> Vec<String> {
    // A plugin that is not here yet is not compared.
    let names_one = mask::ONLY_ONE
        .iter()
        .any(|name| request.path.contains(name));
    if names_one && ours.body.contains("Unknown plugin") {
        return Vec::new();
    }
    let mut found = differences(theirs, ours);
    let Some(reason) = &request.differs else {
        return found;
    };
    let mut wrong = Vec::new();
    if !headings
        .lines()
        .any(|line| line == format!("### {}", reason.heading))
    {
        wrong.push(format!(
            "docs/compatibility.md has no heading {:?}",
            reason.heading
        ));
    }
    if found.is_empty() {
        wrong.push(format!(
            "{}: there is no such difference any more",
            reason.heading
        ));
    }
    if ours.status != reason.ours {
        found.push(format!(
            "ours should be {}: {} {}",
            reason.ours, ours.status, ours.body
        ));
        wrong.append(&mut found);
    }
    wrong
}

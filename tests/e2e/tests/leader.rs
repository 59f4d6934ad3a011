//! The worker that leads is killed in each phase of its work: before the first record that it writes for a request, after the
//! first, after the second and so on. Whoever leads next ends what was begun, or the client's next try does. Needs root, for a
//! network of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    time::Duration,
};

use e2e::{
    Fleet, Outcome, Rest,
    configs::{file_source, with},
    rounds,
};
use serde_json::{Value, json};
use stack::{Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
const NAME: &str = "led";
/// The topics in which a leader's work shows.
const TOPICS: [&str; 2] = ["connect-configs", "connect-configs-cluster"];

/// One kind of request.
struct Request {
    what: &'static str,
    method: &'static str,
    path: &'static str,
    body: Value,
    /// What a try after the one that has been done may be answered with.
    again: u16,
    is_done: fn(&Rest) -> Outcome<bool>,
}

/// All kinds, in an order in which each finds what it needs.
fn requests(file: &str) -> Vec<Request> {
    let config = file_source(file, "lines");
    let create = json!({"name": NAME, "config": config});
    let other = with(config, &[("batch.size", "7")]);
    let offset = json!({"offsets": [{"partition": {"filename": file}, "offset": {"position": 3}}]});
    let one = |what, method, path, body, again, is_done| Request {
        what,
        method,
        path,
        body,
        again,
        is_done,
    };
    let of = |what, method, path, is_done| one(what, method, path, Value::Null, 200, is_done);
    vec![
        one("create", "POST", "/connectors", create, 409, runs),
        of("pause", "PUT", "/connectors/led/pause", is_paused),
        of("resume", "PUT", "/connectors/led/resume", runs),
        one(
            "configure",
            "PUT",
            "/connectors/led/config",
            other,
            200,
            is_configured,
        ),
        of(
            "restart",
            "POST",
            "/connectors/led/restart?includeTasks=true",
            runs,
        ),
        of("stop", "PUT", "/connectors/led/stop", is_stopped),
        one(
            "alter offsets",
            "PATCH",
            "/connectors/led/offsets",
            offset,
            200,
            is_altered,
        ),
        of(
            "reset offsets",
            "DELETE",
            "/connectors/led/offsets",
            is_reset,
        ),
        one(
            "delete",
            "DELETE",
            "/connectors/led",
            Value::Null,
            404,
            is_gone,
        ),
    ]
}

fn runs(rest: &Rest) -> Outcome<bool> {
    states(rest, "RUNNING", 1)
}

fn is_paused(rest: &Rest) -> Outcome<bool> {
    states(rest, "PAUSED", 1)
}

fn is_stopped(rest: &Rest) -> Outcome<bool> {
    states(rest, "STOPPED", 0)
}

fn is_configured(rest: &Rest) -> Outcome<bool> {
    Ok(rest.get("/connectors/led/config")?["batch.size"] == "7" && runs(rest)?)
}

fn is_altered(rest: &Rest) -> Outcome<bool> {
    let stored = rest.get("/connectors/led/offsets")?;
    Ok(stored["offsets"][0]["offset"]["position"] == 3)
}

fn is_reset(rest: &Rest) -> Outcome<bool> {
    Ok(rest.get("/connectors/led/offsets")?["offsets"] == json!([]))
}

fn is_gone(rest: &Rest) -> Outcome<bool> {
    Ok(rest.ask("GET", "/connectors/led", "")?.status == 404)
}

/// Whether the connector and all of so many tasks are in a state.
fn states(rest: &Rest, state: &str, tasks: usize) -> Outcome<bool> {
    let states = rest.states(NAME)?;
    Ok(states.len() == tasks + 1 && states.iter().all(|each| each == state))
}

/// New records of the topics in which a leader's work shows.
struct Traces {
    readers: Vec<Child>,
    seen: Receiver<()>,
}

impl Traces {
    /// Returns once nothing new is missed.
    fn follow(fleet: &Fleet) -> Outcome<Self> {
        let (sender, seen) = sync_channel(1024);
        let mut readers = Vec::new();
        for topic in TOPICS {
            // `-v` tells of the end.
            let words = ["-v", "-C", "-t", topic, "-o", "end", "-u", "-f", "%o\n"];
            let mut command = fleet.kafka.kcat_command(&words);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut reader = command.spawn()?;
            let news = BufReader::new(reader.stderr.take().ok_or("kcat has no output")?).lines();
            let lines = BufReader::new(reader.stdout.take().ok_or("kcat has no output")?).lines();
            readers.push(reader);
            let (at_end, attached) = sync_channel(1);
            std::thread::spawn(move || {
                let ends = news
                    .map_while(Result::ok)
                    .filter(|line| line.contains("Reached end"));
                // Only the first is waited for.
                ends.for_each(|_| {
                    let _ = at_end.try_send(());
                });
            });
            attached.recv_timeout(LIMIT)?;
            let sender = sender.clone();
            std::thread::spawn(move || {
                let ends = |_| sender.send(()).is_err();
                lines.map_while(Result::ok).any(ends)
            });
        }
        Ok(Self { readers, seen })
    }

    /// Waits for so many new records; fewer are enough once none has come for a while.
    fn wait_for(&self, count: u32) -> Outcome {
        for _ in 0..count {
            match self.seen.recv_timeout(Duration::from_secs(2)) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err("kcat has ended".into()),
            }
        }
        Ok(())
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        for reader in &mut self.readers {
            // It may have ended by itself.
            let _ = reader.kill();
            let _ = reader.wait();
        }
    }
}

/// The worker that leads, as it says itself.
fn leader(fleet: &Fleet) -> Outcome<usize> {
    let mut found = None;
    wait_until("a leader", LIMIT, || {
        found = (0..fleet.members.len()).find(|at| {
            let page = fleet.rest(*at).ask("GET", "/metrics", "");
            page.is_ok_and(|page| page.body.contains("tidewater_worker_is_leader 1"))
        });
        Ok(found.is_some())
    })?;
    found.ok_or_else(|| "nobody leads".into())
}

/// Sends a request through a worker that does not lead, kills the leader after so many records, and sends it until it is done.
fn outlive(fleet: &Fleet, request: &Request, records: u32) -> Outcome {
    let leads = leader(fleet)?;
    let other = (leads + 1) % fleet.members.len();
    let rest = fleet.rest(other);
    let body = match &request.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let traces = Traces::follow(fleet)?;
    let server = fleet.members[leads].worker.server();
    std::thread::scope(|scope| -> Outcome {
        let first = scope.spawn(|| {
            rest.ask(request.method, request.path, &body)
                .map(|a| a.status)
                .ok()
        });
        traces.wait_for(records)?;
        server.kill9()?;
        first.join().map_err(|_| "a client panicked")?;
        Ok(())
    })?;
    let mut last = String::new();
    let is_done = || {
        let answer = rest.ask(request.method, request.path, &body);
        let Ok(answer) = answer else { return Ok(false) };
        last = format!("{} {}", answer.status, answer.body);
        Ok(matches!(answer.status, 200..=299) || answer.status == request.again)
    };
    wait_until("the request to be answered", LIMIT, is_done)
        .map_err(|error| format!("{error}: {last}"))?;
    server.start()?;
    for at in 0..fleet.members.len() {
        wait_until("every worker to tell that it is done", LIMIT, || {
            Ok((request.is_done)(fleet.rest(at)).unwrap_or(false))
        })?;
    }
    Ok(())
}

#[test]
fn a_leader_may_die_in_each_phase_of_its_work() -> Outcome {
    let stack = Stack::new()?;
    let fleet = Fleet::start(&stack, 3, |options| options)?;
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), "one\ntwo\nthree\n")?;
    let requests = requests(&file.path().display().to_string());
    for round in 0..rounds(1, 5) {
        for (number, request) in (0..).zip(&requests) {
            let records = (round + number) % 5;
            outlive(&fleet, request, records)
                .map_err(|error| format!("{} after {records} records: {error}", request.what))?;
        }
    }
    Ok(())
}

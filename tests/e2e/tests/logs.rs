//! The log of one connector over REST: why it fails, while it goes on, and from whichever worker it is asked.

use std::time::Duration;

use e2e::{
    Fleet, Following, LogKind, Outcome, Rest, Worker, WorkerOptions,
    configs::{IMPATIENT, file_source, redis_sink_at, with},
};
use serde_json::Value;
use stack::{Stack, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const RUNS: &str = "the task runs";

fn lines(rest: &Rest, name: &str) -> Outcome<Vec<Value>> {
    let page = rest.get(&format!("/connectors/{name}/logs?lines=1000"))?;
    if let Some(unanswered) = page.get("unanswered") {
        return Err(format!("{unanswered} did not answer").into());
    }
    Ok(page["lines"].as_array().cloned().unwrap_or_default())
}

/// A worker with a connector that works, and one whose server goes away.
struct Scene {
    _stack: Stack,
    worker: Worker,
    server: String,
    _file: tempfile::NamedTempFile,
}

impl Scene {
    fn new() -> Outcome<Self> {
        let stack = Stack::new()?;
        let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
        let rest = worker.rest();
        let file = tempfile::NamedTempFile::new()?;
        let config = file_source(&file.path().to_string_lossy(), "lines");
        rest.create("good", &config)?;
        rest.wait_for("good", "RUNNING")?;
        let redis = stack.redis()?;
        let server = format!("127.0.0.1:{}", redis.port());
        redis.cli(&["config", "set", "requirepass", "hunter2"])?;
        let url = format!("redis://:hunter2@{server}");
        rest.create("bad", &with(redis_sink_at(&url, "lines"), IMPATIENT))?;
        rest.wait_for("bad", "RUNNING")?;
        redis.kill9()?;
        rest.must("POST", "/connectors/bad/tasks/0/restart")?;
        rest.wait_for_trouble("bad", &server)?;
        Ok(Self {
            _stack: stack,
            worker,
            server,
            _file: file,
        })
    }

    /// Waits until so many tries have failed, as the log tells.
    fn wait_for_failures(&self, count: usize) -> Outcome<Vec<Value>> {
        let mut told = Vec::new();
        wait_until("the cause", LIMIT, || {
            told = lines(self.worker.rest(), "bad").unwrap_or_default();
            let tells = |line: &&Value| {
                let cause = line["fields"]["error"].as_str().unwrap_or("");
                line["level"] == "WARN" && line["task"] == 0 && cause.contains(&self.server)
            };
            Ok(told.iter().filter(tells).count() >= count)
        })?;
        Ok(told)
    }
}

#[test]
fn the_log_of_a_connector_tells_why_it_fails_and_nothing_of_others() -> Outcome {
    let scene = Scene::new()?;
    let told = scene.wait_for_failures(1)?;
    let is_of = |name: &str, line: &Value| line["connector"] == name;
    assert!(told.iter().all(|line| is_of("bad", line)), "{told:?}");
    let text = serde_json::to_string(&told)?;
    assert!(!text.contains("hunter2"), "{text}");
    let of_good = lines(scene.worker.rest(), "good")?;
    assert!(
        of_good.iter().any(|line| line["message"] == RUNS),
        "{of_good:?}"
    );
    assert!(
        of_good.iter().all(|line| is_of("good", line)),
        "{of_good:?}"
    );
    Ok(())
}

#[test]
fn a_log_goes_on_until_the_connector_or_the_worker_ends() -> Outcome {
    let scene = Scene::new()?;
    let rest = scene.worker.rest();
    let mut following = Following::start(rest, "good")?;
    rest.must("POST", "/connectors/good/tasks/0/restart")?;
    following.until("the task has stopped")?;
    let line = following.until(RUNS)?;
    assert_eq!(line["worker"], rest.address());
    // Levels hold for these lines, too.
    let level = rest.ask("PUT", "/admin/loggers/root", r#"{"level": "WARN"}"#)?;
    assert_eq!(level.status, 200);
    let before = lines(rest, "good")?.len();
    rest.must("POST", "/connectors/good/tasks/0/restart")?;
    let failures = scene.wait_for_failures(1)?.len();
    scene.wait_for_failures(failures + 2)?;
    rest.wait_for("good", "RUNNING")?;
    assert_eq!(lines(rest, "good")?.len(), before);
    rest.must("DELETE", "/connectors/good")?;
    following.until_end()?;
    assert_eq!(rest.ask("GET", "/connectors/good/logs", "")?.status, 404);
    let mut following = Following::start(rest, "bad")?;
    scene.worker.server().stop()?;
    following.until_end()
}

#[test]
fn every_worker_tells_and_follows_the_log_of_every_connector() -> Outcome {
    let stack = Stack::new()?;
    let fleet = Fleet::start(&stack, 3, |options| options)?;
    let names = ["one", "two", "three"];
    for name in names {
        fleet.rest(0).create(name, &file_source("/nowhere", name))?;
    }
    fleet.wait_for_rest(0, &[0, 1, 2])?;
    for name in names {
        let owner =
            || -> Outcome<String> { Ok(fleet.rest(fleet.owner(0, name)?).address().to_owned()) };
        for at in 0..3 {
            // A task may move when there are more to share; then its last line is of another worker.
            wait_until("the line of the owner", LIMIT, || {
                let told = lines(fleet.rest(at), name).unwrap_or_default();
                let runs = told.iter().rfind(|line| line["message"] == RUNS);
                let is_of = |line: &Value| line["connector"] == name;
                assert!(told.iter().all(is_of), "{told:?}");
                let times = told.iter().map(|line| line["time"].to_string());
                assert!(times.is_sorted(), "{told:?}");
                let owner = owner().unwrap_or_default();
                Ok(runs.is_some_and(|line| line["worker"] == owner.as_str()))
            })?;
        }
        let mut all = Vec::new();
        for at in 0..3 {
            all.push(Following::start(fleet.rest(at), name)?);
        }
        fleet
            .rest(1)
            .must("POST", &format!("/connectors/{name}/tasks/0/restart"))?;
        for following in &mut all {
            let line = following.until(RUNS)?;
            let worker = line["worker"].as_str().unwrap_or_default();
            assert!(fleet.named(worker).is_some(), "{line}");
        }
        fleet
            .rest(2)
            .must("DELETE", &format!("/connectors/{name}"))?;
        for mut following in all {
            following.until_end()?;
        }
    }
    Ok(())
}

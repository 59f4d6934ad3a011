//! A worker that is started before its broker: it answers that it is starting and for what it waits, and works as soon as
//! the broker does. It does not wait for ever.

use std::{fs, process::Command, sync::Arc, time::Duration};

use e2e::{Outcome, Rest, configs::redis_sink};
use serde_json::Value;
use stack::{Kafka, Program, Server, Stack, binary, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
const STARTING: &str = "Worker is still starting up. It waits for the Kafka cluster at ";

/// A worker, started without waiting until it is ready.
fn worker(stack: &Stack, kafka: &Kafka) -> Outcome<(Arc<Server>, Rest)> {
    let mut program = Program::new("tidewater", binary("tidewater")?);
    let port = program.claim_port()?;
    let settings = [
        format!("listeners=http://127.0.0.1:{port}"),
        format!("bootstrap.servers={}", kafka.bootstrap()),
    ];
    let program = settings
        .iter()
        .fold(program.arg("worker"), |program, setting| {
            program.arg("--set").arg(setting)
        });
    Ok((stack.program(program)?, Rest::new(port)))
}

/// Waits until `GET /health` says that the worker is starting, and why.
fn wait_until_told(rest: &Rest, kafka: &Kafka) -> Outcome {
    let mut last = String::new();
    let told = wait_until("health to tell the reason", LIMIT, || {
        let Ok(answer) = rest.ask("GET", "/health", "") else {
            return Ok(false);
        };
        last = answer.body;
        let health: Value = serde_json::from_str(&last).unwrap_or_default();
        let message = health["message"].as_str().unwrap_or_default();
        Ok(answer.status == 503
            && health["status"] == "starting"
            && message.starts_with(&format!("{STARTING}{}.", kafka.bootstrap()))
            && message.contains("The last error was: "))
    });
    told.map_err(|error| format!("{error}; the last answer was {last}").into())
}

#[test]
fn a_worker_waits_for_its_broker() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    kafka.stop()?;
    let (server, rest) = worker(&stack, &kafka)?;
    wait_until_told(&rest, &kafka)?;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/connectors/"),
        ("POST", "/connectors"),
    ] {
        let refused = rest.ask(method, path, "{}")?;
        let told: Value = serde_json::from_str(&refused.body)?;
        assert_eq!((refused.status, &told["error_code"]), (503, &503.into()));
        let message = told["message"].as_str().unwrap_or_default();
        assert!(message.starts_with(STARTING), "{message}");
    }
    let log = fs::read_to_string(server.log_path())?;
    assert!(
        log.contains("WARN") && log.contains("the worker is starting"),
        "{log}"
    );
    kafka.start()?;
    wait_until("the worker to be healthy", LIMIT, || {
        Ok(rest
            .ask("GET", "/health", "")
            .is_ok_and(|answer| answer.status == 200))
    })?;
    let redis = stack.redis()?;
    rest.create("sink", &redis_sink(&redis, "nothing"))?;
    rest.wait_for("sink", "RUNNING")?;
    server.stop()?;
    Ok(())
}

#[test]
fn a_worker_that_waits_ends_when_it_is_told() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    kafka.stop()?;
    let (server, rest) = worker(&stack, &kafka)?;
    wait_until_told(&rest, &kafka)?;
    server.stop()?;
    let log = fs::read_to_string(server.log_path())?;
    assert!(log.contains("tidewater::worker: stopped"), "{log}");
    Ok(())
}

#[test]
fn a_worker_gives_up_when_its_time_is_over() -> Outcome {
    let stack = Stack::new()?;
    let kafka = stack.kafka()?;
    kafka.stop()?;
    let bootstrap = format!("bootstrap.servers={}", kafka.bootstrap());
    let output = Command::new(binary("tidewater")?)
        .current_dir(tempfile::tempdir()?.path())
        .args(["worker", "--set", "listeners=http://127.0.0.1:0"])
        .args([
            "--set",
            "worker.startup.timeout.ms=3000",
            "--set",
            &bootstrap,
        ])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{told}");
    assert!(told.contains("worker.startup.timeout.ms"), "{told}");
    assert!(
        told.contains("bootstrap.servers"),
        "the remedy is missing: {told}"
    );
    Ok(())
}

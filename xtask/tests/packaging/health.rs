//! `tidewater health`, which the image's probe runs.

use std::process::Command;

use stack::{Program, Stack, binary};

use crate::Outcome;

#[test]
fn it_tells_a_worker_that_runs_from_none() -> Outcome {
    let stack = Stack::new()?;
    let data = tempfile::tempdir()?;
    let mut program = Program::new("tidewater", binary("tidewater")?);
    let port = program.claim_port()?;
    let listeners = format!("listeners=http://127.0.0.1:{port}");
    program = program.args(["worker", "--set", &listeners, "--data-dir"]);
    let program = program.arg(data.path()).ready_http(port, "/health");
    let worker = stack.program(program)?;
    let health = || {
        let mut health = Command::new(binary("tidewater")?);
        let output = health.arg("health").arg(format!("127.0.0.1:{port}"));
        Ok::<_, stack::Error>(output.output()?)
    };
    let alive = health()?;
    assert!(alive.status.success(), "{alive:?}");
    let told = String::from_utf8_lossy(&alive.stdout).into_owned();
    assert!(told.contains("\"healthy\""), "{told}");
    worker.stop()?;
    let gone = health()?;
    assert_eq!(gone.status.code(), Some(1));
    let told = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(told.contains("name the worker's address"), "{told}");
    Ok(())
}

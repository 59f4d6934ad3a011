//! `tidewater worker --kafka-listen`: Kafka clients read the topics of the embedded log while the worker runs.

use std::{process::Command, time::Duration};

use e2e::{Outcome, Rest, configs::redis_sink};
use stack::{Kcat, Program, Stack, binary, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn kafka_clients_read_the_topics_of_a_worker() -> Outcome {
    let stack = Stack::new()?;
    let home = tempfile::tempdir()?;
    let mut program = Program::new("tidewater", binary("tidewater")?);
    let (rest, kafka) = (program.claim_port()?, program.claim_port()?);
    let program = program
        .arg("worker")
        .arg("--data-dir")
        .arg(home.path().join("log").as_os_str())
        .arg("--set")
        .arg(format!("listeners=http://127.0.0.1:{rest}"))
        .arg("--kafka-listen")
        .arg(kafka.to_string());
    let worker = stack.program(program.ready_http(rest, "/health"))?;
    let redis = stack.redis()?;
    Rest::new(rest).create("seen", &redis_sink(&redis, "nothing"))?;
    let kcat = Kcat::at(&format!("127.0.0.1:{kafka}"))?;
    let words = [
        "-C",
        "-e",
        "-t",
        "connect-configs",
        "-o",
        "beginning",
        "-f",
        "%k\n",
    ];
    wait_until("kcat to see the connector", LIMIT, || {
        // The topic may not be there yet.
        let keys = kcat.run(&words).unwrap_or_default();
        Ok(keys.lines().any(|key| key == "connector-seen"))
    })?;
    let log = std::fs::read_to_string(worker.log_path())?;
    assert!(log.contains(&format!("127.0.0.1:{kafka}")), "{log}");
    // A reader that waits does not hold it up.
    let mut waiting = kcat.command(&["-C", "-t", "connect-configs"]).spawn()?;
    worker.stop()?;
    waiting.kill()?;
    waiting.wait()?;
    Ok(())
}

#[test]
fn with_a_cluster_there_is_nothing_to_serve() -> Outcome {
    let home = tempfile::tempdir()?;
    let output = Command::new(binary("tidewater")?)
        .current_dir(home.path())
        .args(["worker", "--kafka-listen", "127.0.0.1:0", "--set"])
        .args(["bootstrap.servers=127.0.0.1:1", "--set"])
        .arg("listeners=http://127.0.0.1:0")
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        error.contains("--kafka-listen serves the embedded log"),
        "{error}"
    );
    Ok(())
}

//! Clients that people use, against a running worker: from PyPI, from Go's proxy, from Maven. `cargo xtask test clients` installs them;
//! the default run takes those that are installed already.

use std::{fs, path::Path, process::Command};

use e2e::{LogKind, Outcome, Worker, WorkerOptions, is_long};
use stack::{Stack, go_program, is_installed, java_program, python, python_packages};

const PYTHON: &str = "clients-python-1";
const GO: &str = "clients-go-1";
const JAVA: &str = "clients-java-1";

/// Runs a client with the worker's URL and a file of lines; it ends well when everything was as it expects.
fn drive(name: &str, command: impl FnOnce() -> Outcome<Command>) -> Outcome {
    if !is_long() && !is_installed(name) {
        eprintln!("{name} is not installed: cargo xtask test clients");
        return Ok(());
    }
    let mut command = command()?;
    let stack = Stack::new()?;
    let worker = Worker::start(&stack, WorkerOptions::on(LogKind::Embedded))?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("lines.txt");
    fs::write(&file, "a\nb\nc\n")?;
    let url = format!("http://127.0.0.1:{}", worker.rest().port());
    let ran = command.arg(url).arg(&file).output()?;
    match ran.status.success() {
        true => Ok(()),
        false => {
            let told = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
            Err(format!("{name}: {told}").into())
        }
    }
}

#[test]
fn clients_from_pypi() -> Outcome {
    drive(PYTHON, || {
        let packages = python_packages(
            PYTHON,
            &[
                "kafka-connect-py==1.0.0",
                "kafkaconnect==1.3.1",
                "kafka-connect-api==0.5.10",
                "kafka-connect-watcher==0.6.0",
                "kafka-connect-healthcheck==0.3.0",
                "requests",
                "setuptools<81",
            ],
        )?;
        let mut command = python()?;
        command.env("PYTHONPATH", packages);
        command.arg("clients/python/clients.py");
        Ok(command)
    })
}

#[test]
fn clients_in_go() -> Outcome {
    drive(GO, || {
        Ok(Command::new(go_program(GO, Path::new("clients/go"))?))
    })
}

#[test]
fn clients_in_java() -> Outcome {
    drive(JAVA, || {
        let artifacts = [
            ("org.sourcelab", "kafka-connect-client", "4.0.5"),
            ("org.apache.kafka", "connect-runtime", "4.3.0"),
        ];
        Ok(java_program(
            JAVA,
            &artifacts,
            Path::new("clients/java/Clients.java"),
        )?)
    })
}

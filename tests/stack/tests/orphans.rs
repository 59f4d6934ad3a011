//! Servers end with the process that started them, however it ends.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use stack::{Process, RedisOptions, Result, Stack, wait_until};

const ROLE: &str = "TIDEWATER_STACK_ORPHANS";

/// The killed process: starts a server from a thread that ends, says which one, and waits for its own end.
fn start_and_wait() -> Result<()> {
    let started = std::thread::spawn(|| {
        let stack = Stack::new()?;
        let redis = stack.redis_with(RedisOptions::default())?;
        Ok::<_, stack::Error>((stack, redis))
    });
    let (_stack, redis) = started.join().expect("the thread does not panic")?;
    redis.cli(&["SET", "alive", "after the thread's end"])?;
    let process = redis.process().expect("it runs");
    println!("server {process} in {}", redis.folder().display());
    wait_until("a kill", Duration::from_secs(120), || Ok(false))
}

#[test]
fn servers_end_with_a_killed_process() -> Result<()> {
    if env::var_os(ROLE).is_some() {
        return start_and_wait();
    }
    let mut child = Command::new(env::current_exe()?)
        .args([
            "--exact",
            "servers_end_with_a_killed_process",
            "--nocapture",
        ])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let line = output
        .lines()
        .map_while(|line| line.ok())
        .find(|line| line.contains("server "));
    let line = line.expect("the server starts");
    let words: Vec<&str> = line.split(' ').collect();
    let at = words
        .iter()
        .position(|word| *word == "server")
        .expect("said above");
    let server = Process::parse(words[at + 1]).expect("a process");
    let folder = std::path::PathBuf::from(words[at + 3]);

    assert!(server.is_alive());
    child.kill()?;
    child.wait()?;
    assert!(
        server.wait_gone(Duration::from_secs(10)),
        "{server} lives on"
    );

    assert!(folder.exists());
    drop(Stack::new()?);
    assert!(
        !folder.exists(),
        "the next stack deletes what a killed process left"
    );
    Ok(())
}

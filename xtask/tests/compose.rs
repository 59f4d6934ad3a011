//! The compose files are ones that Docker accepts.

use std::{path::Path, process::Command};

const SETS: [&[&str]; 3] = [
    &["compose.yaml"],
    &["compose.yaml", "kafka.yaml"],
    &["compose.yaml", "monitoring.yaml"],
];

#[test]
fn docker_accepts_the_compose_files() {
    let Some(docker) = compose() else {
        println!("not checked: this machine has no `docker compose` and no `docker-compose`");
        return;
    };
    // Tests run in the folder of their package.
    let folder = Path::new("../compose");
    for files in SETS {
        let (program, words) = docker.split_first().unwrap();
        let files = files.iter().flat_map(|file| ["-f", file]);
        let mut command = Command::new(program);
        command
            .args(words)
            .args(files)
            .args(["config", "--quiet"])
            .current_dir(folder);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
    }
}

/// The words that start the compose tool of this machine.
fn compose() -> Option<Vec<&'static str>> {
    [vec!["docker", "compose"], vec!["docker-compose"]]
        .into_iter()
        .find(|words| {
            let mut command = Command::new(words[0]);
            command
                .args(&words[1..])
                .arg("version")
                .output()
                .is_ok_and(|output| output.status.success())
        })
}

//! A full disk under the embedded log: the status and the REST API tell it, and everything goes on when there is space.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use e2e::{
    Fault, LogKind, Outcome, Scene, WorkerOptions,
    configs::{IMPATIENT, postgres_source, redis_sink, with},
    counters::{assert_at_least_once, assert_exactly_once, wait_equal_in_redis},
    scene::{SLOT, SOURCE},
};
use stack::{PgVersion, Stack};

/// A small disk of its own, gone when dropped.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// A disk of so many MiB; `None` when this user may not mount one.
    fn new(mb: u32) -> Outcome<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mb}m"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Ok(Some(Self { folder }));
        }
        eprintln!("skipped: a small disk can be mounted by root only");
        Ok(None)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Takes all the space that is left.
    fn fill(&self) -> Outcome {
        fill(&self.ballast())
    }

    fn free(&self) -> Outcome {
        Ok(fs::remove_file(self.ballast())?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a worker may still have the log open when a check failed.
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.folder.path())
            .status();
    }
}

fn fill(path: &Path) -> Outcome {
    let mut file = fs::File::create(path)?;
    let page = [0; 4096];
    loop {
        match std::io::Write::write_all(&mut file, &page) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn full(exactly_once: bool) -> Outcome {
    let Some(disk) = Disk::new(48)? else {
        return Ok(());
    };
    let stack = Stack::new()?;
    let postgres = stack.postgres(PgVersion::V15)?;
    let redis = stack.redis()?;
    let mut options = WorkerOptions::on(LogKind::Embedded);
    options.data_dir = Some(disk.log());
    options.exactly_once = exactly_once;
    let config = with(
        postgres_source(&postgres, SOURCE, "public.counters"),
        IMPATIENT,
    );
    let mut scene = Scene::counting(&stack, postgres, options, &config)?;
    let rest = scene.worker.rest();
    rest.create("sink", &with(redis_sink(&redis, "faults\\..*"), IMPATIENT))?;
    rest.wait_for("sink", "RUNNING")?;
    for _ in 0..2 {
        scene.survive(
            SOURCE,
            &Fault {
                name: "full",
                says: "log.storage",
                strike: &|| disk.fill(),
                mend: &|| {
                    let paused = is_paused_or_told(&scene)?;
                    disk.free()?;
                    let resume = format!("/connectors/{SOURCE}/resume");
                    match paused {
                        true => scene.worker.rest().must("PUT", &resume).map(drop),
                        false => Ok(()),
                    }
                },
            },
        )?;
    }
    scene.worker.rest().wait_for("sink", "RUNNING")?;
    scene.load.finish(SLOT)?;
    wait_equal_in_redis(&scene.postgres, &redis)?;
    let history = scene.finish()?;
    match exactly_once {
        true => assert_exactly_once(&history),
        false => assert_at_least_once(&history),
    }
}

/// While the disk is full the worker answers; what it cannot store it refuses, and tells why. A small change may still find room
/// in the log's own files: then it is done.
fn is_paused_or_told(scene: &Scene) -> Outcome<bool> {
    let rest = scene.worker.rest();
    for path in [
        "/",
        "/health",
        "/connectors",
        "/metrics",
        "/connectors/faults/offsets",
    ] {
        rest.must("GET", path)?;
    }
    let answer = rest.ask("PUT", &format!("/connectors/{SOURCE}/pause"), "")?;
    let told = answer.body.contains("no space left");
    match (answer.status, told) {
        (202, _) => Ok(true),
        (500..=599, true) => Ok(false),
        (status, _) => Err(format!("a change was answered {status}: {}", answer.body).into()),
    }
}

#[test]
fn a_full_disk_loses_and_doubles_nothing_exactly_once() -> Outcome {
    full(true)
}

#[test]
fn a_full_disk_loses_nothing_at_least_once() -> Outcome {
    full(false)
}

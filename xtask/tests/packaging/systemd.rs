//! The unit.

use std::{fs, process::Command};

use stack::binary;

use crate::{AFTER_TASKS, Outcome, file, machines, said, shutdown_seconds};

const UNIT: &str = "packaging/systemd/tidewater.service";
/// The largest exposure, in tenths, of ten: `systemd-analyze security`.
const EXPOSURE: u32 = 15;

fn value(unit: &str, name: &str) -> Outcome<String> {
    let found = unit.lines().filter_map(|line| line.split_once('='));
    let mut found = found.filter(|(key, _)| *key == name);
    let (_, value) = found.next().ok_or_else(|| format!("no {name}"))?;
    Ok(value.to_owned())
}

#[test]
fn systemd_takes_the_unit() -> Outcome {
    let Some(analyze) = machines("systemd-analyze") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let unit = folder.path().join("tidewater.service");
    // The program of this build, since that of the unit is not installed here.
    let program = binary("tidewater")?.display().to_string();
    let text = fs::read_to_string(file(UNIT))?.replace("/usr/bin/tidewater", &program);
    fs::write(&unit, text)?;
    let mut verify = Command::new(&analyze);
    let output = verify.args(["verify", "--man=no"]).arg(&unit).output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = told.lines().filter(|l| l.contains("tidewater")).collect();
    assert!(output.status.success() && ours.is_empty(), "{told}");
    Ok(())
}

#[test]
fn the_unit_exposes_little() -> Outcome {
    let Some(analyze) = machines("systemd-analyze") else {
        return Ok(());
    };
    let mut security = Command::new(analyze);
    security
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={EXPOSURE}"))
        .arg(file(UNIT));
    said(&mut security)?;
    Ok(())
}

#[test]
fn the_unit_gives_tasks_their_time_and_runs_what_is_installed() -> Outcome {
    let unit = fs::read_to_string(file(UNIT))?;
    let properties = fs::read_to_string(file("packaging/debian/tidewater.properties"))?;
    let stop: u64 = value(&unit, "TimeoutStopSec")?.parse()?;
    assert!(stop > shutdown_seconds(&properties)? + AFTER_TASKS);
    let start = value(&unit, "ExecStart")?;
    let words: Vec<&str> = start.split(' ').collect();
    assert_eq!(words[2], "/etc/tidewater/tidewater.properties");
    let mut program = Command::new(binary("tidewater")?);
    said(program.args(&words[1..]).arg("--help"))?;
    let account = value(&unit, "User")?;
    let accounts = fs::read_to_string(file("packaging/systemd/sysusers.conf"))?;
    assert!(accounts.contains(&format!("\nu {account} ")));
    Ok(())
}

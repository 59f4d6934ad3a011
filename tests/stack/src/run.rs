//! Runs a program to its end.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::{Error, Result, error::While};

const TAIL_LINES: usize = 40;

/// Standard output of the command; its last lines of output are the error when it fails.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    run_with(command, b"")
}

/// The same, with `input` on standard input.
pub(crate) fn run_with(command: &mut Command, input: &[u8]) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .while_(|| format!("cannot start {program}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input ends the pipe; its status says whether that was right.
        let _ = stdin.write_all(input);
    }
    let output = child
        .wait_with_output()
        .while_(|| format!("{program} was lost"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let all = text + &String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!(
        "{program} failed ({}):\n{}",
        output.status,
        tail(&all)
    )))
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// The path of a program that the shell would find.
pub(crate) fn on_path(program: &str) -> Option<std::path::PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

//! The program, built as its users get it.

use std::{path::PathBuf, process::Stdio};

use serde_json::Value;

use super::Result;
use crate::workspace::cargo;

const NAME: &str = "tidewater";

/// `cargo build --release`, with the compiler's words on the terminal; the path of what came out.
pub(super) fn build() -> Result<PathBuf> {
    let mut command = cargo()?;
    command
        .args(["build", "--release", "--package", NAME])
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped());
    let output = command.spawn()?.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("cargo build --release --package {NAME} failed").into());
    }
    let lines = String::from_utf8(output.stdout)?;
    let built = lines.lines().filter_map(executable).next_back();
    built.ok_or_else(|| format!("cargo built no program {NAME}").into())
}

/// The program that a message of Cargo names.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == NAME;
    let path = message["executable"].as_str().filter(|_| is_ours)?;
    Some(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_program_among_cargos_messages() {
        let ours = r#"{"reason":"compiler-artifact","target":{"name":"tidewater"},"executable":"/t/tidewater"}"#;
        let library = r#"{"reason":"compiler-artifact","target":{"name":"api"},"executable":null}"#;
        assert_eq!(executable(ours), Some("/t/tidewater".into()));
        assert_eq!(executable(library), None);
        assert_eq!(executable("warning"), None);
    }
}

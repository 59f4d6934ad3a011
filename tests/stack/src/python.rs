//! Python with libraries of the package index: independent readers of what we write.

use std::process::Command;

use crate::{
    Error, Result, cache,
    error::While,
    run::{on_path, run, run_with},
};

/// What reads Avro, Protobuf and JSON Schema. A changed list needs another name of the folder.
const LIBRARIES: [&str; 4] = [
    "fastavro==1.13.1",
    "jsonschema==4.26.0",
    "protobuf==7.36.2",
    "grpcio-tools==1.85.1",
];
const FOLDER: &str = "python-codecs-1";

/// Runs a script with the readers of serialized records at hand and gives back what it prints.
///
/// `input` is its standard input. The machine's `python3` runs it; the libraries are kept in the cache.
pub fn python(script: &str, input: &[u8]) -> Result<String> {
    let program = on_path("python3")
        .ok_or_else(|| Error::new("Python is missing: sudo apt-get install python3 python3-pip"))?;
    let libraries = cache::install(FOLDER, |folder, _| {
        run(Command::new(&program)
            .args(["-m", "pip", "install", "--quiet", "--no-compile"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .arg("--target")
            .arg(folder)
            .args(LIBRARIES))
        .map(drop)
    })?;
    let mut command = Command::new(&program);
    command
        .args(["-B", "-c", script])
        .env("PYTHONPATH", &libraries);
    run_with(&mut command, input).while_(|| "a Python reader".to_owned())
}

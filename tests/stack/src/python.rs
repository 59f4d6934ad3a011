//! Independent readers of what we write: Python with libraries of the package index.

use std::path::Path;

use crate::{Result, error::While, install::pypi, run::run_with};

/// What reads Avro, Protobuf and JSON Schema. A changed list needs another name of the folder.
const LIBRARIES: [&str; 4] = [
    "fastavro==1.13.1",
    "jsonschema==4.26.0",
    "protobuf==7.36.2",
    "grpcio-tools==1.85.1",
];
const FOLDER: &str = "python-codecs-1";

/// What reads OTLP.
const OTLP: [&str; 2] = ["opentelemetry-proto==1.30.0", "protobuf==5.29.5"];
const OTLP_FOLDER: &str = "python-otlp-1";

/// Runs a script with the reader of OTLP's messages (`opentelemetry.proto`) at hand and gives back what it prints.
pub fn python_otlp(script: &str, input: &[u8]) -> Result<String> {
    read_with(&pypi::python_packages(OTLP_FOLDER, &OTLP)?, script, input)
}

/// Runs a script with the readers of serialized records at hand and gives back what it prints.
///
/// `input` is its standard input. The machine's `python3` runs it; the libraries are kept in the cache.
pub fn python_reader(script: &str, input: &[u8]) -> Result<String> {
    read_with(&pypi::python_packages(FOLDER, &LIBRARIES)?, script, input)
}

fn read_with(libraries: &Path, script: &str, input: &[u8]) -> Result<String> {
    let mut command = pypi::python()?;
    command
        .args(["-B", "-c", script])
        .env("PYTHONPATH", libraries);
    run_with(&mut command, input).while_(|| "a Python reader".to_owned())
}

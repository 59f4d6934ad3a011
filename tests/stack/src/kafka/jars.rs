//! The jars of Kafka and Kafka Connect, and how their programs are run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result, cache,
    install::maven::{self, Artifact},
    jvm::{self, Heap, Jvm},
    run::run,
};

const VERSION: &str = "4.3.0";
const RELEASE: u32 = 17;
const ARTIFACTS: [&str; 6] = [
    "kafka_2.13",
    "kafka-tools",
    "connect-runtime",
    "connect-json",
    "connect-file",
    "connect-mirror",
];
/// Without it, nothing is logged.
const LOG_BINDING: Artifact = Artifact("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4");
const LOG4J: &str = "Configuration:\n  Appenders: {Console: {name: STDOUT, PatternLayout: \
    {pattern: \"[%d] %p %m (%c)%n\"}}}\n  Loggers: {Root: {level: WARN, AppenderRef: {ref: STDOUT}}}\n";
const CLUSTER: &str = "dGlkZXdhdGVyLXN0YWNrMQ";
/// The formatted, empty log folder beside the libraries.
pub(crate) const DATA: &str = "data";

/// The jars of Kafka and Kafka Connect, installed if needed.
pub(crate) fn libraries() -> Result<PathBuf> {
    let place = cache::install(&format!("kafka-{VERSION}"), |folder, _| {
        let mut artifacts: Vec<_> = ARTIFACTS
            .map(|name| Artifact("org.apache.kafka", name, VERSION))
            .into();
        artifacts.push(LOG_BINDING);
        maven::copy(&artifacts, &folder.join("libs"))?;
        format_storage(folder)
    })?;
    Ok(place.join("libs"))
}

/// A program of theirs as a server: `properties` is its file in `folder`, where its log's configuration goes too.
pub(crate) fn jvm(heap: Heap, folder: &Path, main: &'static str, properties: &str) -> Result<Jvm> {
    let log = folder.join("log4j2.yaml");
    fs::write(&log, LOG4J)?;
    Ok(Jvm {
        release: RELEASE,
        heap,
        options: vec![format!("-Dlog4j2.configurationFile={}", log.display())],
        class_path: jvm::class_path(&libraries()?),
        main,
        arguments: vec![folder.join(properties).display().to_string()],
    })
}

/// A program of theirs that ends by itself.
pub(crate) fn command(libraries: &Path, main: &str, full_speed: bool) -> Result<Command> {
    let mut command = Command::new(jvm::program(RELEASE)?);
    command
        .args(jvm::QUICK.iter().filter(|_| !full_speed))
        .arg("-cp")
        .arg(jvm::class_path(libraries))
        .arg(main);
    Ok(command)
}

/// Formats an empty log folder once; every new broker copies it. It names no port.
fn format_storage(folder: &Path) -> Result<()> {
    let data = folder.join(DATA);
    let file = folder.join("format.properties");
    fs::write(
        &file,
        format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:1\n\
             listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1\n\
             controller.listener.names=CONTROLLER\nlog.dirs={}\n",
            data.display()
        ),
    )?;
    run(
        command(&folder.join("libs"), "kafka.tools.StorageTool", false)?
            .args(["format", "-t", CLUSTER, "-c"])
            .arg(&file),
    )?;
    Ok(())
}

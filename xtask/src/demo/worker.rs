//! The worker: the program under demonstration, as a child process.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use stack::{Program, Server};

use super::{Result, servers::Servers};

/// A running worker.
pub(super) struct Worker {
    pub(super) server: Arc<Server>,
    /// Where its REST API listens: `127.0.0.1:PORT`.
    pub(super) rest: String,
    /// Brokers for Kafka clients: Kafka's, or the worker's own front.
    pub(super) topics: String,
    /// Its worker properties, when it has a file of them.
    properties: Option<PathBuf>,
}

impl Worker {
    /// Starts it, and returns when its REST API answers.
    pub(super) fn start(servers: &Servers, binary: &Path) -> Result<Self> {
        let mut program = Program::new("tidewater", binary.to_path_buf());
        let port = program.claim_port()?;
        let rest = format!("127.0.0.1:{port}");
        let (program, topics, properties) = match &servers.kafka {
            Some(kafka) => {
                let path = write_properties(kafka.bootstrap(), &rest)?;
                let program = program.arg("worker").arg(&path);
                (program, kafka.bootstrap().to_owned(), Some(path))
            }
            None => {
                let front = format!("127.0.0.1:{}", program.claim_port()?);
                let words = ["worker", "--data-dir", "data", "--kafka-listen", &front];
                let listeners = format!("listeners=http://{rest}");
                let program = program.args(words).args(["--set", &listeners]);
                (program, front, None)
            }
        };
        let started = servers.stack.program(program.ready_http(port, "/health"));
        if let (Err(_), Some(path)) = (&started, &properties) {
            delete(path);
        }
        Ok(Self {
            server: started?,
            rest,
            topics,
            properties,
        })
    }

    /// What it runs, for people who want to do the same by hand.
    pub(super) fn store(&self) -> String {
        match &self.properties {
            Some(path) => format!(
                "Apache Kafka at {}; worker properties in {}",
                self.topics,
                path.display()
            ),
            None => format!(
                "the embedded log in {}",
                self.server.folder().join("data").display()
            ),
        }
    }

    /// An error when it has ended.
    pub(super) fn alive(&self) -> Result<()> {
        match self.server.process() {
            Some(_) => Ok(()),
            None => Err(format!(
                "tidewater ended; the end of {}\n{}",
                self.server.log_path().display(),
                self.server.log_tail()
            )
            .into()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(path) = &self.properties {
            delete(path);
        }
    }
}

fn delete(path: &Path) {
    // A file in the folder for temporary files does no harm.
    let _ = fs::remove_file(path);
}

fn write_properties(bootstrap: &str, rest: &str) -> Result<PathBuf> {
    let name = format!("tidewater-demo-{}.properties", process::id());
    let path = env::temp_dir().join(name);
    let text = format!(
        "bootstrap.servers={bootstrap}\ngroup.id=demo\nlisteners=http://{rest}\n\
         config.storage.topic=demo-configs\nconfig.storage.replication.factor=1\n\
         offset.storage.topic=demo-offsets\noffset.storage.replication.factor=1\n\
         status.storage.topic=demo-statuses\nstatus.storage.replication.factor=1\n\
         key.converter=org.apache.kafka.connect.json.JsonConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\n"
    );
    fs::write(&path, text)?;
    Ok(path)
}

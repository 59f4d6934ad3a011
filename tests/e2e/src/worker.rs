//! A worker process.

use std::{ffi::OsString, fs, net::Ipv4Addr, path::PathBuf, process::Command, sync::Arc};

use stack::{Host, Program, Server, Stack, binary};

use crate::{LogKind, Outcome, Rest, log};

/// A running `tidewater worker`; its port, log and data stay when it is killed and started again.
pub struct Worker {
    server: Arc<Server>,
    rest: Rest,
    log: LogKind,
    data_dir: PathBuf,
    home: tempfile::TempDir,
}

/// What kind of worker.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Its log.
    pub log: LogKind,
    /// Whether sources write exactly once.
    pub exactly_once: bool,
    /// More worker properties.
    pub settings: Vec<(String, String)>,
    /// Environment variables.
    pub environment: Vec<(String, OsString)>,
    /// Where the embedded log lives, when not in a folder of its own.
    pub data_dir: Option<PathBuf>,
}

impl WorkerOptions {
    /// A worker on a log.
    pub fn on(log: LogKind) -> Self {
        Self {
            log,
            exactly_once: false,
            settings: Vec::new(),
            environment: Vec::new(),
            data_dir: None,
        }
    }

    /// The same, where sources write exactly once.
    #[must_use]
    pub fn exactly_once(mut self) -> Self {
        self.exactly_once = true;
        self
    }

    /// The same, with a worker property more.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Worker {
    /// Starts a worker and waits until it is healthy.
    pub fn start(stack: &Stack, options: WorkerOptions) -> Outcome<Self> {
        Self::start_at(stack, options, None)
    }

    /// The same, on a host of a network.
    pub fn start_on(stack: &Stack, options: WorkerOptions, host: &Host) -> Outcome<Self> {
        Self::start_at(stack, options, Some(host))
    }

    fn start_at(stack: &Stack, options: WorkerOptions, host: Option<&Host>) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let mut program = Program::new("tidewater", binary("tidewater")?);
        let port = program.claim_port()?;
        let file = home.path().join("worker.properties");
        let ip = host.map_or(Ipv4Addr::LOCALHOST, Host::address);
        let address = format!("{ip}:{port}");
        fs::write(&file, properties(&options, &address))?;
        let data_dir = options
            .data_dir
            .clone()
            .unwrap_or_else(|| home.path().join("log"));
        program = program
            .arg("worker")
            .arg(file.as_os_str())
            .arg("--data-dir")
            .arg(data_dir.as_os_str());
        for (name, value) in &options.environment {
            program = program.env(name, value);
        }
        if let Some(host) = host {
            program = program.on(host);
        }
        let server = stack.program(program.ready_http_at(&address, "/health"))?;
        let (rest, log) = (Rest::at(&address), options.log);
        Ok(Self {
            server,
            rest,
            log,
            data_dir,
            home,
        })
    }

    /// Its REST API.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Its process: kill, stop, start, log.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Changes its file of properties, and tells the running process to read it again.
    pub fn reload(&self, change: impl Fn(String) -> String) -> Outcome {
        let file = self.home.path().join("worker.properties");
        fs::write(&file, change(fs::read_to_string(&file)?))?;
        let pid = self.server.pid().ok_or("the worker is down")?;
        let mut kill = Command::new("kill");
        match kill.args(["-HUP", &pid.to_string()]).status()?.success() {
            true => Ok(()),
            false => Err(format!("{pid} takes no signal").into()),
        }
    }

    /// Stops the worker in order and gives all committed records of a topic.
    pub fn stop_and_read(&self, topic: &str) -> Outcome<Vec<(String, String)>> {
        self.server.stop()?;
        self.read(topic)
    }

    /// The same of a worker that is stopped.
    pub fn read(&self, topic: &str) -> Outcome<Vec<(String, String)>> {
        match &self.log {
            LogKind::Embedded => log::of_folder(&self.data_dir, topic),
            LogKind::Kafka(bootstrap) => log::of_kafka(bootstrap, topic),
        }
    }
}

fn properties(options: &WorkerOptions, address: &str) -> String {
    let mut lines = vec![format!("listeners=http://{address}")];
    if let LogKind::Kafka(bootstrap) = &options.log {
        lines.push(format!("bootstrap.servers={bootstrap}"));
    }
    if options.exactly_once {
        lines.push("exactly.once.source.support=enabled".to_owned());
    }
    lines.push("value.converter.schemas.enable=false".to_owned());
    lines.push("key.converter.schemas.enable=false".to_owned());
    lines.push("offset.flush.interval.ms=1000".to_owned());
    lines.extend(
        options
            .settings
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    lines.join("\n") + "\n"
}

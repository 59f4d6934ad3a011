//! Apache Kafka, one broker that is its own controller (KRaft), from Maven's repositories.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    Proxy, Result, Server, Stack,
    account::Account,
    cache,
    error::While,
    install::{
        java,
        maven::{self, Artifact},
    },
    kcat::Kcat,
    port::Port,
    run::run,
    server::Plan,
    url::Address,
    wait_until,
};

const VARIABLE: &str = "TIDEWATER_KAFKA_BOOTSTRAP";
pub(crate) const VERSION: &str = "4.3.0";
const ARTIFACTS: [&str; 6] = [
    "kafka_2.13",
    "kafka-tools",
    "connect-runtime",
    "connect-json",
    "connect-file",
    "connect-mirror",
];
/// Halves the start of a JVM on few cores.
pub(crate) const JVM: [&str; 2] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
/// Without it, nothing is logged.
const LOG_BINDING: Artifact = Artifact("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4");
const CLUSTER: &str = "dGlkZXdhdGVyLXN0YWNrMQ";
pub(crate) const LOG4J: &str = "Configuration:\n  Appenders: {Console: {name: STDOUT, PatternLayout: \
    {pattern: \"[%d] %p %m (%c)%n\"}}}\n  Loggers: {Root: {level: WARN, AppenderRef: {ref: STDOUT}}}\n";

/// How a Kafka broker is started.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    settings: Vec<(String, String)>,
    heap_mb: u32,
    full_speed: bool,
    proxied: bool,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            heap_mb: 512,
            full_speed: false,
            proxied: false,
        }
    }
}

impl KafkaOptions {
    /// One more line of `server.properties`: `set("num.partitions", "3")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// With a second listener behind a [`Proxy`]: see [`Kafka::proxy`].
    pub fn proxied(mut self) -> Self {
        self.proxied = true;
        self
    }

    /// For measurements: 1 GB of heap and the JVM's own choice of compiler and collector. It starts slower.
    pub fn full_speed(mut self) -> Self {
        self.heap_mb = 1024;
        self.full_speed = true;
        self
    }
}

/// A Kafka broker; topics are created on first use. See [`Server`] for starting and stopping it.
#[derive(Clone)]
pub struct Kafka {
    server: Arc<Server>,
    bootstrap: String,
    kcat: Kcat,
    proxy: Option<Arc<Proxy>>,
}

impl Kafka {
    /// The brokers that the environment names.
    pub(crate) fn named(stack: &Stack) -> Result<Option<Self>> {
        let Some(address) = Address::of(VARIABLE, 9092)? else {
            return Ok(None);
        };
        let server = stack.adopt(stack.name("kafka"), address.port, VARIABLE);
        let bootstrap = std::env::var(VARIABLE).unwrap_or_default();
        Ok(Some(Self {
            server,
            kcat: Kcat::at(&bootstrap)?,
            bootstrap,
            proxy: None,
        }))
    }

    pub(crate) fn start(stack: &Stack, options: KafkaOptions) -> Result<Self> {
        let name = stack.name("kafka");
        let ports = [Port::claim()?, Port::claim()?, Port::claim()?];
        let [port, _, inner] = ports.each_ref().map(Port::number);
        let proxy = match options.proxied {
            true => Some(Arc::new(Proxy::to(&format!("127.0.0.1:{inner}"))?)),
            false => None,
        };
        let folder = stack.home().create(&name)?;
        let outer = proxy.as_ref().map_or(inner, |proxy| proxy.port());
        let text = properties(&folder, ports.each_ref().map(Port::number), outer, &options);
        fs::write(folder.join("server.properties"), text)?;
        fs::write(folder.join("log4j2.yaml"), LOG4J)?;
        let bootstrap = format!("127.0.0.1:{port}");
        let kcat = Kcat::at(&bootstrap)?;
        let plan = plan(&folder, &options, ready(kcat.clone()))?;
        let server = stack.run(name, ports.into(), plan)?;
        Ok(Self {
            server,
            bootstrap,
            kcat,
            proxy,
        })
    }

    /// `127.0.0.1:PORT`, plaintext.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The proxy of a broker started with [`KafkaOptions::proxied`]: a client whose bootstrap server is
    /// [`Proxy::address`] talks to the broker through it only.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_deref()
    }

    /// Runs `kcat` against the broker and returns what it prints: `kcat(&["-C", "-t", "orders", "-e"])`.
    pub fn kcat(&self, words: &[&str]) -> Result<String> {
        self.kcat_with(words, b"")
    }

    /// kcat's command against the broker, for a caller that reads its output as it comes.
    pub fn kcat_command(&self, words: &[&str]) -> Command {
        self.kcat.command(words)
    }

    /// The same, with standard input: `kcat_with(&["-P", "-t", "orders", "-K:"], b"key:value\n")`.
    pub fn kcat_with(&self, words: &[&str], input: &[u8]) -> Result<String> {
        self.kcat
            .run_with(words, input)
            .while_(|| format!("on {}", self.name()))
    }

    /// The values of a topic's committed records, once it has at least `count`; waits a minute for them. Order holds
    /// within a partition only.
    pub fn values(&self, topic: &str, count: usize) -> Result<Vec<String>> {
        let mut values: Vec<String> = Vec::new();
        wait_until(
            &format!("{topic} to have {count} records"),
            Duration::from_secs(60),
            || {
                // A topic that is not there yet is an error of kcat.
                let read = self.kcat(&[
                    "-C",
                    "-t",
                    topic,
                    "-e",
                    "-X",
                    "isolation.level=read_committed",
                ]);
                values = read
                    .unwrap_or_default()
                    .lines()
                    .map(str::to_owned)
                    .collect();
                Ok(values.len() >= count)
            },
        )?;
        Ok(values)
    }

    /// Runs a main class of Kafka's own tools: `tool("org.apache.kafka.tools.TopicCommand", &["--list", …])`.
    /// Takes two seconds of a core.
    pub fn tool(&self, class: &str, words: &[&str]) -> Result<String> {
        run(Command::new(java::home(17)?.join("bin/java"))
            .args(JVM)
            .arg("-cp")
            .arg(class_path(&libraries()?))
            .arg(class)
            .args(["--bootstrap-server", &self.bootstrap])
            .args(words))
    }
}

impl Deref for Kafka {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

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

pub(crate) fn class_path(libraries: &Path) -> String {
    format!("{}/*", libraries.display())
}

/// Formats an empty log folder once; every new broker copies it. It names no port.
fn format_storage(folder: &Path) -> Result<()> {
    let data = folder.join("data");
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
    run(Command::new(java::home(17)?.join("bin/java"))
        .args(JVM)
        .arg("-cp")
        .arg(class_path(&folder.join("libs")))
        .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c"])
        .arg(&file))?;
    Ok(())
}

fn plan(folder: &Path, options: &KafkaOptions, ready: crate::server::Ready) -> Result<Plan> {
    let libraries = libraries()?;
    let template = libraries.with_file_name("data");
    let copy = Account::of_servers()
        .command(Path::new("cp"))
        .arg("-r")
        .arg(template)
        .arg(folder)
        .output()?;
    if !copy.status.success() {
        return Err(crate::Error::new(String::from_utf8_lossy(&copy.stderr)));
    }
    let mut arguments = vec![format!("-Xmx{}m", options.heap_mb)];
    if !options.full_speed {
        arguments.extend(JVM.map(str::to_owned));
    }
    arguments.extend([
        format!(
            "-Dlog4j2.configurationFile={}",
            folder.join("log4j2.yaml").display()
        ),
        "-cp".into(),
        class_path(&libraries),
        "kafka.Kafka".into(),
        folder
            .join("server.properties")
            .to_string_lossy()
            .into_owned(),
    ]);
    Ok(Plan {
        account: Account::of_servers(),
        program: java::home(17)?.join("bin/java"),
        arguments: arguments.into_iter().map(Into::into).collect(),
        environment: vec![],
        folder: None,
        stop: Signal::TERM,
        stale: &[],
        ready,
        ready_limit: Duration::from_secs(120),
    })
}

fn ready(kcat: Kcat) -> crate::server::Ready {
    Box::new(move || {
        let listed = kcat.run(&["-L", "-m", "1"]);
        Ok(listed.is_ok_and(|text| text.contains("broker 1 at")))
    })
}

/// `ports`: for clients, for the controller, behind the proxy; `outer` is the proxy's.
fn properties(folder: &Path, ports: [u16; 3], outer: u16, options: &KafkaOptions) -> String {
    let [port, controller, inner] = ports;
    let mut text = format!(
        "process.roles=broker,controller\nnode.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{outer}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=PLAINTEXT\ncontroller.listener.names=CONTROLLER\n\
         log.dirs={}\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=5\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=5\ngroup.initial.rebalance.delay.ms=0\n\
         broker.heartbeat.interval.ms=500\nbroker.session.timeout.ms=3000\n",
        folder.join("data").display()
    );
    for (name, value) in &options.settings {
        text += &format!("{name}={value}\n");
    }
    text
}

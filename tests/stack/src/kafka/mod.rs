//! Apache Kafka, one broker that is its own controller (KRaft), and more that join it, from Maven's repositories.

pub(crate) mod jars;
mod secured;
mod tools;

use std::{fs, net::Ipv4Addr, ops::Deref, path::Path, process::Command, sync::Arc, time::Duration};

use crate::{
    Kcat, Proxy, Result, Server, Stack,
    account::Account,
    error::While,
    jvm::Heap,
    port::Port,
    run::run,
    server::{Plan, Ready},
    url::Address,
    wait_until,
};

const VARIABLE: &str = "TIDEWATER_KAFKA_BOOTSTRAP";
pub use secured::{SASL_PASSWORD, SASL_USER, Secured};
pub use tools::KafkaTools;

/// How a Kafka broker is started.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    settings: Vec<(String, String)>,
    heap: Heap,
    proxied: bool,
    outside: Option<Ipv4Addr>,
    secured: bool,
    joined: Option<Joined>,
}

/// A broker that is not the first of its cluster.
#[derive(Clone, Copy, Debug)]
struct Joined {
    id: u32,
    /// The port of the first one's controller.
    controller: u16,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            heap: Heap {
                mb: 512,
                full_speed: false,
            },
            proxied: false,
            outside: None,
            secured: false,
            joined: None,
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

    /// With a listener more, for the hosts of a [`crate::Network`]: see [`Kafka::outside`].
    pub fn outside(mut self, address: Ipv4Addr) -> Self {
        self.outside = Some(address);
        self
    }

    /// With listeners more, that have TLS and logins: see [`Kafka::secured`].
    pub fn secured(mut self) -> Self {
        self.secured = true;
        self
    }

    /// Another broker of the cluster of `first`, with a number of its own that is greater than 1.
    pub fn joins(mut self, first: &Kafka, id: u32) -> Self {
        self.joined = Some(Joined {
            id,
            controller: first.controller,
        });
        self
    }

    /// For measurements: 1 GB of heap and the JVM's own choice of compiler and collector. It starts slower.
    pub fn full_speed(mut self) -> Self {
        self.heap = Heap {
            mb: 1024,
            full_speed: true,
        };
        self
    }
}

/// A Kafka broker; topics are created on first use. See [`Server`] for starting and stopping it.
#[derive(Clone)]
pub struct Kafka {
    server: Arc<Server>,
    bootstrap: String,
    /// The port of its controller; 0 of one that is named.
    controller: u16,
    kcat: Kcat,
    proxy: Option<Arc<Proxy>>,
    outside: Option<String>,
    secured: Option<Secured>,
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
            controller: 0,
            proxy: None,
            outside: None,
            secured: None,
        }))
    }

    pub(crate) fn start(stack: &Stack, options: KafkaOptions) -> Result<Self> {
        let name = stack.name("kafka");
        let ports = [
            Port::claim()?,
            Port::claim()?,
            Port::claim()?,
            Port::claim()?,
        ];
        let more = match options.secured {
            true => vec![Port::claim()?, Port::claim()?, Port::claim()?],
            false => Vec::new(),
        };
        let secured = match more.as_slice() {
            [sasl, mutual, open] => Some(Secured::at([sasl, mutual, open])),
            _ => None,
        };
        let [port, controller, inner, outside] = ports.each_ref().map(Port::number);
        let outside = options.outside.map(|ip| format!("{ip}:{outside}"));
        let proxy = match options.proxied {
            true => Some(Arc::new(Proxy::to(&format!("127.0.0.1:{inner}"))?)),
            false => None,
        };
        let folder = stack.home().create(&name)?;
        let outer = proxy.as_ref().map_or(inner, |proxy| proxy.port());
        let text = properties(&folder, ports.each_ref().map(Port::number), outer, &options);
        let mut text = match &outside {
            Some(address) => with_listener(&text, ("OUTSIDE", "PLAINTEXT", address)),
            None => text,
        };
        if let Some(secured) = &secured {
            let listeners = secured.listeners().into_iter();
            text = listeners.fold(text, |text, one| with_listener(&text, one));
            text += &secured::properties(&folder)?;
        }
        fs::write(folder.join("server.properties"), text)?;
        let bootstrap = format!("127.0.0.1:{port}");
        let kcat = Kcat::at(&bootstrap)?;
        let plan = plan(&folder, &options, ready(kcat.clone(), id_of(&options)))?;
        let server = stack.run(name, ports.into_iter().chain(more).collect(), plan)?;
        let this = Self {
            server,
            bootstrap,
            controller,
            kcat,
            proxy,
            outside,
            secured,
        };
        for hash in secured::HASHES.iter().filter(|_| this.secured.is_some()) {
            let words = secured::user(hash);
            this.tool(
                "kafka.admin.ConfigCommand",
                &words.each_ref().map(String::as_str),
            )?;
        }
        Ok(this)
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

    /// The address for the hosts of the network that [`KafkaOptions::outside`] named.
    pub fn outside(&self) -> Option<&str> {
        self.outside.as_deref()
    }

    /// The addresses with TLS and logins of a broker started with [`KafkaOptions::secured`].
    pub fn secured(&self) -> Option<&Secured> {
        self.secured.as_ref()
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
        KafkaTools::at(&self.bootstrap).run(class, words)
    }
}

impl Deref for Kafka {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn plan(folder: &Path, options: &KafkaOptions, ready: Ready) -> Result<Plan> {
    let libraries = jars::libraries()?;
    run(Account::of_servers()
        .command(Path::new("cp"))
        .arg("-r")
        .arg(libraries.with_file_name(jars::DATA))
        .arg(folder))?;
    if let Some(joined) = options.joined {
        let file = folder.join(jars::DATA).join("meta.properties");
        fs::write(&file, as_another(&fs::read_to_string(&file)?, joined.id))?;
    }
    jars::jvm(options.heap, folder, "kafka.Kafka", "server.properties")?.plan(ready)
}

fn id_of(options: &KafkaOptions) -> u32 {
    options.joined.map_or(1, |joined| joined.id)
}

/// The mark of a log folder, as one of another broker; the number of the folder itself is chosen by the broker.
fn as_another(mark: &str, id: u32) -> String {
    let of_both = |line: &&str| !line.starts_with("node.id=") && !line.starts_with("directory.id=");
    let lines: Vec<&str> = mark.lines().filter(of_both).collect();
    format!("{}\nnode.id={id}\n", lines.join("\n"))
}

fn ready(kcat: Kcat, id: u32) -> Ready {
    let broker = format!("broker {id} at");
    Box::new(move || {
        let listed = kcat.run(&["-L", "-m", "1"]);
        Ok(listed.is_ok_and(|text| text.contains(&broker)))
    })
}

/// A listener more.
fn with_listener(properties: &str, (name, protocol, address): secured::Listener<'_>) -> String {
    properties
        .replace(
            ",CONTROLLER://",
            &format!(",{name}://{address},CONTROLLER://"),
        )
        .replace(
            "advertised.listeners=",
            &format!("advertised.listeners={name}://{address},"),
        )
        .replace("protocol.map=", &format!("protocol.map={name}:{protocol},"))
}

/// `ports`: for clients, for the controller, behind the proxy; `outer` is the proxy's.
fn properties(folder: &Path, ports: [u16; 4], outer: u16, options: &KafkaOptions) -> String {
    let [port, controller, inner, _] = ports;
    let id = id_of(options);
    let (roles, voter, listener) = match options.joined {
        Some(joined) => ("broker", joined.controller, String::new()),
        None => {
            let listener = format!(",CONTROLLER://127.0.0.1:{controller}");
            ("broker,controller", controller, listener)
        }
    };
    let mut text = format!(
        "process.roles={roles}\nnode.id={id}\n\
         controller.quorum.voters=1@127.0.0.1:{voter}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner}{listener}\n\
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

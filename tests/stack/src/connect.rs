//! Apache Kafka Connect with Debezium: the peer that results are compared with.

use std::{fs, ops::Deref, path::PathBuf, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    Error, Result, Server, Stack, cache,
    http::{Answer, http},
    install::maven::{self, Artifact},
    jvm::Heap,
    kafka::jars,
    port::Port,
    program::answers,
    wait_until,
};

const DEBEZIUM: &str = "3.6.1.Final";
/// The newest that Maven Central has of the connector for MariaDB.
const DEBEZIUM_MARIADB: &str = "3.5.0.Final";
/// The newest that Maven Central has of the transforms with expressions, and what their language needs.
const DEBEZIUM_SCRIPTING: &str = "3.5.0.Final";
const GROOVY: &str = "4.0.33";
const GROOVY_SCRIPTING: &str = "4.0.32";
const MAIN: &str = "org.apache.kafka.connect.cli.ConnectDistributed";
const RUNNING_LIMIT: Duration = Duration::from_secs(60);

/// How a Kafka Connect worker is started.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    settings: Vec<(String, String)>,
    heap: Heap,
    is_plain: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            heap: Heap {
                mb: 768,
                full_speed: false,
            },
            is_plain: false,
        }
    }
}

impl ConnectOptions {
    /// Without Debezium: the plugins that Kafka itself has.
    pub fn plain() -> Self {
        Self {
            is_plain: true,
            ..Self::default()
        }
    }

    /// One more worker property: `set("exactly.once.source.support", "enabled")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// For measurements: 2 GB of heap and the JVM's own choice of compiler and collector. It starts slower.
    pub fn full_speed(mut self) -> Self {
        self.heap = Heap {
            mb: 2048,
            full_speed: true,
        };
        self
    }
}

/// A Kafka Connect worker in distributed mode with Debezium's connectors for PostgreSQL, MySQL and MariaDB. JSON
/// converters.
/// See [`Server`] for starting and stopping it, and for its CPU time and memory.
#[derive(Clone)]
pub struct Connect {
    server: Arc<Server>,
}

impl Connect {
    /// Whether Debezium's jars are in the cache, so that starting it downloads nothing of it.
    pub fn is_installed() -> bool {
        cache::is_installed(&folder_name())
    }

    pub(crate) fn start(stack: &Stack, bootstrap: &str, options: ConnectOptions) -> Result<Self> {
        let name = stack.name("connect");
        let port = Port::claim()?;
        let folder = stack.home().create(&name)?;
        let plugins = match options.is_plain {
            true => folder.join("none"),
            false => debezium()?,
        };
        let mut text = format!(
            "bootstrap.servers={bootstrap}\ngroup.id={name}\nlisteners=http://127.0.0.1:{}\nplugin.path={}\n\
             plugin.discovery={}\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n",
            port.number(),
            plugins.display(),
            // Kafka's own name themselves; of Debezium's not all do.
            if options.is_plain {
                "hybrid_warn"
            } else {
                "only_scan"
            }
        );
        for kind in ["config", "offset", "status"] {
            text += &format!(
                "{kind}.storage.topic={name}-{kind}s\n{kind}.storage.replication.factor=1\n"
            );
        }
        for (name, value) in &options.settings {
            text += &format!("{name}={value}\n");
        }
        fs::write(folder.join("connect.properties"), text)?;
        let jvm = jars::jvm(options.heap, &folder, MAIN, "connect.properties")?;
        let plan = jvm.plan(answers(port.number(), "/connectors".into()))?;
        Ok(Self {
            server: stack.run(name, vec![port], plan)?,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// One request to its REST API: `request("GET", "/connectors", "")`.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        http(method, &format!("127.0.0.1:{}", self.port()), path, body)
    }

    /// Creates a connector, or changes its config, and waits until it and all its tasks run. A failed task is an
    /// error with its trace.
    pub fn run_connector(&self, name: &str, config: &Value) -> Result<()> {
        let path = format!("/connectors/{name}/config");
        let answer = self.request("PUT", &path, &config.to_string())?;
        if answer.status >= 300 {
            return Err(Error::new(format!(
                "{name}: {} {}",
                answer.status, answer.body
            )));
        }
        let running = format!("connector {name} to run");
        wait_until(&running, RUNNING_LIMIT, || self.runs(name))
    }

    fn runs(&self, name: &str) -> Result<bool> {
        let status = self.request("GET", &format!("/connectors/{name}/status"), "")?;
        let status: Value = serde_json::from_str(&status.body).unwrap_or_default();
        let tasks = status["tasks"].as_array().cloned().unwrap_or_default();
        let all: Vec<&Value> = tasks.iter().chain([&status["connector"]]).collect();
        match all.iter().find(|each| each["state"] == "FAILED") {
            Some(failed) => Err(Error::new(format!("{name} failed: {}", failed["trace"]))),
            None => Ok(!tasks.is_empty() && all.iter().all(|each| each["state"] == "RUNNING")),
        }
    }
}

impl Deref for Connect {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The folder whose subfolders hold Debezium's jars.
fn debezium() -> Result<PathBuf> {
    cache::install(&folder_name(), |folder, _| {
        let artifact = |name, version| Artifact("io.debezium", name, version);
        let plugins = [
            (
                folder.join("jars"),
                vec![
                    artifact("debezium-connector-postgres", DEBEZIUM),
                    artifact("debezium-connector-mysql", DEBEZIUM),
                    artifact("debezium-scripting", DEBEZIUM_SCRIPTING),
                    Artifact("org.apache.groovy", "groovy", GROOVY),
                    Artifact("org.apache.groovy", "groovy-jsr223", GROOVY_SCRIPTING),
                ],
            ),
            (
                folder.join("mariadb"),
                vec![artifact("debezium-connector-mariadb", DEBEZIUM_MARIADB)],
            ),
        ];
        let parents = [artifact("debezium-scripting-parent", DEBEZIUM_SCRIPTING)];
        maven::copy_all(&plugins, &parents, &folder.join("jars"))
    })
}

fn folder_name() -> String {
    format!("debezium-{DEBEZIUM}-mariadb-{DEBEZIUM_MARIADB}-scripting-{DEBEZIUM_SCRIPTING}")
}

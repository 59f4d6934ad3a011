//! What OpenSearch and Elasticsearch have in common.

use std::{ops::Deref, path::Path, sync::Arc};

use crate::{
    Result, Server, Stack,
    http::{Answer, http},
    jvm::Heap,
    program::answers,
    server::Ready,
    url::Address,
};

const VARIABLE: &str = "TIDEWATER_SEARCH_URL";

/// How a search server is started.
#[derive(Clone, Debug)]
pub struct SearchOptions {
    settings: Vec<(String, String)>,
    pub(crate) heap: Heap,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            heap: Heap {
                mb: 512,
                full_speed: false,
            },
        }
    }
}

impl SearchOptions {
    /// A setting of the node: `set("indexing_pressure.memory.limit", "10kb")` makes it answer 429.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// For much work: 1 GB of heap and the JVM's own choice of compiler and collector. It starts slower. OpenSearch only.
    pub fn full_speed(mut self) -> Self {
        self.heap = Heap {
            mb: 1024,
            full_speed: true,
        };
        self
    }

    pub(crate) fn arguments(&self) -> impl Iterator<Item = String> {
        self.settings
            .iter()
            .map(|(name, value)| format!("-E{name}={value}"))
    }
}

/// An OpenSearch or Elasticsearch server; see [`Server`] for starting and stopping it.
#[derive(Clone)]
pub struct Search {
    pub(crate) server: Arc<Server>,
    pub(crate) host: String,
}

impl Search {
    /// The server that the environment names.
    pub(crate) fn named(stack: &Stack) -> Result<Option<Self>> {
        let Some(address) = Address::of(VARIABLE, 9200)? else {
            return Ok(None);
        };
        let server = stack.adopt(stack.name("search"), address.port, VARIABLE);
        Ok(Some(Self {
            server,
            host: address.host,
        }))
    }

    /// `http://127.0.0.1:PORT`, without security.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port())
    }

    /// One request to its REST API: `request("GET", "/orders/_count", "")`.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        http(
            method,
            &format!("{}:{}", self.host, self.port()),
            path,
            body,
        )
    }
}

impl Deref for Search {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// True once the cluster has its shards.
pub(crate) fn ready(port: u16) -> Ready {
    answers(
        port,
        "/_cluster/health?wait_for_status=yellow&timeout=1s".into(),
    )
}

/// Logging to standard output.
pub(crate) fn log4j(exception: &str) -> String {
    format!(
        "status = error\nappender.console.type = Console\nappender.console.name = console\n\
         appender.console.layout.type = PatternLayout\n\
         appender.console.layout.pattern = [%d{{ISO8601}}][%-5p][%-25c{{1.}}] %m%n{exception}\n\
         rootLogger.level = info\nrootLogger.appenderRef.console.ref = console\n"
    )
}

/// What both servers' configuration files share.
pub(crate) fn node(name: &str, folder: &Path, [port, transport]: [u16; 2]) -> String {
    let folder = folder.display();
    format!(
        "cluster.name: {name}\nnode.name: {name}\ndiscovery.type: single-node\nnetwork.host: 127.0.0.1\n\
         http.port: {port}\ntransport.port: {transport}\npath.data: {folder}/data\npath.logs: {folder}/logs\n\
         cluster.routing.allocation.disk.threshold_enabled: false\n"
    )
}

//! OpenSearch 3.8, put together from its published jars and started by its own main class.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    Result, Server, Stack,
    account::Account,
    cache,
    http::{Answer, http},
    install::{
        java,
        maven::{self, Artifact},
    },
    port::Port,
    program::answers,
    server::{Plan, Ready},
    url::Address,
};

const VARIABLE: &str = "TIDEWATER_SEARCH_URL";
const VERSION: &str = "3.8.0";
const LOG4J: Artifact = Artifact("org.apache.logging.log4j", "log4j-core", "2.25.4");
/// Name of the module, artifact, plugin class, the module whose classes it extends.
const MODULES: [[&str; 4]; 7] = [
    [
        "transport-netty4",
        "transport-netty4-client",
        "transport.Netty4ModulePlugin",
        "",
    ],
    [
        "lang-painless",
        "lang-painless",
        "painless.PainlessModulePlugin",
        "",
    ],
    [
        "analysis-common",
        "analysis-common",
        "analysis.common.CommonAnalysisModulePlugin",
        "lang-painless",
    ],
    [
        "ingest-common",
        "ingest-common",
        "ingest.common.IngestCommonModulePlugin",
        "lang-painless",
    ],
    [
        "mapper-extras",
        "mapper-extras-client",
        "index.mapper.MapperExtrasModulePlugin",
        "",
    ],
    [
        "parent-join",
        "parent-join-client",
        "join.ParentJoinModulePlugin",
        "",
    ],
    [
        "reindex",
        "reindex-client",
        "index.reindex.ReindexModulePlugin",
        "",
    ],
];

/// How a search server is started.
#[derive(Clone, Debug, Default)]
pub struct SearchOptions {
    settings: Vec<(String, String)>,
}

impl SearchOptions {
    /// A setting of the node: `set("indexing_pressure.memory.limit", "10kb")` makes it answer 429.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
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

    /// OpenSearch.
    pub(crate) fn opensearch(stack: &Stack, options: SearchOptions) -> Result<Self> {
        let home = install()?;
        let name = stack.name("opensearch");
        let (port, transport) = (Port::claim()?, Port::claim()?);
        let folder = stack.home().create(&name)?;
        configure(&folder, &name, [port.number(), transport.number()])?;
        let plan = plan(&home, &folder, port.number(), &options)?;
        Ok(Self {
            server: stack.run(name, vec![port, transport], plan)?,
            host: "127.0.0.1".into(),
        })
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

fn configure(folder: &Path, name: &str, ports: [u16; 2]) -> Result<()> {
    let config = folder.join("config");
    for each in ["config", "data", "logs", "tmp"] {
        cache::create(&folder.join(each))?;
        Account::of_servers().own(&folder.join(each))?;
    }
    fs::write(config.join("log4j2.properties"), log4j(""))?;
    fs::write(config.join("opensearch.yml"), node(name, folder, ports))?;
    Ok(())
}

fn plan(home: &Path, folder: &Path, port: u16, options: &SearchOptions) -> Result<Plan> {
    let mut arguments: Vec<String> = crate::kafka::JVM.map(str::to_owned).into();
    arguments.extend([
        "-Xms512m".into(),
        "-Xmx512m".into(),
        "-XX:+ExitOnOutOfMemoryError".into(),
    ]);
    arguments.extend([
        format!("-Djava.io.tmpdir={}", folder.join("tmp").display()),
        format!("-Dopensearch.path.home={}", home.display()),
        format!("-Dopensearch.path.conf={}", folder.join("config").display()),
        "-Dopensearch.distribution.type=tar".into(),
        "-Dopensearch.bundled_jdk=false".into(),
        "-cp".into(),
        "lib/*".into(),
        "org.opensearch.bootstrap.OpenSearch".into(),
    ]);
    arguments.extend(options.arguments());
    Ok(Plan {
        account: Account::of_servers(),
        program: java::home(21)?.join("bin/java"),
        arguments: arguments.into_iter().map(Into::into).collect(),
        environment: vec![],
        folder: Some(home.to_path_buf()),
        stop: Signal::TERM,
        stale: &[],
        ready: ready(port),
        ready_limit: Duration::from_secs(180),
    })
}

fn install() -> Result<PathBuf> {
    cache::install(&format!("opensearch-{VERSION}"), |folder, _| {
        let core = [
            "opensearch",
            "opensearch-plugin-classloader",
            "opensearch-agent-bootstrap",
        ];
        let mut lib: Vec<_> = core
            .map(|name| Artifact("org.opensearch", name, VERSION))
            .into();
        lib.push(LOG4J);
        let mut folders = vec![(folder.join("lib"), lib)];
        for [name, artifact, ..] in MODULES {
            let artifact = Artifact("org.opensearch.plugin", artifact, VERSION);
            folders.push((folder.join("modules").join(name), vec![artifact]));
        }
        maven::copy_all(&folders, folder)?;
        // It creates what is missing, and may not.
        for name in ["bin", "config", "plugins"] {
            cache::create(&folder.join(name))?;
        }
        MODULES
            .into_iter()
            .try_for_each(|module| finish_module(folder, module))
    })
}

/// Writes the module's descriptor and drops the jars that the server has itself, which it calls jar hell.
fn finish_module(folder: &Path, [name, _, class, extends]: [&str; 4]) -> Result<()> {
    let module = folder.join("modules").join(name);
    for entry in fs::read_dir(&module)? {
        let path = entry?.path();
        let jar = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let foreign = ["-osx-", "-windows-"]
            .iter()
            .any(|system| jar.contains(system));
        if foreign || folder.join("lib").join(&jar).exists() {
            fs::remove_file(&path)?;
        }
    }
    let descriptor = format!(
        "name={name}\ndescription={name}\nversion={VERSION}\nopensearch.version={VERSION}\njava.version=21\n\
         classname=org.opensearch.{class}\nextended.plugins={extends}\nhas.native.controller=false\n"
    );
    fs::write(module.join("plugin-descriptor.properties"), descriptor)?;
    Ok(())
}

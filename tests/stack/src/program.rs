//! A program of ours, run like the servers: with a log, killed and started again, gone when the test is.

use std::{env, ffi::OsString, path::PathBuf};

use crate::{
    Error, Result,
    account::Account,
    http::http,
    network::{Host, IP},
    port::Port,
    server::{Plan, Ready},
};

/// What to run; [`crate::Stack::program`] runs it.
pub struct Program {
    name: &'static str,
    ports: Vec<Port>,
    plan: Plan,
}

impl Program {
    /// The program at `path`, without arguments. It counts as started at once, unless a `ready_…` method says more.
    pub fn new(name: &'static str, path: PathBuf) -> Self {
        let mut plan = Plan::new(path, Box::new(|| Ok(true)));
        plan.account = Account::Own;
        Self {
            name,
            ports: vec![],
            plan,
        }
    }

    /// A free port for it, which stays its own when it is down. The first is [`crate::Server::port`].
    pub fn claim_port(&mut self) -> Result<u16> {
        let port = Port::claim()?;
        let number = port.number();
        self.ports.push(port);
        Ok(number)
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.plan.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.plan
            .arguments
            .extend(arguments.into_iter().map(Into::into));
        self
    }

    /// One more environment variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.plan.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Its working folder; else an empty one of its own.
    pub fn folder(mut self, folder: PathBuf) -> Self {
        self.plan.folder = Some(folder);
        self
    }

    /// It is ready when the condition holds.
    pub fn ready_when(
        mut self,
        condition: impl Fn() -> Result<bool> + Send + Sync + 'static,
    ) -> Self {
        self.plan.ready = Box::new(condition);
        self
    }

    /// It is ready when `GET path` on this port of 127.0.0.1 answers 200.
    pub fn ready_http(self, port: u16, path: &str) -> Self {
        self.ready_http_at(&format!("127.0.0.1:{port}"), path)
    }

    /// The same at an address: `10.1.2.3:8083`.
    pub fn ready_http_at(mut self, address: &str, path: &str) -> Self {
        self.plan.ready = answers_at(address.to_owned(), path.to_owned());
        self
    }

    /// It runs on a host of a network.
    pub fn on(mut self, host: &Host) -> Self {
        let program = std::mem::replace(&mut self.plan.program, PathBuf::from(IP));
        let words = host.entry().into_iter().map(OsString::from);
        let arguments = words.chain([program.into_os_string()]);
        self.plan.arguments.splice(0..0, arguments);
        self
    }

    pub(crate) fn into_parts(self) -> (&'static str, Vec<Port>, Plan) {
        (self.name, self.ports, self.plan)
    }
}

/// True once `GET path` answers 200.
pub(crate) fn answers(port: u16, path: String) -> Ready {
    answers_at(format!("127.0.0.1:{port}"), path)
}

fn answers_at(address: String, path: String) -> Ready {
    Box::new(move || {
        let answer = http("GET", &address, &path, "");
        Ok(answer.is_ok_and(|answer| answer.status == 200))
    })
}

/// The workspace's program `name`, built with the same profile as the running test.
pub fn binary(name: &str) -> Result<PathBuf> {
    // target/PROFILE/deps/TEST, or target/PROFILE/PROGRAM
    let me = env::current_exe()?;
    let found = me
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| Error::new(format!("{name} is not built: cargo build -p {name}")))
}

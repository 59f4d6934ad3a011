//! One server: a child process on ports and data that stay the same when it is stopped, killed and started again.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    Error, Process, Result, account::Account, error::While, home::Home, port::Port, run::tail,
    spawn::spawn, wait_until,
};

/// For a JVM on a busy machine; a server that ends while it starts is noticed at once.
const READY_LIMIT: Duration = Duration::from_secs(240);
const STOP_LIMIT: Duration = Duration::from_secs(60);
const KILL_LIMIT: Duration = Duration::from_secs(20);

/// What to run, and how to tell that it answers.
pub(crate) struct Plan {
    pub program: PathBuf,
    pub account: Account,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(String, OsString)>,
    /// The working folder; the server's own when `None`.
    pub folder: Option<PathBuf>,
    /// The signal for an orderly end.
    pub stop: Signal,
    /// Files in the server's folder that a killed server leaves and a new one stumbles over.
    pub stale: &'static [&'static str],
    pub ready: Ready,
}

impl Plan {
    /// A server of the servers' account that ends in order on SIGTERM.
    pub(crate) fn new(program: PathBuf, ready: Ready) -> Self {
        Self {
            program,
            account: Account::of_servers(),
            arguments: vec![],
            environment: vec![],
            folder: None,
            stop: Signal::TERM,
            stale: &[],
            ready,
        }
    }
}

/// True once the server answers; an error is final.
pub(crate) type Ready = Box<dyn Fn() -> Result<bool> + Send + Sync>;

/// A server that this crate started, or one that an environment variable named.
///
/// All methods may be called from several threads. A server ends when its last handle and its [`crate::Stack`] are
/// dropped, and with this process, however that ends.
pub struct Server {
    name: String,
    ports: Vec<Port>,
    log: PathBuf,
    folder: PathBuf,
    home: Arc<Home>,
    origin: Origin,
}

enum Origin {
    Ours {
        plan: Plan,
        running: Mutex<Option<Running>>,
    },
    Named {
        variable: &'static str,
    },
}

struct Running {
    process: Process,
    child: Child,
}

impl Server {
    /// Prepares a server; [`Server::start`] starts it.
    pub(crate) fn new(name: String, ports: Vec<Port>, home: Arc<Home>, plan: Plan) -> Self {
        let (log, folder) = (home.log(&name), home.folder(&name));
        Self {
            name,
            ports,
            log,
            folder,
            home,
            origin: Origin::Ours {
                plan,
                running: Mutex::new(None),
            },
        }
    }

    /// A server that somebody else runs, named by an environment variable.
    pub(crate) fn named(name: String, port: u16, home: Arc<Home>, variable: &'static str) -> Self {
        let (log, folder) = (home.log(&name), home.folder(&name));
        Self {
            name,
            ports: vec![Port::foreign(port)],
            log,
            folder,
            home,
            origin: Origin::Named { variable },
        }
    }

    /// The name in messages, unique in its stack: `postgres15`, `postgres15-2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port of its main protocol. Ours listen on 127.0.0.1 only.
    pub fn port(&self) -> u16 {
        self.port_at(0)
    }

    pub(crate) fn port_at(&self, index: usize) -> u16 {
        self.ports[index].number()
    }

    /// What the server printed, over all its starts. Kept for some days after the test.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last lines of the log.
    pub fn log_tail(&self) -> String {
        tail(&String::from_utf8_lossy(
            &fs::read(&self.log).unwrap_or_default(),
        ))
    }

    /// The folder of its data and configuration.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The running process; `None` when it is down, or not ours.
    pub fn process(&self) -> Option<Process> {
        let Origin::Ours { running, .. } = &self.origin else {
            return None;
        };
        locked(running)
            .as_ref()
            .map(|running| running.process)
            .filter(Process::is_alive)
    }

    /// The number of the running process; `None` when it is down, or not ours.
    pub fn pid(&self) -> Option<u32> {
        self.process().map(|process| process.pid())
    }

    /// CPU time used since its start, in seconds, with the processes it started. An error when it is down.
    pub fn cpu_seconds(&self) -> Result<f64> {
        self.sum(Process::cpu_seconds)
    }

    /// Resident memory in MiB, with the processes it started (shared pages count in each). An error when it is down.
    pub fn rss_mb(&self) -> Result<f64> {
        self.sum(Process::rss_mb)
    }

    /// Starts it on the same ports and data and waits until it answers. Nothing happens when it runs.
    pub fn start(&self) -> Result<()> {
        let (plan, running) = self.ours()?;
        let mut running = locked(running);
        if running
            .as_ref()
            .is_some_and(|running| running.process.is_alive())
        {
            return Ok(());
        }
        reap(running.take());
        for name in plan.stale {
            let _ = fs::remove_file(self.folder.join(name));
        }
        let child = spawn(self.command(plan)?)?;
        let process = Process::find(child.id())
            .ok_or_else(|| Error::new(format!("{} ended at once", self.name)))?;
        *running = Some(Running { process, child });
        drop(running);
        self.wait_ready(plan, process)
    }

    /// Ends it in its own orderly way and waits for that; kills it after 60 s. Data stays.
    pub fn stop(&self) -> Result<()> {
        let (plan, running) = self.ours()?;
        let mut running = locked(running);
        if let Some(running) = running.as_ref() {
            running.process.signal(plan.stop);
            if !running.process.wait_gone(STOP_LIMIT) {
                kill_tree(running.process);
            }
        }
        reap(running.take());
        Ok(())
    }

    /// SIGKILL for it and all processes it started, as when a machine's memory killer or a container's end takes it;
    /// returns when they are gone. Data stays.
    pub fn kill9(&self) -> Result<()> {
        let (_, running) = self.ours()?;
        let mut running = locked(running);
        if let Some(running) = running.as_ref() {
            kill_tree(running.process);
        }
        reap(running.take());
        Ok(())
    }

    /// [`Server::stop`] and [`Server::start`].
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.start()
    }

    /// Freezes it (SIGSTOP): connections stay open, nothing answers. [`Server::resume`] undoes it.
    pub fn pause(&self) -> Result<()> {
        self.signal_tree(Signal::STOP)
    }

    /// Lets a paused server go on.
    pub fn resume(&self) -> Result<()> {
        self.signal_tree(Signal::CONT)
    }

    fn signal_tree(&self, signal: Signal) -> Result<()> {
        let process = self.live()?;
        process.signal(signal);
        process
            .descendants()
            .iter()
            .for_each(|child| child.signal(signal));
        Ok(())
    }

    fn sum(&self, figure: fn(&Process) -> Option<f64>) -> Result<f64> {
        let process = self.live()?;
        let children = process.descendants();
        Ok(children.iter().chain([&process]).filter_map(figure).sum())
    }

    fn live(&self) -> Result<Process> {
        self.ours()?;
        self.process()
            .ok_or_else(|| Error::new(format!("{} is down", self.name)))
    }

    fn ours(&self) -> Result<(&Plan, &Mutex<Option<Running>>)> {
        match &self.origin {
            Origin::Ours { plan, running } => Ok((plan, running)),
            Origin::Named { variable } => Err(Error::new(format!(
                "{} was named by {variable} and is not started here: unset {variable} for tests that stop servers",
                self.name
            ))),
        }
    }

    fn command(&self, plan: &Plan) -> Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.while_(|| format!("cannot write {}", self.log.display()))?;
        let mut words: Vec<OsString> = vec!["setsid".into()];
        words.extend(plan.account.prefix().iter().map(Into::into));
        if !self.home.outlives_us() {
            // After the change of account, which would undo it.
            words.extend(["setpriv", "--pdeathsig", "KILL", "--"].map(Into::into));
        }
        words.push(plan.program.clone().into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(&plan.arguments)
            .envs(plan.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(plan.folder.as_ref().unwrap_or(&self.folder))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }

    fn wait_ready(&self, plan: &Plan, process: Process) -> Result<()> {
        let ready = wait_until(&format!("{} to answer", self.name), READY_LIMIT, || {
            if !process.is_alive() {
                return Err(Error::new(format!("{} ended while it started", self.name)));
            }
            (plan.ready)()
        });
        ready.map_err(|error| {
            let path = self.log.display();
            Error::new(format!(
                "{error}\n--- the end of {path}\n{}",
                self.log_tail()
            ))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("stack: the log of {} is {}", self.name, self.log.display());
        }
        if let Origin::Ours { running, .. } = &self.origin
            && !self.home.outlives_us()
        {
            let running = locked(running).take();
            if let Some(running) = &running {
                kill_tree(running.process);
            }
            reap(running);
        }
    }
}

/// A poisoned lock holds a server as good as any: a test that panicked is no reason to leave it running.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill_tree(process: Process) {
    let children = process.descendants();
    process.signal(Signal::KILL);
    children.iter().for_each(|child| child.signal(Signal::KILL));
    for each in children.iter().chain([&process]) {
        each.wait_gone(KILL_LIMIT);
    }
}

/// Collects a process that has ended, so that no zombie stays.
fn reap(running: Option<Running>) {
    if let Some(mut running) = running {
        let _ = running.child.wait();
    }
}

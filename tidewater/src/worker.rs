//! `tidewater worker`: the log, the runtime, the REST server; stopped in the opposite order.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use api::{Api, Loggers, Opening, RestConfig};
use connect_core::Properties;
use connect_log::{
    Log,
    embedded::{EmbeddedLog, EmbeddedOptions},
    front,
    kafka::KafkaLog,
};
use connect_runtime::{Herder, Levels, Witness, WorkerConfig};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{Failure, cli::Worker, logging::Logging, properties, reload, startup, traces::Tracing};

/// How long clients get to take the answers that are under way.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs until SIGTERM or Ctrl-C, then stops gracefully.
pub(crate) async fn run(options: Worker, logging: Logging) -> Result<(), Failure> {
    // From here on SIGHUP ends nothing.
    let hangups = signal(SignalKind::hangup())?;
    let Logging { loggers, logs } = logging;
    let given = given(&options)?;
    let config = WorkerConfig::read(&given)?;
    let rest = RestConfig::read(&given)?;
    let (traces, tracing) = Tracing::start(&given, &config.worker_id())?;
    let witness = Witness { logs, traces };
    let server = api::Server::bind(&rest)
        .await?
        .traced(witness.traces.clone());
    let addresses = server.addresses().join(", ");
    let (stop, stopped) = watch::channel(false);
    let (log, front) = open_log(&config, &options, ended(stopped.clone())).await?;
    let advertised: Arc<str> = api::advertised_url(&rest).into();
    let opening = Opening::default();
    let mut server = tokio::spawn(server.serve(opening.clone(), ended(stopped)));
    let started = tokio::select! {
        started = startup::start(config, log, &opening, &witness) => Some(started?),
        signalled = signalled() => signalled.map(|()| None)?,
    };
    if let Some((herder, worker)) = started {
        let levels = tokio::spawn(follow_levels(herder.clone(), loggers.clone()));
        opening.open(Api {
            herder: herder.clone(),
            loggers,
            url: advertised,
            masks: rest.masked,
        });
        tracing::info!(url = %addresses, "ready");
        tokio::select! {
            signalled = signalled() => signalled?,
            () = reload::follow(hangups, &options, given, &herder) => {}
        }
        tracing::info!("stopping");
        let within = herder.worker_config().shutdown_timeout.0;
        worker.stop(within).await;
        levels.abort();
    }
    stop.send_replace(true);
    match timeout(LAST_ANSWERS, &mut server).await {
        Ok(ended) => ended?,
        Err(_) => tracing::warn!("some clients did not end their requests"),
    }
    if let Some(front) = front {
        front.await??;
    }
    tracing.end();
    tracing::info!("stopped");
    Ok(())
}

/// The properties of the file, and over them those of the command line.
pub(crate) fn given(options: &Worker) -> Result<Properties, Failure> {
    let mut given = match &options.properties {
        Some(path) => properties::parse(
            &std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?,
        ),
        None => Properties::new(),
    };
    for setting in &options.settings {
        let (name, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("--set {setting}: write it as NAME=VALUE"))?;
        given.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(given)
}

/// The log, and the Kafka front that serves it until `stopped`.
async fn open_log(
    config: &WorkerConfig,
    options: &Worker,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(Arc<dyn Log>, Option<FrontTask>), Failure> {
    match (&config.bootstrap_servers, options.kafka_listen) {
        (Some(_), Some(_)) => Err(
            "--kafka-listen serves the embedded log, but bootstrap.servers is set: point the Kafka clients to that cluster, or remove one of the two"
                .into(),
        ),
        (Some(bootstrap), None) => {
            Ok((KafkaLog::connect(&client_settings(config, bootstrap))?, None))
        }
        (None, listen) => {
            let listener = match listen {
                Some(address) => Some(bind_front(address).await?),
                None => None,
            };
            let log = open_embedded(&options.data_dir)?;
            let front = match listener {
                Some(listener) => Some(start_front(listener, &log, options, stopped)?),
                None => None,
            };
            Ok((log, front))
        }
    }
}

type FrontTask = JoinHandle<connect_core::Result<()>>;

async fn bind_front(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address} ({error}); choose another with --kafka-listen").into()
    })
}

fn open_embedded(data_dir: &Path) -> Result<Arc<EmbeddedLog>, Failure> {
    std::fs::create_dir_all(data_dir)
        .map_err(|e| format!("--data-dir {}: {e}", data_dir.display()))?;
    Ok(EmbeddedLog::open(data_dir, &EmbeddedOptions::default())?)
}

fn start_front(
    listener: TcpListener,
    log: &Arc<EmbeddedLog>,
    options: &Worker,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<FrontTask, Failure> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            address = %address,
            "everybody who can connect to --kafka-listen can read every topic"
        );
    }
    tracing::info!(bootstrap = %address, "serving Kafka clients, read-only");
    let (log, advertised) = (Arc::clone(log), options.kafka_advertise.clone());
    Ok(tokio::spawn(front::serve(
        listener, log, advertised, stopped,
    )))
}

/// Properties of the worker that are none of a Kafka client's.
const NOT_THE_CLIENTS: &[&str] = &[
    "producer.",
    "consumer.",
    "admin.",
    "config.",
    "key.converter",
    "value.converter",
    "header.converter",
    "plugin.",
    "listeners.",
    "rest.",
    "offset.",
    "status.",
    "topic.",
    "connector.",
    "response.",
    "access.",
    "task.",
    "scheduled.",
    "inter.worker.",
    "ssl.client.auth",
    "connect.protocol",
    "worker.",
    "internal.",
    "otel.",
    "tracing.",
];

/// What all Kafka clients of the worker have in common.
fn client_settings(config: &WorkerConfig, bootstrap: &str) -> BTreeMap<String, String> {
    let theirs = |name: &str| {
        NOT_THE_CLIENTS
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let rest = config.rest.iter().filter(|(name, _)| !theirs(name));
    let mut settings: BTreeMap<String, String> = rest
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    settings.insert("bootstrap.servers".to_owned(), bootstrap.to_owned());
    settings
}

/// Gives loggers the levels that are set for all workers from now on; those that were set before are for workers of then, as in
/// Kafka Connect.
async fn follow_levels(herder: Herder, loggers: Loggers) {
    let started = SystemTime::now().duration_since(UNIX_EPOCH);
    let started = started.map_or(0, |since| since.as_millis() as i64);
    let mut known = Levels::default();
    loop {
        let levels = herder.levels_after(&known).await;
        for (logger, (level, set_ms)) in &levels {
            let is_new = *set_ms >= started && known.get(logger) != levels.get(logger);
            if is_new && let Err(why) = loggers.set(logger, level) {
                tracing::warn!(logger, level, why, "a logger cannot have this level");
            }
        }
        known = levels;
    }
}

async fn ended(mut stopped: watch::Receiver<bool>) {
    // A gone sender means that the program ends too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Waits for Ctrl-C or SIGTERM.
async fn signalled() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

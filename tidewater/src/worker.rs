//! `tidewater worker`: the log, the runtime, the REST server; stopped in the opposite order.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use api::{Api, Loggers};
use connect_core::Properties;
use connect_log::{
    Log,
    embedded::{EmbeddedLog, EmbeddedOptions},
    kafka::KafkaLog,
};
use connect_runtime::{Runtime, WorkerConfig};
use tokio::{net::TcpListener, sync::watch, time::timeout};

use crate::{Failure, cli::Worker, plugins, properties};

/// How long clients get to take the answers that are under way.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs until SIGTERM or Ctrl-C, then stops gracefully.
pub(crate) async fn run(options: Worker, loggers: Loggers) -> Result<(), Failure> {
    let given = given(&options)?;
    let config = WorkerConfig::read(&given)?;
    let listener = listen(&config).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let log = open_log(&config, &options.data_dir).await?;
    if options.kafka_listen.is_some() {
        tracing::warn!("--kafka-listen is not served by this build");
    }
    let deadline = config.shutdown_timeout.0;
    let advertised: Arc<str> = format!("http://{}", config.worker_id()).into();
    let (herder, worker) = Runtime::start(config, log, plugins::all()).await?;
    let api = Api {
        herder,
        loggers,
        url: advertised,
    };
    let mut server = tokio::spawn(api::serve(listener, api, ended(stopped)));
    tracing::info!(url = %format!("http://{address}"), "ready");
    signalled().await?;
    tracing::info!("stopping");
    worker.stop(deadline).await;
    stop.send_replace(true);
    match timeout(LAST_ANSWERS, &mut server).await {
        Ok(ended) => ended??,
        Err(_) => tracing::warn!("some clients did not end their requests"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// The properties of the file, and over them those of the command line.
fn given(options: &Worker) -> Result<Properties, Failure> {
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

async fn listen(config: &WorkerConfig) -> Result<TcpListener, Failure> {
    let first = config
        .listeners
        .0
        .first()
        .map_or("http://:8083", String::as_str);
    let Some(address) = first.strip_prefix("http://") else {
        return Err(format!("listeners: {first}: only http:// is served").into());
    };
    let address = address.trim_end_matches('/');
    let address = match address.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => address.to_owned(),
    };
    TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address} ({error}); choose another with --set listeners=http://127.0.0.1:8084").into())
}

async fn open_log(config: &WorkerConfig, data_dir: &Path) -> Result<Arc<dyn Log>, Failure> {
    match &config.bootstrap_servers {
        Some(bootstrap) => Ok(KafkaLog::connect(&client_settings(config, bootstrap))?),
        None => {
            std::fs::create_dir_all(data_dir)
                .map_err(|e| format!("--data-dir {}: {e}", data_dir.display()))?;
            Ok(EmbeddedLog::open(data_dir, &EmbeddedOptions::default())?)
        }
    }
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
    "connect.protocol",
    "worker.",
    "internal.",
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

async fn ended(mut stopped: watch::Receiver<bool>) {
    // A gone sender means that the program ends too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Waits for Ctrl-C or SIGTERM.
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

//! The listener: takes connections, as many as there may be, and ends them.

use std::{future::Future, sync::Arc, time::Duration};

use connect_core::Result;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::{budget::Budget, connection, group::Coordinator};
use crate::local::{LocalLog, Store};

/// Connections at a time. A consumer has two or three.
const MAX_CONNECTIONS: usize = 256;
/// Reads of the store at a time: half of the connections that the store has for readers, so that the worker has the others.
const STORE_READS: usize = 2;
/// Memory of all requests that are being answered.
const REQUEST_BYTES: usize = 32 << 20;
/// Memory of all answers that are being made and sent. A fetch takes three times its answer while it is made.
const ANSWER_BYTES: usize = 64 << 20;
/// Large requests that are received at a time.
const LARGE_REQUESTS: usize = 8;
/// How long connections may take to finish what they are sending when the front ends.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How long to wait after the system could not take a connection (out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(crate) struct Front<S: Store> {
    pub(crate) log: Arc<LocalLog<S>>,
    /// The log's id.
    pub(crate) cluster: String,
    pub(crate) advertised: Option<Advertised>,
    /// Memory for requests, and for answers: who waits for the second has the first.
    pub(crate) requests: Budget,
    pub(crate) answers: Budget,
    /// Large requests that are being received.
    pub(crate) large_requests: Semaphore,
    pub(crate) store_reads: Semaphore,
    pub(crate) groups: Coordinator,
}

impl<S: Store> Front<S> {
    pub(crate) fn new(log: Arc<LocalLog<S>>, advertised: Option<Advertised>) -> Self {
        Self {
            cluster: log.engine.shared.cluster_id.clone(),
            log,
            advertised,
            requests: Budget::of(REQUEST_BYTES),
            answers: Budget::of(ANSWER_BYTES),
            large_requests: Semaphore::new(LARGE_REQUESTS),
            store_reads: Semaphore::new(STORE_READS),
            groups: Coordinator::default(),
        }
    }
}

/// The address under which clients find the front, where it is not the one that they connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Serves the topics of a log, read-only, to clients of Kafka, until `stopped`.
///
/// There is no authentication: who can connect can read everything. At most 256 clients are connected at a time; others wait until
/// one leaves.
#[expect(private_bounds, reason = "stores are a matter of this crate")]
pub async fn serve<S: Store>(
    listener: TcpListener,
    log: Arc<LocalLog<S>>,
    advertised: Option<Advertised>,
    stopped: impl Future<Output = ()> + Send,
) -> Result<()> {
    let front = Arc::new(Front::new(log, advertised));
    let (stop, watch_stop) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::select! {
        biased;
        () = stopped => {}
        () = front.groups.expire_for_ever() => {}
        () = accept(&listener, &front, &mut connections, &watch_stop) => {}
    }
    drop(listener);
    stop.send_replace(true);
    let finish = async { while connections.join_next().await.is_some() {} };
    // What does not end in time is dropped with the set.
    let _ = timeout(LAST_ANSWERS, finish).await;
    Ok(())
}

async fn accept<S: Store>(
    listener: &TcpListener,
    front: &Arc<Front<S>>,
    connections: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) {
    // Invariant 4: nothing is unbounded. Who comes beyond waits in the system's queue.
    let mut told = false;
    loop {
        while connections.len() >= MAX_CONNECTIONS {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(
                    connections = MAX_CONNECTIONS,
                    "the Kafka front has as many clients as it takes"
                );
            }
            connections.join_next().await;
        }
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            taken = listener.accept() => match taken {
                Ok((stream, _)) => spawn(stream, front, connections, stop),
                Err(error) => {
                    tracing::warn!(error = %error, "the Kafka front could not take a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn spawn<S: Store>(
    stream: TcpStream,
    front: &Arc<Front<S>>,
    connections: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) {
    let (front, stop) = (Arc::clone(front), stop.clone());
    connections.spawn(async move {
        let peer = stream.peer_addr().ok();
        if let Err(ended) = connection::run(stream, &front, stop).await {
            tracing::debug!(peer = ?peer, reason = %ended, "a Kafka client's connection was ended");
        }
    });
}

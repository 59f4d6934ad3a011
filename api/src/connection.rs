//! Connections: how many, how long they may take, and requests with who sent them.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::{
    listen::{Listener, Serves},
    settings::RestConfig,
    tls,
};

/// How long a client may take for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long is waited when the system has no more sockets.
const BREATHER: Duration = Duration::from_millis(200);

/// Who is at the other end of a request's connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The subject of its certificate, if it has shown one.
    pub(crate) subject: Option<Arc<str>>,
    /// What the listener that it came to serves.
    pub(crate) serves: Serves,
}

/// How connections of all listeners are treated.
pub(crate) struct Connections {
    http: http1::Builder,
    room: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    pub(crate) fn new(config: &RestConfig) -> Self {
        const LEAST_BUFFER: usize = 8192;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(config.head_time.0)
            .max_buf_size((config.head_bytes as usize).max(LEAST_BUFFER));
        Self {
            http,
            room: Arc::new(Semaphore::new((config.connections as usize).max(1))),
            graceful: GracefulShutdown::new(),
        }
    }

    /// Takes connections until `stopped`.
    pub(crate) async fn accept(
        &self,
        listener: Listener,
        router: Router,
        mut stopped: watch::Receiver<bool>,
    ) {
        loop {
            // Invariant 4: more connections than there is room for wait in the system's queue.
            let next = async {
                let permit = Arc::clone(&self.room).acquire_owned().await;
                (permit, listener.socket.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                next = next => next,
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            let (Ok(permit), Ok((stream, address))) = (permit, accepted) else {
                tokio::time::sleep(BREATHER).await;
                continue;
            };
            let connection = Connection {
                http: self.http.clone(),
                router: router.clone(),
                watcher: self.graceful.watcher(),
                serves: listener.serves,
                address,
                _permit: permit,
            };
            let tls = listener.tls.clone().map(TlsAcceptor::from);
            tokio::spawn(connection.run(stream, tls));
        }
    }

    /// Ends when the requests under way are answered.
    pub(crate) async fn finish(self) {
        self.graceful.shutdown().await;
    }
}

struct Connection {
    http: http1::Builder,
    router: Router,
    watcher: Watcher,
    serves: Serves,
    address: SocketAddr,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Answers are small and whole.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = tls else {
            return self.serve(stream, None).await;
        };
        match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates();
                let subject = shown.and_then(|chain| tls::subject(chain.first()?));
                self.serve(stream, subject.map(Arc::from)).await;
            }
            Ok(Err(error)) => {
                tracing::debug!(from = %self.address, %error, "a handshake of TLS failed");
            }
            Err(_) => tracing::debug!(from = %self.address, "a handshake of TLS took too long"),
        }
    }

    async fn serve<S>(self, stream: S, subject: Option<Arc<str>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let peer = Peer {
            address: self.address,
            subject,
            serves: self.serves,
        };
        let router = self.router;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            let answered = router.clone().oneshot(request);
            async move { answered.await.map_err(|never: Infallible| never) }
        });
        let served = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = self.watcher.watch(served).await {
            let error: &dyn std::error::Error = &error;
            let cause = error.source().and_then(|e| e.downcast_ref::<io::Error>());
            tracing::debug!(from = %self.address, %error, ?cause, "a connection broke");
        }
    }
}

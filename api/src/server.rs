//! The routes and the server.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Router, extract::DefaultBodyLimit, middleware};
use connect_core::Result;
use connect_runtime::Traces;
use tokio::{sync::watch, task::JoinSet};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api,
    connection::Connections,
    connectors, dead_letters,
    gate::{self, BodyTime, Gate},
    headers::{self, Headers},
    health,
    listen::{self, Listener},
    loggers, logs, offsets,
    opening::{self, Opening},
    plugins, quirks,
    settings::RestConfig,
    signals, tasks, topics, traced, transfer,
};

#[derive(OpenApi)]
#[openapi(info(
    title = "Tidewater",
    description = "Kafka Connect's REST API, with OpenAPI, Prometheus metrics and health.",
    license(name = "Apache-2.0")
))]
struct Document;

/// The sockets of the API, bound but not yet answering.
pub struct Server {
    listeners: Vec<Listener>,
    connections: Connections,
    gate: Arc<Gate>,
    headers: Arc<Headers>,
    body_bytes: usize,
    body_time: Duration,
    traces: Traces,
}

impl Server {
    /// Binds the listeners, and reads certificates and users. Every error names its property.
    pub async fn bind(config: &RestConfig) -> Result<Self> {
        Ok(Self {
            gate: Arc::new(Gate::new(config)?),
            headers: Arc::new(Headers::new(config)?),
            connections: Connections::new(config),
            body_bytes: config.body_bytes as usize,
            body_time: config.body_time.0,
            traces: Traces::default(),
            listeners: listen::bind(config).await?,
        })
    }

    /// The same, with a span for each request.
    #[must_use]
    pub fn traced(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }

    /// `http://127.0.0.1:8083` and the like.
    pub fn addresses(&self) -> Vec<String> {
        let one = |listener: &Listener| {
            let scheme = if listener.tls.is_some() {
                "https"
            } else {
                "http"
            };
            format!("{scheme}://{}", listener.address)
        };
        self.listeners.iter().map(one).collect()
    }

    /// Answers requests until `stop` ends; then takes no new ones and finishes those under way. Until the [`Opening`] is opened,
    /// every answer is 503.
    pub async fn serve(
        self,
        opening: impl Into<Opening>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let router = Router::new()
            .fallback(opening::pass)
            // Outside of the routes, which themselves say which methods a path has.
            .layer(middleware::from_fn(quirks::around))
            .layer(Extension(BodyTime(self.body_time)))
            .layer(DefaultBodyLimit::max(self.body_bytes))
            .layer(middleware::from_fn_with_state(self.gate, gate::pass))
            .layer(middleware::from_fn_with_state(
                self.headers,
                headers::around,
            ))
            .layer(middleware::from_fn_with_state(self.traces, traced::around))
            .with_state(opening.into());
        let connections = Arc::new(self.connections);
        let (stopping, stopped) = watch::channel(false);
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            let (connections, router) = (Arc::clone(&connections), router.clone());
            let stopped = stopped.clone();
            accepting.spawn(async move { connections.accept(listener, router, stopped).await });
        }
        stop.await;
        stopping.send_replace(true);
        while accepting.join_next().await.is_some() {}
        if let Some(connections) = Arc::into_inner(connections) {
            connections.finish().await;
        }
    }
}

/// All paths.
pub(crate) fn router(api: Api) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = axum::Json(document);
    router
        .route("/openapi.json", axum::routing::get(async || document))
        .fallback(quirks::not_found)
        .with_state(api)
}

/// The OpenAPI document as JSON text.
pub fn openapi_json() -> String {
    let (_, document): (Router<Api>, _) = routes().split_for_parts();
    document.to_pretty_json().unwrap_or_default()
}

fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::root))
        .routes(routes!(health::health))
        .routes(routes!(health::metrics))
        .merge(connector_routes())
        .routes(routes!(plugins::list))
        .routes(routes!(plugins::keys))
        .routes(routes!(plugins::validate))
        .routes(routes!(loggers::list))
        .routes(routes!(loggers::get, loggers::set))
}

fn connector_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(connectors::list, connectors::create))
        .routes(routes!(connectors::get, connectors::delete))
        .routes(routes!(
            connectors::get_config,
            connectors::put_config,
            connectors::patch_config
        ))
        .routes(routes!(connectors::status))
        .routes(routes!(connectors::restart))
        .routes(routes!(connectors::pause))
        .routes(routes!(connectors::resume))
        .routes(routes!(connectors::stop))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::status))
        .routes(routes!(tasks::restart))
        .routes(routes!(offsets::get, offsets::alter, offsets::reset))
        .routes(routes!(dead_letters::list, dead_letters::purge))
        .routes(routes!(dead_letters::open))
        .routes(routes!(dead_letters::replay))
        .routes(routes!(transfer::position))
        .routes(routes!(transfer::rewind))
        .routes(routes!(transfer::export))
        .routes(routes!(transfer::import))
        .routes(routes!(topics::get))
        .routes(routes!(signals::post))
        .routes(routes!(logs::get))
        .routes(routes!(topics::reset))
}

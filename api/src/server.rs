//! The routes and the server.

use axum::{Router, extract::DefaultBodyLimit, middleware};
use tokio::net::TcpListener;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Api,
    body::MAX_BODY_BYTES,
    connectors, health, loggers, offsets,
    opening::{self, Opening},
    plugins, quirks, signals, tasks, topics,
};

#[derive(OpenApi)]
#[openapi(info(
    title = "Tidewater",
    description = "Kafka Connect's REST API, with OpenAPI, Prometheus metrics and health.",
    license(name = "Apache-2.0")
))]
struct Document;

/// Answers requests until `stop` ends; then takes no new ones and finishes those under way. Until the [`Opening`] is opened,
/// every answer is 503.
pub async fn serve(
    listener: TcpListener,
    opening: impl Into<Opening>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let server = Router::new()
        .fallback(opening::pass)
        // Outside of the routes, which themselves say which methods a path has.
        .layer(middleware::from_fn(quirks::around))
        .with_state(opening.into());
    axum::serve(listener, server)
        .with_graceful_shutdown(stop)
        .await
}

/// All paths.
pub(crate) fn router(api: Api) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = axum::Json(document);
    router
        .route("/openapi.json", axum::routing::get(async || document))
        .fallback(quirks::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
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
        .routes(routes!(topics::get))
        .routes(routes!(signals::post))
        .routes(routes!(topics::reset))
}

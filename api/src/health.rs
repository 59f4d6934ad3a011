//! `/`, `/health` and `/metrics`.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use connect_runtime::answers::{HealthStatus, ServerInfo};

use crate::Api;

/// Version, commit, and the id of the Kafka cluster or the embedded log.
#[utoipa::path(get, path = "/", tag = "worker", responses((status = 200, body = Value)))]
pub(crate) async fn root(State(api): State<Api>) -> Json<ServerInfo> {
    Json(api.herder.server_info().await)
}

/// Whether the worker can handle requests (KIP-1017).
#[utoipa::path(get, path = "/health", tag = "worker",
    responses((status = 200, body = Value), (status = 500, body = Value), (status = 503, body = Value)))]
pub(crate) async fn health(State(api): State<Api>) -> Response {
    let health = api.herder.health().await;
    let status = match health.status {
        HealthStatus::Healthy => StatusCode::OK,
        HealthStatus::Starting => StatusCode::SERVICE_UNAVAILABLE,
        HealthStatus::Unhealthy => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(health)).into_response()
}

/// All numbers in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "worker", responses((status = 200, body = String)))]
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    let text = api.herder.metrics_text().await;
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

//! The server before its worker has started: it answers from the first moment, and says what the worker waits for.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use connect_runtime::answers::{Health, HealthStatus};
use tower::ServiceExt;

use crate::{Api, error::ApiError, quirks, server};

/// A server that is opened when its worker has started. Cheap to clone.
#[derive(Clone, Default)]
pub struct Opening(Arc<Inner>);

#[derive(Default)]
struct Inner {
    router: OnceLock<Router>,
    waits_for: Mutex<String>,
}

impl Opening {
    /// What the worker waits for: a sentence that `/health` and every refusal repeat.
    pub fn waits_for(&self, what: impl Into<String>) {
        *self.0.waits_for.lock().unwrap_or_else(|e| e.into_inner()) = what.into();
    }

    /// From now on requests are answered by the worker.
    pub fn open(&self, api: Api) {
        self.0.router.get_or_init(|| server::router(api));
    }

    fn message(&self) -> String {
        let waits_for = self.0.waits_for.lock();
        let waits_for = waits_for.unwrap_or_else(|e| e.into_inner());
        format!("Worker is still starting up. {waits_for}")
            .trim_end()
            .to_owned()
    }
}

impl From<Api> for Opening {
    fn from(api: Api) -> Self {
        let opening = Self::default();
        opening.open(api);
        opening
    }
}

/// To the worker when it has started, else 503: health as KIP-1017 has it, anything else as an error.
pub(crate) async fn pass(State(opening): State<Opening>, request: Request) -> Response {
    let request = quirks::without_trailing_slash(request);
    let Some(router) = opening.0.router.get() else {
        return starting(&opening, request.uri().path());
    };
    let answered: Result<Response, Infallible> = router.clone().oneshot(request).await;
    answered.unwrap_or_else(|never| match never {})
}

fn starting(opening: &Opening, path: &str) -> Response {
    let message = opening.message();
    if path == "/health" {
        let status = HealthStatus::Starting;
        let health = Json(Health { status, message });
        return (StatusCode::SERVICE_UNAVAILABLE, health).into_response();
    }
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message).into_response()
}

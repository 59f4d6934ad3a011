//! Errors as Kafka Connect answers them: `{"error_code":…,"message":…}`.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use connect_core::Error;
use serde::Serialize;
use utoipa::ToSchema;

/// Kafka Connect's `ErrorMessage`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorMessage {
    /// The HTTP status once more.
    pub error_code: u16,
    /// What is wrong and, where it helps, what to do.
    pub message: String,
}

/// A refusal of a request.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    framework: bool,
}

impl ApiError {
    /// An answer of a resource.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            framework: false,
        }
    }

    /// A request that cannot be understood.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// An answer of the server before any resource is asked (`HTTP 404 Not Found`), without a content type, as Jersey gives it.
    pub(crate) fn framework(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        let message = format!("HTTP {} {reason}", status.as_u16());
        Self {
            status,
            message,
            framework: true,
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status =
            StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::warn!(code = error.code().name, %error, "request failed");
        }
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorMessage {
            error_code: self.status.as_u16(),
            message: self.message,
        };
        if self.framework {
            let text = serde_json::to_string(&body).unwrap_or_default();
            return (self.status, axum::body::Body::from(text)).into_response();
        }
        (self.status, Json(body)).into_response()
    }
}

/// A handler's result.
pub(crate) type Answer<T> = Result<T, ApiError>;

//! `/connectors/{name}/signals`: ours, not Kafka Connect's.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Api,
    body::JsonBody,
    error::{Answer, ErrorMessage},
};

/// A signal to a connector.
#[derive(Serialize, ToSchema)]
pub(crate) struct Signal {
    /// Its name, which its notifications carry; made up when it is left out.
    id: Option<String>,
    /// `log`, `execute-snapshot`, `stop-snapshot`, `pause-snapshot` or `resume-snapshot`.
    r#type: String,
    /// What belongs to the type, as in `{"data-collections": ["public.orders"], "type": "incremental"}`.
    data: Option<Value>,
}

/// The signal that was taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Its name.
    id: String,
}

/// Gives a signal to the running task of a connector, as a row of its signal table would. What comes of it is told by
/// notifications and the log; a signal that waits when its task ends is lost.
#[utoipa::path(post, path = "/connectors/{name}/signals", tag = "signals", request_body = Signal,
    responses((status = 202, body = Taken), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage),
        (status = 409, body = ErrorMessage, description = "The connector takes no signals, or its task does not run")))]
pub(crate) async fn post(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(signal): JsonBody<Value>,
) -> Answer<(StatusCode, Json<Taken>)> {
    let id = api.herder.signal(&name, signal).await?;
    Ok((StatusCode::ACCEPTED, Json(Taken { id })))
}

//! `/connectors/{name}/topics` (KIP-558).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Serialize;

use crate::{
    Api,
    error::{Answer, ErrorMessage},
};

/// The topics that a connector has used.
#[derive(Serialize)]
pub(crate) struct ActiveTopics {
    topics: Vec<String>,
}

/// The topics that a connector has used since it was created or they were reset. Empty for an unknown one.
#[utoipa::path(get, path = "/connectors/{name}/topics", tag = "topics",
    responses((status = 200, body = Value), (status = 403, body = ErrorMessage)))]
pub(crate) async fn get(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<BTreeMap<String, ActiveTopics>>> {
    let topics = api.herder.topics(&name).await?;
    Ok(Json(BTreeMap::from([(name, ActiveTopics { topics })])))
}

/// Forgets the topics that a connector has used.
#[utoipa::path(put, path = "/connectors/{name}/topics/reset", tag = "topics",
    responses((status = 202), (status = 403, body = ErrorMessage)))]
pub(crate) async fn reset(State(api): State<Api>, Path(name): Path<String>) -> Answer<StatusCode> {
    api.herder.reset_topics(&name).await?;
    Ok(StatusCode::ACCEPTED)
}

//! `/connectors/{name}/offsets` (KIP-875).

use axum::{
    Json,
    extract::{Path, State},
};
use connect_runtime::answers::ConnectorOffset;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Api,
    body::JsonBody,
    error::{Answer, ErrorMessage},
};

/// All offsets of a connector.
#[derive(Serialize)]
pub(crate) struct Offsets {
    offsets: Vec<ConnectorOffset>,
}

/// Offsets to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlterOffsets {
    #[serde(default)]
    offsets: Option<Vec<AlterOffset>>,
}

/// One offset to set; null removes it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlterOffset {
    partition: Option<Value>,
    offset: Option<Value>,
}

/// A sentence.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    message: &'static str,
}

/// The offsets of a source, or of a sink's consumer group.
#[utoipa::path(get, path = "/connectors/{name}/offsets", tag = "offsets",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn get(State(api): State<Api>, Path(name): Path<String>) -> Answer<Json<Offsets>> {
    Ok(Json(Offsets {
        offsets: api.herder.offsets(&name).await?,
    }))
}

/// Sets offsets of a stopped connector.
#[utoipa::path(patch, path = "/connectors/{name}/offsets", tag = "offsets", request_body = AlterOffsets,
    responses((status = 200, body = Message), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn alter(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(body): JsonBody<AlterOffsets>,
) -> Answer<Json<Message>> {
    let offsets = given_offsets(body.offsets.unwrap_or_default());
    let message = api.herder.alter_offsets(&name, offsets).await?;
    Ok(Json(Message { message }))
}

/// Offsets as the runtime takes them.
pub(crate) fn given_offsets(given: Vec<AlterOffset>) -> Vec<(Value, Option<Value>)> {
    let one = |o: AlterOffset| {
        let offset = o.offset.filter(|offset| !offset.is_null());
        (o.partition.unwrap_or(Value::Null), offset)
    };
    given.into_iter().map(one).collect()
}

/// Forgets all offsets of a stopped connector.
#[utoipa::path(delete, path = "/connectors/{name}/offsets", tag = "offsets",
    responses((status = 200, body = Message), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn reset(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<Message>> {
    Ok(Json(Message {
        message: api.herder.reset_offsets(&name).await?,
    }))
}

//! `/connectors/{name}/dead-letters`: ours, not Kafka Connect's.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use connect_runtime::letters::{Edit, Filter, Listed, Opened, Purge, Purged, Replay, Replayed};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    Api,
    body::JsonBody,
    error::{Answer, ErrorMessage},
};

/// How many letters a list has, if it is not said.
const LISTED: usize = 100;

/// Which letters are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// From this place on: `PARTITION:OFFSET`, as `next` of another list has it.
    from: Option<String>,
    /// How many at most: 100, or up to 1000.
    limit: Option<usize>,
    /// The stage at which the record got stuck: `VALUE_CONVERTER`.
    stage: Option<String>,
    /// The topic that the record was read from or meant for.
    topic: Option<String>,
    /// The code of the error, or a part of it.
    exception: Option<String>,
}

/// Which letters are replayed, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ReplayRequest {
    /// Tell what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Those too that were replayed before.
    #[serde(default)]
    again: bool,
    /// How many at most: 1000, or up to 10000.
    limit: Option<usize>,
    /// Those of a stage.
    stage: Option<String>,
    /// Those of a topic.
    topic: Option<String>,
    /// Those of an error.
    exception: Option<String>,
    /// Only these, with what is to be different.
    letters: Option<Vec<EditRequest>>,
}

/// One letter. What is left out stays; contents are null, `{"json": …}`, `{"text": "…"}` or `{"base64": "…"}`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditRequest {
    partition: i32,
    offset: i64,
    #[serde(default, deserialize_with = "given")]
    key: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
    /// All headers: pairs of a name and its content.
    #[schema(value_type = Option<Vec<Vec<Value>>>)]
    headers: Option<Vec<(String, Value)>>,
}

/// Which letters are removed; all, if nothing is said.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PurgeRequest {
    /// Tell what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Only those that were replayed.
    #[serde(default)]
    replayed: bool,
    /// Of each partition only those before this offset.
    before: Option<i64>,
    /// Those of a stage.
    stage: Option<String>,
    /// Those of a topic.
    topic: Option<String>,
    /// Those of an error.
    exception: Option<String>,
}

/// A null is something, too.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// The records that a connector could not handle: where they come from, at which stage they got stuck, why, and how long they are.
/// Letters without headers (`errors.deadletterqueue.context.headers.enable=false`) tell nothing of it.
#[utoipa::path(get, path = "/connectors/{name}/dead-letters", tag = "dead letters", params(Which),
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
) -> Answer<Json<Listed>> {
    let filter = Filter {
        stage: which.stage,
        topic: which.topic,
        exception: which.exception,
    };
    let (from, limit) = (which.from.as_deref(), which.limit.unwrap_or(LISTED));
    let listed = api.herder.dead_letters(&name, &filter, from, limit).await?;
    Ok(Json(listed))
}

/// One dead letter with its key, value and headers: as JSON where that is the same, else as text, else as base64.
#[utoipa::path(get, path = "/connectors/{name}/dead-letters/{partition}/{offset}", tag = "dead letters",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn open(
    State(api): State<Api>,
    Path((name, partition, offset)): Path<(String, i32, i64)>,
) -> Answer<Json<Opened>> {
    let at = (partition, offset);
    Ok(Json(api.herder.dead_letter(&name, at).await?))
}

/// Sends dead letters on their way again, all or those that are chosen, as they are or edited; each once, unless it is asked for again.
/// Those of a source go to their topic, those of a sink to this sink alone. A replayed record comes after all that its key has got meanwhile.
#[utoipa::path(post, path = "/connectors/{name}/dead-letters/replay", tag = "dead letters", request_body = ReplayRequest,
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn replay(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(asked): JsonBody<ReplayRequest>,
) -> Answer<Json<Replayed>> {
    let edit = |edit: EditRequest| Edit {
        at: (edit.partition, edit.offset),
        key: edit.key,
        value: edit.value,
        headers: edit.headers,
    };
    let replay = Replay {
        filter: Filter {
            stage: asked.stage,
            topic: asked.topic,
            exception: asked.exception,
        },
        letters: asked.letters.map(|all| all.into_iter().map(edit).collect()),
        again: asked.again,
        limit: asked.limit,
        dry_run: asked.dry_run,
    };
    Ok(Json(api.herder.replay_dead_letters(&name, &replay).await?))
}

/// Removes dead letters: all, or those that are chosen. They are hidden at once, and deleted from the log up to the first that is left.
#[utoipa::path(delete, path = "/connectors/{name}/dead-letters", tag = "dead letters", params(PurgeRequest),
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn purge(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(asked): Query<PurgeRequest>,
) -> Answer<Json<Purged>> {
    let purge = Purge {
        filter: Filter {
            stage: asked.stage,
            topic: asked.topic,
            exception: asked.exception,
        },
        before: asked.before,
        replayed: asked.replayed,
        dry_run: asked.dry_run,
    };
    Ok(Json(api.herder.purge_dead_letters(&name, &purge).await?))
}

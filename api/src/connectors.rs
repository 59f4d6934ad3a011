//! `/connectors`: create, read, change, delete, and their state.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use connect_runtime::answers::{ConnectorInfo, ConnectorStatus, TargetState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Api,
    body::JsonBody,
    error::{Answer, ApiError, ErrorMessage},
    given::{FlatConfig, flag},
};

/// A connector to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateConnector {
    /// Its name; taken from the configuration when left out.
    name: Option<String>,
    /// Its configuration: a flat object.
    #[schema(value_type = BTreeMap<String, String>)]
    config: Option<FlatConfig>,
    /// `RUNNING` (default), `PAUSED` or `STOPPED`.
    initial_state: Option<String>,
}

/// What `expand` asked for.
#[derive(Serialize)]
struct Expanded {
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<ConnectorInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ConnectorStatus>,
}

/// The names of all connectors; with `?expand=info` and `?expand=status` an object with more of each.
#[utoipa::path(get, path = "/connectors", tag = "connectors",
    params(("expand" = Option<Vec<String>>, Query, description = "`info`, `status` or both")),
    responses((status = 200, body = Value)))]
pub(crate) async fn list(State(api): State<Api>, RawQuery(query): RawQuery) -> Answer<Response> {
    let query = query.unwrap_or_default();
    let asked = |what: &str| {
        query
            .split('&')
            .any(|pair| pair == format!("expand={what}"))
    };
    if !query.split('&').any(|pair| pair.starts_with("expand=")) {
        return Ok(Json(api.herder.connectors().await).into_response());
    }
    let mut all = BTreeMap::new();
    for name in api.herder.connectors().await {
        let info = if asked("info") {
            api.herder
                .info(&name)
                .await
                .ok()
                .map(|info| api.shown(info))
        } else {
            None
        };
        let status = if asked("status") {
            api.herder.status(&name).await.ok()
        } else {
            None
        };
        if info.is_some() == asked("info") && status.is_some() == asked("status") {
            all.insert(name, Expanded { info, status });
        }
    }
    Ok(Json(all).into_response())
}

/// Creates a connector.
#[utoipa::path(post, path = "/connectors", tag = "connectors", request_body = CreateConnector,
    responses((status = 201, body = Value), (status = 400, body = ErrorMessage), (status = 409, body = ErrorMessage)))]
pub(crate) async fn create(
    State(api): State<Api>,
    JsonBody(body): JsonBody<CreateConnector>,
) -> Answer<Response> {
    let Some(FlatConfig(config)) = body.config else {
        return Err(ApiError::bad_request(
            "The field \"config\" is missing: send {\"name\": …, \"config\": {…}}.",
        ));
    };
    let state = body
        .initial_state
        .as_deref()
        .map(initial_state)
        .transpose()?;
    let name = body
        .name
        .or_else(|| config.get("name").cloned().flatten())
        .unwrap_or_default();
    let config = api.given(name.trim(), config)?;
    let info = api.herder.create(&name, config, state).await?;
    Ok(created(&api, info))
}

pub(crate) fn initial_state(text: &str) -> Answer<TargetState> {
    TargetState::parse(text).ok_or_else(|| {
        ApiError::bad_request(format!(
            "Invalid value {text} for initial_state: String must be one of: RUNNING, PAUSED, STOPPED"
        ))
    })
}

fn created(api: &Api, info: ConnectorInfo) -> Response {
    let location = format!("{}/connectors/{}", api.url, encode(&info.name));
    let shown = Json(api.shown(info));
    (StatusCode::CREATED, [(LOCATION, location)], shown).into_response()
}

/// Percent-encodes a path segment (RFC 3986).
fn encode(segment: &str) -> String {
    let mut out = String::new();
    for byte in segment.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b':'
            | b'@' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A connector's configuration and tasks.
#[utoipa::path(get, path = "/connectors/{name}", tag = "connectors",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn get(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<ConnectorInfo>> {
    Ok(Json(api.shown(api.herder.info(&name).await?)))
}

/// Deletes a connector. Its offsets stay: one created again under the name goes on from them.
#[utoipa::path(delete, path = "/connectors/{name}", tag = "connectors",
    responses((status = 204), (status = 404, body = ErrorMessage)))]
pub(crate) async fn delete(State(api): State<Api>, Path(name): Path<String>) -> Answer<StatusCode> {
    api.herder.delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A connector's configuration, placeholders unresolved, secrets hidden.
#[utoipa::path(get, path = "/connectors/{name}/config", tag = "connectors",
    responses((status = 200, body = BTreeMap<String, String>), (status = 404, body = ErrorMessage)))]
pub(crate) async fn get_config(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<BTreeMap<String, String>>> {
    Ok(Json(api.shown(api.herder.info(&name).await?).config))
}

/// Creates a connector or replaces its configuration.
#[utoipa::path(put, path = "/connectors/{name}/config", tag = "connectors", request_body = BTreeMap<String, String>,
    responses((status = 200, body = Value), (status = 201, body = Value), (status = 400, body = ErrorMessage)))]
pub(crate) async fn put_config(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(FlatConfig(config)): JsonBody<FlatConfig>,
) -> Answer<Response> {
    let config = api.given(&name, config)?;
    match api.herder.put_config(&name, config).await? {
        (true, info) => Ok(created(&api, info)),
        (false, info) => Ok(Json(api.shown(info)).into_response()),
    }
}

/// Changes the given properties; null removes one (KIP-477).
#[utoipa::path(patch, path = "/connectors/{name}/config", tag = "connectors", request_body = BTreeMap<String, Option<String>>,
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn patch_config(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(FlatConfig(patch)): JsonBody<FlatConfig>,
) -> Answer<Json<ConnectorInfo>> {
    let patch = api.given(&name, patch)?;
    let info = api.herder.patch_config(&name, patch).await?;
    Ok(Json(api.shown(info)))
}

/// How a connector and its tasks are; with `?expand=progress` each task that takes a snapshot also tells how far it is, how fast, and
/// how long it will take: `progress.snapshot` with `rows`, `estimated_rows`, `rows_per_second`, `seconds`, `estimated_seconds_left`,
/// `tables` and `tables_left`. Rows and tables count from the snapshot's first try on, the rate and the seconds from the last one.
#[utoipa::path(get, path = "/connectors/{name}/status", tag = "connectors",
    params(("expand" = Option<Vec<String>>, Query, description = "`progress`")),
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn status(
    State(api): State<Api>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let query = query.unwrap_or_default();
    if query.split('&').any(|pair| pair == "expand=progress") {
        return Ok(Json(api.herder.progress(&name).await?).into_response());
    }
    Ok(Json(api.herder.status(&name).await?).into_response())
}

/// Restarts the connector (204), or with `includeTasks` or `onlyFailed` what these choose (202; KIP-745).
#[utoipa::path(post, path = "/connectors/{name}/restart", tag = "connectors",
    params(("includeTasks" = Option<String>, Query), ("onlyFailed" = Option<String>, Query)),
    responses((status = 202, body = Value), (status = 204), (status = 404, body = ErrorMessage)))]
pub(crate) async fn restart(
    State(api): State<Api>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let query = query.unwrap_or_default();
    let asked = |flag_name: &str| {
        let value = query
            .split('&')
            .find_map(|pair| pair.strip_prefix(flag_name)?.strip_prefix('='));
        flag(value)
    };
    let restarted = api
        .herder
        .restart(&name, asked("includeTasks"), asked("onlyFailed"))
        .await?;
    Ok(match restarted {
        Some(status) => (StatusCode::ACCEPTED, Json(status)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Lets the tasks wait.
#[utoipa::path(put, path = "/connectors/{name}/pause", tag = "connectors",
    responses((status = 202), (status = 404, body = ErrorMessage)))]
pub(crate) async fn pause(State(api): State<Api>, Path(name): Path<String>) -> Answer<StatusCode> {
    api.herder.pause(&name).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Lets a paused or stopped connector go on.
#[utoipa::path(put, path = "/connectors/{name}/resume", tag = "connectors",
    responses((status = 202), (status = 404, body = ErrorMessage)))]
pub(crate) async fn resume(State(api): State<Api>, Path(name): Path<String>) -> Answer<StatusCode> {
    api.herder.resume(&name).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Stops a connector: no tasks afterwards, and its offsets can be changed (KIP-875).
#[utoipa::path(put, path = "/connectors/{name}/stop", tag = "connectors",
    responses((status = 204), (status = 404, body = ErrorMessage)))]
pub(crate) async fn stop(State(api): State<Api>, Path(name): Path<String>) -> Answer<StatusCode> {
    api.herder.stop(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_encoded_in_locations() {
        assert_eq!(super::encode("a b/ü"), "a%20b%2F%C3%BC");
    }
}

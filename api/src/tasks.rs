//! `/connectors/{name}/tasks`.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use connect_runtime::answers::{TaskId, TaskState};
use serde::Serialize;

use crate::{
    Api,
    error::{Answer, ApiError, ErrorMessage},
};

/// A task with its configuration.
#[derive(Serialize)]
pub(crate) struct TaskInfo {
    id: TaskId,
    config: BTreeMap<String, String>,
}

/// The tasks of a connector with their configurations.
#[utoipa::path(get, path = "/connectors/{name}/tasks", tag = "tasks",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<Vec<TaskInfo>>> {
    let tasks = api.herder.task_configs(&name).await?;
    Ok(Json(
        tasks
            .into_iter()
            .map(|(id, config)| TaskInfo {
                id,
                config: match api.masks {
                    true => api.herder.masked(&config),
                    false => config,
                },
            })
            .collect(),
    ))
}

/// How a task is.
#[utoipa::path(get, path = "/connectors/{name}/tasks/{task}/status", tag = "tasks",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn status(
    State(api): State<Api>,
    Path((name, task)): Path<(String, String)>,
) -> Answer<Json<TaskState>> {
    Ok(Json(
        api.herder
            .task_status(
                &name,
                number(&task, || format!("No status found for task {name}-{task}"))?,
            )
            .await?,
    ))
}

/// Restarts a task.
#[utoipa::path(post, path = "/connectors/{name}/tasks/{task}/restart", tag = "tasks",
    responses((status = 204), (status = 404, body = ErrorMessage)))]
pub(crate) async fn restart(
    State(api): State<Api>,
    Path((name, task)): Path<(String, String)>,
) -> Answer<StatusCode> {
    let number = number(&task, || format!("Unknown task: {name}-{task}"))?;
    api.herder.restart_task(&name, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no number is an unknown path, as in Jersey, which has found the resource and so names the type. No task is negative.
fn number(task: &str, unknown: impl FnOnce() -> String) -> Answer<u32> {
    let not_found = |what: String| ApiError::new(StatusCode::NOT_FOUND, what);
    let number: i32 = task
        .parse()
        .map_err(|_| not_found("HTTP 404 Not Found".to_owned()))?;
    u32::try_from(number).map_err(|_| not_found(unknown()))
}

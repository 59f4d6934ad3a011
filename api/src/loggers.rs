//! `/admin/loggers`: log levels while the worker runs (KIP-495, KIP-976).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Api,
    body::JsonBody,
    error::{Answer, ApiError},
    given::FlatConfig,
};

/// Applies `(logger, level)` pairs to the program's log; the logger `root` is the default of all.
pub type ApplyLevels = Box<dyn Fn(&BTreeMap<String, Level>) -> Result<(), String> + Send + Sync>;

/// The levels that were set.
#[derive(Clone)]
pub struct Loggers(Arc<Inner>);

struct Inner {
    levels: Mutex<BTreeMap<String, Level>>,
    apply: ApplyLevels,
}

/// The level of a logger.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Level {
    /// `OFF`, `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: String,
    /// When it was set, in milliseconds since 1970-01-01.
    pub last_modified: Option<u64>,
}

/// A level to set.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents the body")]
pub(crate) struct SetLevel {
    level: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Scope {
    /// `worker` (default) or `cluster`.
    scope: Option<String>,
}

impl Loggers {
    /// All loggers at the level of `root`, changed through `apply`.
    pub fn new(root: &str, apply: ApplyLevels) -> Self {
        let level = Level {
            level: root.to_owned(),
            last_modified: None,
        };
        let levels = Mutex::new(BTreeMap::from([("root".to_owned(), level)]));
        Self(Arc::new(Inner { levels, apply }))
    }

    fn all(&self) -> BTreeMap<String, Level> {
        self.0
            .levels
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .clone()
    }

    /// Sets a logger's level on this worker; says whether it was another one. The error says why it cannot have it.
    pub fn set(&self, logger: &str, level: &str) -> Result<bool, String> {
        let mut levels = self.0.levels.lock().unwrap_or_else(|e| e.into_inner());
        if levels.get(logger).is_some_and(|had| had.level == level) {
            return Ok(false);
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let last_modified = Some(now.as_millis() as u64);
        let mut changed = levels.clone();
        changed.insert(
            logger.to_owned(),
            Level {
                level: level.to_owned(),
                last_modified,
            },
        );
        (self.0.apply)(&changed)?;
        *levels = changed;
        Ok(true)
    }
}

/// All loggers whose level was set.
#[utoipa::path(get, path = "/admin/loggers", tag = "admin",
    responses((status = 200, body = BTreeMap<String, Level>)))]
pub(crate) async fn list(State(api): State<Api>) -> Json<BTreeMap<String, Level>> {
    Json(api.loggers.all())
}

/// One logger's level.
#[utoipa::path(get, path = "/admin/loggers/{logger}", tag = "admin",
    responses((status = 200, body = Level), (status = 404, body = crate::error::ErrorMessage)))]
pub(crate) async fn get(State(api): State<Api>, Path(logger): Path<String>) -> Answer<Json<Level>> {
    let level = api.loggers.all().remove(&logger);
    level
        .map(Json)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, format!("Logger {logger} not found.")))
}

/// Sets a logger's level.
#[utoipa::path(put, path = "/admin/loggers/{logger}", tag = "admin", params(Scope), request_body = SetLevel,
    responses((status = 200, body = Vec<String>), (status = 204), (status = 404, body = crate::error::ErrorMessage)))]
pub(crate) async fn set(
    State(api): State<Api>,
    Path(logger): Path<String>,
    Query(scope): Query<Scope>,
    JsonBody(FlatConfig(mut body)): JsonBody<FlatConfig>,
) -> Answer<Response> {
    let Some(level) = body.remove("level").flatten() else {
        let text = "Desired 'level' parameter was not specified in request.";
        return Err(ApiError::bad_request(text));
    };
    let upper = level.to_ascii_uppercase();
    if ![
        "OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "FATAL", "ALL",
    ]
    .contains(&upper.as_str())
    {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            format!("invalid log level '{level}'."),
        ));
    }
    if scope.scope.as_deref() == Some("cluster") {
        // Every worker follows what is set for all, this one too.
        api.herder.set_level(&logger, &upper).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let changed = api.loggers.set(&logger, &upper);
    let changed = changed.map_err(ApiError::bad_request)?;
    Ok(Json(Vec::from_iter(changed.then_some(logger))).into_response())
}

//! `/connectors/{name}/export` and `…/import`, and where a connector stands: ours, not Kafka Connect's.

use axum::{
    Json,
    extract::{Path, State},
};
use connect_runtime::{
    position::Standing,
    rewind::{Rewound, To, to_time},
    transfer::{Exported, Import, Imported},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Api,
    body::JsonBody,
    connectors::initial_state,
    error::{Answer, ApiError, ErrorMessage},
    given::FlatConfig,
    offsets::{AlterOffset, given_offsets},
};

/// A connector to create with its offsets: what an export gives.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportRequest {
    /// The name that it had.
    #[serde(default, rename = "name")]
    _name: Option<String>,
    /// Its configuration, with its secrets.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    config: FlatConfig,
    /// `RUNNING`, `PAUSED` or `STOPPED` (default).
    state: Option<String>,
    /// Where it is to begin.
    #[serde(default)]
    offsets: Vec<AlterOffset>,
    /// What the export tells of versions; not looked at.
    #[serde(default, rename = "versions")]
    _versions: Option<Value>,
    /// Tell what would happen.
    #[serde(default, rename = "dryRun")]
    dry_run: bool,
}

/// How far a connector is to go back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RewindRequest {
    /// Where to.
    to: Target,
    /// Tell what would happen.
    #[serde(default, rename = "dryRun")]
    dry_run: bool,
}

/// One of these; `file` and `pos` are one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Target {
    /// The first at or after a time: `2026-11-30T12:00:00Z`.
    time: Option<String>,
    /// The first that is still there.
    #[serde(default)]
    earliest: bool,
    /// Of PostgreSQL, a place in its log: `16/B374D848`.
    lsn: Option<String>,
    /// Of MySQL and MariaDB, what comes after these transactions.
    gtid: Option<String>,
    /// Of MySQL and MariaDB, a file of the binlog.
    file: Option<String>,
    /// The place in the file.
    pos: Option<u64>,
}

impl Target {
    fn read(self) -> Answer<To> {
        let time = self.time.as_deref().map(to_time).transpose()?;
        let place = match (self.file, self.pos) {
            (Some(file), Some(pos)) => Some(To::File { file, pos }),
            (None, None) => None,
            _ => return Err(ApiError::bad_request(WHERE_TO)),
        };
        let earliest = self.earliest.then_some(To::Earliest);
        let given = [
            time,
            earliest,
            self.lsn.map(To::Lsn),
            self.gtid.map(To::Gtid),
            place,
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(to), None) => Ok(to),
            _ => Err(ApiError::bad_request(WHERE_TO)),
        }
    }
}

const WHERE_TO: &str = "Say where to, in one way: {\"to\": {\"time\": \"2026-11-30T12:00:00Z\"}} or {\"to\": {\"earliest\": true}}; a source also knows \
    {\"lsn\": \"16/B374D848\"} (PostgreSQL), {\"gtid\": \"…\"} or {\"file\": \"…\", \"pos\": 4} (MySQL, MariaDB)";

/// Where a connector stands, whether it runs or not: offsets as `/offsets` has them, and what they mean. Of a source that is the LSN as
/// PostgreSQL writes it, file, position and GTIDs, time and snapshot; of a sink the end, the time of the record there, and the lag.
#[utoipa::path(get, path = "/connectors/{name}/position", tag = "offsets",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn position(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<Standing>> {
    Ok(Json(api.herder.position(&name).await?))
}

/// Sets a stopped connector back; never forward. A sink goes to a time or to the beginning; a source as far as its server lets it, to a time, the
/// beginning, or a place. With `dryRun` it only tells what would come again, as far as that can be known.
#[utoipa::path(post, path = "/connectors/{name}/offsets/rewind", tag = "offsets", request_body = RewindRequest,
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn rewind(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(asked): JsonBody<RewindRequest>,
) -> Answer<Json<Rewound>> {
    let to = asked.to.read()?;
    Ok(Json(api.herder.rewind(&name, to, asked.dry_run).await?))
}

/// A connector with its configuration, its state and its offsets, for an import elsewhere. Secrets are hidden, placeholders are not.
#[utoipa::path(get, path = "/connectors/{name}/export", tag = "connectors",
    responses((status = 200, body = Value), (status = 404, body = ErrorMessage)))]
pub(crate) async fn export(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Answer<Json<Exported>> {
    let mut exported = api.herder.export(&name).await?;
    if api.masks {
        exported.config = api.herder.masked(&exported.config);
    }
    Ok(Json(exported))
}

/// Creates a connector from an export, under this name; no task runs before they are set. What is stored under its name is forgotten.
#[utoipa::path(post, path = "/connectors/{name}/import", tag = "connectors", request_body = ImportRequest,
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 409, body = ErrorMessage)))]
pub(crate) async fn import(
    State(api): State<Api>,
    Path(name): Path<String>,
    JsonBody(asked): JsonBody<ImportRequest>,
) -> Answer<Json<Imported>> {
    let FlatConfig(mut config) = asked.config;
    config.remove("name");
    let import = Import {
        name,
        config,
        state: asked.state.as_deref().map(initial_state).transpose()?,
        offsets: given_offsets(asked.offsets),
        dry_run: asked.dry_run,
    };
    Ok(Json(api.herder.import(import).await?))
}

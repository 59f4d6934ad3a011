//! `/connector-plugins`.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use connect_runtime::answers::{ConfigInfos, ConfigKeyInfo, PluginInfo, PluginKind};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    Api,
    body::JsonBody,
    error::{Answer, ErrorMessage},
    given::{FlatConfig, flag},
};

/// Which plugins.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Which {
    /// `false` lists transforms, predicates and converters too.
    #[serde(rename = "connectorsOnly")]
    connectors_only: Option<String>,
}

/// The plugins of this worker.
#[utoipa::path(get, path = "/connector-plugins", tag = "plugins", params(Which),
    responses((status = 200, body = Value)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Json<Vec<PluginInfo>> {
    let mut plugins = api.herder.plugins().await;
    let only = which.connectors_only.as_deref().unwrap_or_default();
    if only.is_empty() || flag(Some(only)) {
        plugins.retain(|p| matches!(p.kind, PluginKind::Sink | PluginKind::Source));
    }
    Json(plugins)
}

/// Which version.
#[derive(Deserialize, IntoParams)]
pub(crate) struct OfVersion {
    /// A version, `latest`, or a range such as `[1.0,2.0)`.
    version: Option<String>,
}

/// The properties of a plugin (KIP-769, KIP-891).
#[utoipa::path(get, path = "/connector-plugins/{plugin}/config", tag = "plugins", params(OfVersion),
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage), (status = 404, body = ErrorMessage)))]
pub(crate) async fn keys(
    State(api): State<Api>,
    Path(plugin): Path<String>,
    Query(of): Query<OfVersion>,
) -> Answer<Json<Vec<ConfigKeyInfo>>> {
    let version = of.version.as_deref();
    Ok(Json(api.herder.plugin_keys(&plugin, version).await?))
}

/// Says everything that does not hold in a configuration.
#[utoipa::path(put, path = "/connector-plugins/{plugin}/config/validate", tag = "plugins",
    request_body = std::collections::BTreeMap<String, String>,
    responses((status = 200, body = Value), (status = 400, body = ErrorMessage)))]
pub(crate) async fn validate(
    State(api): State<Api>,
    Path(plugin): Path<String>,
    JsonBody(FlatConfig(config)): JsonBody<FlatConfig>,
) -> Answer<Json<ConfigInfos>> {
    if !api.masks {
        return Ok(Json(api.herder.validate(&plugin, config).await?));
    }
    // A form sends back what it was shown.
    let name = config.get("name").cloned().flatten().unwrap_or_default();
    let config = api.herder.with_known_secrets(&name, config);
    let infos = api.herder.validate(&plugin, config).await?;
    Ok(Json(api.herder.validated_without_secrets(infos)))
}

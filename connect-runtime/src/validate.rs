//! Kafka Connect's validation: every key with its definition, its value and all that is wrong with it.

mod answer;
mod chain;
pub(crate) mod framework;
mod rules;

use std::{borrow::Cow, sync::Arc, time::Duration};

use connect_core::{
    Error, Finding, Properties, Result,
    config::invalid,
    plugin::{Direction, Plugin},
    secret::without_logins,
};

use crate::{
    answers::{ConfigInfos, ConfigKeyInfo, GivenConfig},
    error::{BAD_REQUEST, NOT_FOUND},
    masks::{MASK, sounds_secret},
    shared::Shared,
    version_range::VersionRange,
};
use answer::Answer;
use framework::{EVERY, Framework, SINK, SINK_GROUPS, SOURCE, SOURCE_GROUPS};

/// How long a connector may look at its servers.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// The configuration of a connector of this name. 400 when it says another one.
pub(crate) fn named(name: &str, mut config: GivenConfig) -> Result<GivenConfig> {
    match config.get("name").and_then(Option::as_deref) {
        Some(other) if other != name => {
            let what = format!(
                "Connector name configuration ({other}) doesn't match connector name in the URL ({name})"
            );
            Err(Error::new(&BAD_REQUEST, what))
        }
        _ => {
            config.insert("name".to_owned(), Some(name.to_owned()));
            Ok(config)
        }
    }
}

/// The configuration, if it holds; else the one error that names everything that does not.
pub(crate) async fn accepted(shared: &Arc<Shared>, config: GivenConfig) -> Result<Properties> {
    let infos = infos(shared, &config).await?;
    if infos.error_count > 0 {
        let (unknown, known): (Vec<_>, Vec<_>) = infos
            .configs
            .iter()
            .partition(|config| config.definition.is_none());
        let errors = unknown.into_iter().chain(known).flat_map(|c| {
            c.value
                .errors
                .iter()
                .map(|error| Finding::error(c.value.name.clone(), error.clone()))
        });
        return Err(invalid(&errors.collect::<Vec<_>>()));
    }
    Ok(config
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect())
}

/// The answer to a request for validation by the plugin of the path.
pub(crate) async fn request(
    shared: &Arc<Shared>,
    plugin: &str,
    config: GivenConfig,
) -> Result<ConfigInfos> {
    if let Some(Some(class)) = config.get("connector.class") {
        let same = match (shared.plugins.find(class), shared.plugins.find(plugin)) {
            (Some(a), Some(b)) => a.about.class == b.about.class,
            _ => class == plugin || class.rsplit('.').next() == Some(plugin),
        };
        if !same {
            let what =
                format!("Included connector type {class} does not match request type {plugin}");
            return Err(Error::new(&BAD_REQUEST, what));
        }
    }
    infos(shared, &config).await
}

/// The keys of a plugin: its own, then for connectors those of the runtime.
pub(crate) fn plugin_keys(shared: &Arc<Shared>, class: &str) -> Result<Vec<ConfigKeyInfo>> {
    if let Some(plugin) = shared.plugins.find(class) {
        let own = plugin.keys();
        let framework = framework_keys(plugin);
        let framework = framework
            .iter()
            .map(|key| answer::framework_key(key, shared, plugin));
        return Ok(own.iter().map(answer::key_info).chain(framework).collect());
    }
    match chain::plugin_keys(&shared.plugins.transforms, class) {
        Some(keys) => Ok(keys.iter().map(answer::key_info).collect()),
        None => Err(Error::new(&NOT_FOUND, format!("Unknown plugin {class}."))),
    }
}

/// Whether a plugin's version is one that is asked for (KIP-891). A plugin that nobody knows is somebody else's to tell.
pub(crate) fn plugin_version(shared: &Arc<Shared>, class: &str, asked: &str) -> Result<()> {
    let range = VersionRange::parse(asked)?;
    let (class, version) = match shared.plugins.find(class) {
        Some(plugin) => (plugin.about.class, plugin.about.version),
        None => (class, env!("CARGO_PKG_VERSION")),
    };
    if range.contains(version) {
        return Ok(());
    }
    let what = format!(
        "Plugin {class} not found that matches the version range {range}, available versions: [{version}]"
    );
    Err(Error::new(&BAD_REQUEST, what))
}

fn framework_keys(plugin: &Plugin) -> Vec<&'static Framework> {
    let ours = match plugin.direction {
        Direction::Source => SOURCE,
        Direction::Sink => SINK,
    };
    EVERY.iter().chain(ours).collect()
}

async fn infos(shared: &Arc<Shared>, config: &GivenConfig) -> Result<ConfigInfos> {
    let Some(Some(class)) = config.get("connector.class") else {
        let shown: Vec<String> = config
            .iter()
            .map(|(k, v)| format!("{k}={}", shown(shared, k, v.as_deref())))
            .collect();
        let what = format!(
            "Connector config {{{}}} contains no connector type",
            shown.join(", ")
        );
        return Err(Error::new(&BAD_REQUEST, what));
    };
    let plugin = shared.plugins.connector(class)?;
    let given: Properties = config
        .iter()
        .filter_map(|(k, v)| Some((k.clone(), v.clone()?)))
        .collect();
    let resolved = shared.providers.resolve(&given)?;
    let mut answer = Answer::new(class, groups(plugin), &given);
    for key in framework_keys(plugin) {
        answer.framework(key, shared, plugin, &resolved);
    }
    chain::describe_converters(&mut answer, &resolved);
    chain::describe(&mut answer, &shared.plugins.transforms, &resolved);
    chain::converters(&mut answer, &resolved);
    for key in &plugin.keys() {
        answer.own(key);
    }
    rules::apply(&mut answer, shared, plugin, &resolved);
    for finding in checked(plugin, &resolved).await {
        answer.finding(finding);
    }
    for name in config
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name)
    {
        answer.error(
            name,
            "Null value can not be supplied as the configuration value.".to_owned(),
        );
    }
    Ok(answer.finish())
}

/// A value of a configuration that names no connector. Invariant 7: what any connector calls a secret never prints, nor
/// what sounds like one.
fn shown<'a>(shared: &Shared, name: &str, value: Option<&'a str>) -> Cow<'a, str> {
    let sounds = sounds_secret(name);
    match value {
        Some(_) if sounds || shared.plugins.is_secret(name) => MASK.into(),
        value => without_logins(value.unwrap_or("null")),
    }
}

async fn checked(plugin: &Plugin, resolved: &Properties) -> Vec<Finding> {
    tokio::time::timeout(CHECK_TIMEOUT, plugin.check(resolved))
        .await
        .unwrap_or_else(|_| {
            let what = format!(
                "The servers of the connector did not answer within {} s",
                CHECK_TIMEOUT.as_secs()
            );
            let mut findings = plugin.validate(resolved);
            findings.push(Finding::error("connector.class", what));
            findings
        })
}

fn groups(plugin: &Plugin) -> &'static [&'static str] {
    match plugin.direction {
        Direction::Source => SOURCE_GROUPS,
        Direction::Sink => SINK_GROUPS,
    }
}

//! The plugins that this program knows.

use connect_codec::registry::Role;
use connect_core::{
    Error, Result,
    config::Kind,
    plugin::{Direction, Plugin},
};

use crate::{
    answers::{ConnectorKind, PluginInfo, PluginKind},
    error::BAD_REQUEST,
    transforms::{self, Transforms},
};

/// All plugins.
pub(crate) struct Plugins {
    connectors: Vec<Plugin>,
    /// Those of the runtime, and those that connectors bring.
    pub(crate) transforms: Transforms,
}

impl Plugins {
    /// Sinks first, then sources, by class, as Kafka Connect lists them.
    pub(crate) fn new(mut connectors: Vec<Plugin>) -> Self {
        connectors.sort_by_key(|p| (p.direction == Direction::Source, p.about.class));
        let brought = connectors.iter().flat_map(|plugin| plugin.transforms);
        let transforms = Transforms::new(brought.copied());
        Self {
            connectors,
            transforms,
        }
    }

    /// The connector that a `connector.class` means. The error lists what there is.
    pub(crate) fn connector(&self, class: &str) -> Result<&Plugin> {
        self.find(class).ok_or_else(|| {
            let known: Vec<String> = self.connectors.iter().map(describe).collect();
            let what = format!(
                "Failed to find any class that implements Connector and which name matches {class}, \
                 available connectors are: {}",
                known.join(", ")
            );
            Error::new(&BAD_REQUEST, what)
        })
    }

    /// The connector that a class means, if one does.
    pub(crate) fn find(&self, class: &str) -> Option<&Plugin> {
        self.connectors
            .iter()
            .find(|plugin| plugin.answers_to(class))
    }

    /// Whether any connector calls the property of this name a secret.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        let mut keys = self.connectors.iter().flat_map(Plugin::keys);
        keys.any(|key| key.name == name && key.kind == Kind::Password)
    }

    /// Source, sink, or unknown.
    pub(crate) fn kind(&self, class: Option<&String>) -> ConnectorKind {
        match class
            .and_then(|class| self.find(class))
            .map(|plugin| plugin.direction)
        {
            Some(Direction::Source) => ConnectorKind::Source,
            Some(Direction::Sink) => ConnectorKind::Sink,
            None => ConnectorKind::Unknown,
        }
    }

    /// Every plugin in the order of Kafka Connect's answer.
    pub(crate) fn list(&self) -> Vec<PluginInfo> {
        let connectors = self.connectors.iter().map(|plugin| PluginInfo {
            class: plugin.about.class.to_owned(),
            kind: match plugin.direction {
                Direction::Sink => PluginKind::Sink,
                Direction::Source => PluginKind::Source,
            },
            version: Some(plugin.about.version.to_owned()),
        });
        let converters = connect_codec::registry::all()
            .into_iter()
            .map(|listed| PluginInfo {
                class: listed.class.to_owned(),
                kind: match listed.role {
                    Role::Converter => PluginKind::Converter,
                    Role::HeaderConverter => PluginKind::HeaderConverter,
                },
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            });
        let of = |kind: PluginKind| {
            move |class: &'static str| PluginInfo {
                class: class.to_owned(),
                kind,
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }
        };
        let transforms = self
            .transforms
            .classes()
            .map(of(PluginKind::Transformation));
        let predicates = transforms::all_predicates().map(of(PluginKind::Predicate));
        connectors
            .chain(transforms)
            .chain(predicates)
            .chain(converters)
            .collect()
    }
}

fn describe(plugin: &Plugin) -> String {
    let (class, version) = (plugin.about.class, plugin.about.version);
    let kind = match plugin.direction {
        Direction::Sink => "sink",
        Direction::Source => "source",
    };
    format!(
        "PluginDesc{{klass=class {class}, name='{class}', version='{version}', encodedVersion={version}, \
         type={kind}, typeName='{kind}', location='builtin'}}"
    )
}

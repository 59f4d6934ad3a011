//! A connector as one document: its configuration, its state and its offsets, to take it elsewhere.

use std::collections::BTreeMap;

use connect_core::{Error, Properties, Result};
use serde::Serialize;

use crate::{
    answers::{ConnectorInfo, ConnectorKind, ConnectorOffset, GivenConfig, TargetState},
    error::{ALREADY_EXISTS, BAD_REQUEST},
    herder::{Herder, OffsetChange},
    masks::is_masked,
    validate,
};

/// A connector with its offsets.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// Its name.
    pub name: String,
    /// Its configuration, placeholders unresolved.
    pub config: Properties,
    /// `RUNNING`, `PAUSED` or `STOPPED`: what is wanted of it.
    pub state: &'static str,
    /// Where it stands; exact when it is stopped.
    pub offsets: Vec<ConnectorOffset>,
    /// Of the program (`tidewater`), and of the connector's class.
    pub versions: BTreeMap<String, String>,
}

/// A connector to create with its offsets.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// Its configuration.
    pub config: GivenConfig,
    /// What is wanted of it in the end: stopped, if nothing is said.
    pub state: Option<TargetState>,
    /// Where it is to begin; what is stored under its name is forgotten.
    pub offsets: OffsetChange,
    /// Tell what would happen.
    pub dry_run: bool,
}

/// What was created, or would be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// The connector.
    pub name: String,
    /// What is wanted of it.
    pub state: &'static str,
    /// How many offsets are set.
    pub offsets: usize,
    /// The offsets that are stored under the name now, and are forgotten.
    pub forgotten: Vec<ConnectorOffset>,
}

impl Herder {
    /// A connector as a document, with its secrets. 404 when there is none.
    pub async fn export(&self, name: &str) -> Result<Exported> {
        let info = self.info(name).await?;
        let target = self
            .shared
            .desired
            .read()
            .connectors
            .get(name)
            .map(|c| c.target);
        let offsets = self.offsets(name).await?;
        let class = info.config.get("connector.class");
        let plugin = class.and_then(|class| self.shared.plugins.find(class));
        let mut versions = BTreeMap::new();
        versions.insert("tidewater".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        if let Some(plugin) = plugin {
            versions.insert(
                plugin.about.class.to_owned(),
                plugin.about.version.to_owned(),
            );
        }
        Ok(Exported {
            name: info.name,
            config: info.config,
            state: word(target.unwrap_or_default()),
            offsets,
            versions,
        })
    }

    /// Creates a connector that begins at given offsets: stopped, then with its offsets, then as it is wanted; so no task runs before they
    /// are set. 409 when there is one of the name, 400 when the configuration or an offset does not hold, or has masks of secrets.
    pub async fn import(&self, import: Import) -> Result<Imported> {
        let name = import.name.trim();
        if self.info(name).await.is_ok() {
            let what = format!("Connector {name} already exists");
            return Err(Error::new(&ALREADY_EXISTS, what));
        }
        self.refuse_masks(&import.config)?;
        let config = validate::named(name, import.config.clone())?;
        let accepted = validate::accepted(&self.shared, config).await?;
        let kind = self.shared.plugins.kind(accepted.get("connector.class"));
        let target = import.state.unwrap_or(TargetState::Stopped);
        if kind == ConnectorKind::Source {
            let info = unborn(name, kind, &accepted);
            crate::offset_request::look_at(&self.shared, &info, &import.offsets)?;
        }
        let imported = Imported {
            dry_run: import.dry_run,
            name: name.to_owned(),
            state: word(target),
            offsets: import.offsets.len(),
            forgotten: self.stored_for(name, kind, &accepted).await?,
        };
        if import.dry_run {
            return Ok(imported);
        }
        self.create(name, import.config, Some(TargetState::Stopped))
            .await?;
        if let Err(error) = self.begin_at(name, import.offsets).await {
            // It has never run: nothing is lost, and the request can be sent again.
            self.delete(name).await?;
            return Err(error);
        }
        match target {
            TargetState::Stopped => {}
            TargetState::Paused => self.pause(name).await?,
            TargetState::Started => self.resume(name).await?,
        }
        Ok(imported)
    }

    async fn begin_at(&self, name: &str, offsets: OffsetChange) -> Result<()> {
        self.reset_offsets(name).await?;
        if !offsets.is_empty() {
            self.alter_offsets(name, offsets).await?;
        }
        Ok(())
    }

    /// What is stored under a name of which there is no connector now.
    async fn stored_for(
        &self,
        name: &str,
        kind: ConnectorKind,
        config: &Properties,
    ) -> Result<Vec<ConnectorOffset>> {
        crate::offset_request::read_of(&self.shared, &unborn(name, kind, config)).await
    }

    fn refuse_masks(&self, config: &GivenConfig) -> Result<()> {
        let masked = |(key, value): (&String, &Option<String>)| {
            let is = value.as_ref().is_some_and(|value| is_masked(value));
            is.then(|| key.clone())
        };
        let masked: Vec<String> = config.iter().filter_map(masked).collect();
        if masked.is_empty() {
            return Ok(());
        }
        let what = format!(
            "These properties have the mask of a secret: {}. Send the secrets themselves, or placeholders such as ${{file:…}}",
            masked.join(", ")
        );
        Err(Error::new(&BAD_REQUEST, what))
    }
}

/// A connector that is not there yet.
fn unborn(name: &str, kind: ConnectorKind, config: &Properties) -> ConnectorInfo {
    ConnectorInfo {
        name: name.to_owned(),
        config: config.clone(),
        tasks: Vec::new(),
        kind,
    }
}

fn word(target: TargetState) -> &'static str {
    match target {
        TargetState::Started => "RUNNING",
        TargetState::Paused => "PAUSED",
        TargetState::Stopped => "STOPPED",
    }
}

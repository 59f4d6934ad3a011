//! `DropHeaders`: leaves out headers by their names.

use connect_core::{
    Batch, Finding, Header, Properties, Result,
    config::{Config, List, Rules},
    transform::{Transform, Verdicts},
};

connect_core::config! {
    /// Removes one or more headers from each record.
    pub(super) struct DropHeadersConfig;
    group "Drop headers" {
        /// The name of the headers to be removed.
        headers: List = required, "headers", High;
    }
}

impl Rules for DropHeadersConfig {
    fn rules(&self) -> Vec<Finding> {
        let names = &self.headers.0;
        let twice = names
            .iter()
            .enumerate()
            .any(|(at, name)| names.iter().take(at).any(|other| other == name));
        let why = match (names.is_empty(), twice) {
            (true, _) => "Configuration 'headers' must not be empty.",
            (_, true) => "Configuration 'headers' values must not be duplicated.",
            _ => return Vec::new(),
        };
        vec![Finding::invalid(
            "headers",
            &format!("[{}]", names.join(", ")),
            why,
        )]
    }
}

/// The transform. A record that has none of the headers costs a look at each of its own.
pub(super) struct DropHeaders {
    names: Vec<String>,
}

impl DropHeaders {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = DropHeadersConfig::parse(settings)?;
        Ok(Self {
            names: config.headers.0,
        })
    }

    fn goes(&self, header: &Header) -> bool {
        self.names.iter().any(|name| **name == *header.name)
    }
}

impl Transform for DropHeaders {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            let Some(&record) = batch.records().get(index) else {
                continue;
            };
            let all = batch.headers(record);
            if all.iter().any(|header| self.goes(header)) {
                let kept = all.iter().filter(|header| !self.goes(header)).cloned();
                let kept: Vec<Header> = kept.collect();
                batch.set_headers(index, &kept);
            }
        }
        Ok(Verdicts::default())
    }
}

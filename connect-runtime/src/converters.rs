//! The three converters of a connector: from its own properties, else from the worker's.

use std::sync::Arc;

use connect_core::{Finding, Properties, Result, codec::Converter, config::invalid};

use crate::worker_config::{WorkerConfig, under};

/// Converters of keys, values and header values.
#[derive(Clone)]
pub(crate) struct Converters {
    pub(crate) key: Arc<dyn Converter>,
    pub(crate) value: Arc<dyn Converter>,
    pub(crate) header: Arc<dyn Converter>,
}

impl Converters {
    /// The converters that a connector's resolved properties name. A connector that names its own does not get the worker's settings for
    /// it, as in Kafka Connect.
    pub(crate) fn new(worker: &WorkerConfig, config: &Properties) -> Result<Self> {
        let made = |found: Result<Arc<dyn Converter>, Vec<Finding>>| found.map_err(|f| invalid(&f));
        let (class, settings) = chosen(worker, config, "key.converter", &worker.key_converter);
        let key = made(connect_codec::converter(class, true, &settings))?;
        let (class, settings) = chosen(worker, config, "value.converter", &worker.value_converter);
        let value = made(connect_codec::converter(class, false, &settings))?;
        let (class, settings) =
            chosen(worker, config, "header.converter", &worker.header_converter);
        let header = made(connect_codec::header_converter(class, &settings))?;
        Ok(Self { key, value, header })
    }
}

fn chosen<'a>(
    worker: &'a WorkerConfig,
    config: &'a Properties,
    property: &str,
    default: &'a str,
) -> (&'a str, Properties) {
    let prefix = format!("{property}.");
    match config.get(property) {
        Some(class) => (class, under(config, &prefix)),
        None => (default, worker.under(&prefix)),
    }
}

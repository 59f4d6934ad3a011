//! `RegexRouter`: another topic for records whose topic matches.

use std::sync::Arc;

use connect_core::{
    Batch, Error, Finding, Properties, Result, Route,
    config::{Config, Rules},
    java_regex::{JavaRegex, Replacement},
    transform::{Transform, Verdicts},
};

use super::compiled::Compiled;

connect_core::config! {
    /// Update the record topic using the configured regular expression and replacement string.
    pub(super) struct RegexRouterConfig;
    group "Regex router" {
        /// Regular expression to use for matching.
        regex: String = required, "regex", High;
        /// Replacement string.
        replacement: String = required, "replacement", High;
    }
}

impl Rules for RegexRouterConfig {}

/// The transform. Costs one look at a vector per record.
pub(super) struct RegexRouter {
    regex: JavaRegex,
    replacement: Replacement,
    routes: Compiled<Option<Arc<Route>>>,
}

impl RegexRouter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = RegexRouterConfig::parse(settings)?;
        let regex = JavaRegex::new(&config.regex)
            .map_err(|why| vec![Finding::invalid("regex", &config.regex, &why)])?;
        let replacement = Replacement::new(&config.replacement, &regex)
            .map_err(|why| vec![Finding::invalid("replacement", &config.replacement, &why)])?;
        Ok(Self {
            regex,
            replacement,
            routes: Compiled::default(),
        })
    }
}

impl Transform for RegexRouter {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.routes.next_batch();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            let Some(at) = batch.records().get(index).map(|record| record.route) else {
                continue;
            };
            let (regex, replacement) = (&self.regex, &self.replacement);
            let compiled = self.routes.of(batch, at, |route| {
                let topic = regex.replace_first(route.topic(), replacement)?;
                let (key, value) = (route.key().cloned(), route.value().cloned());
                Some(Route::new(topic, key, value))
            });
            let Some(Some(route)) = compiled.as_deref() else {
                continue;
            };
            if route.topic().is_empty() {
                return Err(Error::config("RegexRouter makes an empty topic name"));
            }
            let route = batch.route_index(route);
            if let Some(record) = batch.records_mut().get_mut(index) {
                record.route = route;
            }
        }
        Ok(Verdicts::default())
    }
}

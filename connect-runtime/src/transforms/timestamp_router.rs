//! `TimestampRouter`: the time of a record in the name of its topic.

use connect_core::{
    Batch, Error, Finding, Properties, Record, Result,
    config::{Config, Rules},
    transform::{Transform, Verdicts},
};

use super::{java_date::JavaDate, reshape::refuse, routes::Routes};

connect_core::config! {
    /// Update the record's topic field as a function of the original topic value and the record timestamp.
    pub(super) struct TimestampRouterConfig;
    group "Timestamp router" {
        /// Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as placeholders for the topic and timestamp, respectively.
        topic: String = "${topic}-${timestamp}", "topic.format", High;
        /// Format string for the timestamp that is compatible with <code>java.text.SimpleDateFormat</code>.
        timestamp: String = "yyyyMMdd", "timestamp.format", High;
    }
}

impl Rules for TimestampRouterConfig {
    fn rules(&self) -> Vec<Finding> {
        let wrong = JavaDate::new(&self.timestamp).err();
        let finding = wrong.map(|why| Finding::invalid("timestamp.format", &self.timestamp, &why));
        finding.into_iter().collect()
    }
}

/// The transform. Records of one millisecond share their text.
pub(super) struct TimestampRouter {
    topic: String,
    date: JavaDate,
    last: Option<(i64, String)>,
    routes: Routes,
}

impl TimestampRouter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = TimestampRouterConfig::parse(settings)?;
        let date = JavaDate::new(&config.timestamp);
        Ok(Self {
            topic: config.topic,
            date: date.map_err(|why| vec![Finding::error("timestamp.format", why)])?,
            last: None,
            routes: Routes::default(),
        })
    }

    fn one(&mut self, batch: &mut Batch, index: usize, record: Record) -> Result<()> {
        let time = record.timestamp_ms;
        if time == Record::NO_TIMESTAMP {
            return Err(Error::record("Timestamp missing on record"));
        }
        let Some(route) = batch.route(record.route) else {
            return Ok(());
        };
        let shown = match self.last.take() {
            Some((known, shown)) if known == time => shown,
            _ => self.date.format(time),
        };
        let topic = self.topic.replace("${topic}", route.topic());
        let new = self
            .routes
            .of(route, &topic.replace("${timestamp}", &shown));
        self.last = Some((time, shown));
        let new = batch.route_index(&new);
        if let Some(record) = batch.records_mut().get_mut(index) {
            record.route = new;
        }
        Ok(())
    }
}

impl Transform for TimestampRouter {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            let Some(&record) = batch.records().get(index) else {
                continue;
            };
            if let Err(err) = self.one(batch, index, record) {
                refuse(&mut verdicts, index, err)?;
            }
        }
        Ok(verdicts)
    }
}

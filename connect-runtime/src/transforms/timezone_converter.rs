//! Debezium's `TimezoneConverter`: dates with times in the time of a zone.

mod iso;
mod lists;
mod zone;

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Datum, Error, Field, Finding, Properties, Result, Schema,
    config::{Config, Key, List, Rules, Width},
    schema::{Type, logical},
};

use super::{
    compiled::Compiled,
    event_router::is_envelope,
    events::EachEvent,
    reshape::is_null,
    row::{datum_of, own_cell, take_cells},
    shown::{Shown, debezium},
};
use lists::{Chosen, Lists, Part, is_well_formed};
use zone::Zone;

connect_core::config! {
    /// Converts dates with times to a zone.
    pub(super) struct TimezoneConverterConfig;
    group "Time zone" {
        /// A string that represents the timezone to which the time-based fields should be converted.The format can be geographic (e.g. America/Los_Angeles), or it can be a UTC offset in the format of +/-hh:mm, (e.g. +08:00).
        zone: Option<String> = none, "converted.timezone", High;
        /// A comma-separated list of rules that specify what events should be evaluated for timezone conversion, using one of the following formats: `source:<tablename>`:: Matches only Debezium change events with a source information block with the specified table name. All time-based fields will be converted. `source:<tablename>:<fieldname>`:: Matches only Debezium change events with a source information with the specified table name. Only the specified field name will be converted. `topic:<topicname>`:: Matches the specified topic name, converting all time-based fields. `topic:<topicname>:<fieldname>`:: Matches the specified topic name, converting only the specified field name. `<matchname>:<fieldname>`:: Uses a heuristic matching algorithm to matches the source information block table name if the source information block exists, otherwise matches against the topic name. The conversion is applied only to to the specified field name.
        include: Option<List> = none, "include.list", High;
        /// A comma-separated list of rules that specify what events should be excluded from timezone conversion, using one of the following formats: `source:<tablename>`:: Matches only Debezium change events with a source information block with the specified table name. All time-based fields will be excluded. `source:<tablename>:<fieldnames>`:: Matches only Debezium change events with a source information with the specified table name. Only the specified field name will be excluded. `topic:<topicname>`:: Matches the specified topic name, excluding all time-based fields. `topic:<topicname>:<fieldnames>`:: Matches the specified topic name, excluding only the specified field name. `<matchname>:<fieldnames>`:: Uses a heuristic matching algorithm to matches the source information block table name if the source information block exists, otherwise matches against the topic name. The conversion is applied only to to the specified field name.
        exclude: Option<List> = none, "exclude.list", High;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    ("converted.timezone", Width::Medium, "Converted Timezone"),
    ("include.list", Width::Medium, "Include List"),
    ("exclude.list", Width::Medium, "Exclude List"),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(TimezoneConverterConfig::keys(), SHOWN)
}

fn items(list: &Option<List>) -> &[String] {
    list.as_ref().map_or(&[], |list| &list.0)
}

impl Rules for TimezoneConverterConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.zone.as_deref().map(str::trim) {
            None | Some("") => {
                let why = "The 'converted.timezone' value is invalid: A value is required";
                findings.push(Finding::error("converted.timezone", why));
            }
            Some(zone) if Zone::parse(zone).is_none() => {
                let why = "Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a UTC offset in the format of +/-hh:mm, (e.g. +08:00).";
                findings.push(Finding::invalid("converted.timezone", zone, why));
            }
            Some(_) => {}
        }
        let (include, exclude) = (items(&self.include), items(&self.exclude));
        for (key, list) in [("include.list", include), ("exclude.list", exclude)] {
            if !list.is_empty() && !is_well_formed(list) {
                let why = "Please specify a list of rules in the format of \"source:<tablename>:<fieldnames>\", \"topic:<topicname>:<fieldnames>\", \"<matchname>:<fieldnames>\"";
                findings.push(Finding::invalid(key, &list.join(","), why));
            }
        }
        if !include.is_empty() && !exclude.is_empty() {
            let why = "Both include and exclude lists are specified. Please specify only one.";
            findings.push(Finding::error("exclude.list", why));
        }
        findings
    }
}

const PURPOSE: &str = "converting time zones";

/// The transform.
pub(super) struct TimezoneConverter {
    zone: Zone,
    lists: Lists,
    compiled: Compiled<Option<Plan>>,
}

/// The fields that can be converted in the events of a route.
struct Plan {
    schema: Arc<Schema>,
    parts: Vec<PartPlan>,
}

struct PartPlan {
    part: Part,
    at: usize,
    fields: Vec<(usize, Kind)>,
}

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    /// A count since 1970 without zone, so many in a second: the new one is what UTC shows when the zone shows the old one.
    Local(i64),
    /// A count since 1970 in UTC, so many in a second: the new one shows in UTC what the zone shows.
    Epoch(i64),
    ZonedTimestamp,
    ZonedTime,
}

impl Kind {
    fn of(part: Part, field: &Field) -> Option<Self> {
        match (field.schema.name.as_deref(), part, &*field.name) {
            (Some("io.debezium.time.Timestamp" | logical::TIMESTAMP), ..) => {
                Some(Self::Local(1_000))
            }
            (Some("io.debezium.time.MicroTimestamp"), ..) => Some(Self::Local(1_000_000)),
            (Some("io.debezium.time.NanoTimestamp"), ..) => Some(Self::Local(1_000_000_000)),
            (Some("io.debezium.time.ZonedTimestamp"), ..) => Some(Self::ZonedTimestamp),
            (Some("io.debezium.time.ZonedTime"), ..) => Some(Self::ZonedTime),
            (None, Part::Source, "ts_ms") => Some(Self::Epoch(1_000)),
            (None, Part::Source, "ts_us") => Some(Self::Epoch(1_000_000)),
            (None, Part::Source, "ts_ns") => Some(Self::Epoch(1_000_000_000)),
            _ => None,
        }
    }
}

impl Plan {
    fn new(schema: &Arc<Schema>) -> Self {
        let parts = [
            ("before", Part::Before),
            ("after", Part::After),
            ("source", Part::Source),
        ];
        let parts = parts.into_iter().filter_map(|(name, part)| {
            let (at, field) = schema.field(name)?;
            let fields = field.schema.fields().iter().enumerate();
            let fields = fields.filter_map(|(at, field)| Some((at, Kind::of(part, field)?)));
            let fields: Vec<_> = fields.collect();
            (!fields.is_empty()).then_some(PartPlan { part, at, fields })
        });
        Self {
            schema: Arc::clone(schema),
            parts: parts.collect(),
        }
    }
}

impl TimezoneConverter {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = TimezoneConverterConfig::parse(settings)?;
        let zone = config.zone.as_deref().map(str::trim).and_then(Zone::parse);
        let (include, exclude) = (items(&config.include), items(&config.exclude));
        let lists = match include.is_empty() {
            true => Lists::new(exclude, true),
            false => Lists::new(include, false),
        };
        Ok(Self {
            zone: zone.ok_or_else(|| vec![Finding::missing("converted.timezone")])?,
            lists,
            compiled: Compiled::default(),
        })
    }

    fn convert(
        &self,
        plan: &Plan,
        chosen: Chosen<'_>,
        batch: &mut Batch,
        value: Cell,
    ) -> Result<Cell> {
        let (mut event, mut cells) = (Vec::new(), Vec::new());
        take_cells(batch, &plan.schema, value, PURPOSE, &mut event)?;
        for PartPlan { part, at, fields } in &plan.parts {
            let (Some(cell), Some(row)) = (event.get_mut(*at), plan.schema.fields().get(*at))
            else {
                continue;
            };
            let own = own_cell(batch, row, *cell);
            if is_null(batch, own) {
                continue;
            }
            take_cells(batch, &row.schema, own, PURPOSE, &mut cells)?;
            for (at, kind) in fields {
                let (Some(cell), Some(field)) = (cells.get_mut(*at), row.schema.fields().get(*at))
                else {
                    continue;
                };
                if chosen.takes(*part, &field.name) {
                    *cell = self.one(*kind, batch, field, *cell)?;
                }
            }
            *cell = batch.push_nest(&cells);
        }
        Ok(batch.push_nest(&event))
    }

    /// One field. A null reads as its default, as it does in Debezium.
    fn one(&self, kind: Kind, batch: &mut Batch, field: &Field, cell: Cell) -> Result<Cell> {
        let datum = match (&field.schema.default, cell) {
            (Some(default), Cell::Null) => Datum::of_value(Some(&field.schema), default),
            (_, Cell::Null | Cell::Absent) => return Ok(cell),
            _ => datum_of(batch, field, cell),
        };
        let is_number = field.schema.ty == Type::Int64;
        let new = match kind {
            Kind::Local(per) => datum
                .int()
                .filter(|_| is_number)
                .and_then(|at| self.local(at, per)),
            Kind::Epoch(per) => datum
                .int()
                .filter(|_| is_number)
                .map(|at| self.epoch(at, per)),
            Kind::ZonedTimestamp => {
                let text = datum
                    .text()
                    .and_then(|text| iso::timestamp(&text, &self.zone));
                return Ok(batch.push_bytes(text.ok_or_else(|| wrong(field))?.as_bytes()));
            }
            Kind::ZonedTime => {
                let now = jiff::Timestamp::now().as_second();
                let text = datum.text();
                let text = text.and_then(|text| iso::time(&text, self.zone.at_instant(now)));
                return Ok(batch.push_bytes(text.ok_or_else(|| wrong(field))?.as_bytes()));
            }
        };
        new.map(Cell::Int).ok_or_else(|| wrong(field))
    }

    /// As in Java a count of milliseconds that is too large fails, where others wrap.
    fn local(&self, count: i64, per: i64) -> Option<i64> {
        let seconds = count.div_euclid(per);
        let shift = i64::from(self.zone.at_local(seconds)) * per;
        match per {
            1_000 => count.checked_sub(shift),
            _ => Some(count.wrapping_sub(shift)),
        }
    }

    fn epoch(&self, count: i64, per: i64) -> i64 {
        let offset = self.zone.at_instant(count.div_euclid(per));
        count.saturating_add(i64::from(offset) * per)
    }
}

fn wrong(field: &Field) -> Error {
    let err = Error::record("A value is no date or time that can be converted to a time zone");
    err.context("field", &field.name)
}

/// The table that the source of an event names.
fn table(event: Datum<'_>) -> Option<String> {
    let table = event.get("source")?.get("table")?.text()?;
    Some(table.into_owned())
}

impl EachEvent for TimezoneConverter {
    fn next_batch(&mut self) {
        self.compiled.next_batch();
    }

    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        let plan = self.compiled.of(batch, record.route, |route| {
            let schema = route.value().filter(|schema| is_envelope(schema));
            schema.map(Plan::new)
        });
        let Some(plan) = plan.as_deref().and_then(Option::as_ref) else {
            return Ok(true);
        };
        let Some(row) = batch.row(index).filter(|row| !row.value().is_null()) else {
            return Ok(true);
        };
        let chosen = self
            .lists
            .chosen(table(row.value()).as_deref(), row.topic());
        if !matches!(chosen, Chosen::Nothing) {
            let value = self.convert(plan, chosen, batch, record.value)?;
            if let Some(record) = batch.records_mut().get_mut(index) {
                record.value = value;
            }
        }
        Ok(true)
    }
}

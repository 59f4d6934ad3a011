//! Debezium's `HeaderToValue`: headers as fields of the value, also within its structs.

use std::sync::Arc;

use connect_core::{
    Batch, Datum, Error, Field, Finding, Header, Properties, Result, Route, Schema, Type, Value,
    config::{Config, Key, List, Rules, Width},
    route::RouteId,
};

use super::{
    events::EachEvent,
    reshape::is_null,
    row::with_fields,
    shown::{Shown, debezium},
    side::Side,
};

connect_core::config! {
    /// Takes headers into the value.
    pub(super) struct HeaderToValueConfig;
    group "Header to value" {
        /// Header names in the record whose values are to be copied or moved to record value.
        headers: Option<List> = none, "headers", High;
        /// Field names, in the same order as the header names listed in the headers configuration property. Supports Struct nesting using dot notation.
        fields: Option<List> = none, "fields", High;
        /// Either <code>move</code> if the fields are to be moved to the value (removed from the headers), or <code>copy</code> if the fields are to be copied to the value (retained in the headers).
        operation: Option<String> = none, "operation", High;
    }
}

/// How forms show the properties.
const SHOWN: &[Shown] = &[
    ("headers", Width::None, "Header names list"),
    ("fields", Width::None, "Field names list"),
    ("operation", Width::None, "Operation: mover or copy"),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(HeaderToValueConfig::keys(), SHOWN)
}

impl Rules for HeaderToValueConfig {
    fn rules(&self) -> Vec<Finding> {
        let count = |list: &Option<List>| list.as_ref().map_or(0, |list| list.0.len());
        let (headers, fields) = (count(&self.headers), count(&self.fields));
        let mut findings = Vec::new();
        for (key, given) in [
            ("headers", headers > 0),
            ("fields", fields > 0),
            ("operation", self.operation.is_some()),
        ] {
            if !given {
                let why = format!("The '{key}' value is invalid: A value is required");
                findings.push(Finding::error(key, why));
            }
        }
        if findings.is_empty() && headers != fields {
            let why = "'fields' config must have the same number of elements as 'headers' config.";
            findings.push(Finding::error("fields", why));
        }
        let operation = self.operation.as_deref().unwrap_or("copy").trim();
        if !["move", "copy"]
            .iter()
            .any(|known| operation.eq_ignore_ascii_case(known))
        {
            let why = "Value must be one of move, copy";
            findings.push(Finding::invalid("operation", operation, why));
        }
        findings
    }
}

/// Combinations of a route and headers' schemas that are kept.
const MOST_PLANS: usize = 64;

/// The transform.
pub(super) struct HeaderToValue {
    pairs: Vec<(String, Vec<String>)>,
    moves: bool,
    plans: Vec<Arc<Plan>>,
}

/// A route with the headers that records of it have.
struct Plan {
    old: RouteId,
    /// Which pairs, and the schemas of the headers.
    taken: Vec<(usize, Arc<Schema>)>,
    route: Arc<Route>,
    schema: Arc<Schema>,
}

impl HeaderToValue {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = HeaderToValueConfig::parse(settings)?;
        let list = |list: Option<List>| list.map(|list| list.0).unwrap_or_default();
        let steps = |path: String| path.split('.').map(str::to_owned).collect();
        let fields = list(config.fields).into_iter().map(steps);
        let operation = config.operation.unwrap_or_default();
        Ok(Self {
            pairs: list(config.headers).into_iter().zip(fields).collect(),
            moves: operation.trim().eq_ignore_ascii_case("move"),
            plans: Vec::new(),
        })
    }

    fn pair_of(&self, header: &Header) -> Option<usize> {
        self.pairs
            .iter()
            .position(|(name, _)| **name == *header.name)
    }

    fn plan(&mut self, route: &Arc<Route>, taken: Vec<(usize, Arc<Schema>)>) -> Result<Arc<Plan>> {
        let mut plans = self.plans.iter();
        let known = plans.find(|plan| plan.old == route.id() && plan.taken == taken);
        if let Some(known) = known {
            return Ok(Arc::clone(known));
        }
        let old = route.value().ok_or_else(not_struct)?;
        let mut new = Schema::clone(old);
        let path = |pair: usize| self.pairs.get(pair).map_or(&[][..], |(_, path)| path);
        // Plain fields come before the structs that are made.
        let (plain, nested): (Vec<_>, Vec<_>) =
            taken.iter().partition(|(pair, _)| path(*pair).len() < 2);
        for (pair, schema) in plain.into_iter().chain(nested) {
            new = grown(&new, path(*pair), schema)?;
        }
        let schema = Arc::new(new);
        let plan = Arc::new(Plan {
            old: route.id(),
            taken,
            route: Side::Value.reroute(route, Some(Arc::clone(&schema))),
            schema,
        });
        // Invariant 4: nothing unbounded.
        if self.plans.len() >= MOST_PLANS {
            self.plans.clear();
        }
        self.plans.push(Arc::clone(&plan));
        Ok(plan)
    }
}

/// A struct with a field more, within structs that are made where they are missing.
fn grown(schema: &Schema, path: &[String], new: &Arc<Schema>) -> Result<Schema> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(schema.clone());
    };
    if !matches!(schema.ty, Type::Struct(_)) {
        return Err(Error::record(format!(
            "A nested field {first} cannot be added to a field that is no struct"
        )));
    }
    let mut fields = schema.fields().to_vec();
    let known = fields.iter_mut().find(|field| *field.name == **first);
    match known {
        Some(_) if rest.is_empty() => {}
        Some(field) => field.schema = Arc::new(grown(&field.schema, rest, new)?),
        None if rest.is_empty() => fields.push(Field::new(first.as_str(), Arc::clone(new))),
        None => {
            let inner = grown(&Schema::structure([]), rest, new)?.optional();
            fields.push(Field::new(first.as_str(), inner));
        }
    }
    with_fields(schema, fields)
}

/// Puts a value where a path leads. Structs that were null stay so.
fn put(value: &mut Value, path: &[String], new: Value) {
    let (Some((first, rest)), Value::Map(entries)) = (path.split_first(), value) else {
        return;
    };
    let known = entries.iter_mut().find(|(name, _)| name == first);
    match known {
        Some((_, place)) if rest.is_empty() => *place = new,
        Some((_, place)) => put(place, rest, new),
        None if rest.is_empty() => entries.push((first.clone(), new)),
        None => {
            let mut inner = Value::Map(Vec::new());
            put(&mut inner, rest, new);
            entries.push((first.clone(), inner));
        }
    }
}

impl EachEvent for HeaderToValue {
    fn each(&mut self, batch: &mut Batch, index: usize) -> Result<bool> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(true);
        };
        let Some(route) = batch.route(record.route).cloned() else {
            return Ok(true);
        };
        if is_null(batch, record.value) {
            return Ok(true);
        }
        let schema = route
            .value()
            .filter(|schema| matches!(schema.ty, Type::Struct(_)));
        let schema = schema.ok_or_else(not_struct)?;
        let (mut taken, mut values) = (Vec::new(), Vec::new());
        for header in batch.headers(record) {
            if let Some(pair) = self.pair_of(header) {
                let lacks = || Error::record("A header without schema cannot become a field");
                let schema = header.schema.clone().ok_or_else(lacks)?;
                values.push(Datum::of(batch, Some(&schema), header.value).to_value());
                taken.push((pair, schema));
            }
        }
        if taken.is_empty() {
            return Ok(true);
        }
        let mut value = Datum::of(batch, Some(schema), record.value).to_value();
        let plan = self.plan(&route, taken)?;
        for ((pair, _), new) in plan.taken.iter().zip(values) {
            if let Some((_, path)) = self.pairs.get(*pair) {
                put(&mut value, path, new);
            }
        }
        let value = batch.push_value(&value, Some(&plan.schema));
        let route = batch.route_index(&plan.route);
        if let Some(record) = batch.records_mut().get_mut(index) {
            (record.value, record.route) = (value, route);
        }
        if self.moves {
            let all = batch.headers(record).iter();
            let kept = all.filter(|header| self.pair_of(header).is_none()).cloned();
            let kept: Vec<Header> = kept.collect();
            batch.set_headers(index, &kept);
        }
        Ok(true)
    }
}

fn not_struct() -> Error {
    Error::record("Only Struct objects supported for [Header field insertion]")
}

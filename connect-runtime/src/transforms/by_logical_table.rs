//! Debezium's `ByLogicalTableRouter`: records of several tables in one topic.

use std::sync::Arc;

use connect_core::{
    Batch, Cell, Error, Field, Finding, Properties, Result, Route, Schema, Type, Value,
    config::{Config, Key, Rules, Width},
    java_regex::{JavaRegex, Replacement},
    transform::{Transform, Verdicts},
};

use super::{
    compiled::Compiled,
    event_router::is_envelope,
    reshape::{is_null, refuse},
    row::take_cells,
    shown::{Shown, debezium},
};

connect_core::config! {
    /// Routes records of several tables to one topic.
    pub(super) struct ByLogicalTableConfig;
    group "By logical table router" {
        /// The regex used for extracting the name of the logical table from the original topic name.
        regex: Option<String> = none, "topic.regex", Low;
        /// The replacement string used in conjunction with topic.regex. This will be used to create the new topic name.
        replacement: Option<String> = none, "topic.replacement", Low;
        /// Augment each record's key with a field denoting the source topic. This field distinguishes records coming from different physical tables which may otherwise have primary/unique key conflicts. If the source tables are guaranteed to have globally unique keys then this may be set to false to disable key rewriting.
        unique: bool = "true", "key.enforce.uniqueness", Low;
        /// The regex used for extracting the physical table identifier from the original topic name. Now that multiple physical tables can share a topic, the event's key may need to be augmented to include fields other than just those for the record's primary/unique key, since these are not guaranteed to be unique across tables. We need some identifier added to the key that distinguishes the different physical tables.
        key_regex: Option<String> = none, "key.field.regex", Low;
        /// The replacement string used in conjunction with key.field.regex. This will be used to create the physical table identifier in the record's key.
        key_replacement: Option<String> = none, "key.field.replacement", Low;
        /// The size used for holding the max entries in LRUCache. The cache will keep the old/new schema for logical table key and value, also cache the derived key and topic regex result for improving the source record transformation.
        cache: i32 = "16", "logical.table.cache.size", Low;
    }
}

/// How forms show the properties.
pub(super) const SHOWN: &[Shown] = &[
    ("topic.regex", Width::Long, "Topic regex"),
    ("topic.replacement", Width::Long, "Topic replacement"),
    (
        "key.enforce.uniqueness",
        Width::Short,
        "Add source topic name into key",
    ),
    ("key.field.regex", Width::Long, "Key field regex"),
    (
        "key.field.replacement",
        Width::Long,
        "Key field replacement",
    ),
    (
        "logical.table.cache.size",
        Width::Long,
        "Logical table cache size",
    ),
];

/// Its properties.
pub(super) fn keys() -> Vec<Key> {
    debezium(ByLogicalTableConfig::keys(), SHOWN)
}

impl Rules for ByLogicalTableConfig {
    fn rules(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        for (key, text) in [
            ("topic.regex", &self.regex),
            ("topic.replacement", &self.replacement),
        ] {
            if !given(text) {
                let why = format!("The '{key}' value is invalid: A value is required");
                findings.push(Finding::error(key, why));
            }
        }
        if given(&self.key_regex) && !given(&self.key_replacement) {
            let key = "key.field.replacement";
            let why = format!(
                "The '{key}' value is invalid: {key} must be non-empty if key.field.regex is set."
            );
            findings.push(Finding::error(key, why));
        }
        let mode = self.rest.get(ADJUSTMENT).map(String::as_str);
        if !matches!(mode, None | Some("none" | "avro" | "avro_unicode")) {
            let why = "Value must be one of none, avro, avro_unicode";
            findings.push(Finding::invalid(ADJUSTMENT, mode.unwrap_or_default(), why));
        }
        let all = [
            Rename::new("topic.regex", &self.regex, &self.replacement).err(),
            Rename::new("key.field.regex", &self.key_regex, &self.key_replacement).err(),
        ];
        findings.extend(all.into_iter().flatten());
        findings
    }
}

const ADJUSTMENT: &str = "schema.name.adjustment.mode";
const KEY_FIELD: &str = "key.field.name";
const PURPOSE: &str = "Updating schema";

/// What a text becomes that matches.
struct Rename {
    regex: JavaRegex,
    replacement: Replacement,
}

impl Rename {
    fn new(
        key: &'static str,
        regex: &Option<String>,
        replacement: &Option<String>,
    ) -> Result<Option<Self>, Finding> {
        let (Some(text), Some(new)) = (regex, replacement) else {
            return Ok(None);
        };
        let wrong = |why: String| Finding::invalid(key, text, &why);
        let regex = JavaRegex::new(text.trim()).map_err(wrong)?;
        let replacement = Replacement::new(new, &regex).map_err(wrong)?;
        Ok(Some(Self { regex, replacement }))
    }

    fn of(&self, text: &str) -> Option<String> {
        self.regex.replace_first(text, &self.replacement)
    }
}

/// The transform.
pub(super) struct ByLogicalTable {
    options: Options,
    plans: Compiled<Result<Option<Plan>>>,
    cells: Vec<Cell>,
}

struct Options {
    topic: Option<Rename>,
    key: Option<Rename>,
    /// The name of the key's field that tells the table; `None` for none.
    field: Option<Arc<str>>,
    adjust: bool,
}

/// What becomes of a route.
struct Plan {
    /// With the key and the value as they are renamed.
    route: Arc<Route>,
    /// The same for records without key.
    keyless: Arc<Route>,
    /// The old schema of the key, if a field comes to it.
    grown: Option<Arc<Schema>>,
    /// A key that is no struct cannot be renamed.
    is_struct: bool,
}

impl ByLogicalTable {
    /// From its properties.
    pub(super) fn new(settings: &Properties) -> Result<Self, Vec<Finding>> {
        let config = ByLogicalTableConfig::parse(settings)?;
        let one = |finding| vec![finding];
        let field = config.rest.get(KEY_FIELD).map(String::as_str);
        let field = field.unwrap_or("__dbz__physicalTableIdentifier");
        let key = config.key_regex.filter(|text| !text.trim().is_empty());
        Ok(Self {
            options: Options {
                topic: Rename::new("topic.regex", &config.regex, &config.replacement)
                    .map_err(one)?,
                key: Rename::new("key.field.regex", &key, &config.key_replacement).map_err(one)?,
                field: config.unique.then(|| field.into()),
                adjust: config
                    .rest
                    .get(ADJUSTMENT)
                    .is_some_and(|mode| mode != "none"),
            },
            plans: Compiled::default(),
            cells: Vec::new(),
        })
    }

    fn one(&mut self, batch: &mut Batch, index: usize) -> Result<()> {
        let Some(&record) = batch.records().get(index) else {
            return Ok(());
        };
        let options = &self.options;
        let plan = self
            .plans
            .of(batch, record.route, |route| options.plan(route));
        let plan = match plan.as_deref() {
            Some(Ok(Some(plan))) => plan,
            Some(Err(err)) => return Err(err.clone()),
            _ => return Ok(()),
        };
        let has_key = !is_null(batch, record.key);
        if has_key && !plan.is_struct {
            return Err(Error::record(format!(
                "Only Struct objects supported for [{PURPOSE}]"
            )));
        }
        let mut key = record.key;
        if let Some(schema) = plan.grown.as_ref().filter(|_| has_key) {
            take_cells(batch, schema, key, PURPOSE, &mut self.cells)?;
            self.cells.push(Cell::Const);
            key = batch.push_nest(&self.cells);
        }
        let route = batch.route_index(if has_key { &plan.route } else { &plan.keyless });
        if let Some(record) = batch.records_mut().get_mut(index) {
            (record.route, record.key) = (route, key);
        }
        Ok(())
    }
}

impl Options {
    /// `None` for a topic that stays.
    fn plan(&self, route: &Arc<Route>) -> Result<Option<Plan>> {
        let topic = self
            .topic
            .as_ref()
            .and_then(|topic| topic.of(route.topic()));
        let Some(topic) = topic else {
            return Ok(None);
        };
        if topic.is_empty() {
            tracing::warn!(topic = %route.topic(), "an empty name of a topic is not taken");
            return Ok(None);
        }
        let is_struct = |schema: &&Arc<Schema>| matches!(schema.ty, Type::Struct(_));
        let old = route.key().filter(is_struct);
        let key = old
            .map(|old| self.key(old, route.topic(), &topic))
            .transpose()?;
        let value = match route.value() {
            Some(old) if is_envelope(old) => Some(Arc::new(self.envelope(old, &topic)?)),
            other => other.cloned(),
        };
        let topic: Arc<str> = topic.into();
        Ok(Some(Plan {
            keyless: Route::new(Arc::clone(&topic), None, value.clone()),
            route: Route::new(topic, key.map(Arc::new), value),
            grown: old.filter(|_| self.field.is_some()).cloned(),
            is_struct: old.is_some(),
        }))
    }

    fn key(&self, old: &Schema, from: &str, to: &str) -> Result<Schema> {
        let mut fields = old.fields().to_vec();
        if let Some(name) = &self.field {
            let table = self.key.as_ref().and_then(|key| key.of(from));
            let table = table.unwrap_or_else(|| from.to_owned());
            let text = Schema::of(Type::String);
            fields.push(Field::constant(Arc::clone(name), text, Value::Str(table)));
        }
        self.renamed(old, fields, format!("{to}.Key"))
    }

    fn envelope(&self, old: &Schema, to: &str) -> Result<Schema> {
        let (_, before) = old
            .field("before")
            .ok_or_else(|| Error::record("before is not a valid field name"))?;
        let rows = before.schema.fields().to_vec();
        let row = Arc::new(self.renamed(&before.schema, rows, format!("{to}.Value"))?);
        let fields = old.fields().iter().map(|field| {
            let mut field = field.clone();
            if matches!(&*field.name, "before" | "after") {
                field.schema = Arc::clone(&row);
            }
            field
        });
        self.renamed(old, fields.collect(), format!("{to}.Envelope"))
    }

    /// The same schema with other fields and another name, and without a default.
    fn renamed(&self, old: &Schema, fields: Vec<Field>, name: String) -> Result<Schema> {
        let mut new = super::row::with_fields(old, fields)?;
        let name = if self.adjust { adjusted(&name) } else { name };
        (new.name, new.optional) = (Some(name.into()), old.optional);
        Ok(new)
    }
}

/// A name as Avro takes it.
fn adjusted(name: &str) -> String {
    let first = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    let mut new = String::with_capacity(name.len());
    let mut begins = true;
    for letter in name.chars() {
        let fits = first(letter) || !begins && letter.is_ascii_digit() || letter == '.';
        new.push(if fits { letter } else { '_' });
        begins = letter == '.';
    }
    new
}

impl Transform for ByLogicalTable {
    fn apply(&mut self, batch: &mut Batch, applies: &dyn Fn(usize) -> bool) -> Result<Verdicts> {
        self.plans.next_batch();
        let mut verdicts = Verdicts::default();
        for index in (0..batch.len()).filter(|index| applies(*index)) {
            if let Err(err) = self.one(batch, index) {
                refuse(&mut verdicts, index, err)?;
            }
        }
        Ok(verdicts)
    }
}

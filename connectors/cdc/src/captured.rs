//! Which tables and columns are captured, and what is done with them.

use std::{collections::BTreeMap, sync::Arc};

use connect_core::{
    Finding,
    config::{List, ParseValue, Properties},
};

use crate::{
    filters::Filter,
    masks::{Mask, Masks},
    naming::Naming,
    options::signal_table,
    source_types::SourceTypes,
};

/// Which tables and columns are captured, and which columns make their keys.
#[derive(Debug, Clone)]
pub struct Captured {
    schemas: Filter,
    tables: Filter,
    columns: Filter,
    snapshot: Filter,
    types: SourceTypes,
    keys: Vec<KeyRule>,
    masks: Masks,
    /// Statements by full names of tables.
    selects: BTreeMap<String, String>,
    naming: Arc<Naming>,
    /// Schema and table of signals.
    signals: Option<(String, String)>,
    /// Whether a table is the server's own, where those are left out.
    is_builtin: fn(&str, &str) -> bool,
}

/// What was given. A list comes with the name of its property.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Schemas, or databases, to capture.
    pub schema_include: (&'a str, &'a List),
    /// Those not to capture.
    pub schema_exclude: (&'a str, &'a List),
    /// `table.include.list`
    pub table_include: &'a List,
    /// `table.exclude.list`
    pub table_exclude: &'a List,
    /// `column.include.list`
    pub column_include: &'a List,
    /// `column.exclude.list`
    pub column_exclude: &'a List,
    /// `snapshot.include.collection.list`
    pub snapshot_include: &'a List,
    /// `column.propagate.source.type`
    pub propagate_columns: &'a List,
    /// `datatype.propagate.source.type`
    pub propagate_types: &'a List,
    /// `message.key.columns`
    pub message_key_columns: Option<&'a str>,
    /// `snapshot.select.statement.overrides`
    pub selects: &'a List,
    /// `signal.data.collection`
    pub signal_table: Option<&'a str>,
    /// Properties whose names are not fixed.
    pub rest: &'a Properties,
    /// Whether a table is the server's own, where those are left out.
    pub is_builtin: fn(&str, &str) -> bool,
}

/// One rule of `message.key.columns`.
#[derive(Debug, Clone)]
struct KeyRule {
    table: regex::Regex,
    columns: Vec<String>,
}

impl Captured {
    /// Compiles the lists; `None` with findings when they do not compile.
    pub fn new(
        given: Given<'_>,
        naming: Option<Naming>,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let schemas = Filter::new(given.schema_include, given.schema_exclude, findings);
        let tables = Filter::new(
            ("table.include.list", given.table_include),
            ("table.exclude.list", given.table_exclude),
            findings,
        );
        let columns = Filter::new(
            ("column.include.list", given.column_include),
            ("column.exclude.list", given.column_exclude),
            findings,
        );
        let snapshot = Filter::new(
            ("snapshot.include.collection.list", given.snapshot_include),
            ("", &List::default()),
            findings,
        );
        let types = SourceTypes::new(
            ("column.propagate.source.type", given.propagate_columns),
            ("datatype.propagate.source.type", given.propagate_types),
            findings,
        );
        let masks = Masks::new(given.rest, findings);
        let keys = key_rules(given.message_key_columns, findings);
        Some(Self {
            schemas: schemas?,
            tables: tables?,
            columns: columns?,
            snapshot: snapshot?,
            types: types?,
            keys: keys?,
            masks: masks?,
            naming: Arc::new(naming?),
            selects: selects(given, findings)?,
            signals: given
                .signal_table
                .and_then(signal_table)
                .map(|(schema, table)| (schema.to_owned(), table.to_owned())),
            is_builtin: given.is_builtin,
        })
    }

    /// Whether something of a schema, or database, may be captured.
    pub fn schema(&self, schema: &str) -> bool {
        self.schemas.passes(schema)
    }

    /// Whether a table is captured.
    pub fn table(&self, schema: &str, table: &str) -> bool {
        let passes = !(self.is_builtin)(schema, table)
            && self.schemas.passes(schema)
            && self.tables.passes(&format!("{schema}.{table}"));
        passes || self.is_signals(schema, table)
    }

    /// Where the table stands in `table.include.list`, by the first entry that it matches.
    pub fn rank(&self, schema: &str, table: &str) -> usize {
        self.tables.rank(&format!("{schema}.{table}"))
    }

    /// Whether a table is the one whose rows are signals. It is captured, and no snapshot reads it.
    pub fn is_signals(&self, schema: &str, table: &str) -> bool {
        self.signals
            .as_ref()
            .is_some_and(|(s, t)| s == schema && t == table)
    }

    /// Whether a captured table takes part in snapshots.
    pub fn in_snapshot(&self, schema: &str, table: &str) -> bool {
        self.snapshot.passes(&format!("{schema}.{table}")) && !self.is_signals(schema, table)
    }

    /// Which columns tell their types.
    pub fn types(&self) -> &SourceTypes {
        &self.types
    }

    /// Whether a column of a captured table is captured.
    pub fn column(&self, schema: &str, table: &str, column: &str) -> bool {
        self.columns.is_open() || self.columns.passes(&format!("{schema}.{table}.{column}"))
    }

    /// The statement that gives the rows of a table in snapshots, if it is not the table itself.
    pub fn select(&self, schema: &str, table: &str) -> Option<&String> {
        self.selects.get(&format!("{schema}.{table}"))
    }

    /// How the values of a column are hidden.
    pub fn mask(&self, schema: &str, table: &str, column: &str) -> Option<&Mask> {
        self.masks.of(&format!("{schema}.{table}.{column}"))
    }

    /// How topics are named.
    pub fn naming(&self) -> &Naming {
        &self.naming
    }

    /// The columns that make the key of a table, where a rule says so.
    pub fn key(&self, schema: &str, table: &str) -> Option<&[String]> {
        let name = format!("{schema}.{table}");
        let rule = self.keys.iter().find(|rule| rule.table.is_match(&name))?;
        Some(&rule.columns)
    }
}

fn selects(given: Given<'_>, findings: &mut Vec<Finding>) -> Option<BTreeMap<String, String>> {
    let mut selects = BTreeMap::new();
    for table in &given.selects.0 {
        let key = format!("snapshot.select.statement.overrides.{table}");
        let Some(select) = given.rest.get(&key) else {
            findings.push(Finding::error(&key, format!("\"{key}\" is missing")));
            return None;
        };
        let select = select.trim().trim_end_matches(';');
        selects.insert(table.clone(), select.to_owned());
    }
    Some(selects)
}

fn key_rules(text: Option<&str>, findings: &mut Vec<Finding>) -> Option<Vec<KeyRule>> {
    let mut rules = Vec::new();
    for part in text
        .unwrap_or_default()
        .split(';')
        .map(str::trim)
        .filter(|p| !p.is_empty())
    {
        let rule = part.rsplit_once(':').and_then(|(table, columns)| {
            let table = regex::Regex::new(&format!("(?i)^(?:{})$", table.trim())).ok()?;
            let List(columns) = List::parse_value(columns).ok()?;
            (!columns.is_empty()).then_some(KeyRule { table, columns })
        });
        match rule {
            Some(rule) => rules.push(rule),
            None => {
                let why = "Must be a list of <table>:<column>,<column> separated by semicolons";
                findings.push(Finding::invalid("message.key.columns", part, why));
                return None;
            }
        }
    }
    Some(rules)
}

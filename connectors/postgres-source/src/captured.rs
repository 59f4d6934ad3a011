//! Which tables and columns are captured, and what is done with them.

use std::{collections::BTreeMap, sync::Arc};

use cdc::{
    filters::Filter,
    masks::{Mask, Masks},
    naming::Naming,
};
use connect_core::{
    Finding,
    config::{List, ParseValue},
};

use crate::{
    config::PostgresConfig, options::signal_table, replica_identity::ReplicaIdentities, reselect,
    source_type::SourceTypes,
};

/// Which tables and columns are captured, and which columns make their keys.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    schemas: Filter,
    tables: Filter,
    columns: Filter,
    snapshot: Filter,
    messages: Filter,
    types: SourceTypes,
    identities: ReplicaIdentities,
    keys: Vec<KeyRule>,
    masks: Masks,
    reselected: Option<reselect::Settings>,
    /// Statements by full names of tables.
    selects: BTreeMap<String, String>,
    naming: Arc<Naming>,
    /// Schema and table of signals.
    signals: Option<(String, String)>,
    ignore_builtin: bool,
}

/// One rule of `message.key.columns`.
#[derive(Debug, Clone)]
struct KeyRule {
    table: regex::Regex,
    columns: Vec<String>,
}

impl Captured {
    /// Compiles the lists; `None` with findings when they do not compile.
    pub(crate) fn new(config: &PostgresConfig, findings: &mut Vec<Finding>) -> Option<Self> {
        let schemas = Filter::new(
            ("schema.include.list", &config.schema_include),
            ("schema.exclude.list", &config.schema_exclude),
            findings,
        );
        let tables = Filter::new(
            ("table.include.list", &config.table_include),
            ("table.exclude.list", &config.table_exclude),
            findings,
        );
        let columns = Filter::new(
            ("column.include.list", &config.column_include),
            ("column.exclude.list", &config.column_exclude),
            findings,
        );
        let snapshot = Filter::new(
            ("snapshot.include.collection.list", &config.snapshot_include),
            ("", &List::default()),
            findings,
        );
        let messages = Filter::new(
            ("message.prefix.include.list", &config.message_include),
            ("message.prefix.exclude.list", &config.message_exclude),
            findings,
        );
        let types = SourceTypes::new(
            ("column.propagate.source.type", &config.propagate_columns),
            ("datatype.propagate.source.type", &config.propagate_types),
            findings,
        );
        let given = config.replica_identities.as_deref();
        let identities = ReplicaIdentities::new(given, findings);
        let masks = Masks::new(&config.rest, findings);
        let reselected = reselect::Settings::of(&config.post_processors, &config.rest, findings);
        let naming = config.naming(findings);
        let keys = key_rules(config.message_key_columns.as_deref(), findings);
        Some(Self {
            schemas: schemas?,
            tables: tables?,
            columns: columns?,
            snapshot: snapshot?,
            messages: messages?,
            types: types?,
            identities: identities?,
            keys: keys?,
            masks: masks?,
            reselected,
            naming: Arc::new(naming?),
            selects: selects(config, findings)?,
            signals: (config.signal_table.as_deref())
                .and_then(signal_table)
                .map(|(schema, table)| (schema.to_owned(), table.to_owned())),
            ignore_builtin: config.ignore_builtin,
        })
    }

    /// Whether a table is captured.
    pub(crate) fn table(&self, schema: &str, table: &str) -> bool {
        let builtin = matches!(schema, "pg_catalog" | "information_schema" | "pg_toast")
            // Filled by PostGIS itself.
            || table.eq_ignore_ascii_case("spatial_ref_sys");
        let passes = !(builtin && self.ignore_builtin)
            && self.schemas.passes(schema)
            && self.tables.passes(&format!("{schema}.{table}"));
        passes || self.is_signals(schema, table)
    }

    /// Whether a table is the one whose rows are signals. It is captured, and no snapshot reads it.
    pub(crate) fn is_signals(&self, schema: &str, table: &str) -> bool {
        self.signals
            .as_ref()
            .is_some_and(|(s, t)| s == schema && t == table)
    }

    /// Whether a captured table takes part in snapshots.
    pub(crate) fn in_snapshot(&self, schema: &str, table: &str) -> bool {
        self.snapshot.passes(&format!("{schema}.{table}")) && !self.is_signals(schema, table)
    }

    /// The replica identities that tables are given.
    pub(crate) fn identities(&self) -> &ReplicaIdentities {
        &self.identities
    }

    /// Which columns tell their types.
    pub(crate) fn types(&self) -> &SourceTypes {
        &self.types
    }

    /// Which logical messages are captured, by prefix.
    pub(crate) fn messages(&self) -> &Filter {
        &self.messages
    }

    /// Whether a column of a captured table is captured.
    pub(crate) fn column(&self, schema: &str, table: &str, column: &str) -> bool {
        self.columns.is_open() || self.columns.passes(&format!("{schema}.{table}.{column}"))
    }

    /// The statement that gives the rows of a table in snapshots, if it is not the table itself.
    pub(crate) fn select(&self, schema: &str, table: &str) -> Option<&String> {
        self.selects.get(&format!("{schema}.{table}"))
    }

    /// How the values of a column are hidden.
    pub(crate) fn mask(&self, schema: &str, table: &str, column: &str) -> Option<&Mask> {
        self.masks.of(&format!("{schema}.{table}.{column}"))
    }

    /// Which columns are read again when their values were not sent.
    pub(crate) fn reselected(&self) -> Option<&reselect::Settings> {
        self.reselected.as_ref()
    }

    /// How topics are named.
    pub(crate) fn naming(&self) -> &Naming {
        &self.naming
    }

    /// The columns that make the key of a table, where a rule says so.
    pub(crate) fn key(&self, schema: &str, table: &str) -> Option<&[String]> {
        let name = format!("{schema}.{table}");
        let rule = self.keys.iter().find(|rule| rule.table.is_match(&name))?;
        Some(&rule.columns)
    }
}

fn selects(
    config: &PostgresConfig,
    findings: &mut Vec<Finding>,
) -> Option<BTreeMap<String, String>> {
    let mut selects = BTreeMap::new();
    for table in &config.selects.0 {
        let key = format!("snapshot.select.statement.overrides.{table}");
        let Some(select) = config.rest.get(&key) else {
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

#[cfg(test)]
mod tests {
    use connect_core::Config;

    use super::*;
    use crate::config::tests::given;

    #[test]
    fn tables_columns_and_keys_follow_the_lists() {
        let config = PostgresConfig::parse(&given(&[
            ("table.include.list", "public\\.orders,public.o_.*"),
            ("column.exclude.list", "public.orders.secret"),
            ("message.key.columns", "public.orders:a,b;(.*).o_x:c"),
        ]))
        .unwrap();
        let captured = Captured::new(&config, &mut Vec::new()).unwrap();
        assert!(captured.table("public", "orders") && captured.table("public", "o_1"));
        assert!(!captured.table("public", "customers") && !captured.table("pg_catalog", "orders"));
        assert!(!captured.column("public", "orders", "secret"));
        assert!(captured.column("public", "orders", "id"));
        assert_eq!(captured.key("public", "orders").unwrap(), ["a", "b"]);
        assert_eq!(captured.key("x", "o_x").unwrap(), ["c"]);
        assert!(captured.key("public", "o_1").is_none());
    }
}

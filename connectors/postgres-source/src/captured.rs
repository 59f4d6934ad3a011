//! Which tables, columns and logical messages are captured, and what is done with them.

use std::ops::Deref;

use cdc::{
    captured::{self, Given},
    filters::Filter,
};
use connect_core::Finding;

use crate::{config::PostgresConfig, replica_identity::ReplicaIdentities, reselect};

/// What is captured: to what all sources have, this one adds logical messages, replica identities, and values that are read again.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    shared: captured::Captured,
    messages: Filter,
    identities: ReplicaIdentities,
    reselected: Option<reselect::Settings>,
}

impl Deref for Captured {
    type Target = captured::Captured;

    fn deref(&self) -> &captured::Captured {
        &self.shared
    }
}

impl Captured {
    /// Compiles the lists; `None` with findings when they do not compile.
    pub(crate) fn new(config: &PostgresConfig, findings: &mut Vec<Finding>) -> Option<Self> {
        let naming = config.naming(findings);
        let shared = captured::Captured::new(given(config), naming, findings);
        let messages = Filter::new(
            ("message.prefix.include.list", &config.message_include),
            ("message.prefix.exclude.list", &config.message_exclude),
            findings,
        );
        let named = config.replica_identities.as_deref();
        let identities = ReplicaIdentities::new(named, findings);
        let reselected = reselect::Settings::of(&config.post_processors, &config.rest, findings);
        Some(Self {
            shared: shared?,
            messages: messages?,
            identities: identities?,
            reselected,
        })
    }

    /// The replica identities that tables are given.
    pub(crate) fn identities(&self) -> &ReplicaIdentities {
        &self.identities
    }

    /// Which logical messages are captured, by prefix.
    pub(crate) fn messages(&self) -> &Filter {
        &self.messages
    }

    /// Which columns are read again when their values were not sent.
    pub(crate) fn reselected(&self) -> Option<&reselect::Settings> {
        self.reselected.as_ref()
    }
}

fn given(config: &PostgresConfig) -> Given<'_> {
    Given {
        schema_include: ("schema.include.list", &config.schema_include),
        schema_exclude: ("schema.exclude.list", &config.schema_exclude),
        table_include: &config.table_include,
        table_exclude: &config.table_exclude,
        column_include: &config.column_include,
        column_exclude: &config.column_exclude,
        snapshot_include: &config.snapshot_include,
        propagate_columns: &config.propagate_columns,
        propagate_types: &config.propagate_types,
        message_key_columns: config.message_key_columns.as_deref(),
        selects: &config.selects,
        signal_table: config.signal_table.as_deref(),
        rest: &config.rest,
        is_builtin: match config.ignore_builtin {
            true => is_builtin,
            false => |_, _| false,
        },
    }
}

fn is_builtin(schema: &str, table: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema" | "pg_toast")
        // Filled by PostGIS itself.
        || table.eq_ignore_ascii_case("spatial_ref_sys")
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

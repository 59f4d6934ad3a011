//! Which tables and columns are captured.

use cdc::captured::{Captured, Given};
use connect_core::Finding;

use crate::config::MySqlConfig;

/// Compiles the lists; `None` with findings when they do not compile.
pub(crate) fn captured(config: &MySqlConfig, findings: &mut Vec<Finding>) -> Option<Captured> {
    let naming = config.naming(findings);
    Captured::new(given(config), naming, findings)
}

fn given(config: &MySqlConfig) -> Given<'_> {
    Given {
        schema_include: ("database.include.list", &config.database_include),
        schema_exclude: ("database.exclude.list", &config.database_exclude),
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

/// Whether a table is the server's own.
pub(crate) fn is_builtin(database: &str, _table: &str) -> bool {
    matches!(
        database,
        "mysql" | "performance_schema" | "sys" | "information_schema"
    )
}

//! The server: version, settings, what the user may do.

use connect_core::Result;

use super::Look;
use crate::{
    catalog::quoted,
    wire::{Answer, Connection},
};

/// What is known of the server and of the user.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The user, quoted.
    pub user: String,
    pub is_superuser: bool,
    pub may_replicate: bool,
    /// Whether it may create things in the database.
    pub may_create: bool,
    pub is_standby: bool,
    pub max_slots: i64,
    pub free_slots: i64,
    pub max_wal_senders: i64,
}

const FACTS: &str = "SELECT current_setting('wal_level'), current_setting('server_encoding'), \
    current_setting('max_replication_slots')::int, \
    current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_catalog.pg_replication_slots), \
    current_setting('max_wal_senders')::int, current_user, current_setting('is_superuser') = 'on', \
    r.rolsuper OR r.rolreplication OR EXISTS (SELECT FROM pg_catalog.pg_roles g \
        WHERE g.rolname IN ('rds_replication', 'rds_superuser', 'cloudsqlsuperuser') \
        AND pg_catalog.pg_has_role(g.oid, 'member')), \
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), pg_catalog.pg_is_in_recovery() \
    FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";

impl Look<'_> {
    /// Whether it is worth looking at more.
    pub(super) async fn server(&mut self, connection: &mut Connection) -> Result<bool> {
        let version = connection.server_version();
        if version < 12 {
            self.error("database.hostname", "PostgreSQL 12 or newer is needed");
            return Ok(false);
        }
        let rows = connection.query(FACTS).await?;
        let Some(row) = rows.first() else {
            return Ok(true);
        };
        self.server = Facts {
            user: quoted(row.text(5)),
            is_superuser: row.is_true(6),
            may_replicate: row.is_true(7),
            may_create: row.is_true(8),
            is_standby: row.is_true(9),
            max_slots: row.number(2).unwrap_or(0),
            free_slots: row.number(3).unwrap_or(1),
            max_wal_senders: row.number(4).unwrap_or(0),
        };
        if row.text(1) == "SQL_ASCII" {
            let what =
                "The database's encoding is SQL_ASCII: text that is not UTF-8 will stop the task";
            self.warning("database.dbname", what);
        }
        if self.policy.streams {
            self.can_stream(row.text(0), version);
        }
        Ok(true)
    }

    fn can_stream(&mut self, wal_level: &str, version: u32) {
        if wal_level != "logical" {
            let what = format!(
                "wal_level is {wal_level} and must be logical: `ALTER SYSTEM SET wal_level = logical` and restart the server"
            );
            self.error("database.hostname", what);
        }
        if self.server.is_standby && version < 16 {
            let what = "The server is a standby, which can be streamed from since PostgreSQL 16: name the primary";
            self.error("database.hostname", what);
        }
        if !self.server.may_replicate {
            let user = &self.server.user;
            let what =
                format!("The user has no REPLICATION right: `ALTER ROLE {user} REPLICATION`");
            self.error("database.user", what);
        }
    }
}

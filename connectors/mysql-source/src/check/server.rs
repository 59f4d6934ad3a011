//! The server: its family, its settings, its other replicas.

use connect_core::Result;

use super::{Look, text};
use crate::{
    task::target,
    wire::{Answer, Connection, Flavor, replicas},
};

/// A binlog that is kept for less is gone after a long night.
const SHORT_S: u64 = 24 * 60 * 60;

/// The key of what is about the server itself.
const SERVER: &str = "database.hostname";

impl Look<'_> {
    /// Whether it is worth looking at more.
    pub(super) fn family(&mut self, connection: &Connection) -> bool {
        let server = connection.server();
        if server.flavor != self.flavor {
            let what = "The server is of the other family: use the connector class of MySQL for MySQL, of MariaDB for MariaDB";
            self.error("connector.class", what);
            return false;
        }
        let (oldest, name) = match server.flavor {
            Flavor::MySql => ((8, 0, 0), "MySQL 8.0"),
            Flavor::MariaDb => ((10, 5, 0), "MariaDB 10.5"),
        };
        if server.version < oldest {
            self.error(SERVER, format!("{name} or newer is needed"));
        }
        server.version >= oldest
    }

    pub(super) async fn settings(&mut self, connection: &mut Connection) -> Result<()> {
        if variable(connection, "log_bin").await? == "OFF" {
            let what =
                "The server has no binlog: set log_bin in its configuration, and start it again";
            self.error(SERVER, what);
            return Ok(());
        }
        let format = variable(connection, "binlog_format").await?;
        if !format.is_empty() && format != "ROW" {
            let what = format!(
                "The server has binlog_format={format}, and rows are needed: SET GLOBAL binlog_format = 'ROW', and let all sessions connect anew"
            );
            self.error(SERVER, what);
        }
        let image = variable(connection, "binlog_row_image").await?;
        if !image.is_empty() && image != "FULL" {
            let what = format!(
                "The server has binlog_row_image={image}: columns that it does not log are absent from records. SET GLOBAL binlog_row_image = 'FULL' changes that"
            );
            self.warning(SERVER, what);
        }
        if variable(connection, "server_id").await? == "0" {
            self.error(
                SERVER,
                "The server has server_id=0, and lets no replica connect: SET GLOBAL server_id = 1",
            );
        }
        let keeps = variable(connection, "binlog_expire_logs_seconds").await?;
        if keeps
            .parse()
            .is_ok_and(|keeps: u64| keeps > 0 && keeps < SHORT_S)
        {
            let what = format!(
                "The server keeps its binlog for {keeps} s: a connector that is stopped for longer has to begin anew. SET GLOBAL binlog_expire_logs_seconds = 604800"
            );
            self.warning(SERVER, what);
        }
        self.relays(connection).await
    }

    /// A replica logs what it gets from its source only if it is told to.
    async fn relays(&mut self, connection: &mut Connection) -> Result<()> {
        let new = variable(connection, "log_replica_updates").await?;
        let old = variable(connection, "log_slave_updates").await?;
        if new != "OFF" && (old != "OFF" || !new.is_empty()) {
            return Ok(());
        }
        let status = match connection.server().version >= (8, 0, 22) {
            true => "SHOW REPLICA STATUS",
            false => "SHOW SLAVE STATUS",
        };
        let is_replica = connection
            .query(status)
            .await
            .is_ok_and(|rows| !rows.is_empty());
        if is_replica {
            let what = "The server is a replica that does not log what it gets: set log_replica_updates=ON (log_slave_updates for MariaDB) in its configuration, and start it again";
            self.error(SERVER, what);
        }
        Ok(())
    }

    /// Who else reads the binlog under our number.
    pub(super) async fn replicas(&mut self, connection: &mut Connection) -> Result<()> {
        let key = "database.server.id";
        let ours = self.config.server_id.0.to_string();
        if text(connection, "SELECT @@GLOBAL.server_id").await? == ours {
            let what =
                format!("The server itself has the number {ours}: give the connector another");
            self.error(key, what);
        }
        let itself = target(self.config, self.flavor).application;
        // Not everybody may ask.
        let replicas = replicas(connection, self.config.server_id.0).await;
        for other in replicas.unwrap_or_default() {
            if other != itself {
                let what = format!(
                    "A replica or connector with the number {ours} is connected ({other}): give this connector another"
                );
                self.warning(key, what);
            }
        }
        Ok(())
    }
}

/// A setting of the server, in upper case; empty when it has none of this name.
async fn variable(connection: &mut Connection, name: &str) -> Result<String> {
    let sql = format!("SHOW GLOBAL VARIABLES LIKE '{name}'");
    let rows = connection.query(&sql).await?;
    let value = rows.first().map(|row| row.text(1).to_ascii_uppercase());
    Ok(value.unwrap_or_default())
}

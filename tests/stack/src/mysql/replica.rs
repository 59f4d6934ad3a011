//! A second server that follows the first by GTID.

use super::{Mysql, MysqlOptions, SUPERUSER};
use crate::{Result, Stack, postgres::PASSWORD};

impl Mysql {
    /// Starts a server of the same version that replicates everything from this one, whose whole binlog must still be
    /// there. Its own binlog has the same GTIDs at other positions.
    pub fn replica(&self, stack: &Stack) -> Result<Self> {
        self.replica_with(stack, MysqlOptions::new(self.version))
    }

    /// The same with options.
    pub fn replica_with(&self, stack: &Stack, options: MysqlOptions) -> Result<Self> {
        let replica = Self::start(stack, options)?;
        let (host, port) = (&self.host, self.port());
        replica.sql(&match self.version.is_mariadb() {
            true => format!(
                "CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='{SUPERUSER}', \
                 MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE"
            ),
            false => format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST='{host}', SOURCE_PORT={port}, SOURCE_USER='{SUPERUSER}', \
                 SOURCE_PASSWORD='{PASSWORD}', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, GET_SOURCE_PUBLIC_KEY=1; \
                 START REPLICA"
            ),
        })?;
        Ok(replica)
    }

    /// Makes a replica a server of its own.
    pub fn promote(&self) -> Result<()> {
        let word = match self.version.is_mariadb() {
            true => "SLAVE",
            false => "REPLICA",
        };
        self.sql(&format!("STOP {word}; RESET {word} ALL"))
            .map(|_| ())
    }

    /// The GTIDs that it has, its own and those it replicated: a set in MySQL's or MariaDB's form.
    pub fn gtids(&self) -> Result<String> {
        let variable = match self.version.is_mariadb() {
            true => "gtid_current_pos",
            false => "gtid_executed",
        };
        let told = self.sql(&format!("SELECT @@GLOBAL.{variable}"))?;
        Ok(told.trim().replace("\\n", ""))
    }
}

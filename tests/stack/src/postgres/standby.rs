//! Hot standbys: a copy of a running server that follows it.

use std::fs;

use super::{DATABASE, PASSWORD, Postgres, PostgresOptions, SUPERUSER, data, plan};
use crate::{Result, Stack, account::Account, port::Port, run::run};

impl Postgres {
    /// Starts a hot standby of this server, with settings of its own. It follows through the physical slot of this name,
    /// which is made.
    pub fn standby(&self, stack: &Stack, slot: &str, options: PostgresOptions) -> Result<Self> {
        self.psql(&format!(
            "select pg_create_physical_replication_slot('{slot}', true)"
        ))?;
        let name = stack.name("standby");
        let port = Port::claim()?;
        let folder = stack.home().create(&name)?;
        let (user, password) = (SUPERUSER, PASSWORD);
        let primary = format!(
            "host=127.0.0.1 port={} user={user} password={password} dbname={DATABASE}",
            self.port()
        );
        let account = Account::of_servers();
        let mut copy = account.command(&self.program("pg_basebackup"));
        copy.args([
            "--no-sync",
            "--checkpoint=fast",
            "--wal-method=stream",
            "-d",
            &primary,
        ])
        .arg("-D")
        .arg(folder.join("data"));
        run(&mut copy)?;
        data::certify(&folder, &account)?;
        run(account
            .command(std::path::Path::new("touch"))
            .arg(folder.join("data/standby.signal")))?;
        let options = options
            .set("primary_conninfo", &primary)
            .set("primary_slot_name", slot);
        let text = data::configuration(&folder, port.number(), &options);
        fs::write(folder.join("stack.conf"), text)?;
        let plan = plan(&self.programs, &folder, port.number());
        Ok(Self {
            server: stack.run(name, vec![port], plan)?,
            ..self.clone()
        })
    }

    /// Makes a standby a primary.
    pub fn promote(&self) -> Result<()> {
        self.psql("select pg_promote(true, 60)").map(|_| ())
    }
}

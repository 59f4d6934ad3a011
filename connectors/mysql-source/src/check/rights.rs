//! What the user may do.

use connect_core::Result;

use super::Look;
use crate::{
    config::Locking,
    wire::{Answer, Connection, Flavor},
};

/// The privileges that an account has on the whole server.
#[derive(Debug, Default)]
struct Grants {
    names: Vec<String>,
    /// Whether it has roles, whose privileges are not in the list.
    has_roles: bool,
}

impl Grants {
    /// Of the lines of `SHOW GRANTS`.
    fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut grants = Self::default();
        for line in lines.map(str::to_ascii_uppercase) {
            let Some(granted) = line.strip_prefix("GRANT ") else {
                continue;
            };
            match granted.split_once(" ON *.* TO ") {
                Some((names, _)) => {
                    grants
                        .names
                        .extend(names.split(", ").map(|name| name.trim().to_owned()));
                }
                None => grants.has_roles |= !granted.contains(" ON "),
            }
        }
        grants
    }

    fn has(&self, wanted: &[&str]) -> bool {
        let is = |name: &String| name == "ALL PRIVILEGES" || wanted.contains(&name.as_str());
        self.has_roles || self.names.iter().any(is)
    }
}

impl Look<'_> {
    pub(super) async fn rights(&mut self, connection: &mut Connection) -> Result<()> {
        let lines = connection.query("SHOW GRANTS").await?;
        let grants = Grants::of(lines.iter().map(|row| row.text(0)));
        let (slave, client): (&[&str], &[&str]) = match self.flavor {
            Flavor::MySql => (&["REPLICATION SLAVE"], &["REPLICATION CLIENT"]),
            // The second is what MariaDB calls the first since 10.5.
            Flavor::MariaDb => (
                &["REPLICATION SLAVE"],
                &["BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"],
            ),
        };
        for (names, why) in [
            (slave, "read the binlog"),
            (client, "ask where the binlog ends"),
        ] {
            if let (false, Some(name)) = (grants.has(names), names.first()) {
                let user = &self.user;
                let what = format!("The user may not {why}: GRANT {name} ON *.* TO {user}");
                self.error("database.user", what);
            }
        }
        let locks = self.config.policy().first && self.config.snapshot_locking != Locking::None;
        if locks && !grants.has(&["RELOAD", "FLUSH_TABLES"]) {
            let what = format!(
                "The user may not lock tables for the moment at which a snapshot begins, so that it has to wait for one without writes: GRANT RELOAD ON *.* TO {}",
                self.user
            );
            self.warning("database.user", what);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn privileges_on_everything_count_and_roles_may_have_any() {
        let of = |lines: &[&str]| Grants::of(lines.iter().copied());
        let some = of(&[
            "GRANT SELECT, REPLICATION SLAVE ON *.* TO `cdc`@`%`",
            "GRANT RELOAD ON `d`.* TO `cdc`@`%`",
        ]);
        assert!(some.has(&["REPLICATION SLAVE"]) && !some.has(&["RELOAD"]));
        assert!(
            of(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"]).has(&["RELOAD"])
        );
        assert!(of(&["GRANT USAGE ON *.* TO x", "GRANT `r`@`%` TO x"]).has(&["RELOAD"]));
        assert!(!of(&["GRANT USAGE ON *.* TO x"]).has(&["RELOAD"]));
    }
}

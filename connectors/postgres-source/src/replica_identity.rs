//! `replica.identity.autoset.values`: which columns of old rows the server logs.

use connect_core::{Finding, Result};
use regex::Regex;

use crate::{
    catalog::{TableInfo, quoted},
    wire::{Answer, Connection},
};

/// One rule: the tables that a pattern matches as a whole, blind to case, get an identity.
#[derive(Debug, Clone)]
struct Rule {
    tables: Regex,
    identity: Identity,
}

/// What a table can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    Default,
    Nothing,
    Full,
    /// The columns of an index.
    Index(String),
}

/// The rules of a connector.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReplicaIdentities(Vec<Rule>);

impl ReplicaIdentities {
    /// Reads `table:IDENTITY,table:INDEX name`; `None` with findings when it cannot be read.
    pub(crate) fn new(text: Option<&str>, findings: &mut Vec<Finding>) -> Option<Self> {
        let Some(text) = text else {
            return Some(Self::default());
        };
        let key = "replica.identity.autoset.values";
        let mut rules = Vec::new();
        for part in text.split(',') {
            let Some(rule) = rule(part) else {
                let why = "Must be <table>:DEFAULT, NOTHING, FULL or INDEX <name>";
                findings.push(Finding::invalid(key, part, why));
                return None;
            };
            rules.push(rule);
        }
        Some(Self(rules))
    }

    /// Whether a table, as `schema.table`, is given one that tells its rows apart.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        let gives = |rule: &Rule| rule.tables.is_match(name) && rule.identity != Identity::Nothing;
        self.0.iter().any(gives)
    }

    /// Gives tables the identities that they should have and do not. What the server refuses is logged and left, as the
    /// events of the table go on without it.
    pub(crate) async fn ensure(
        &self,
        connection: &mut Connection,
        tables: &[TableInfo],
    ) -> Result<()> {
        for table in tables {
            let name = table.full_name();
            let mut matching = self.0.iter().filter(|rule| rule.tables.is_match(&name));
            let Some(rule) = matching.next() else {
                continue;
            };
            if matching.next().is_some() {
                tracing::error!(table = %name, "more than one rule of replica.identity.autoset.values matches: none is used");
                continue;
            }
            if rule.identity.is_that_of(table, connection).await? {
                continue;
            }
            let sql = rule.identity.sql();
            let alter = format!("ALTER TABLE {} REPLICA IDENTITY {sql}", table.sql_name());
            match connection.execute(&alter).await {
                Ok(()) => tracing::info!(table = %name, identity = %sql, "replica identity set"),
                Err(error) if error.verdict() == connect_core::Verdict::Retry => return Err(error),
                Err(error) => {
                    tracing::error!(table = %name, identity = %sql, %error, "replica identity not set");
                }
            }
        }
        Ok(())
    }
}

impl Identity {
    async fn is_that_of(&self, table: &TableInfo, connection: &mut Connection) -> Result<bool> {
        let Self::Index(wanted) = self else {
            return Ok(self.letter() == table.replica_identity);
        };
        let sql = format!(
            "SELECT c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             WHERE i.indrelid = {} AND i.indisreplident",
            table.oid
        );
        let rows = connection.query(&sql).await?;
        let current = rows.first().map(|row| row.text(0));
        Ok(table.replica_identity == b'i' && current == Some(wanted))
    }

    fn letter(&self) -> u8 {
        match self {
            Self::Default => b'd',
            Self::Nothing => b'n',
            Self::Full => b'f',
            Self::Index(_) => b'i',
        }
    }

    fn sql(&self) -> String {
        match self {
            Self::Default => "DEFAULT".to_owned(),
            Self::Nothing => "NOTHING".to_owned(),
            Self::Full => "FULL".to_owned(),
            Self::Index(name) => format!("USING INDEX {}", quoted(name)),
        }
    }
}

fn rule(text: &str) -> Option<Rule> {
    let (table, identity) = text.trim().split_once(':')?;
    let tables = Regex::new(&format!("(?i)^(?:{table})$")).ok()?;
    let (word, index) = match identity.split_once(' ') {
        Some((word, index)) => (word, Some(index)),
        None => (identity, None),
    };
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    let identity = match index {
        Some(name) if is("INDEX") && !name.is_empty() && !name.contains(' ') => {
            Identity::Index(name.to_owned())
        }
        None if is("DEFAULT") => Identity::Default,
        None if is("NOTHING") => Identity::Nothing,
        None if is("FULL") => Identity::Full,
        _ => return None,
    };
    (!table.is_empty()).then_some(Rule { tables, identity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_or_refused() {
        let read = |text| ReplicaIdentities::new(Some(text), &mut Vec::new());
        let rules = read("public.t:FULL, s.(a|b):index some_key,x.y:Default")
            .unwrap()
            .0;
        let identities: Vec<String> = rules.iter().map(|rule| rule.identity.sql()).collect();
        assert_eq!(identities, ["FULL", "USING INDEX \"some_key\"", "DEFAULT"]);
        assert!(rules[1].tables.is_match("S.B") && !rules[1].tables.is_match("s.bc"));
        for text in [
            "", "t", "t:", ":FULL", "t:ALL", "t:INDEX", "t:FULL x", "(:FULL",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}

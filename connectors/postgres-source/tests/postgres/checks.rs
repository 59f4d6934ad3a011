//! Every misconfiguration is told before anything starts, all of them at once, each with the statement that mends it.

mod reach;
mod rights;
mod slots;

use connect_core::{Finding, plugin::Plugin};
use postgres_source::PostgresSource;

use crate::harness::Database;

/// What a look with some properties tells.
async fn check(db: &Database, more: &[(&str, &str)]) -> Findings {
    let plugin = Plugin::source::<PostgresSource>();
    Findings(plugin.check(&db.properties(more)).await)
}

#[derive(Debug)]
struct Findings(Vec<Finding>);

impl Findings {
    /// The one finding on a property that says something.
    fn one(&self, is_error: bool, key: &str, says: &str) -> &Finding {
        let is_it = |finding: &&Finding| {
            finding.is_error() == is_error && finding.key == key && finding.message.contains(says)
        };
        let found: Vec<&Finding> = self.0.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{key}: {says}: {:#?}", self.0);
        found[0]
    }

    fn error(&self, key: &str, says: &str) -> &Finding {
        self.one(true, key, says)
    }

    fn warning(&self, key: &str, says: &str) -> &Finding {
        self.one(false, key, says)
    }

    /// How many errors there are.
    fn errors(&self) -> usize {
        self.0.iter().filter(|finding| finding.is_error()).count()
    }

    /// Whether nothing is left to be said.
    fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// The first statement that a finding names.
fn statement(finding: &Finding) -> &str {
    let mut parts = finding.message.split('`').skip(1).step_by(2);
    let is_sql = |part: &&str| part.starts_with(|c: char| c.is_ascii_uppercase());
    parts.find(is_sql).unwrap_or_else(|| panic!("{finding:?}"))
}

/// Does what all findings say.
fn mend(db: &Database, findings: &Findings) {
    for finding in &findings.0 {
        db.sql(statement(finding));
    }
}

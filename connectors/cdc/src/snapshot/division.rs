//! Into how many parts tables are cut, and for how many connections.

use std::collections::BTreeMap;

use super::Planned;

/// A table has no more parts than this.
const MOST_PARTS: u32 = 4096;
/// What `snapshot.max.threads.multiplier` for one table begins with.
const OF_TABLE: &str = "snapshot.max.threads.multiplier.";

/// How the work is divided.
#[derive(Debug, Clone)]
pub struct Division {
    /// How many connections read.
    pub threads: u16,
    /// How many parts for each connection a table has.
    multiplier: u32,
    /// The same for some tables.
    of_tables: BTreeMap<String, u32>,
    /// Whether tables stay in one piece.
    is_legacy: bool,
}

impl Division {
    /// Among so many connections, of which each gets so many parts of a table; what `given` says of some tables. With
    /// `is_legacy` tables stay in one piece.
    pub fn new<'a>(
        threads: u16,
        multiplier: u32,
        is_legacy: bool,
        given: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let of_table = |(key, value): (&String, &String)| {
            let table = key.strip_prefix(OF_TABLE)?;
            let number = value.trim().parse().ok().filter(|number| *number > 0)?;
            Some((table.to_owned(), number))
        };
        Self {
            threads,
            multiplier,
            of_tables: given.into_iter().filter_map(of_table).collect(),
            is_legacy,
        }
    }

    /// Whether there is anything to divide.
    pub fn is_wanted(&self) -> bool {
        let multipliers = self.of_tables.values().chain([&self.multiplier]);
        let cuts = !self.is_legacy && multipliers.into_iter().any(|number| *number > 1);
        self.threads > 1 || cuts
    }

    /// Whether the first row of the first table is marked as the first of all. With whole tables side by side there is none.
    pub fn marks_first(&self) -> bool {
        !self.is_legacy || self.threads == 1
    }

    /// Into how many parts a table is cut, if it is large.
    pub fn parts(&self, table: &impl Planned) -> u32 {
        if self.is_legacy {
            return 1;
        }
        let own = self.of_tables.get(&table.full_name());
        let multiplier = own.copied().unwrap_or(self.multiplier);
        multiplier
            .saturating_mul(u32::from(self.threads))
            .min(MOST_PARTS)
    }
}

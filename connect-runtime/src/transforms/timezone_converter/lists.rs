//! `include.list` and `exclude.list`: which fields of which tables or topics are converted.

use std::collections::{HashMap, HashSet};

use regex::Regex;

/// The part of an event that a field is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Before,
    After,
    Source,
}

/// Fields by name, in which part of an event. Empty means all of rows.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<(Part, String)>);

impl Names {
    fn add(&mut self, field: &str) {
        let parts = [
            ("source.", Part::Source),
            ("before.", Part::Before),
            ("after.", Part::After),
        ];
        for (prefix, part) in parts {
            if let Some(name) = field.strip_prefix(prefix) {
                self.0.insert((part, name.to_owned()));
                return;
            }
        }
        self.0.insert((Part::Before, field.to_owned()));
        self.0.insert((Part::After, field.to_owned()));
    }

    fn has(&self, part: Part, name: &str) -> bool {
        self.0
            .iter()
            .any(|(of, known)| *of == part && known == name)
    }

    fn tells_source(&self) -> bool {
        self.0.iter().any(|(part, _)| *part == Part::Source)
    }
}

/// What is converted in an event.
#[derive(Clone, Copy)]
pub(super) enum Chosen<'a> {
    Nothing,
    /// All of both rows.
    Rows,
    Only(&'a Names),
    /// All but these; the source only if one of its fields is named.
    AllBut(&'a Names),
}

impl Chosen<'_> {
    /// Whether a field is converted.
    pub(super) fn takes(self, part: Part, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Rows => part != Part::Source,
            Self::Only(names) => names.has(part, name),
            Self::AllBut(names) => {
                (part != Part::Source || names.tells_source()) && !names.has(part, name)
            }
        }
    }
}

/// A list, or none.
#[derive(Debug, Default)]
pub(super) struct Lists {
    topics: HashMap<String, Names>,
    tables: HashMap<String, Names>,
    either: HashMap<String, Names>,
    excludes: bool,
}

/// The items as Debezium takes them, written as Java writes a list.
const FORM: &str =
    r#"^\[(source|topic|[".a-zA-Z0-9_ ]+):([".a-zA-Z0-9_ ]+(:[".a-zA-Z0-9_ ]+)?(,|\]$))+$"#;

/// Whether a list has the form that it must have.
pub(super) fn is_well_formed(items: &[String]) -> bool {
    let list = format!("[{}]", items.join(", "));
    Regex::new(FORM).is_ok_and(|form| form.is_match(&list))
}

impl Lists {
    /// From a list that is well formed. A prefix counts for the items behind it, too, as in Debezium.
    pub(super) fn new(items: &[String], excludes: bool) -> Self {
        let mut lists = Self {
            excludes,
            ..Self::default()
        };
        let mut prefix = None;
        for item in items {
            let parts: Vec<&str> = item.trim_end_matches(':').split(':').collect();
            let (of, name, field) = match parts[..] {
                [of, name, ..] if is_prefix(of) => (Some(of), name, parts.get(2)),
                [name] => (None, name, None),
                [name, _] => (None, name, parts.get(1)),
                _ => continue,
            };
            prefix = of.or(prefix);
            let names = match prefix {
                Some("topic") => &mut lists.topics,
                Some("source") => &mut lists.tables,
                _ => &mut lists.either,
            };
            let names = names.entry(name.to_owned()).or_default();
            if let Some(field) = field {
                names.add(field);
            }
        }
        lists
    }

    /// What is converted in events of a table in a topic.
    pub(super) fn chosen(&self, table: Option<&str>, topic: &str) -> Chosen<'_> {
        let of_table =
            |names: &'_ HashMap<String, Names>| table.is_some_and(|t| names.contains_key(t));
        let is_empty = self.topics.is_empty() && self.tables.is_empty() && self.either.is_empty();
        let table_name = table.unwrap_or_default();
        let names = match () {
            () if self.topics.contains_key(topic) => self.topics.get(topic),
            () if of_table(&self.tables) => self.tables.get(table_name),
            () if self.either.contains_key(topic) => self.either.get(topic),
            () if of_table(&self.either) => self.either.get(table_name),
            () => None,
        };
        match names {
            None if is_empty || self.excludes => Chosen::Rows,
            None => Chosen::Nothing,
            Some(names) if names.0.is_empty() && self.excludes => Chosen::Nothing,
            Some(names) if names.0.is_empty() => Chosen::Rows,
            Some(names) if self.excludes => Chosen::AllBut(names),
            Some(names) => Chosen::Only(names),
        }
    }
}

fn is_prefix(word: &str) -> bool {
    ["source", "topic"]
        .iter()
        .any(|prefix| word.eq_ignore_ascii_case(prefix))
}

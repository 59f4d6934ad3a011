//! `post.processors` and what stands under the processor's name.

use std::str::FromStr;

use cdc::filters::Patterns;
use connect_core::{
    Finding, Properties,
    config::{List, ParseValue},
};

/// The one post processor that is known.
const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

/// What is read again.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    include: Patterns,
    exclude: Patterns,
    /// Whether values that were not sent are.
    pub absent: bool,
    /// Whether nulls are.
    pub nulls: bool,
    /// Whether rows are found by the key of the event instead of that of the table.
    pub event_key: bool,
    /// Whether the task fails when a row cannot be read.
    pub fails: bool,
}

impl Settings {
    /// Of the processor that is named; `None` for none, or with findings.
    pub(crate) fn of(
        names: &List,
        given: &Properties,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let (name, others) = names.0.split_first()?;
        if !others.is_empty() {
            let why = "Only one post processor can be had: it may have all columns in its list";
            findings.push(Finding::invalid("post.processors", &names.0.join(","), why));
        }
        let under = Under { name, given };
        let class = under.get("type").map_or("", |(_, class)| class);
        if class != CLASS {
            let why = format!("Only {CLASS} is known");
            findings.push(Finding::invalid(&format!("{name}.type"), class, &why));
            return None;
        }
        under.settings(findings)
    }

    /// Whether a column may be read again, by its name `schema.table:column`. Excluded are those of a list only if no list
    /// includes some.
    pub(super) fn passes(&self, name: &str) -> bool {
        match self.include.is_empty() {
            true => !self.exclude.matches(name),
            false => self.include.matches(name),
        }
    }
}

/// The properties of one processor: `<name>.…` or `post.processors.<name>.…`.
struct Under<'a> {
    name: &'a str,
    given: &'a Properties,
}

impl<'a> Under<'a> {
    fn get(&self, key: &str) -> Option<(String, &'a str)> {
        let long = format!("post.processors.{}.{key}", self.name);
        let short = format!("{}.{key}", self.name);
        [long, short]
            .into_iter()
            .find_map(|full| self.given.get(&full).map(|value| (full, value.trim())))
    }

    fn settings(&self, findings: &mut Vec<Finding>) -> Option<Settings> {
        let include = self.patterns("reselect.columns.include.list", findings);
        let exclude = self.patterns("reselect.columns.exclude.list", findings);
        let absent = self.flag("reselect.unavailable.values", true, findings);
        let nulls = self.flag("reselect.null.values", true, findings);
        let event_key = self.flag("reselect.use.event.key", false, findings);
        let fails = match self.get("reselect.error.handling.mode") {
            None => false,
            Some((_, mode)) if mode.eq_ignore_ascii_case("warn") => false,
            Some((_, mode)) if mode.eq_ignore_ascii_case("fail") => true,
            Some((key, mode)) => {
                findings.push(Finding::invalid(&key, mode, "Must be warn or fail"));
                return None;
            }
        };
        Some(Settings {
            include: include?,
            exclude: exclude?,
            absent: absent?,
            nulls: nulls?,
            event_key: event_key?,
            fails,
        })
    }

    fn patterns(&self, key: &str, findings: &mut Vec<Finding>) -> Option<Patterns> {
        let (key, text) = self.get(key).unwrap_or_default();
        let list = List::parse_value(text).unwrap_or_default();
        Patterns::compile(&key, &list, findings)
    }

    fn flag(&self, key: &str, default: bool, findings: &mut Vec<Finding>) -> Option<bool> {
        let Some((key, text)) = self.get(key) else {
            return Some(default);
        };
        let flag = bool::from_str(&text.to_ascii_lowercase());
        if flag.is_err() {
            findings.push(Finding::invalid(&key, text, "Must be true or false"));
        }
        flag.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &[(&str, &str)]) -> (Option<Settings>, Vec<Finding>) {
        let given = given
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let (names, mut findings) = (List(vec!["again".into()]), Vec::new());
        let settings = Settings::of(&names, &given.collect(), &mut findings);
        (settings, findings)
    }

    #[test]
    fn properties_stand_under_the_name_of_the_processor() {
        let (made, findings) = settings(&[
            ("again.type", CLASS),
            ("again.reselect.columns.include.list", "public.t:.*,x.y:z"),
            ("post.processors.again.reselect.null.values", "false"),
            ("again.reselect.error.handling.mode", "fail"),
        ]);
        let made = made.unwrap();
        assert_eq!(findings, []);
        assert!(made.absent && !made.nulls && made.fails && !made.event_key);
        assert!(made.passes("public.t:a") && made.passes("X.y:z") && !made.passes("x.y:a"));
    }

    #[test]
    fn every_mistake_is_told() {
        assert_eq!(settings(&[("again.type", "x.Y")]).1.len(), 1);
        assert_eq!(settings(&[]).1.len(), 1);
        let (made, findings) = settings(&[
            ("again.type", CLASS),
            ("again.reselect.columns.exclude.list", "("),
            ("again.reselect.null.values", "maybe"),
        ]);
        assert!(made.is_none());
        assert_eq!(findings.len(), 2);
        let (_, findings) = settings(&[
            ("again.type", CLASS),
            ("again.reselect.error.handling.mode", "skip"),
        ]);
        assert_eq!(findings.len(), 1);
    }
}

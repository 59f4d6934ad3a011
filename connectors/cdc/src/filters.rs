//! Include and exclude lists: comma-separated regular expressions, anchored, blind to case.

use connect_core::{Finding, config::List};
use regex::RegexSet;

/// A compiled list; an empty one was not given.
#[derive(Debug, Clone)]
pub struct Patterns {
    set: RegexSet,
}

impl Patterns {
    /// Compiles the items of a list; each must match a whole name.
    pub fn new(list: &List) -> Result<Self, String> {
        let anchored = list.0.iter().map(|item| format!("(?i)^(?:{item})$"));
        RegexSet::new(anchored)
            .map(|set| Self { set })
            .map_err(|error| error.to_string())
    }

    /// The same for a property; what does not compile is added to `findings`.
    pub fn compile(key: &str, list: &List, findings: &mut Vec<Finding>) -> Option<Self> {
        let compiled = Self::new(list).map_err(|why| {
            let why = format!("A comma-separated list of valid regular expressions: {why}");
            findings.push(Finding::invalid(key, &list.0.join(","), &why));
        });
        compiled.ok()
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Whether one of them matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.set.is_match(name)
    }

    /// The number of the first pattern that matches; the highest of all for none.
    fn first(&self, name: &str) -> usize {
        self.set.matches(name).iter().next().unwrap_or(usize::MAX)
    }
}

/// An include list or an exclude list of names.
#[derive(Debug, Clone)]
pub struct Filter {
    include: Patterns,
    exclude: Patterns,
}

impl Filter {
    /// Compiles both lists. What does not compile, or both given at once, is added to `findings`.
    pub fn new(
        include: (&str, &List),
        exclude: (&str, &List),
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        if !include.1.0.is_empty() && !exclude.1.0.is_empty() {
            findings.push(Finding::error(
                exclude.0,
                format!(
                    "\"{}\" is already specified, use only one of them",
                    include.0
                ),
            ));
        }
        let mut compile = |(key, list)| Patterns::compile(key, list, findings);
        let (include, exclude) = (compile(include), compile(exclude));
        Some(Self {
            include: include?,
            exclude: exclude?,
        })
    }

    /// Whether the name passes.
    pub fn passes(&self, name: &str) -> bool {
        (self.include.is_empty() || self.include.matches(name)) && !self.exclude.matches(name)
    }

    /// Which entry of the include list a name matches first, by its number; those of no list are all the same.
    pub fn rank(&self, name: &str) -> usize {
        self.include.first(name)
    }

    /// Whether everything passes.
    pub fn is_open(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &str, exclude: &str) -> Filter {
        let list = |text: &str| {
            List(
                text.split(',')
                    .filter(|t| !t.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )
        };
        let mut findings = Vec::new();
        let filter = Filter::new(
            ("table.include.list", &list(include)),
            ("table.exclude.list", &list(exclude)),
            &mut findings,
        );
        assert_eq!(findings, []);
        filter.unwrap()
    }

    #[test]
    fn patterns_are_anchored_and_blind_to_case() {
        let filter = filter("public.orders,INVENTORY\\..*", "");
        assert!(filter.passes("public.orders"));
        assert!(!filter.passes("public.orders2"));
        assert!(!filter.passes("xpublic.orders"));
        assert!(filter.passes("inventory.Things"));
        assert!(!filter.is_open());
    }

    #[test]
    fn names_have_the_order_of_the_list() {
        let filter = filter("public.b,public\\..*", "");
        assert_eq!((filter.rank("public.b"), filter.rank("public.a")), (0, 1));
        assert_eq!(filter.rank("other.a"), usize::MAX);
    }

    #[test]
    fn without_an_include_list_everything_else_passes() {
        let filter = filter("", "public\\.secret_.*");
        assert!(filter.passes("public.open"));
        assert!(!filter.passes("public.secret_keys"));
    }

    #[test]
    fn both_lists_and_broken_patterns_are_findings() {
        let mut findings = Vec::new();
        let (one, bad) = (List(vec!["a".into()]), List(vec!["(".into()]));
        assert!(Filter::new(("i", &one), ("e", &bad), &mut findings).is_none());
        assert_eq!(findings.len(), 2);
    }
}

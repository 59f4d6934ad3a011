//! `topic.naming.strategy`: from tables to topics.

use connect_core::{
    Field, Finding, Schema, Type, Value, choice,
    java_regex::{JavaRegex, Replacement},
};

use crate::topics::{TableNames, escaped, sanitised};

choice! {
    /// `topic.naming.strategy`
    pub enum Strategy {
        /// `<prefix>.<schema>.<table>`
        Schema = "io.debezium.schema.SchemaTopicNamingStrategy",
        /// `<prefix>.<table>`
        Default = "io.debezium.schema.DefaultTopicNamingStrategy",
        /// As the first; what a topic must not have becomes `_u` and its number in hex, an underscore too.
        SchemaUnicode = "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
        /// As the second, likewise.
        DefaultUnicode = "io.debezium.schema.DefaultUnicodeTopicNamingStrategy",
        /// As the first, then `topic.regex` is replaced by `topic.replacement`.
        SchemaRegex = "io.debezium.schema.SchemaRegexTopicNamingStrategy",
        /// As the second, likewise.
        DefaultRegex = "io.debezium.schema.DefaultRegexTopicNamingStrategy",
    }
}

/// The properties of the strategies.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// `topic.naming.strategy`
    pub strategy: Strategy,
    /// `topic.prefix`
    pub prefix: &'a str,
    /// `topic.delimiter`
    pub delimiter: &'a str,
    /// `topic.regex`
    pub regex: Option<&'a str>,
    /// `topic.replacement`
    pub replacement: Option<&'a str>,
    /// `topic.key.enforce.uniqueness`
    pub unique_keys: bool,
    /// `topic.key.field.name`
    pub key_field: &'a str,
    /// `topic.key.field.regex`
    pub key_regex: Option<&'a str>,
    /// `topic.key.field.replacement`
    pub key_replacement: Option<&'a str>,
}

/// Names the topics of tables.
#[derive(Debug)]
pub struct Naming {
    strategy: Strategy,
    prefix: String,
    delimiter: String,
    topic: Option<Rule>,
    /// The field that tells tables apart which share a topic, and how its value is made.
    key: Option<(String, Option<Rule>)>,
}

/// What is replaced, and by what.
#[derive(Debug)]
struct Rule(JavaRegex, Replacement);

impl Naming {
    /// As configured; `None` with findings when a pattern cannot be used.
    pub fn new(given: Given<'_>, findings: &mut Vec<Finding>) -> Option<Self> {
        let replaces = matches!(
            given.strategy,
            Strategy::SchemaRegex | Strategy::DefaultRegex
        );
        let (mut topic, mut key) = (None, None);
        if replaces {
            let keys = ("topic.regex", "topic.replacement");
            let regex = given.regex.or(Some(""));
            topic = Some(rule(keys, regex, given.replacement, findings)??);
            let keys = ("topic.key.field.regex", "topic.key.field.replacement");
            let rule = rule(keys, given.key_regex, given.key_replacement, findings)?;
            key = (given.unique_keys).then(|| (given.key_field.to_owned(), rule));
        }
        Some(Self {
            strategy: given.strategy,
            prefix: given.prefix.to_owned(),
            delimiter: given.delimiter.to_owned(),
            topic,
            key,
        })
    }

    /// The names of a table.
    pub fn names(&self, schema: &str, table: &str) -> TableNames {
        let origin = self.origin(schema, table);
        let topic = match self.strategy {
            Strategy::SchemaUnicode | Strategy::DefaultUnicode => escaped(&origin),
            _ => sanitised(&origin),
        };
        let replaced = (self.topic.as_ref()).and_then(|rule| rule.applied(&topic));
        TableNames::of(replaced.filter(|new| !new.is_empty()).unwrap_or(topic))
    }

    /// The field that a table's key has more.
    pub fn key_field(&self, schema: &str, table: &str) -> Option<Field> {
        let (name, rule) = self.key.as_ref()?;
        let origin = self.origin(schema, table);
        let told = rule.as_ref().and_then(|rule| rule.applied(&origin));
        let told = Value::Str(told.unwrap_or(origin));
        Some(Field::constant(
            name.as_str(),
            Schema::of(Type::String),
            told,
        ))
    }

    fn origin(&self, schema: &str, table: &str) -> String {
        let with_schema = matches!(
            self.strategy,
            Strategy::Schema | Strategy::SchemaUnicode | Strategy::SchemaRegex
        );
        match with_schema {
            true => [&self.prefix, schema, table].join(&self.delimiter),
            false => [&self.prefix, table].join(&self.delimiter),
        }
    }
}

impl Rule {
    /// The text with its first match replaced, if all of it matches.
    fn applied(&self, text: &str) -> Option<String> {
        self.0.replace_first(text, &self.1)
    }
}

/// `Some(None)` when there is none; `None` with a finding when it is missing or wrong.
fn rule(
    keys: (&str, &str),
    regex: Option<&str>,
    replacement: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Option<Option<Rule>> {
    let Some(regex) = regex.map(str::trim) else {
        return Some(None);
    };
    let replacement = replacement.map(str::trim).unwrap_or_default();
    if regex.is_empty() {
        findings.push(Finding::error(keys.0, format!("\"{}\" is missing", keys.0)));
        return None;
    }
    if replacement.is_empty() {
        let what = format!("{} must be non-empty if {} is set.", keys.1, keys.0);
        findings.push(Finding::error(keys.1, what));
        return None;
    }
    let compiled = JavaRegex::new(regex).map_err(|why| Finding::invalid(keys.0, regex, &why));
    let made = compiled.and_then(|regex| {
        let made = Replacement::new(replacement, &regex);
        let made = made.map_err(|why| Finding::invalid(keys.1, replacement, &why))?;
        Ok(Rule(regex, made))
    });
    made.map(Some)
        .map_err(|finding| findings.push(finding))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(strategy: Strategy) -> Given<'static> {
        Given {
            strategy,
            prefix: "shop",
            delimiter: ".",
            regex: Some("(.*)shard_[0-9]+"),
            replacement: Some("$1shards"),
            unique_keys: true,
            key_field: "table",
            key_regex: None,
            key_replacement: None,
        }
    }

    fn topic(strategy: Strategy, table: &str) -> String {
        let naming = Naming::new(given(strategy), &mut Vec::new()).unwrap();
        naming.names("public", table).topic.to_string()
    }

    #[test]
    fn every_strategy_names_topics_in_its_way() {
        assert_eq!(topic(Strategy::Schema, "a b"), "shop.public.a_b");
        assert_eq!(topic(Strategy::Default, "a b"), "shop.a_b");
        assert_eq!(
            topic(Strategy::SchemaUnicode, "a_b"),
            "shop.public.a_u005fb"
        );
        assert_eq!(topic(Strategy::DefaultUnicode, "é"), "shop._u00e9");
        assert_eq!(
            topic(Strategy::SchemaRegex, "shard_1"),
            "shop.public.shards"
        );
        assert_eq!(topic(Strategy::DefaultRegex, "other"), "shop.other");
    }

    #[test]
    fn keys_tell_which_table_they_are_of() {
        let field = |given| {
            let naming = Naming::new(given, &mut Vec::new()).unwrap();
            naming
                .key_field("public", "shard_1")
                .map(|field| field.constant)
        };
        let told = |text: &str| Some(Some(Value::Str(text.to_owned())));
        let regex = given(Strategy::SchemaRegex);
        assert_eq!(field(regex), told("shop.public.shard_1"));
        assert_eq!(field(given(Strategy::Schema)), None);
        let unique_keys = false;
        assert_eq!(
            field(Given {
                unique_keys,
                ..regex
            }),
            None
        );
        let named = Given {
            key_regex: Some(".*_([0-9]+)"),
            key_replacement: Some("$1"),
            ..regex
        };
        assert_eq!(field(named), told("1"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        let count = |given| {
            let mut findings = Vec::new();
            assert!(Naming::new(given, &mut findings).is_none());
            findings.len()
        };
        let regex = given(Strategy::SchemaRegex);
        assert_eq!(
            count(Given {
                regex: None,
                ..regex
            }),
            1
        );
        assert_eq!(
            count(Given {
                replacement: None,
                ..regex
            }),
            1
        );
        assert_eq!(
            count(Given {
                regex: Some("("),
                ..regex
            }),
            1
        );
        assert_eq!(
            count(Given {
                key_regex: Some("a"),
                ..regex
            }),
            1
        );
    }
}

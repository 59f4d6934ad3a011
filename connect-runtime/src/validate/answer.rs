//! The answer as it is put together.

use connect_core::{
    Finding, Properties,
    config::{Key, Kind, ParseValue},
    plugin::Plugin,
    secret::without_logins,
};

use super::framework::{Framework, MOST_TASKS, Preset, Rule};
use crate::{
    answers::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo},
    shared::Shared,
};

/// An answer that grows.
pub(super) struct Answer<'a> {
    infos: ConfigInfos,
    given: &'a Properties,
}

impl<'a> Answer<'a> {
    /// An answer without keys, to what was given (with placeholders).
    pub(super) fn new(class: &str, groups: &[&str], given: &'a Properties) -> Self {
        Self {
            infos: ConfigInfos {
                name: class.to_owned(),
                error_count: 0,
                groups: groups.iter().map(|group| (*group).to_owned()).collect(),
                configs: Vec::new(),
            },
            given,
        }
    }

    /// Adds a group, once.
    pub(super) fn group(&mut self, name: String) {
        if !self.infos.groups.contains(&name) {
            self.infos.groups.push(name);
        }
    }

    /// Shows no version of a plugin that cannot be used; nor asks for one when it is not known at all.
    pub(super) fn without_version(&mut self, property: &str, is_known: bool) {
        let name = format!("{property}.plugin.version");
        let mut configs = self.infos.configs.iter_mut();
        let Some(version) = configs.find(|config| config.value.name == name) else {
            return;
        };
        version.value.value = None;
        version.value.recommended_values.clear();
        version.value.visible = is_known;
        if let Some(definition) = &mut version.definition {
            definition.default_value = None;
        }
    }

    /// Shows a value that does not come from the configuration.
    pub(super) fn show(&mut self, name: &str, value: &str) {
        self.of(name).value = Some(value.to_owned());
    }

    /// Adds a property of the runtime and says what does not hold.
    pub(super) fn framework(
        &mut self,
        key: &Framework,
        shared: &Shared,
        plugin: &Plugin,
        resolved: &Properties,
    ) {
        let info = framework_info(key, shared, plugin);
        let recommended = match (key.rule, key.default) {
            (Rule::Converter, _) => super::chain::converter_classes(key.name),
            (_, Preset::VersionOf(_)) => info.default_value.clone().into_iter().collect(),
            _ => Vec::new(),
        };
        let errors = match resolved.get(key.name) {
            Some(value) => problems(key, value),
            None if info.required => vec![missing(key.name)],
            None => Vec::new(),
        };
        self.push(info, recommended, errors);
    }

    /// Adds a property of the connector; what is wrong with it comes as a finding.
    pub(super) fn own(&mut self, key: &Key) {
        self.push(
            key_info(key),
            key.allowed.iter().map(|a| (*a).to_owned()).collect(),
            Vec::new(),
        );
    }

    /// Adds a key with what can be chosen and what is wrong.
    pub(super) fn push(
        &mut self,
        definition: ConfigKeyInfo,
        recommended_values: Vec<String>,
        errors: Vec<String>,
    ) {
        let given = self.given.get(&definition.name);
        // Invariant 7: secrets never print.
        let value = match given.or(definition.default_value.as_ref()) {
            Some(_) if definition.kind == Kind::Password.name() => Some("[hidden]".to_owned()),
            Some(_) if errors.iter().any(|error| is_no_value(error)) => None,
            other => other.map(|text| without_logins(&parsed(definition.kind, text)).into_owned()),
        };
        let value = ConfigValueInfo {
            name: definition.name.clone(),
            value,
            recommended_values,
            errors,
            ..ConfigValueInfo::default()
        };
        self.infos.configs.push(ConfigInfo {
            definition: Some(definition),
            value,
        });
    }

    /// Says what a connector has found.
    pub(super) fn finding(&mut self, finding: Finding) {
        if finding.is_error() {
            self.error(&finding.key, finding.message);
            return;
        }
        let warnings = &mut self.of(&finding.key).warnings;
        if !warnings.contains(&finding.message) {
            warnings.push(finding.message);
        }
    }

    /// Says that something is wrong with a key, which may be one that nobody declares.
    pub(super) fn error(&mut self, name: &str, error: String) {
        let value = self.of(name);
        if is_no_value(&error) {
            value.value = None;
        }
        if !value.errors.contains(&error) {
            value.errors.push(error);
        }
    }

    fn of(&mut self, name: &str) -> &mut ConfigValueInfo {
        let configs = &mut self.infos.configs;
        let at = configs.iter().position(|c| c.value.name == name);
        let at = at.unwrap_or_else(|| {
            configs.push(ConfigInfo {
                definition: None,
                value: ConfigValueInfo {
                    name: name.to_owned(),
                    ..ConfigValueInfo::default()
                },
            });
            configs.len() - 1
        });
        &mut configs[at].value
    }

    /// The answer.
    pub(super) fn finish(mut self) -> ConfigInfos {
        self.infos.error_count = self
            .infos
            .configs
            .iter()
            .map(|c| c.value.errors.len())
            .sum();
        self.infos
    }
}

/// Whether an error says that there is no value of its type at all, so that none is shown.
fn is_no_value(error: &str) -> bool {
    [
        "Not a number of type",
        "could not be found.",
        "Expected value to be either true or false",
    ]
    .iter()
    .any(|text| error.contains(text))
}

/// A value as it is shown after it was parsed: without blanks around it and around items of lists.
fn parsed(kind: &str, text: &str) -> String {
    if text.contains("${") {
        return text.to_owned();
    }
    match kind {
        "BOOLEAN" => text.trim().to_ascii_lowercase(),
        "LIST" => text.split(',').map(str::trim).collect::<Vec<_>>().join(","),
        _ => text.trim().to_owned(),
    }
}

/// A property of a plugin as an answer.
pub(super) fn key_info(key: &Key) -> ConfigKeyInfo {
    ConfigKeyInfo {
        name: key.name.to_owned(),
        kind: key.kind.name(),
        required: key.required,
        default_value: key.default.map(str::to_owned),
        importance: key.importance.name(),
        documentation: key.documentation.clone(),
        group: key.group.map(str::to_owned),
        order_in_group: if key.group.is_some() { key.order } else { -1 },
        width: key.width.name(),
        display_name: key.display.to_owned(),
        dependents: Vec::new(),
    }
}

/// A property of the runtime as an answer.
pub(super) fn framework_info(key: &Framework, shared: &Shared, plugin: &Plugin) -> ConfigKeyInfo {
    let default_value = match key.default {
        Preset::Required | Preset::Nothing => None,
        Preset::Text(text) => Some(text.to_owned()),
        Preset::VersionOf("connector.class") => Some(plugin.about.version.to_owned()),
        Preset::VersionOf(_) => Some(env!("CARGO_PKG_VERSION").to_owned()),
        Preset::Worker => Some(worker_default(key.name, shared)),
    };
    ConfigKeyInfo {
        name: key.name.to_owned(),
        kind: key.kind.name(),
        required: matches!(key.default, Preset::Required),
        default_value,
        importance: key.importance.name(),
        documentation: key.documentation.to_owned(),
        group: Some(key.group.to_owned()),
        order_in_group: key.order,
        width: key.width.name(),
        display_name: key.display.to_owned(),
        dependents: Vec::new(),
    }
}

/// The same where no configuration is looked at, which is what has the worker's defaults.
pub(super) fn framework_key(key: &Framework, shared: &Shared, plugin: &Plugin) -> ConfigKeyInfo {
    let of_worker = match key.default {
        Preset::Worker => true,
        Preset::VersionOf(of) => of != "connector.class",
        _ => false,
    };
    let mut info = framework_info(key, shared, plugin);
    if of_worker {
        info.default_value = None;
    }
    info
}

fn worker_default(name: &str, shared: &Shared) -> String {
    match name {
        "key.converter" => shared.config.key_converter.clone(),
        "value.converter" => shared.config.value_converter.clone(),
        _ => shared.config.header_converter.clone(),
    }
}

/// `Missing required configuration …`
pub(super) fn missing(name: &str) -> String {
    format!("Missing required configuration \"{name}\" which has no default value.")
}

fn problems(key: &Framework, value: &str) -> Vec<String> {
    let number = match number(key, value) {
        Ok(number) => number,
        Err(why) => {
            let mut all = vec![invalid(key, value, &why)];
            // Kafka Connect goes on with null, at which its rules stumble again, unless null is the default.
            let has_rule = matches!(key.rule, Rule::AtLeast(_) | Rule::Tasks);
            if has_rule && !matches!(key.default, Preset::Nothing) {
                all.push(invalid(key, "null", "Value must be non-null"));
            }
            return all;
        }
    };
    match key.rule {
        Rule::Aliases if duplicates(value) => {
            let items: Vec<&str> = value.split(',').map(str::trim).collect();
            let listed = format!("[{}]", items.join(", "));
            vec![invalid(key, &listed, "Duplicate alias provided.")]
        }
        Rule::Converter if super::chain::is_any_converter(value) => {
            let noun = match key.name {
                "header.converter" => "HeaderConverter",
                _ => "Converter",
            };
            let fits = super::chain::is_converter(key.name, value);
            let what = format!("Class class {value} does not implement the {noun} interface");
            (!fits).then_some(what).into_iter().collect()
        }
        _ => {
            let why = broken_rule(key.rule, value, number);
            why.map(|why| invalid(key, value, &why))
                .into_iter()
                .collect()
        }
    }
}

fn invalid(key: &Framework, value: &str, why: &str) -> String {
    format!(
        "Invalid value {value} for configuration {}: {why}",
        key.name
    )
}

/// The value of a number or boolean, 0 of anything else; the error says what it is not.
fn number(key: &Framework, value: &str) -> Result<i64, String> {
    let parsed = match key.kind {
        Kind::Int => i32::parse_value(value).map(i64::from),
        Kind::Short => i16::parse_value(value).map(i64::from),
        Kind::Long => i64::parse_value(value),
        Kind::Boolean => return bool::parse_value(value).map(i64::from),
        _ => return Ok(0),
    };
    parsed.map_err(|_| format!("Not a number of type {}", key.kind.name()))
}

fn broken_rule(rule: Rule, value: &str, number: i64) -> Option<String> {
    match rule {
        Rule::AtLeast(least) if number < least => Some(format!("Value must be at least {least}")),
        Rule::Tasks if number < 1 => Some("Value must be at least 1".to_owned()),
        Rule::Tasks if number > MOST_TASKS => {
            Some(format!("Value must be no more than {MOST_TASKS}"))
        }
        Rule::OneOf(all) if !all.contains(&value.trim()) => {
            Some(format!("String must be one of: {}", all.join(", ")))
        }
        Rule::OneOfAnyCase(all) if !all.contains(&value.trim().to_ascii_uppercase().as_str()) => {
            let all = all.join(", ");
            Some(format!("String must be one of (case insensitive): {all}"))
        }
        Rule::Name => name_problem(value),
        Rule::Converter => Some(format!("Class {value} could not be found.")),
        Rule::Regex => {
            let read = regex::Regex::new(value);
            read.err()
                .map(|e| format!("Invalid regular expression: {e}"))
        }
        _ => None,
    }
}

fn name_problem(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("String may not be empty".to_owned());
    }
    let control = name.chars().filter(|c| c.is_control());
    let found: Vec<String> = control.map(|c| u32::from(c).to_string()).collect();
    let what = "String may not contain control sequences but had the following ASCII chars";
    (!found.is_empty()).then(|| format!("{what}: {}", found.join(", ")))
}

fn duplicates(list: &str) -> bool {
    let mut seen = Vec::new();
    list.split(',')
        .map(str::trim)
        .filter(|alias| !alias.is_empty())
        .any(|alias| {
            let twice = seen.contains(&alias);
            seen.push(alias);
            twice
        })
}

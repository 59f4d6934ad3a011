//! Keys of the plugins beside the connector: transforms, predicates, converters.

use connect_codec::registry::Role;
use connect_core::{Finding, Properties, config::Key};

use super::answer::{Answer, key_info, missing};
use crate::{
    answers::ConfigKeyInfo,
    chain::{aliases, predicate_settings, transform_settings},
    transforms::{self, Transforms},
    worker_config::under,
};

/// The keys of a transform, predicate or converter.
pub(super) fn plugin_keys(known: &Transforms, class: &str) -> Option<Vec<Key>> {
    known
        .keys(class)
        .or_else(|| transforms::predicate_keys(class))
        .or_else(|| connect_codec::registry::keys(class))
}

/// The classes that a converter property takes.
pub(super) fn converter_classes(property: &str) -> Vec<String> {
    let role = match property {
        "header.converter" => Role::HeaderConverter,
        _ => Role::Converter,
    };
    let all = connect_codec::registry::all().into_iter();
    all.filter(|listed| listed.role == role)
        .map(|listed| listed.class.to_owned())
        .collect()
}

/// Whether a class is a converter of any kind.
pub(super) fn is_any_converter(class: &str) -> bool {
    connect_codec::registry::class_name(class).is_some()
}

/// Whether a class can stand in a converter property.
pub(super) fn is_converter(property: &str, class: &str) -> bool {
    let full = connect_codec::registry::class_name(class);
    full.is_some_and(|full| {
        converter_classes(property)
            .iter()
            .any(|known| known == full)
    })
}

/// Adds what does not hold in the settings of the converters that a connector names.
pub(super) fn converters(answer: &mut Answer<'_>, resolved: &Properties) {
    for property in ["key.converter", "value.converter", "header.converter"] {
        let class = resolved.get(property);
        let Some(class) = class.filter(|class| is_converter(property, class)) else {
            continue;
        };
        let prefix = format!("{property}.");
        let settings = under(resolved, &prefix);
        let made = match property {
            "header.converter" => connect_codec::header_converter(class, &settings),
            _ => connect_codec::converter(class, property == "key.converter", &settings),
        };
        let part = Part {
            prefix: &prefix,
            alias: "",
            noun: "converter",
            class,
        };
        part.findings(answer, made.err());
    }
}

/// Adds the keys of each converter that the configuration names, and leaves the version out of one that cannot be used.
pub(super) fn describe_converters(answer: &mut Answer<'_>, resolved: &Properties) {
    for property in ["key.converter", "value.converter", "header.converter"] {
        let Some(class) = resolved.get(property) else {
            continue;
        };
        if !is_converter(property, class) {
            answer.without_version(property, is_any_converter(class));
            continue;
        }
        let mut keys = connect_codec::registry::keys(class).unwrap_or_default();
        keys.sort_by_key(|key| key.name);
        for key in keys {
            let mut info = key_info(&key);
            info.name = format!("{property}.{}", info.name);
            if let Some(group) = &info.group {
                answer.group(group.clone());
            }
            let name = info.name.clone();
            if key.name == "converter.type" {
                // Which of the three it is says the property that names it.
                answer.push(info, Vec::new(), Vec::new());
                answer.show(&name, property.split('.').next().unwrap_or_default());
                continue;
            }
            let allowed = key.allowed.iter().map(|text| (*text).to_owned()).collect();
            answer.push(info, allowed, Vec::new());
        }
    }
}

/// Adds the keys of every transform and predicate that is named, and what does not hold.
pub(super) fn describe(answer: &mut Answer<'_>, known: &Transforms, resolved: &Properties) {
    for alias in once(resolved, "transforms") {
        let (class, settings) = transform_settings(alias, resolved);
        let prefix = format!("transforms.{alias}.");
        let classes = known.classes().map(str::to_owned).collect();
        let part = Part {
            prefix: &prefix,
            alias,
            noun: "transformation",
            class: &class,
        };
        part.describe(answer, "Transforms", known.keys(&class), classes);
        if !class.is_empty() {
            part.findings(answer, known.make(&class, &settings).err());
            predicate_of(answer, &prefix, resolved);
        }
    }
    for alias in once(resolved, "predicates") {
        let (class, settings) = predicate_settings(alias, resolved);
        let prefix = format!("predicates.{alias}.");
        let (keys, known) = (
            transforms::predicate_keys(&class),
            transforms::all_predicates(),
        );
        let part = Part {
            prefix: &prefix,
            alias,
            noun: "predicate",
            class: &class,
        };
        part.describe(
            answer,
            "Predicates",
            keys,
            known.map(str::to_owned).collect(),
        );
        if !class.is_empty() {
            part.findings(answer, transforms::predicate(&class, &settings).err());
        }
    }
}

/// The aliases of a property, each once.
fn once<'a>(resolved: &'a Properties, property: &str) -> Vec<&'a str> {
    let mut all = Vec::new();
    for alias in aliases(resolved, property) {
        if !all.contains(&alias) {
            all.push(alias);
        }
    }
    all
}

fn predicate_of(answer: &mut Answer<'_>, prefix: &str, resolved: &Properties) {
    let key = format!("{prefix}predicate");
    let Some(name) = resolved.get(&key).filter(|name| !name.is_empty()) else {
        return;
    };
    if !aliases(resolved, "predicates").any(|alias| alias == name) {
        let what = format!(
            "Invalid value {name} for configuration {key}: Predicate name '{name}' is not declared in 'predicates'"
        );
        answer.error(&key, what);
    }
}

/// A transform or predicate under validation.
struct Part<'a> {
    prefix: &'a str,
    alias: &'a str,
    noun: &'a str,
    class: &'a str,
}

impl Part<'_> {
    fn describe(
        &self,
        answer: &mut Answer<'_>,
        groups: &str,
        keys: Option<Vec<Key>>,
        known: Vec<String>,
    ) {
        let group = format!("{groups}: {}", self.alias);
        answer.group(group.clone());
        let errors = if self.class.is_empty() {
            vec![missing(&format!("{}type", self.prefix))]
        } else {
            Vec::new()
        };
        answer.push(self.class_key(&group), known, errors);
        let mut order = 1;
        let version = self.version_key(&group, order, keys.is_some());
        let recommended = version.default_value.clone().into_iter().collect();
        answer.push(version, recommended, Vec::new());
        let Some(keys) = keys else {
            return;
        };
        let choice = self.choice_keys(&group).into_iter();
        let mut all: Vec<(ConfigKeyInfo, Vec<String>)> =
            choice.map(|key| (key, Vec::new())).collect();
        for key in &keys {
            let mut info = key_info(key);
            info.name = format!("{}{}", self.prefix, info.name);
            info.group = Some(group.clone());
            let allowed = key.allowed.iter().map(|text| (*text).to_owned()).collect();
            all.push((info, allowed));
        }
        all.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        for (mut info, allowed) in all {
            order += 1;
            info.order_in_group = order;
            answer.push(info, allowed, Vec::new());
        }
    }

    fn key(&self, name: &str, kind: &'static str, group: &str, order: i32) -> ConfigKeyInfo {
        ConfigKeyInfo {
            name: format!("{}{name}", self.prefix),
            kind,
            required: false,
            default_value: None,
            importance: "MEDIUM",
            documentation: String::new(),
            group: Some(group.to_owned()),
            order_in_group: order,
            width: "MEDIUM",
            display_name: format!("{}{name}", self.prefix),
            dependents: Vec::new(),
        }
    }

    /// The noun as a name of a property begins with it.
    fn title(&self) -> &'static str {
        match self.noun {
            "predicate" => "Predicate",
            _ => "Transformation",
        }
    }

    fn class_key(&self, group: &str) -> ConfigKeyInfo {
        ConfigKeyInfo {
            required: true,
            importance: "HIGH",
            documentation: format!("Class for the '{}' {}.", self.alias, self.noun),
            width: "LONG",
            display_name: format!("{} type for {}", self.title(), self.alias),
            ..self.key("type", "CLASS", group, 0)
        }
    }

    /// The version; unknown while the class is.
    fn version_key(&self, group: &str, order: i32, is_known: bool) -> ConfigKeyInfo {
        ConfigKeyInfo {
            default_value: is_known.then(|| env!("CARGO_PKG_VERSION").to_owned()),
            importance: "HIGH",
            width: "LONG",
            display_name: format!("{} version for {}", self.title(), self.alias),
            documentation: format!("Version of the '{}' {}.", self.alias, self.noun),
            ..self.key("plugin.version", "STRING", group, order)
        }
    }

    /// Transforms can be tied to a predicate.
    fn choice_keys(&self, group: &str) -> Vec<ConfigKeyInfo> {
        if self.noun == "predicate" {
            return Vec::new();
        }
        let predicate = ConfigKeyInfo {
            documentation:
                "Alias of the predicate that chooses the records to which this transform applies."
                    .to_owned(),
            width: "NONE",
            display_name: "predicate".to_owned(),
            ..self.key("predicate", "STRING", group, 0)
        };
        let negate = ConfigKeyInfo {
            default_value: Some("false".to_owned()),
            documentation: "Whether it applies to the records that the predicate does not choose."
                .to_owned(),
            width: "NONE",
            display_name: "negate".to_owned(),
            ..self.key("negate", "BOOLEAN", group, 0)
        };
        vec![predicate, negate]
    }

    /// Findings come by names without prefix; the answer has it in the name and in the sentence.
    fn findings(&self, answer: &mut Answer<'_>, findings: Option<Vec<Finding>>) {
        for finding in findings
            .unwrap_or_default()
            .into_iter()
            .filter(Finding::is_error)
        {
            let (short, full) = (&finding.key, format!("{}{}", self.prefix, finding.key));
            let message = finding
                .message
                .replace(
                    &format!("for configuration {short}:"),
                    &format!("for configuration {full}:"),
                )
                .replace(
                    &format!("configuration \"{short}\""),
                    &format!("configuration \"{full}\""),
                );
            answer.error(&full, message);
        }
    }
}

//! Transforms and predicates by class name, with their properties.

use connect_core::{
    Finding, Properties,
    config::{Config, Key},
    transform::{Made, Predicate, TransformClass},
};

use super::{
    listed,
    predicates::{
        HasHeaderKey, HasHeaderKeyConfig, RecordIsTombstone, TopicNameMatches,
        TopicNameMatchesConfig,
    },
    shown::plain,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownPredicate {
    HasHeaderKey,
    RecordIsTombstone,
    TopicNameMatches,
}

const PREDICATES: &[(&str, KnownPredicate)] = &[
    (
        "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        KnownPredicate::HasHeaderKey,
    ),
    (
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        KnownPredicate::RecordIsTombstone,
    ),
    (
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        KnownPredicate::TopicNameMatches,
    ),
];

/// All transforms: those of this crate, and those that connectors bring.
#[derive(Debug, Clone)]
pub(crate) struct Transforms(Vec<TransformClass>);

impl Transforms {
    /// With those of connectors; in Kafka Connect's order, which is that of the names.
    pub(crate) fn new(brought: impl IntoIterator<Item = TransformClass>) -> Self {
        let mut all = listed::ALL.to_vec();
        for one in brought {
            let known = all.iter().any(|known| known.class == one.class);
            let place = all.iter().position(|known| known.class > one.class);
            if !known {
                all.insert(place.unwrap_or(all.len()), one);
            }
        }
        Self(all)
    }

    /// A transform; `settings` are its properties without prefix. The error has all findings, by names without prefix.
    pub(crate) fn make(&self, class: &str, settings: &Properties) -> Made {
        match self.find(class) {
            Some(known) => (known.make)(settings),
            None => Err(vec![unknown(class, "Transformation")]),
        }
    }

    /// The properties of a transform, as Kafka Connect lists them; `None` for a class that is none.
    pub(crate) fn keys(&self, class: &str) -> Option<Vec<Key>> {
        Some((self.find(class)?.keys)())
    }

    /// Their class names, in Kafka Connect's order.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|known| known.class)
    }

    /// By the full class name, or by its last part; `Filter` alone is Kafka Connect's own.
    fn find(&self, class: &str) -> Option<&TransformClass> {
        let mut all = self.0.iter();
        let own = |known: &&TransformClass| {
            known.class.starts_with("org.apache.") && is_called(known.class, class)
        };
        let exact = all.clone().find(|known| known.class == class);
        exact
            .or_else(|| all.clone().find(own))
            .or_else(|| all.find(|known| is_called(known.class, class)))
    }
}

/// A transform that no connector brings, as [`Transforms::make`] makes it.
pub fn transform(class: &str, settings: &Properties) -> Made {
    Transforms::new([]).make(class, settings)
}

/// A predicate; `settings` are its properties without prefix. The error has all findings, by names without prefix.
pub fn predicate(class: &str, settings: &Properties) -> Result<Box<dyn Predicate>, Vec<Finding>> {
    match find(PREDICATES, class) {
        None => Err(vec![unknown(class, "Predicate")]),
        Some(KnownPredicate::HasHeaderKey) => Ok(Box::new(HasHeaderKey::new(settings)?)),
        Some(KnownPredicate::RecordIsTombstone) => Ok(Box::new(RecordIsTombstone)),
        Some(KnownPredicate::TopicNameMatches) => Ok(Box::new(TopicNameMatches::new(settings)?)),
    }
}

/// The properties of a predicate, as Kafka Connect lists them; `None` for a class that is none.
pub fn predicate_keys(class: &str) -> Option<Vec<Key>> {
    Some(match find(PREDICATES, class)? {
        KnownPredicate::HasHeaderKey => plain(HasHeaderKeyConfig::keys()),
        KnownPredicate::RecordIsTombstone => Vec::new(),
        KnownPredicate::TopicNameMatches => plain(TopicNameMatchesConfig::keys()),
    })
}

/// The class names of all predicates, in Kafka Connect's order.
pub fn all_predicates() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|(class, _)| *class)
}

/// By the full class name, or by its last part.
fn find<K: Copy>(known: &[(&str, K)], class: &str) -> Option<K> {
    let found = known.iter().find(|(full, _)| is_called(full, class));
    found.map(|(_, known)| *known)
}

fn is_called(full: &str, class: &str) -> bool {
    full == class || full.rsplit('.').next() == Some(class)
}

fn unknown(class: &str, kind: &str) -> Finding {
    let why = format!("Class {class} could not be found, or it is no {kind}.");
    Finding::invalid("type", class, &why)
}

//! Keys of the plugins beside the connector: transforms, predicates, converters.

use connect_core::Properties;

use super::{Keys, answer::Answer};

/// The keys of a transform, predicate or converter.
pub(super) fn plugin_keys(_class: &str) -> Option<Keys> {
    None
}

/// The classes that a converter property takes.
pub(super) fn converter_classes(_property: &str) -> Vec<String> {
    Vec::new()
}

/// Whether a class can stand in a converter property.
pub(super) fn is_converter(_property: &str, _class: &str) -> bool {
    true
}

/// Adds the keys of every transform and predicate that is named.
pub(super) fn describe(_answer: &mut Answer<'_>, _resolved: &Properties) {}

//! How properties of transforms are shown: Kafka Connect's plainly, Debezium's with widths and names.

use connect_core::config::{Key, Width};

/// A property, the width of its form field, and its name for people.
pub(super) type Shown = (&'static str, Width, &'static str);

/// Kafka Connect's own transforms give their properties no group, order, width or name for people.
pub(super) fn plain(keys: Vec<Key>) -> Vec<Key> {
    let keys = keys.into_iter().map(|key| Key {
        group: None,
        order: -1,
        width: Width::None,
        display: key.name,
        ..key
    });
    keys.collect()
}

/// Debezium's have widths and names, and all of them the first place of no group.
pub(super) fn debezium(keys: Vec<Key>, shown: &[Shown]) -> Vec<Key> {
    let keys = grouped(keys, shown).into_iter().map(|key| Key {
        group: None,
        order: 1,
        ..key
    });
    keys.collect()
}

/// The same with their groups, for the few that have some.
pub(super) fn grouped(mut keys: Vec<Key>, shown: &[Shown]) -> Vec<Key> {
    for key in &mut keys {
        if let Some((_, width, display)) = shown.iter().find(|(name, ..)| *name == key.name) {
            (key.width, key.display) = (*width, display);
        }
    }
    keys
}

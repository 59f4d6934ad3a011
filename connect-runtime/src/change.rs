//! Something that the herder looks at has changed: a number that grows, for everybody who waits, and which connectors it is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::sync::watch;

/// Which connectors have changed: a look at them finds all that is to be done, however many others there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Only these.
    Only(BTreeSet<String>),
    /// Any of them: what all depend on has changed.
    All,
}

impl Default for Scope {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Scope {
    /// This connector, too.
    pub fn add(&mut self, name: &str) {
        if let Self::Only(names) = self
            && !names.contains(name)
        {
            names.insert(name.to_owned());
        }
    }

    /// Those of the other one, too.
    pub fn join(&mut self, other: &Self) {
        match other {
            Self::All => *self = Self::All,
            Self::Only(names) => names.iter().for_each(|name| self.add(name)),
        }
    }

    /// Whether it is about all.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// What is about these connectors, by name.
    pub fn of<'a, V>(
        &'a self,
        map: &'a BTreeMap<String, V>,
    ) -> Box<dyn Iterator<Item = (&'a String, &'a V)> + Send + 'a>
    where
        V: Sync,
    {
        match self {
            Self::All => Box::new(map.iter()),
            Self::Only(names) => Box::new(names.iter().filter_map(|name| map.get_key_value(name))),
        }
    }
}

/// Both ends. Clones are of the same number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    number: watch::Sender<u64>,
    /// What each of those who look has not looked at yet.
    unseen: Mutex<Vec<Weak<Mutex<Scope>>>>,
}

impl Changes {
    /// Something has changed, about these connectors; what is about none wakes everybody, too.
    pub(crate) fn tell(&self, of: &Scope) {
        self.0.unseen.lock().retain(|unseen| {
            let Some(unseen) = unseen.upgrade() else {
                return false;
            };
            unseen.lock().join(of);
            true
        });
        self.0.number.send_modify(|number| *number += 1);
    }

    /// For who waits for changes from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.0.number.subscribe()
    }

    /// For who looks at what has changed, and first at all.
    pub(crate) fn look(&self) -> Look {
        let unseen = Arc::new(Mutex::new(Scope::All));
        self.0.unseen.lock().push(Arc::downgrade(&unseen));
        Look {
            number: self.listen(),
            unseen,
        }
    }
}

/// One who looks.
#[derive(Debug)]
pub(crate) struct Look {
    number: watch::Receiver<u64>,
    unseen: Arc<Mutex<Scope>>,
}

impl Look {
    /// Waits until something has changed since this was last waited for.
    pub(crate) async fn changed(&mut self) -> Result<(), watch::error::RecvError> {
        self.number.changed().await
    }

    /// What is to be looked at now. Whoever does not get to it has to [`add`](Self::add) it again.
    pub(crate) fn take(&self) -> Scope {
        std::mem::take(&mut *self.unseen.lock())
    }

    /// These have to be looked at, too.
    pub(crate) fn add(&self, of: &Scope) {
        self.unseen.lock().join(of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(names: &[&str]) -> Scope {
        Scope::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn everybody_is_told_what_has_changed_once() {
        let changes = Changes::default();
        let (first, second) = (changes.look(), changes.look());
        assert_eq!(first.take(), Scope::All);
        changes.tell(&only(&["a"]));
        changes.tell(&only(&["b", "a"]));
        changes.tell(&Scope::default());
        assert_eq!(first.take(), only(&["a", "b"]));
        assert_eq!(first.take(), Scope::default());
        assert_eq!(second.take(), Scope::All, "it has not looked yet");
        drop(second);
        changes.tell(&Scope::All);
        assert_eq!(changes.0.unseen.lock().len(), 1, "who is gone is forgotten");
    }

    #[test]
    fn a_scope_finds_what_it_is_about() {
        let map = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let found = |scope: Scope| scope.of(&map).map(|(_, v)| *v).collect::<Vec<_>>();
        assert_eq!(found(only(&["b", "c"])), [2]);
        assert_eq!(found(Scope::All), [1, 2]);
        assert!(found(Scope::default()).is_empty());
    }
}

//! The servers of a cluster, taken by turns; one that failed rests a while.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use connect_core::{Error, Result};
use reqwest::Url;

/// All servers.
pub(crate) struct Nodes {
    all: Vec<Node>,
    next: AtomicUsize,
}

struct Node {
    url: Url,
    rests_until: Mutex<Option<Instant>>,
}

const REST: Duration = Duration::from_secs(10);

impl Nodes {
    /// Servers by their addresses.
    pub(crate) fn new(urls: &[String]) -> Result<Self> {
        let node = |url: &String| {
            let mut url = Url::parse(url).map_err(|err| {
                Error::config("an address in connection.url is wrong").caused_by(err)
            })?;
            if !url.path().ends_with('/') {
                let path = format!("{}/", url.path());
                url.set_path(&path);
            }
            Ok(Node {
                url,
                rests_until: Mutex::new(None),
            })
        };
        Ok(Self {
            all: urls.iter().map(node).collect::<Result<_>>()?,
            next: AtomicUsize::new(0),
        })
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// The next server that is not resting; when all rest, the next. With it goes its number.
    pub(crate) fn pick(&self) -> Result<(usize, &Url)> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.all.len().max(1);
        let by_turns = (0..count).map(|step| first.wrapping_add(step) % count);
        let awake = by_turns
            .clone()
            .find(|at| self.all.get(*at).is_some_and(Node::is_awake));
        let at = awake.unwrap_or(first % count);
        let node = self
            .all
            .get(at)
            .ok_or_else(|| Error::config("connection.url names no server"))?;
        Ok((at, &node.url))
    }

    /// A server did not answer.
    pub(crate) fn failed(&self, at: usize) {
        self.set(at, Some(Instant::now() + REST));
    }

    /// A server answered.
    pub(crate) fn answered(&self, at: usize) {
        self.set(at, None);
    }

    fn set(&self, at: usize, rests_until: Option<Instant>) {
        if let Some(node) = self.all.get(at) {
            *node
                .rests_until
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = rests_until;
        }
    }
}

impl Node {
    fn is_awake(&self) -> bool {
        let rests_until = *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        rests_until.is_none_or(|until| until <= Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_take_turns_and_failed_ones_rest() {
        let nodes = Nodes::new(&["http://a:1".into(), "http://b:1/es".into()]).unwrap();
        let host = || nodes.pick().unwrap().1.host_str().unwrap().to_owned();
        assert_eq!([host(), host(), host()], ["a", "b", "a"]);
        nodes.failed(1);
        assert_eq!([host(), host()], ["a", "a"]);
        nodes.failed(0);
        assert_eq!([host(), host()], ["b", "a"]);
        nodes.answered(1);
        assert_eq!([host(), host()], ["b", "b"]);
        assert_eq!(nodes.all[1].url.as_str(), "http://b:1/es/");
    }
}

//! The registry's addresses: one is used until it fails, then the next.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;

/// At least one address.
#[derive(Debug)]
pub(crate) struct Nodes {
    urls: Vec<Url>,
    current: AtomicUsize,
}

impl Nodes {
    pub(crate) fn new(urls: Vec<Url>) -> Self {
        Self {
            urls,
            current: AtomicUsize::new(0),
        }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.urls.len()
    }

    /// The address in use and its place.
    pub(crate) fn pick(&self) -> Option<(usize, &Url)> {
        let at = self.current.load(Ordering::Relaxed) % self.urls.len().max(1);
        self.urls.get(at).map(|url| (at, url))
    }

    /// The address at a place did not answer: the next is used.
    pub(crate) fn failed(&self, at: usize) {
        let next = (at + 1) % self.urls.len().max(1);
        // Another task may have gone on already.
        let _ = self
            .current
            .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

//! Free loopback ports that stay ours while the server on them is down.

use std::{
    fs::File,
    net::TcpListener,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

use crate::{Error, Result, cache};

/// Below the range from which Linux takes the ports of outgoing connections: a client that reconnects while the
/// server restarts cannot take the server's port.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A TCP port of 127.0.0.1 that no other user of this crate takes while this value lives.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _claim: Option<File>,
}

impl Port {
    /// Finds a port on which nobody listens and claims it by a file lock.
    pub(crate) fn claim() -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = cache::cache()?.join("ports");
        cache::create(&folder)?;
        let from = (process::id().wrapping_mul(61) % u32::from(COUNT)) as u16;
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (from + step) % COUNT;
            let file = File::create(folder.join(number.to_string()))?;
            if file.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Ok(Self {
                    number,
                    _claim: Some(file),
                });
            }
        }
        Err(Error::new(
            "no free port on 127.0.0.1: stop what listens there",
        ))
    }

    /// A port somebody else listens on.
    pub(crate) fn foreign(number: u16) -> Self {
        Self {
            number,
            _claim: None,
        }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_port_is_not_given_again() {
        let first = Port::claim().unwrap();
        let ports: Vec<Port> = (0..50).map(|_| Port::claim().unwrap()).collect();
        assert!(ports.iter().all(|port| port.number() != first.number()));
    }
}

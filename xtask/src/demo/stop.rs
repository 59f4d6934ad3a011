//! The wish to end: Ctrl-C, or the end of the time.

use std::{
    process,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::signal::unix::{SignalKind, signal};

use super::Result;

/// What a shell expects of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// A wish to end that threads look at and wait for. Clones are the same wish.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<Wish>);

#[derive(Default)]
struct Wish {
    wished: Mutex<bool>,
    changed: Condvar,
    /// Whether somebody looks at the wish; else a signal ends the program at once.
    heeded: AtomicBool,
}

impl Stop {
    /// A wish that Ctrl-C and SIGTERM make. A second signal, or one before [`Stop::heed`], ends the program at once:
    /// the kernel then kills the servers, and the next start deletes their data.
    pub(super) fn on_signals() -> Result<Self> {
        let stop = Self::default();
        let wish = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let mut signals = {
            let _inside = runtime.enter();
            [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
            ]
        };
        let listen = async move {
            let [interrupt, terminate] = &mut signals;
            loop {
                tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () };
                if wish.is_set() || !wish.0.heeded.load(Ordering::SeqCst) {
                    process::exit(INTERRUPTED);
                }
                wish.set();
            }
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || runtime.block_on(listen))?;
        Ok(stop)
    }

    /// From now on signals are wishes.
    pub(super) fn heed(&self) {
        self.0.heeded.store(true, Ordering::SeqCst);
    }

    /// Makes the wish.
    pub(super) fn set(&self) {
        *self.0.wished.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }

    /// Whether the wish was made.
    pub(super) fn is_set(&self) -> bool {
        *self.0.wished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the wish, `limit` at most; true when it was made.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        let wished = self.0.wished.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .0
            .changed
            .wait_timeout_while(wished, limit, |wished| !*wished);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

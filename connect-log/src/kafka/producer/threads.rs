//! The threads on which producers send and readers fetch: as many as there are processors, each with a runtime of its own. Clients are given to
//! them in turn; a worker with a thousand quiet tasks has no thousand threads for it.

use std::{
    sync::Arc,
    thread::{self, available_parallelism},
};

use connect_core::{Error, Result, error::INTERNAL};
use parking_lot::Mutex;
use tokio::{runtime::Handle, sync::oneshot};

/// The threads of a log's clients. They are started when they are needed.
#[derive(Debug, Default)]
pub(in crate::kafka) struct Threads(Mutex<Started>);

#[derive(Debug, Default)]
struct Started {
    threads: Vec<Arc<Thread>>,
    next: usize,
}

/// A thread. It ends when nobody has it any more.
#[derive(Debug)]
pub(in crate::kafka) struct Thread {
    pub(in crate::kafka) runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl Threads {
    /// The thread for the next producer or reader.
    pub(in crate::kafka) fn next(&self) -> Result<Arc<Thread>> {
        let mut started = self.0.lock();
        let most = available_parallelism().map_or(1, usize::from);
        if started.threads.len() < most {
            started.threads.push(Arc::new(Thread::start()?));
        }
        let at = started.next % started.threads.len();
        started.next = started.next.wrapping_add(1);
        Ok(Arc::clone(&started.threads[at]))
    }
}

impl Thread {
    fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(no_thread)?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("kafka-client".to_owned());
        // Whatever is left on it goes with the runtime.
        let run = move || drop(runtime.block_on(ended));
        thread.spawn(run).map_err(no_thread)?;
        Ok(Self {
            runtime: handle,
            _end: end,
        })
    }
}

fn no_thread(cause: std::io::Error) -> Error {
    Error::new(&INTERNAL, "could not start a thread").caused_by(cause)
}

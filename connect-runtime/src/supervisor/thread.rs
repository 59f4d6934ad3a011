//! A thread for each run of a task, with a runtime of its own: a connector that panics or blocks harms no other, and a busy one pays
//! nothing for moving between threads.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use connect_core::{Error, Result, error::INTERNAL};
use tokio::sync::oneshot;

use crate::{answers::TaskId, error::PANIC, logs};

/// A run on its thread. Dropping this drops the run at its next await.
pub(super) struct Thread {
    ended: oneshot::Receiver<Result<()>>,
    cancel: Option<oneshot::Sender<()>>,
}

impl Thread {
    /// Starts a run.
    pub(super) fn spawn(
        id: &TaskId,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Result<Self> {
        let (tell, ended) = oneshot::channel();
        let (cancel, cancelled) = oneshot::channel();
        let (work, span) = (Box::pin(work), logs::of_task(id));
        let body = move || {
            let _entered = span.enter();
            let outcome = catch_unwind(AssertUnwindSafe(|| block_on(work, cancelled)));
            let outcome = outcome.unwrap_or_else(|payload| Err(panicked(&*payload)));
            let _nobody_waits = tell.send(outcome);
        };
        let thread = thread::Builder::new()
            .name(format!("task-{id}"))
            .spawn(body);
        thread.map_err(|e| Error::new(&INTERNAL, "no thread can be started").caused_by(e))?;
        Ok(Self {
            ended,
            cancel: Some(cancel),
        })
    }

    /// Waits until the run has ended. Can be dropped and called again.
    pub(super) async fn ended(&mut self) -> Result<()> {
        (&mut self.ended)
            .await
            .unwrap_or_else(|_| Err(Error::new(&PANIC, "The task's thread is gone")))
    }

    /// Drops the run at its next await.
    pub(super) fn cancel(&mut self) {
        self.cancel = None;
    }
}

fn block_on(
    work: impl Future<Output = Result<()>>,
    cancelled: oneshot::Receiver<()>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::new(&INTERNAL, "no runtime can be started").caused_by(e))?;
    let ended = runtime.block_on(async {
        tokio::select! {
            biased;
            // 1. It is dropped.
            _ = cancelled => Ok(()),
            // 2. It has ended.
            ended = work => ended,
        }
    });
    // What the connector left running, it left running for good.
    runtime.shutdown_background();
    ended
}

fn panicked(payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text: String = text.unwrap_or_default().chars().take(500).collect();
    Error::new(&PANIC, format!("The task panicked: {text}"))
}

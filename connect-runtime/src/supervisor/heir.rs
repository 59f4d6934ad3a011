//! A run that is prepared while its predecessor still runs, so that little is left to do between the two.
//!
//! A task never runs twice: an heir takes nothing from its predecessor until it is told to begin, which the supervisor that comes after the
//! predecessor's does.

use std::sync::Arc;

use connect_core::{
    Error, Result,
    plugin::{BoxedTask, Direction},
};
use tokio::sync::oneshot;

use super::{run::run, thread::Thread};
use crate::{shared::Shared, source_worker::Prepared, stop::Stop, task_spec::TaskSpec};

/// A prepared run on its thread. Dropping this drops it at its next await.
pub(crate) struct Heir {
    thread: Thread,
    begin: oneshot::Sender<Begin>,
}

struct Begin {
    stop: Stop,
    opened: oneshot::Sender<()>,
}

impl Heir {
    /// Starts to prepare a run. What is given besides ends when it is prepared, or cannot be. `None` when there is nothing that could be
    /// prepared: sinks wait for nothing but their group, which their predecessor has to leave first.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        spec: TaskSpec,
    ) -> Option<(Self, oneshot::Receiver<()>)> {
        let plugin = shared.plugins.connector(&spec.class).ok()?;
        if plugin.direction != Direction::Source {
            return None;
        }
        let (ready, is_ready) = oneshot::channel();
        let (begin, begins) = oneshot::channel();
        let id = spec.id.clone();
        let work = wait(Arc::clone(shared), spec, ready, begins);
        let thread = Thread::spawn(&id, work).ok()?;
        Some((Self { thread, begin }, is_ready))
    }

    /// Lets it run, as [`run`] would. Gives `opened` back when its thread is gone.
    pub(super) fn begin(
        self,
        stop: Stop,
        opened: oneshot::Sender<()>,
    ) -> std::result::Result<Thread, oneshot::Sender<()>> {
        match self.begin.send(Begin { stop, opened }) {
            Ok(()) => Ok(self.thread),
            Err(begin) => Err(begin.opened),
        }
    }
}

/// Prepares, waits until it is to begin, and runs.
async fn wait(
    shared: Arc<Shared>,
    spec: TaskSpec,
    ready: oneshot::Sender<()>,
    mut begins: oneshot::Receiver<Begin>,
) -> Result<()> {
    let (begin, prepared) = tokio::select! {
        biased;
        // 1. It begins before it is prepared: an error of what hinders it must not wait.
        begin = &mut begins => (begin, None),
        // 2. It is prepared, or cannot be.
        prepared = prepare(&shared, &spec) => {
            let _nobody_waits = ready.send(());
            (begins.await, prepared)
        }
    };
    let Ok(Begin { stop, opened }) = begin else {
        return Ok(());
    };
    match prepared {
        Some(prepared) => prepared.finish().await?.run(stop, opened).await,
        // What failed is tried again, and told.
        None => run(shared, spec, stop, opened).await,
    }
}

/// Both of its sides: what the runtime needs, and what the connector can make by itself.
async fn prepare(shared: &Arc<Shared>, spec: &TaskSpec) -> Option<Box<Prepared>> {
    let made = async {
        let (plugin, config) = spec.resolve(shared)?;
        let BoxedTask::Source(task) = plugin.task(&config, config.clone())? else {
            return Ok(None);
        };
        let prepared = Prepared::new(shared, &spec.id, &config, task).await?;
        Ok::<_, Error>(Some(Box::new(prepared)))
    };
    let made = made.await.inspect_err(
        |error| tracing::debug!(task = %spec.id, %error, "the next run cannot be prepared"),
    );
    let mut prepared = made.ok().flatten()?;
    prepared.prepare_task().await;
    Some(prepared)
}

//! One run of a task, from its plugin to its end.

use std::sync::Arc;

use connect_core::{Result, plugin::BoxedTask};
use tokio::sync::oneshot;

use crate::{
    shared::Shared, sink_worker::SinkWorker, source_worker::Prepared, stop::Stop,
    task_spec::TaskSpec,
};

/// Makes a task and runs it until it is told to stop. Tells when it is open.
pub(super) async fn run(
    shared: Arc<Shared>,
    spec: TaskSpec,
    stop: Stop,
    opened: oneshot::Sender<()>,
) -> Result<()> {
    let (plugin, config) = spec.resolve(&shared)?;
    let task = plugin.task(&config, config.clone())?;
    match task {
        BoxedTask::Source(task) => {
            let prepared = Prepared::new(&shared, &spec.id, &config, task).await?;
            prepared.finish().await?.run(stop, opened).await
        }
        BoxedTask::Sink(task) => {
            let worker = SinkWorker::new(&shared, &spec.id, &config, task).await?;
            worker.run(stop, opened).await
        }
    }
}

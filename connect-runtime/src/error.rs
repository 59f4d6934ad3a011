//! The errors that the runtime gives of itself.

connect_core::codes! {
    /// There is no such connector, task, plugin or status.
    NOT_FOUND = "runtime.not_found", Fail, "Look at the list of connectors for the right name.", 404;
    /// A connector of this name exists.
    ALREADY_EXISTS = "runtime.already_exists", Fail, "Choose another name, or change the connector with PUT.", 409;
    /// Nobody takes the signal.
    NOT_ATTENDED = "runtime.not_attended", Fail, "Look at the connector's status: only a running source that knows signals takes them.", 409;
    /// The request cannot be done as it is.
    BAD_REQUEST = "runtime.bad_request", Fail, "Correct the request as the message says.", 400;
    /// The worker's settings forbid it.
    FORBIDDEN = "runtime.forbidden", Fail, "Change the worker setting that the message names.", 403;
    /// More clients follow logs than this worker serves.
    TOO_MANY_FOLLOWERS = "runtime.too_many_followers", Fail, "End other requests with `follow=true`, or ask another worker.", 429;
    /// The worker is being stopped.
    STOPPING = "runtime.stopping", Fail, "Send the request to another worker, or after the restart.", 503;
    /// The worker did not answer in time.
    TIMEOUT = "runtime.timeout", Fail, "Look at the worker's health and at the log or broker behind it.", 500;
    /// A plugin panicked. Only its task ended.
    PANIC = "runtime.panic", Fail, "This is a defect of the plugin: report it with this text, then restart the task.";
    /// The connector makes more tasks than `tasks.max`.
    TOO_MANY_TASKS = "runtime.too_many_tasks", Fail, "Raise `tasks.max`, or set `tasks.max.enforce=false`.";
    /// Tolerance exceeded in error handler.
    TOLERANCE_EXCEEDED = "runtime.tolerance_exceeded", Fail, "Look at the record that the cause names; set `errors.tolerance=all` and a dead letter topic to go on without such records.";
    /// The tasks of a connector have not ended yet.
    TASKS_STOPPING = "runtime.tasks_stopping", Fail, "Try again when the connector's status shows no tasks.", 500;
    /// The leader has changed while it was asked.
    MOVED = "runtime.moved", Retry, "Send the request again: another worker leads now.", 503;
    /// Another worker has failed to do it.
    ELSEWHERE = "runtime.elsewhere", Fail, "Look at the log of the worker that leads the group: the message is from there.", 500;
    /// An internal topic has the wrong shape.
    INTERNAL_TOPIC = "runtime.internal_topic", Fail, "Create the topic as the message says, or name another one in the worker's settings.";
    /// A `${provider:…}` placeholder cannot be resolved.
    PLACEHOLDER = "runtime.placeholder", Fail, "Check `config.providers` of the worker, and the file, folder or variable that the placeholder names.", 400;
}

//! The errors that a log gives.

connect_core::codes! {
    /// The log or its broker cannot be reached.
    UNAVAILABLE = "log.unavailable", Retry, "Check that the brokers in `bootstrap.servers` run and can be reached.";
    /// The topic does not exist.
    UNKNOWN_TOPIC = "log.unknown_topic", Fail, "Create the topic, or let the connector create it with `topic.creation.default.partitions` and `topic.creation.default.replication.factor`.", 404;
    /// A newer appender with the same transactional id exists.
    FENCED = "log.fenced", Retry, "Nothing to do: another worker runs this task now. If it repeats, two workers use the same `group.id`.";
    /// The partition is not assigned to this reader any more.
    NOT_MEMBER = "log.not_member", Retry, "Nothing to do: the group was rebalanced, and the new owner reads from the last commit.";
    /// The group still has members.
    GROUP_BUSY = "log.group_busy", Fail, "Stop the connector first, then change its offsets.", 409;
    /// Members of another kind are in the group.
    GROUP_TAKEN = "log.group_taken", Retry, "Stop all workers of Kafka Connect that have this `group.id`, or give this worker another one.", 409;
    /// The log refuses us.
    UNAUTHORIZED = "log.unauthorized", Fail, "Give the worker's user the rights on this topic, group or transactional id.";
    /// The disk is full or fails; nothing more is taken.
    STORAGE = "log.storage", Retry, "Free space on the disk of `--data-dir`, or lower `retention.ms` or `retention.bytes` of the topics.";
    /// A record's time is too far from the broker's.
    CLOCK = "log.clock", Retry, "Put the clock of this worker right: a record's time is further ahead of the broker's than its topic takes (`message.timestamp.after.max.ms`, an hour unless it was changed), or further behind (`message.timestamp.before.max.ms`).";
    /// What the broker has stored, or sent, cannot be read.
    UNREADABLE = "log.unreadable", Retry, "Look at the logs of the broker that leads the partition: its file may be damaged. To go on behind the records that the message names, alter the offsets of the connector.";
    /// The file is not one of ours, or is of another version, or another process has it.
    UNUSABLE = "log.unusable", Fail, "Point `--data-dir` to another folder, or stop the other process that uses it.";
    /// A transaction is larger than the log takes.
    TRANSACTION_TOO_LARGE = "log.transaction_too_large", Fail, "Commit more often: lower `transaction.boundary.interval.ms`, or set `transaction.boundary=poll`.";
    /// The offset to read from does not exist (any more).
    OUT_OF_RANGE = "log.out_of_range", Fail, "Records were deleted before they were read: reset the offsets of the connector, or set `consumer.override.auto.offset.reset`.";
    /// The client refuses a setting.
    SETTING = "log.setting", Fail, "Correct the `producer.`, `consumer.` or `admin.` setting that the message names.", 400;
}

//! Every error of this connector; what Redis says is classified here and nowhere else.

use connect_core::{Code, Error};

connect_core::codes! {
    /// No connection, or it broke.
    UNREACHABLE = "redis.unreachable", Retry, "Check that Redis runs and that `redis.host`, `redis.port` or `redis.uri` lead to it.";
    /// No answer in time.
    TIMEOUT = "redis.timeout", Retry, "Check the load of Redis, or raise `redis.timeout`.";
    /// TLS settings that cannot work.
    TLS = "redis.tls", Fail, "Check `redis.tls`, `redis.cacert`, `redis.key.cert` and `redis.key.file`.";
    /// Wrong user or password.
    AUTH = "redis.auth", Fail, "Check `redis.username` and `redis.password`.";
    /// The user may not do this.
    PERMISSION = "redis.permission", Fail, "Grant the user the command and the keys with `ACL SETUSER`.";
    /// A replica, or a server that has lost its disk.
    READ_ONLY = "redis.read_only", Retry, "Point the connector at the primary, and check its disk (`INFO persistence`).";
    /// Still reading its data, or busy with a script.
    BUSY = "redis.busy", Retry, "Wait until Redis has loaded its data and no script blocks it.";
    /// `maxmemory` reached.
    MEMORY = "redis.memory", Retry, "Raise `maxmemory` or choose an eviction policy.";
    /// The cluster misses slots.
    CLUSTER_DOWN = "redis.cluster_down", Retry, "Bring back the missing masters of the cluster.";
    /// A cluster answered with a redirection.
    CLUSTER = "redis.cluster", Fail, "Redis Cluster is not supported yet; use a standalone server or a proxy endpoint.";
    /// Scripts are gone; they are loaded again when the task opens.
    SCRIPTS = "redis.scripts", Retry, "Nothing to do, unless somebody runs `SCRIPT FLUSH` over and over.";
    /// The RedisJSON module is missing.
    NO_JSON = "redis.no_json", Fail, "Load RedisJSON (it is part of Redis 8), or set `redis.type=STRING` to store JSON as text.";
    /// Too few replicas have the data.
    REPLICAS = "redis.replicas", Retry, "Check the replicas, or lower `redis.wait.replicas`.";
    /// The key holds a value of another type.
    WRONG_TYPE = "redis.wrong_type", Reject, "Delete the key or choose another `redis.keyspace`; something else writes there.";
    /// Redis refused the command for this record.
    REFUSED = "redis.refused", Reject, "The cause has Redis's words.";
    /// A value is larger than Redis takes.
    TOO_LARGE = "redis.too_large", Reject, "Drop the field with a transform; Redis takes values up to 512 MB.";
    /// The key cannot be made from the record.
    KEY = "redis.key", Reject, "Use fields of the record's key in `redis.key.template`, or send whole old rows (in PostgreSQL: `REPLICA IDENTITY FULL`).";
    /// Bytes that are not Redis's protocol.
    PROTOCOL = "redis.protocol", Retry, "Check that the port is Redis's, and whether it expects TLS.";
}

/// An error that Redis answered with, by its first word.
pub fn classify(answer: &str) -> Error {
    let word = answer.split(' ').next().unwrap_or_default();
    let (code, what): (&'static Code, &'static str) = match word {
        "NOAUTH" | "WRONGPASS" => (&AUTH, "Redis refused the user or password"),
        "NOPERM" => (&PERMISSION, "the Redis user may not do this"),
        "READONLY" => (&READ_ONLY, "this Redis is a read-only replica"),
        "MISCONF" | "NOREPLICAS" => (&READ_ONLY, "Redis takes no writes at the moment"),
        "LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "UNKILLABLE" => {
            (&BUSY, "Redis is not ready")
        }
        "OOM" => (&MEMORY, "Redis has reached its memory limit"),
        "CLUSTERDOWN" => (&CLUSTER_DOWN, "the Redis cluster is down"),
        "MOVED" | "ASK" | "CROSSSLOT" => (&CLUSTER, "this is a Redis cluster"),
        "NOSCRIPT" => (&SCRIPTS, "Redis has forgotten our scripts"),
        "WRONGTYPE" => (&WRONG_TYPE, "the Redis key holds a value of another type"),
        "ERR" if answer.contains("max number of clients") => {
            (&BUSY, "Redis has no connection left")
        }
        "ERR" if answer.contains("wrong Redis type") => {
            (&WRONG_TYPE, "the Redis key holds a value of another type")
        }
        _ => (&REFUSED, "Redis refused a command"),
    };
    Error::new(code, what).caused_by(answer.to_owned())
}

/// A connection that broke or was not made.
pub(crate) fn broken(cause: std::io::Error) -> Error {
    Error::new(&UNREACHABLE, "the connection to Redis failed").caused_by(cause)
}

/// No answer within `redis.timeout`.
pub(crate) fn late() -> Error {
    Error::new(&TIMEOUT, "Redis did not answer in time")
}

#[cfg(test)]
mod tests {
    use connect_core::Verdict::{self, Fail, Reject, Retry};

    use super::classify;

    #[test]
    fn answers_have_the_right_verdict() {
        let cases: &[(&str, Verdict)] = &[
            ("WRONGPASS invalid username-password pair", Fail),
            ("NOAUTH Authentication required.", Fail),
            ("NOPERM this user has no permissions", Fail),
            (
                "READONLY You can't write against a read only replica.",
                Retry,
            ),
            ("LOADING Redis is loading the dataset in memory", Retry),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                Retry,
            ),
            ("CLUSTERDOWN Hash slot not served", Retry),
            ("MISCONF Errors writing to the AOF file", Retry),
            ("MOVED 3999 127.0.0.1:6381", Fail),
            ("NOSCRIPT No matching script.", Retry),
            ("WRONGTYPE Operation against a key", Reject),
            ("ERR max number of clients reached", Retry),
            ("ERR something else", Reject),
        ];
        for (answer, verdict) in cases {
            assert_eq!(classify(answer).verdict(), *verdict, "{answer}");
        }
    }
}

//! What somebody may do, and what a request needs.

use axum::http::Method;

/// What somebody may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Look at everything but what is in dead letters; secrets are masked.
    Read,
    /// Pause, resume, stop, restart, signal, validate.
    Operate,
    /// Create, change and delete connectors, offsets and log levels.
    Admin,
}

impl Role {
    /// Its name in files and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// The role of a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Read, Self::Operate, Self::Admin];
        all.into_iter().find(|role| role.name() == text)
    }

    /// What a request needs. What is not known needs the most.
    pub(crate) fn needed(method: &Method, path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
            // A record's content is more than how a connector is.
            return match parts.as_slice() {
                ["connectors", _, "dead-letters", _, ..] => Self::Operate,
                _ => Self::Read,
            };
        }
        match (method.as_str(), parts.as_slice()) {
            ("PUT", ["connectors", _, "pause" | "resume" | "stop"])
            | ("POST", ["connectors", _, "restart" | "signals"])
            | ("POST", ["connectors", _, "tasks", _, "restart"])
            | ("PUT", ["connectors", _, "topics", "reset"])
            | ("PUT", ["connector-plugins", _, "config", "validate"]) => Self::Operate,
            _ => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_need_a_role() {
        let needed = |method: &str, path: &str| {
            Role::needed(&method.parse::<Method>().unwrap(), path).name()
        };
        assert_eq!(needed("GET", "/connectors/a/config"), "read");
        assert_eq!(needed("GET", "/connectors/a/dead-letters"), "read");
        assert_eq!(needed("GET", "/connectors/a/logs"), "read");
        assert_eq!(needed("GET", "/connectors/a/dead-letters/0/7"), "operate");
        assert_eq!(needed("PUT", "/connectors/a/pause/"), "operate");
        assert_eq!(needed("POST", "/connectors/a/tasks/0/restart"), "operate");
        assert_eq!(needed("PUT", "/connectors/pause/config"), "admin");
        assert_eq!(needed("POST", "/connectors"), "admin");
        assert_eq!(needed("PATCH", "/connectors/a/offsets"), "admin");
        assert_eq!(needed("BREW", "/connectors/a/restart"), "admin");
        assert!(Role::Read < Role::Operate && Role::Operate < Role::Admin);
    }
}

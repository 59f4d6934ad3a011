//! The parts of a server's URL, as an environment variable names it.

use std::env;

use crate::{Error, Result};

/// `scheme://user:password@host:port/path`, where all but the host may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub user: String,
    pub password: String,
    pub host: String,
    pub port: u16,
    pub path: String,
}

impl Address {
    /// The address that the variable holds; `None` when it is not set.
    pub(crate) fn of(variable: &'static str, port: u16) -> Result<Option<Self>> {
        let Some(text) = env::var(variable).ok().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let address = Self::parse(&text, port);
        address.map(Some).ok_or_else(|| {
            Error::new(format!(
                "{variable} is not of the form scheme://user:password@host:port/name"
            ))
        })
    }

    fn parse(text: &str, port: u16) -> Option<Self> {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let rest = rest.split(['?', ',']).next()?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (host, port),
        };
        let own = str::to_owned;
        (!host.is_empty()).then(|| Self {
            user: own(user),
            password: own(password),
            host: own(host),
            port,
            path: own(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_url_apart() {
        let full = Address::parse("postgresql://u:p@db:15/shop?sslmode=require", 1).unwrap();
        let own = str::to_owned;
        let expected = Address {
            user: own("u"),
            password: own("p"),
            host: own("db"),
            port: 15,
            path: own("shop"),
        };
        assert_eq!(full, expected);
        let bare = Address::parse("kafka1,kafka2:9", 9092).unwrap();
        assert_eq!((bare.host.as_str(), bare.port), ("kafka1", 9092));
        assert_eq!(Address::parse("redis://h:nine", 1), None);
    }
}

//! Where a server is: `redis://user:password@host:port/database`.

use connect_core::Secret;

/// A server, a database, and who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether with TLS.
    pub tls: bool,
    /// Number of the database.
    pub database: u32,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
}

impl Address {
    /// Reads a URI; the error says what is wrong, without repeating it, since it can hold a password.
    pub fn parse(uri: &str) -> Result<Self, String> {
        let (scheme, rest) = uri
            .split_once("://")
            .ok_or("The URI must begin with redis:// or rediss://")?;
        let tls = match scheme {
            "redis" => false,
            "rediss" => true,
            "redis-sentinel" | "redis-socket" | "redis+socket" => {
                return Err(format!(
                    "{scheme}:// is not supported yet: use redis:// or rediss://"
                ));
            }
            _ => return Err("The URI must begin with redis:// or rediss://".into()),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, server) = match authority.rsplit_once('@') {
            Some((login, server)) => (Some(login), server),
            None => (None, authority),
        };
        let (username, password) = credentials(login)?;
        let (host, port) = host_and_port(server)?;
        let database = match path {
            "" => 0,
            text => text
                .parse()
                .map_err(|_| "The path of the URI must be the number of a database".to_owned())?,
        };
        Ok(Self {
            host,
            port,
            tls,
            database,
            username,
            password,
        })
    }
}

/// `user:password`, `:password`, or (as redis-kafka-connect has it) the password alone.
fn credentials(login: Option<&str>) -> Result<(Option<String>, Option<Secret>), String> {
    let Some(login) = login else {
        return Ok((None, None));
    };
    let (user, password) = login.split_once(':').unwrap_or(("", login));
    let user = Some(decoded(user)?).filter(|user| !user.is_empty());
    Ok((user, Some(Secret::new(decoded(password)?))))
}

fn host_and_port(server: &str) -> Result<(String, u16), String> {
    let (host, port) = match server.strip_prefix('[') {
        Some(v6) => v6
            .split_once(']')
            .map(|(host, port)| (host, port.strip_prefix(':')))
            .ok_or("The URI has a bracket that is not closed")?,
        None => match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = match port {
        None | Some("") => 6379,
        Some(text) => text
            .parse()
            .map_err(|_| "The port of the URI must be a number from 1 to 65535".to_owned())?,
    };
    let host = if host.is_empty() { "localhost" } else { host };
    Ok((host.to_owned(), port))
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || "The URI has a wrong percent-encoding".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = rest.next().map(char::from).and_then(|c| c.to_digit(16));
            digit.and_then(|d| u8::try_from(d).ok()).ok_or_else(wrong)
        };
        bytes.push(digit()? << 4 | digit()?);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_read() {
        let all = Address::parse("rediss://me:a%3Ab@[::1]:7000/3?timeout=1s").unwrap();
        assert_eq!(
            (all.host.as_str(), all.port, all.database),
            ("::1", 7000, 3)
        );
        assert_eq!(all.username.as_deref(), Some("me"));
        assert_eq!(all.password.unwrap().reveal(), "a:b");
        let least = Address::parse("redis://cache").unwrap();
        assert_eq!(
            (least.host.as_str(), least.port, least.tls),
            ("cache", 6379, false)
        );
        let alone = Address::parse("redis://secret@cache").unwrap();
        assert_eq!(alone.password.unwrap().reveal(), "secret");
        assert_eq!(alone.username, None);
    }

    #[test]
    fn wrong_uris_are_refused_without_repeating_them() {
        for bad in [
            "cache:6379",
            "http://pw@cache",
            "redis-sentinel://pw@h",
            "redis://pw@h:70000",
            "redis://pw%4@h",
            "redis://pw@[::1",
            "redis://pw@h/db",
        ] {
            let why = Address::parse(bad).unwrap_err();
            assert!(!why.contains("pw"), "{why}");
        }
    }
}

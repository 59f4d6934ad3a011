//! Who is known: users with hashed passwords, tokens, and subjects of certificates, each with a role.
//!
//! A file has a line for each: `ROLE user NAME BCRYPT`, `ROLE token NAME sha256:HEX` or `ROLE certificate SUBJECT`; `#` begins a comment.

use std::{collections::HashMap, fmt::Write as _};

use connect_core::{Error, Result};
use sha2::{Digest, Sha256};

use super::{jaas, role::Role};

/// The cost of bcrypt for passwords that are hashed here.
const COST: u32 = 10;

/// Somebody who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// Everybody who is known.
#[derive(Default)]
pub(crate) struct Users {
    users: HashMap<String, (Role, Stored)>,
    /// By the hash of the token.
    tokens: HashMap<String, Identity>,
    /// By subject.
    certificates: HashMap<String, Identity>,
}

/// A password as it is stored.
#[derive(Clone)]
pub(crate) enum Stored {
    /// By bcrypt.
    Bcrypt(String),
    /// As it is, in the files of Kafka Connect's extension.
    Plain(String),
}

impl Users {
    /// Reads a file of lines. The error names the line, never what is in it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut all = Self::default();
        for (at, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            all.line(line).ok_or_else(|| {
                Error::config(format!(
                    "rest.users.file: line {at} is none of `ROLE user NAME BCRYPT`, `ROLE token NAME sha256:HEX` and \
                     `ROLE certificate SUBJECT`, with a ROLE of read, operate or admin"
                ))
            })?;
        }
        if all.users.is_empty() && all.tokens.is_empty() && all.certificates.is_empty() {
            return Err(Error::config("rest.users.file: nobody is in it"));
        }
        Ok(all)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let (role, rest) = line.split_once(char::is_whitespace)?;
        let role = Role::parse(role)?;
        let (kind, rest) = rest.trim_start().split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        if kind == "certificate" {
            let name = rest.to_owned();
            self.certificates
                .insert(rest.to_owned(), Identity { name, role });
            return Some(());
        }
        let (name, proof) = rest.split_once(char::is_whitespace)?;
        let (name, proof) = (name.to_owned(), proof.trim());
        match kind {
            "user" if proof.starts_with("$2") => {
                self.users
                    .insert(name, (role, Stored::Bcrypt(proof.to_owned())));
            }
            "token" => {
                const HEX: usize = 64;
                let hash = proof.strip_prefix("sha256:")?.to_ascii_lowercase();
                let is_hash = hash.len() == HEX && hash.bytes().all(|b| b.is_ascii_hexdigit());
                is_hash.then_some(())?;
                self.tokens.insert(hash, Identity { name, role });
            }
            _ => return None,
        }
        Some(())
    }

    /// The users of a file of Kafka Connect's extension, `name=password` each. They may do everything, as there.
    pub(crate) fn of_properties(text: &str) -> Result<Self> {
        let mut all = Self::default();
        for (name, password) in jaas::properties(text) {
            all.users
                .insert(name, (Role::Admin, Stored::Plain(password)));
        }
        if all.users.is_empty() {
            let what = "the file of users of BasicAuthSecurityRestExtension has none; Kafka Connect would let everybody in";
            return Err(Error::config(what));
        }
        Ok(all)
    }

    /// These and others; the same names are theirs.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.users.extend(others.users);
        self.tokens.extend(others.tokens);
        self.certificates.extend(others.certificates);
        self
    }

    /// Who has this token.
    pub(crate) fn token(&self, token: &str) -> Option<Identity> {
        self.tokens
            .get(&hex(&Sha256::digest(token.as_bytes())))
            .cloned()
    }

    /// Who has a certificate of this subject.
    pub(crate) fn certificate(&self, subject: &str) -> Option<Identity> {
        self.certificates.get(subject).cloned()
    }

    /// The stored password of a user, and the role.
    pub(crate) fn user(&self, name: &str) -> Option<(Role, Stored)> {
        self.users.get(name).cloned()
    }
}

impl Stored {
    /// Whether a password is the stored one. Takes some 50 ms of one core.
    pub(crate) fn fits(&self, password: &str) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            // Of digests, so that the time tells nothing of the password.
            Self::Plain(stored) => Sha256::digest(stored) == Sha256::digest(password),
        }
    }
}

/// A password as the file of users has it.
pub fn hash_password(password: &str) -> Result<String> {
    let hashed = bcrypt::hash(password, COST);
    hashed.map_err(|error| Error::config("the password cannot be hashed").caused_by(error))
}

/// A token as the file of users has it.
pub fn hash_token(token: &str) -> String {
    format!("sha256:{}", hex(&Sha256::digest(token.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_users_is_read() {
        let (password, token) = (bcrypt::hash("pw", 4).unwrap(), hash_token("t0ken"));
        let text = format!(
            "# who\n\nadmin user anna {password}\noperate  token ci {token}\nread certificate CN=mon itor,O=X\n"
        );
        let users = Users::parse(&text).unwrap();
        let (role, stored) = users.user("anna").unwrap();
        assert_eq!(role, Role::Admin);
        assert!(stored.fits("pw") && !stored.fits("PW"));
        assert_eq!(users.token("t0ken").unwrap().role, Role::Operate);
        assert!(users.token("").is_none());
        assert_eq!(
            users.certificate("CN=mon itor,O=X").unwrap().role,
            Role::Read
        );
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        for bad in [
            "admin user anna secretpassword",
            "root user anna $2b$10$x",
            "admin token x sha256:zz",
            "admin",
            "admin certificate",
        ] {
            let error = Users::parse(&format!("\n{bad}")).err().unwrap().to_string();
            assert!(error.contains("line 2"), "{error}");
            assert!(!error.contains("secretpassword"), "{error}");
        }
        assert!(Users::parse("# nobody").is_err());
        assert!(Users::of_properties("").is_err());
    }
}

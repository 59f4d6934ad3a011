//! Logins against the files of users, which may change while the worker runs.

use std::{
    collections::HashSet,
    fs,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use connect_core::{Error, Result};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::{
    jaas,
    users::{Identity, Users},
};
use crate::settings::RestConfig;

/// How often it is looked whether a file has changed.
const LOOK: Duration = Duration::from_secs(1);
/// So many passwords are hashed at a time; each takes a core.
const HASHING: usize = 2;
/// So many logins that were right are remembered, so that each request need not be hashed.
const REMEMBERED: usize = 1024;

/// Everybody who is known, as of the files.
pub(crate) struct Known {
    files: Files,
    state: Mutex<State>,
    hashing: Semaphore,
    salt: [u64; 2],
}

struct Files {
    users: Option<String>,
    properties: Option<String>,
}

struct State {
    users: Arc<Users>,
    right: HashSet<[u8; 32]>,
    looked: Instant,
    seen: Seen,
}

/// What tells whether files have changed.
type Seen = Vec<Option<(SystemTime, u64)>>;

/// Why somebody is not let in.
pub(crate) enum Refused {
    /// Nobody of that login; `wrong` when one was tried.
    Unknown { wrong: bool },
    /// Too many wrong ones: the time to wait.
    TooMany(Duration),
}

impl Known {
    /// Reads the files; `None` when none is configured, and everybody may come.
    pub(crate) fn new(config: &RestConfig) -> Result<Option<Self>> {
        let properties = match config.has_basic_auth() {
            true => Some(jaas::users_file(config)?),
            false => None,
        };
        let files = Files {
            users: config.users.clone(),
            properties,
        };
        if files.users.is_none() && files.properties.is_none() {
            return Ok(None);
        }
        let random = RandomState::new();
        let state = State {
            seen: files.seen(),
            users: Arc::new(files.read()?),
            right: HashSet::new(),
            looked: Instant::now(),
        };
        Ok(Some(Self {
            files,
            state: Mutex::new(state),
            hashing: Semaphore::new(HASHING),
            salt: [random.hash_one(0), random.hash_one(1)],
        }))
    }

    /// Who it is: by the `Authorization` header, else by the certificate. `may_try` is asked before a password is hashed.
    pub(crate) async fn identify(
        &self,
        login: Option<&str>,
        subject: Option<&str>,
        may_try: impl FnOnce() -> std::result::Result<(), Duration>,
    ) -> std::result::Result<Identity, Refused> {
        let users = self.users();
        let Some(login) = login else {
            let found = subject.and_then(|subject| users.certificate(subject));
            return found.ok_or(Refused::Unknown { wrong: false });
        };
        let (scheme, proof) = login.split_once(' ').unwrap_or((login, ""));
        let proof = proof.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            may_try().map_err(Refused::TooMany)?;
            return users.token(proof).ok_or(Refused::Unknown { wrong: true });
        }
        let wrong = Refused::Unknown { wrong: true };
        let Some((name, password)) = basic(scheme, proof) else {
            return Err(wrong);
        };
        let remembered = self.digest(&name, &password);
        let stored = users.user(&name);
        if let Some((role, _)) = &stored
            && self.state.lock().right.contains(&remembered)
        {
            return Ok(Identity { name, role: *role });
        }
        may_try().map_err(Refused::TooMany)?;
        let Some((role, stored)) = stored else {
            return Err(wrong);
        };
        if !self.fits(stored, password).await {
            return Err(wrong);
        }
        self.remember(&users, remembered);
        Ok(Identity { name, role })
    }

    async fn fits(&self, stored: super::users::Stored, password: String) -> bool {
        let Ok(_permit) = self.hashing.acquire().await else {
            return false;
        };
        let hashed = tokio::task::spawn_blocking(move || stored.fits(&password));
        hashed.await.unwrap_or(false)
    }

    /// Only while the users are still those that the login was tried against.
    fn remember(&self, users: &Arc<Users>, login: [u8; 32]) {
        let mut state = self.state.lock();
        if !Arc::ptr_eq(&state.users, users) {
            return;
        }
        if state.right.len() >= REMEMBERED {
            state.right.clear();
        }
        state.right.insert(login);
    }

    fn digest(&self, name: &str, password: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        self.salt
            .iter()
            .for_each(|salt| digest.update(salt.to_le_bytes()));
        digest.update((name.len() as u64).to_le_bytes());
        digest.update(name);
        digest.update(password);
        digest.finalize().into()
    }

    /// The users, read again when a file has changed. While it cannot be read, those of before stay.
    fn users(&self) -> Arc<Users> {
        let mut state = self.state.lock();
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            let seen = self.files.seen();
            if seen != state.seen {
                state.seen = seen;
                match self.files.read() {
                    Ok(users) => {
                        tracing::info!("the users of the REST API were read again");
                        state.users = Arc::new(users);
                        state.right.clear();
                    }
                    Err(error) => {
                        tracing::error!(%error, "the users of the REST API stay those of before");
                    }
                }
            }
        }
        Arc::clone(&state.users)
    }
}

impl Files {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.users.iter().chain(&self.properties)
    }

    fn seen(&self) -> Seen {
        let about = |path: &String| {
            let about = fs::metadata(path).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        self.all().map(about).collect()
    }

    fn read(&self) -> Result<Users> {
        let text = |path: &String| {
            fs::read_to_string(path).map_err(|error| {
                Error::config(format!("the file of users {path} cannot be read")).caused_by(error)
            })
        };
        let ours = match &self.users {
            Some(path) => Users::parse(&text(path)?)?,
            None => Users::default(),
        };
        match &self.properties {
            Some(path) => Ok(Users::of_properties(&text(path)?)?.and(ours)),
            None => Ok(ours),
        }
    }
}

/// Name and password (RFC 7617).
fn basic(scheme: &str, proof: &str) -> Option<(String, String)> {
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(proof).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_decoded() {
        let decoded = basic("BASIC", "YW5uYTpwOnc=");
        assert_eq!(decoded, Some(("anna".into(), "p:w".into())));
        assert_eq!(basic("Basic", "%%%"), None);
        assert_eq!(basic("Digest", "YW5uYTpwOnc="), None);
    }
}

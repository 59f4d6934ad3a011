//! The token of a producer or member, for as long as it is good.

use connect_core::{Error, Result, secret::Secret};
use tokio::sync::Mutex;

use crate::kafka::{
    oauth::{self, Token},
    properties::Properties,
};

/// The `sasl.mechanism` with tokens.
pub(super) const MECHANISM: &str = "OAUTHBEARER";
/// A token that ends sooner than this is replaced.
const REST_MS: i64 = 20_000;

/// Tokens for the connections of one client. Nothing of it prints (Invariant 7).
pub(in crate::kafka) struct Tokens {
    config: Secret,
    kept: Mutex<Option<Token>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn read(config: &Properties) -> Result<Self> {
        let found = config.get("sasl.oauthbearer.config").ok_or_else(|| {
            Error::new(
                &crate::SETTING,
                "OAUTHBEARER needs `sasl.oauthbearer.token.endpoint.url`, and `sasl.jaas.config` with clientId and clientSecret",
            )
        })?;
        Ok(Self {
            config: Secret::new(found),
            kept: Mutex::new(None),
        })
    }

    /// A token that is good for a while.
    pub(super) async fn current(&self) -> Result<Token> {
        let mut kept = self.kept.lock().await;
        match &*kept {
            Some(token) if token.expires_ms - REST_MS > oauth::now_ms() => Ok(token.clone()),
            _ => Ok(kept.insert(oauth::ask(self.config.reveal()).await?).clone()),
        }
    }

    /// The broker has refused it.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

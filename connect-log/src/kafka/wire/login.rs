//! Who we are to a broker, by SASL. Source: KIP-43, KIP-152, KIP-84.

use connect_core::{Error, Result};
use kafka_protocol::{
    messages::{SaslAuthenticateRequest, SaslHandshakeRequest},
    protocol::StrBytes,
};

use super::{
    connection::Connection,
    dial::{Credentials, Login, Mechanism},
    scram::{Hash, Scram},
    tokens::{self, Tokens},
};
use crate::UNAUTHORIZED;

const HANDSHAKE: i16 = 1;
const AUTHENTICATE: i16 = 1;

impl Connection {
    /// Logs in. Fails with `log.unauthorized` when the broker refuses.
    pub(super) async fn log_in(&mut self, login: &Login) -> Result<()> {
        match login {
            Login::Password(mechanism, user) => self.by_password(*mechanism, user).await,
            Login::Token(tokens) => self.by_token(tokens).await,
        }
    }

    async fn by_password(&mut self, mechanism: Mechanism, user: &Credentials) -> Result<()> {
        self.shake(mechanism.name()).await?;
        let of_user = |error: Error| error.context("user", &user.user);
        let password = user.password.reveal();
        let hash = match mechanism {
            Mechanism::Plain => {
                let token = format!("\0{}\0{password}", user.user);
                return self.tell(token).await.map(drop).map_err(of_user);
            }
            Mechanism::ScramSha256 => Hash::Sha256,
            Mechanism::ScramSha512 => Hash::Sha512,
        };
        let scram = Scram::begin(hash, user)?;
        let challenge = self.tell(scram.first()).await.map_err(of_user)?;
        let (proof, expected) = scram.prove(password, &challenge)?;
        expected.check(&self.tell(proof).await.map_err(of_user)?)
    }

    /// Source: RFC 7628 3.1. A refusal is an answer with content, in JSON.
    async fn by_token(&mut self, tokens: &Tokens) -> Result<()> {
        self.shake(tokens::MECHANISM).await?;
        let token = tokens.current().await?;
        let first = format!("n,,\x01auth=Bearer {}\x01\x01", token.text);
        let answer = self.tell(first).await;
        match answer {
            Ok(content) if content.is_empty() => Ok(()),
            _ => {
                tokens.forget().await;
                Err(answer
                    .err()
                    .unwrap_or_else(|| Error::new(&UNAUTHORIZED, "the broker refuses the token")))
            }
        }
    }

    async fn shake(&mut self, mechanism: &'static str) -> Result<()> {
        let request =
            SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
        let shaken = self.exchange(&request, HANDSHAKE).await?;
        if shaken.error_code == 0 {
            return Ok(());
        }
        let offered: Vec<&str> = shaken.mechanisms.iter().map(|name| &**name).collect();
        let refused = Error::new(
            &UNAUTHORIZED,
            "the broker does not offer this `sasl.mechanism`",
        );
        Err(refused
            .context("mechanism", mechanism)
            .context("offered", offered.join(", ")))
    }

    async fn tell(&mut self, token: String) -> Result<bytes::Bytes> {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(token.into_bytes().into());
        let answer = self.exchange(&request, AUTHENTICATE).await?;
        match answer.error_code {
            0 => Ok(answer.auth_bytes),
            _ => Err(Error::new(
                &UNAUTHORIZED,
                "the broker refuses the login: look at `sasl.jaas.config`",
            )),
        }
    }
}
